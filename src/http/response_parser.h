// ResponseParser: HTTP/1.1 responses (RFC 9112) from bytes, without I/O: what a reverse proxy reads
// from the server behind it. The sister of RequestParser, as strict as it is where strictness
// decides which byte belongs to which response, since an answer that is misread poisons whoever
// uses the connection next.
//
// Use: reset() before each response, then feed() what arrived; act on the status; drop `consumed`
// bytes; feed the rest. The statuses are those of RequestParser:
//   kNeedMore  everything was consumed and nothing is complete yet
//   kHead      head() is complete; returned once. feed() on, even with nothing
//   kBody      `body` holds the next piece of the body, without its chunk framing
//   kComplete  the response is over; bytes behind it were not touched. After one that
//              is_informational(), reset() and go on: the answer itself is still to come
//   kError     error() says why; the connection is of no more use
// When the server ends the connection, ask end_of_input(): kComplete for a body that is framed by
// that, kError for everything else that is incomplete.
//
// Refused: a line that does not end in CRLF; control bytes; folded lines; a name that is no token;
// a version other than 1.1 and 1.0; a status outside 100 to 599; Content-Length repeated, with
// anything but digits, or beside Transfer-Encoding; a coding besides "chunked", or one in HTTP/1.0;
// what ChunkDecoder refuses. A status line may lack the space before an absent reason.
// The verdict depends on the bytes alone, never on how they were cut into reads.
//
// Thread: one. Lifetime: the views in head() point into the parser until reset(); `body` is a view
// of the input. Limits: ResponseLimits; memory grows with the bytes of a head that came, and the
// parser keeps it for the next one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "http/chunk_decoder.h"
#include "http/request_parser.h"
#include "http/status.h"

namespace anywire::http {

// No more than a signed number can hold, so that a length nobody could write is still over it.
inline constexpr std::uint64_t kNoBodyLimit = std::numeric_limits<std::int64_t>::max();

struct ResponseLimits {
  std::size_t head_bytes_max = 64 * 1024;  // status line, headers and the empty line
  std::size_t headers_max = 256;
  std::uint64_t body_bytes_max = kNoBodyLimit;  // without chunk framing
};

struct ReceivedHead {
  int status = 0;
  int version_minor = 1;
  std::vector<Header> headers;

  // At most one of the three frames a body; none does where there is no body by rule: the answer to
  // HEAD, 1xx, 204, 304. There `content_length` is what was said all the same.
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  bool until_close = false;

  bool has_body = false;     // perhaps an empty one
  bool keep_alive = true;    // may the connection be used again?

  bool is_informational() const { return status < 200 && status != 101; }
  // The first header of that name, empty when there is none.
  std::string_view header(std::string_view name) const;
};

class ResponseParser {
 public:
  explicit ResponseParser(const ResponseLimits& limits = {}) : limits_(limits) {}
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;

  // Ready for the answer to a request, which was HEAD or another one.
  void reset(bool to_head);

  ParseResult feed(Bytes input);
  ParseResult end_of_input();

  // Valid from kHead on.
  const ReceivedHead& head() const { return head_; }
  // Valid after kError; the status is 502.
  const HttpError& error() const { return error_; }
  // No byte of a response has been seen since reset().
  bool is_idle() const { return stage_ == Stage::kStatusLine && head_bytes_ == 0; }

 private:
  enum class Stage : std::uint8_t {
    kStatusLine, kHeaders, kHeadDone, kSizedBody, kChunkedBody, kOpenBody, kComplete, kError,
  };
  // Where a header is in buffer_, which still moves while the head grows.
  struct Place {
    std::size_t name_at, name_size, value_at, value_size;
  };

  ParseResult feed_head(Bytes input);
  ParseResult begin_body(Bytes input);
  ParseResult feed_sized_body(Bytes input);
  ParseResult feed_chunked_body(Bytes input);
  ParseResult feed_open_body(Bytes input);

  bool take_line();
  bool take_status_line(std::string_view line);
  bool take_header(std::string_view line);
  bool take_known_header(std::string_view name, std::string_view value);
  bool finish_head();
  bool refuse(const char* reason);
  ParseResult error_result() const { return {ParseStatus::kError, 0, {}}; }

  ResponseLimits limits_;
  Stage stage_ = Stage::kStatusLine;
  bool to_head_ = false;
  bool carriage_return_ = false;  // seen, and its line feed is to come
  bool says_close_ = false;
  bool says_keep_alive_ = false;
  std::size_t head_bytes_ = 0;    // with line ends
  std::size_t line_start_ = 0;
  std::string buffer_;            // the lines of the head, without their ends
  std::vector<Place> places_;
  ReceivedHead head_;
  std::uint64_t body_left_ = 0;
  ChunkDecoder chunks_;
  HttpError error_;
};

}  // namespace anywire::http
