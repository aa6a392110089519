// Drives a ResponseParser over a whole input, in one piece or cut up, and writes down all it said;
// and llhttp as a second opinion. Included by tests and fuzzers only.
#pragma once

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/response_parser.h"

namespace anywire::http {

struct ResponseDrive {
  bool to_head = false;
  bool ended = false;  // the connection ends behind the input
  ResponseLimits limits{};
};

struct ParsedResponse {
  ParseStatus status = ParseStatus::kNeedMore;  // the last one; kHead never stays the last
  std::string error;
  bool has_head = false;
  int code = 0;
  int version_minor = 1;
  std::vector<std::pair<std::string, std::string>> headers;
  bool chunked = false, until_close = false, has_body = false, keep_alive = true;
  std::optional<std::uint64_t> content_length;
  std::string body;
  std::size_t left = 0;  // bytes behind a complete response

  bool operator==(const ParsedResponse&) const = default;
};

inline void copy_head(const ReceivedHead& head, ParsedResponse& out) {
  out.has_head = true;
  out.code = head.status;
  out.version_minor = head.version_minor;
  out.headers.clear();
  for (const Header& header : head.headers) out.headers.emplace_back(header.name, header.value);
  out.chunked = head.chunked;
  out.until_close = head.until_close;
  out.has_body = head.has_body;
  out.keep_alive = head.keep_alive;
  out.content_length = head.content_length;
}

// Every piece is handed over in a buffer of exactly its size that is freed afterwards, so that a
// sanitizer sees a view that is kept too long or read too far.
inline ParsedResponse parse_response_pieces(const std::vector<std::string_view>& pieces,
                                            const ResponseDrive& drive = {}) {
  ResponseParser parser(drive.limits);
  parser.reset(drive.to_head);
  ParsedResponse out;
  const auto note_error = [&] {
    out.status = ParseStatus::kError;
    out.error = parser.error().reason;
    out.left = 0;
    return out;
  };
  std::size_t at = 0;
  for (const std::string_view piece : pieces) at += piece.size();
  const std::size_t total = at;
  at = 0;
  for (const std::string_view piece : pieces) {
    const std::vector<char> copy(piece.begin(), piece.end());
    std::string_view rest(copy.data(), copy.size());
    for (;;) {
      const ParseResult result = parser.feed(as_bytes(rest));
      out.status = result.status;
      if (result.status == ParseStatus::kError) return note_error();
      at += result.consumed;
      out.body += as_text(result.body);
      rest.remove_prefix(result.consumed);
      if (result.status == ParseStatus::kHead) copy_head(parser.head(), out);
      if (result.status == ParseStatus::kComplete) {
        copy_head(parser.head(), out);  // it is still whole
        out.left = total - at;
        return out;
      }
      if (result.status == ParseStatus::kNeedMore) break;
    }
  }
  if (!drive.ended) return out;
  out.status = parser.end_of_input().status;
  if (out.status == ParseStatus::kError) return note_error();
  return out;
}

inline ParsedResponse parse_response_whole(std::string_view input,
                                           const ResponseDrive& drive = {}) {
  return parse_response_pieces({input}, drive);
}

inline ParsedResponse parse_response_in_steps(std::string_view input, std::size_t step,
                                              const ResponseDrive& drive = {}) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < input.size(); i += step) pieces.push_back(input.substr(i, step));
  return parse_response_pieces(pieces, drive);
}

// What llhttp makes of the first response of `input`, with the connection's end behind it.
class LlhttpResponse {
 public:
  LlhttpResponse(std::string_view input, bool to_head) : to_head_(to_head) {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_header_field = append<&LlhttpResponse::name_>;
    settings.on_header_value = append<&LlhttpResponse::value_>;
    settings.on_header_value_complete = on_header;
    settings.on_headers_complete = on_headers;
    settings.on_body = append<&LlhttpResponse::body>;
    settings.on_message_complete = on_message;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    parser.data = this;
    llhttp_errno_t error = llhttp_execute(&parser, input.data(), input.size());
    if (error == HPE_OK && !is_complete) error = llhttp_finish(&parser);
    is_accepted = error == HPE_OK || error == HPE_PAUSED || error == HPE_PAUSED_UPGRADE;
    if (!is_accepted) reason = llhttp_errno_name(error);
  }

  bool is_accepted = false;
  bool has_head = false;
  bool is_complete = false;
  int status = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

 private:
  template <std::string LlhttpResponse::* Field>
  static int append(llhttp_t* parser, const char* text, std::size_t size) {
    (static_cast<LlhttpResponse*>(parser->data)->*Field).append(text, size);
    return 0;
  }
  static int on_header(llhttp_t* parser) {
    auto& self = *static_cast<LlhttpResponse*>(parser->data);
    // Trailers are not headers; ResponseParser drops them. llhttp leaves trailing tabs in a value.
    if (!self.has_head) self.headers.emplace_back(self.name_, trim_whitespace(self.value_));
    self.name_.clear();
    self.value_.clear();
    return 0;
  }
  static int on_headers(llhttp_t* parser) {
    auto& self = *static_cast<LlhttpResponse*>(parser->data);
    self.has_head = true;
    self.status = parser->status_code;
    return self.to_head_ ? 1 : 0;  // 1: no body follows
  }
  static int on_message(llhttp_t* parser) {
    static_cast<LlhttpResponse*>(parser->data)->is_complete = true;
    return HPE_PAUSED;
  }

  bool to_head_;
  std::string name_;
  std::string value_;
};

// The rule is one-sided: whatever ResponseParser accepts llhttp accepts too, and sees the same.
// Empty when it does.
inline std::string difference_to_llhttp(std::string_view input, const ParsedResponse& ours,
                                        bool to_head) {
  const LlhttpResponse theirs(input, to_head);
  if (!theirs.is_accepted) return "refused: " + theirs.reason;
  if (!theirs.has_head || theirs.status != ours.code) return "another status";
  if (theirs.headers != ours.headers) return "other headers";
  // llhttp takes a 101 whose Upgrade it believes for the end, and leaves its body alone otherwise.
  if (ours.code == 101) return "";
  if (theirs.body != ours.body) return "another body";
  if (theirs.is_complete != (ours.status == ParseStatus::kComplete)) return "another end";
  return "";
}

}  // namespace anywire::http
