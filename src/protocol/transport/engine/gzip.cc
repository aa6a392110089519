#include "protocol/transport/engine/gzip.h"

#include <zlib.h>

#include "http/request.h"

namespace anywire::protocol::engine {
namespace {

// Fast rather than small: what is compressed is sent once.
constexpr int kLevel = 1;
constexpr int kGzipWindowBits = 15 + 16;
constexpr int kMemoryLevel = 8;

}  // namespace

Gzip::Gzip() : stream_(std::make_unique<z_stream_s>()) {
  ready_ = deflateInit2(stream_.get(), kLevel, Z_DEFLATED, kGzipWindowBits, kMemoryLevel,
                        Z_DEFAULT_STRATEGY) == Z_OK;
}

Gzip::~Gzip() {
  if (ready_) deflateEnd(stream_.get());
}

bool Gzip::compress(std::string_view text, std::string& out) {
  out.clear();
  if (!ready_ || deflateReset(stream_.get()) != Z_OK) return false;
  out.resize(deflateBound(stream_.get(), text.size()));
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream_->avail_in = static_cast<uInt>(text.size());
  stream_->next_out = reinterpret_cast<Bytef*>(out.data());
  stream_->avail_out = static_cast<uInt>(out.size());
  const bool done = deflate(stream_.get(), Z_FINISH) == Z_STREAM_END;
  out.resize(done ? out.size() - stream_->avail_out : 0);
  return done;
}

bool takes_gzip(std::string_view accept_encoding) {
  while (!accept_encoding.empty()) {
    std::string_view rest = http::next_list_member(accept_encoding);
    const std::size_t end = rest.find(';');
    if (!http::equals_ignore_case(http::trim_whitespace(rest.substr(0, end)), "gzip")) continue;
    if (end == rest.npos) return true;
    rest = http::trim_whitespace(rest.substr(end + 1));
    // "q=0" and "q=0.000" are a no.
    const bool weighs = rest.size() > 2 && http::to_lower(rest[0]) == 'q' && rest[1] == '=';
    return !weighs || rest.find_first_of("123456789") != rest.npos;
  }
  return false;
}

}  // namespace anywire::protocol::engine
