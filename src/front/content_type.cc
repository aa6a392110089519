#include "front/content_type.h"

#include <algorithm>
#include <array>
#include <utility>

#include "http/request.h"

namespace anywire::front {
namespace {

struct Entry {
  std::string_view extension;
  ContentType type;
};

constexpr std::array kTypes{
    Entry{"html", {"text/html; charset=utf-8", true}},
    Entry{"htm", {"text/html; charset=utf-8", true}},
    Entry{"js", {"text/javascript; charset=utf-8", true}},
    Entry{"mjs", {"text/javascript; charset=utf-8", true}},
    Entry{"css", {"text/css; charset=utf-8", true}},
    Entry{"json", {"application/json", true}},
    Entry{"map", {"application/json", true}},
    Entry{"webmanifest", {"application/manifest+json", true}},
    Entry{"txt", {"text/plain; charset=utf-8", true}},
    Entry{"md", {"text/markdown; charset=utf-8", true}},
    Entry{"csv", {"text/csv; charset=utf-8", true}},
    Entry{"xml", {"application/xml", true}},
    Entry{"rss", {"application/rss+xml", true}},
    Entry{"atom", {"application/atom+xml", true}},
    Entry{"svg", {"image/svg+xml", true}},
    Entry{"wasm", {"application/wasm", true}},
    Entry{"ico", {"image/x-icon", true}},
    Entry{"png", {"image/png", false}},
    Entry{"jpg", {"image/jpeg", false}},
    Entry{"jpeg", {"image/jpeg", false}},
    Entry{"gif", {"image/gif", false}},
    Entry{"webp", {"image/webp", false}},
    Entry{"avif", {"image/avif", false}},
    Entry{"bmp", {"image/bmp", false}},
    Entry{"woff2", {"font/woff2", false}},
    Entry{"woff", {"font/woff", false}},
    Entry{"ttf", {"font/ttf", true}},
    Entry{"otf", {"font/otf", true}},
    Entry{"eot", {"application/vnd.ms-fontobject", true}},
    Entry{"mp4", {"video/mp4", false}},
    Entry{"webm", {"video/webm", false}},
    Entry{"mov", {"video/quicktime", false}},
    Entry{"mp3", {"audio/mpeg", false}},
    Entry{"m4a", {"audio/mp4", false}},
    Entry{"ogg", {"audio/ogg", false}},
    Entry{"wav", {"audio/wav", false}},
    Entry{"flac", {"audio/flac", false}},
    Entry{"pdf", {"application/pdf", false}},
    Entry{"zip", {"application/zip", false}},
    Entry{"gz", {"application/gzip", false}},
};

}  // namespace

ContentType content_type(std::string_view path) {
  constexpr ContentType kUnknown{"application/octet-stream", false};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return kUnknown;
  const std::string_view extension = name.substr(dot + 1);
  const auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const Entry& entry) {
    return http::equals_ignore_case(entry.extension, extension);
  });
  return found == kTypes.end() ? kUnknown : found->type;
}

}  // namespace anywire::front
