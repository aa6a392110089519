// Drives a RequestParser over a whole input, in one piece or cut up, and writes down all it said,
// so that two runs can be compared. Included by tests and fuzzers only.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request_parser.h"

namespace anywire::http {

struct ParsedRequest {
  ParseStatus status = ParseStatus::kNeedMore;  // the last one; kHead never stays the last
  int error_status = 0;
  std::string error_reason;
  std::size_t consumed = 0;  // 0 after an error
  bool has_head = false;
  std::string method, target, raw_path, path, query, host, body;
  int version_minor = 1;
  std::vector<std::pair<std::string, std::string>> headers;
  bool chunked = false, keep_alive = true, expects_continue = false, is_websocket_upgrade = false;
  std::uint64_t content_length = 0;

  bool operator==(const ParsedRequest&) const = default;
};

inline void copy_head(const RequestHead& head, ParsedRequest& out) {
  out.has_head = true;
  out.method = head.method_text;
  out.target = head.target;
  out.raw_path = head.raw_path;
  out.path = head.path;
  out.query = head.query;
  out.host = head.host;
  out.version_minor = head.version_minor;
  out.headers.clear();
  for (const Header& header : head.headers) out.headers.emplace_back(header.name, header.value);
  out.chunked = head.chunked;
  out.content_length = head.content_length;
  out.keep_alive = head.keep_alive;
  out.expects_continue = head.expects_continue;
  out.is_websocket_upgrade = head.is_websocket_upgrade();
}

// Feeds `pieces` one after the other. Every piece is handed over in a buffer of exactly its size
// that is freed afterwards, so that a sanitizer sees a view that is kept too long or read too far.
inline ParsedRequest parse_pieces(RequestParser& parser,
                                  const std::vector<std::string_view>& pieces) {
  ParsedRequest out;
  for (const std::string_view piece : pieces) {
    const std::vector<char> copy(piece.begin(), piece.end());
    std::string_view rest(copy.data(), copy.size());
    for (;;) {
      const ParseResult result = parser.feed(as_bytes(rest));
      out.status = result.status;
      if (result.status == ParseStatus::kError) {
        out.consumed = 0;
        out.error_status = parser.error().status;
        out.error_reason = parser.error().reason;
        return out;
      }
      out.consumed += result.consumed;
      out.body += as_text(result.body);
      rest.remove_prefix(result.consumed);
      if (result.status == ParseStatus::kHead) {
        copy_head(parser.head(), out);
        parser.detach();
      }
      if (result.status == ParseStatus::kComplete) {
        copy_head(parser.head(), out);  // the detached head is still whole
        return out;
      }
      if (result.status == ParseStatus::kNeedMore) break;
    }
  }
  return out;
}

inline ParsedRequest parse_whole(std::string_view input, const RequestLimits& limits = {}) {
  RequestParser parser(limits);
  return parse_pieces(parser, {input});
}

inline ParsedRequest parse_in_steps(std::string_view input, std::size_t step,
                                    const RequestLimits& limits = {}) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < input.size(); i += step) pieces.push_back(input.substr(i, step));
  RequestParser parser(limits);
  return parse_pieces(parser, pieces);
}

}  // namespace anywire::http
