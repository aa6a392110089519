// RequestParser: HTTP/1.1 requests (RFC 9112) from bytes, without I/O, strict enough that no
// intermediary in front of us can be made to see another request than we see.
//
// One linear pass reads the head: every line ends in CRLF, no byte is read twice, and everything
// RFC 9112 lets a lenient server tolerate is refused (see README.md in this folder for the list).
// The verdict depends on the bytes alone, never on how they were cut into reads.
//
// Use: feed() what arrived; act on the status; drop `consumed` bytes; feed the rest.
//   kNeedMore  everything was consumed and nothing is complete yet
//   kHead      head() is complete; returned once. feed() on, even with nothing, to get the body
//   kBody      `body` holds the next piece of the body, already without its chunk framing
//   kComplete  the request is over; bytes behind it were not touched. reset() before the next one.
//              Comes for every request, also without a body. After an upgrade do not call on.
//   kError     error() says what to answer; close the connection afterwards, for where the next
//              request would begin is unknown. `consumed` has no meaning
//
// Thread: one. Limits: RequestLimits; memory grows with the bytes that came, never with a length a
// peer claims.
//
// Lifetime of the views in head(): when the whole head came in one feed(), nothing is copied and
// they point into that input, so they end with it; detach() copies the head into the parser, which
// ends that tie. When the head was split, they point into the parser and live until reset() or
// destruction. Moving the parser keeps views of the second kind valid. `body` is a view of the
// input.
//
// A server keeps one parser per loop for heads that come in one piece: it costs no allocation once
// its header list has grown. A connection whose head was split, or that has a body still to come,
// takes the state with it: `auto mine = std::make_unique<RequestParser>(std::move(shared));` after
// detach(), then shared.reset().
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "http/chunk_decoder.h"
#include "http/request.h"
#include "http/status.h"

namespace anywire::http {

struct RequestLimits {
  std::size_t head_bytes_max = 16 * 1024;   // request line, headers and the empty line; else 431
  std::size_t target_bytes_max = 8 * 1024;  // else 414
  std::size_t headers_max = 100;            // else 431
  std::uint64_t body_bytes_max = 1024 * 1024;  // without chunk framing; else 413
  // Instead of refusing a path with an encoded slash or backslash ("/a%2Fb"), leave the head's path
  // empty: for who passes such a target on as it is, to a server that knows what it means.
  bool opaque_paths = false;
};

enum class ParseStatus : std::uint8_t { kNeedMore, kHead, kBody, kComplete, kError };

struct ParseResult {
  ParseStatus status = ParseStatus::kNeedMore;
  std::size_t consumed = 0;
  Bytes body;
};

class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits = {}) : limits_(limits) {}

  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  // The source must be reset() before it is fed again.
  RequestParser(RequestParser&&) = default;
  RequestParser& operator=(RequestParser&&) = default;

  ParseResult feed(Bytes input);

  // Valid from kHead on.
  const RequestHead& head() const { return head_; }

  // Valid after kError.
  const HttpError& error() const { return error_; }

  // True when no byte of a request has been seen since construction or reset(): the connection may
  // be closed without anybody missing an answer.
  bool is_idle() const { return stage_ == Stage::kRequestLine && buffer_.empty(); }

  // Narrows the limit on this request's body. Call after kHead and before the body is fed. False
  // when Content-Length says that it is larger; do not feed on then.
  [[nodiscard]] bool limit_body(std::uint64_t bytes_max);

  // Makes head() independent of the input it was parsed from. Call after kHead, while that input is
  // still there; does nothing when the head was split.
  void detach();

  // Ready for the next request. Keeps the memory of the header list for reuse.
  void reset();

 private:
  enum class Stage : std::uint8_t {
    kRequestLine, kHeaders, kHeadDone, kSizedBody, kChunkedBody, kComplete, kError,
  };
  enum class Scan : std::uint8_t { kNeedMore, kComplete, kError };
  enum class Known : std::uint8_t;

  ParseResult feed_head(Bytes input);
  ParseResult feed_sized_body(Bytes input);
  ParseResult feed_chunked_body(Bytes input);

  Scan scan_lines(std::string_view data);
  bool take_line(std::string_view line);
  bool take_request_line(std::string_view line);
  bool take_header(std::string_view line);
  bool take_known_header(Known known, std::string_view value);
  bool finish_head();
  bool refuse(int status, const char* reason);
  bool refuse_oversized_head(std::string_view data);

  void append_to_buffer(std::string_view more);
  void move_views(std::string_view from, const char* to);

  RequestLimits limits_;
  Stage stage_ = Stage::kRequestLine;
  bool blank_line_seen_ = false;
  bool has_content_length_ = false;
  bool in_place_ = false;       // head_ points into the caller's input
  std::uint16_t seen_ = 0;      // which Known headers came, one bit each
  std::size_t line_start_ = 0;  // offsets into the head
  std::size_t scanned_ = 0;
  std::string_view input_head_;  // the caller's bytes while in_place_
  std::vector<char> buffer_;     // the head, when it was split or detached
  std::vector<char> path_;       // the path, when decoding changed it
  RequestHead head_;
  std::string_view host_header_;
  std::uint64_t body_bytes_max_ = 0;  // of this request; set when its head is complete
  std::uint64_t body_left_ = 0;
  ChunkDecoder chunks_;
  HttpError error_;
};

}  // namespace anywire::http
