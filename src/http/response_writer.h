// Writing responses: plain bytes appended to a string, with nothing in a head that could begin a
// second response.
//
// Two ways in for header values. header() is for what this server wrote itself: a value that holds
// a control character there is our bug and ends the process. try_header() is for what came from
// outside (a configuration, a customer's hook, a proxied response): a bad value is an Error and
// nothing is written. Nothing a client sent belongs into a response head unless it was checked.
//
// Thread: any, one at a time per string. Lifetime: arguments are copied. Limits: none of its own;
// the caller bounds what it writes. Allocates only as `out` grows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/request.h"
#include "http/status.h"

namespace anywire::http {

// One response head, in the order of the calls:
//
//   ResponseHead(out, 200).header("Content-Type", "text/plain").content_length(5).finish(true);
//   out += "hello";
//
// Exactly one finish(), after which the body follows. `out` must outlive the object.
class ResponseHead {
 public:
  // `status` is from 100 to 599.
  ResponseHead(std::string& out, int status);
  ResponseHead(const ResponseHead&) = delete;
  ResponseHead& operator=(const ResponseHead&) = delete;

  ResponseHead& header(std::string_view name, std::string_view value);

  // Refuses a name that is no token, a value with control characters, and the fields that frame the
  // message, which only this class writes.
  [[nodiscard]] Result<void> try_header(std::string_view name, std::string_view value);

  // Must be called for every response with a body, and for an empty body that is not forbidden by
  // the status; ignored where RFC 9110 section 8.6 forbids the field.
  ResponseHead& content_length(std::uint64_t bytes);

  // Instead of content_length(), for a body of unknown length (RFC 9112 section 7.1). The client
  // must have asked in HTTP/1.1.
  ResponseHead& chunked();

  // Writes Connection and the empty line.
  void finish(bool keep_alive);
  // Instead, for a status from 100 to 199: an answer is still to follow, or another protocol.
  void finish_informational();

 private:
  void append(std::string_view name, std::string_view value);

  std::string& out_;
  int status_;
};

struct ResponseOptions {
  int status = 200;
  bool keep_alive = true;
  bool head_only = false;          // the request was HEAD: say the length, leave out the body
  std::string_view content_type;   // left out when empty
  std::string_view date;           // an IMF-fixdate (RFC 9110 section 5.6.7); left out when empty
  std::span<const Header> headers;  // our own, as header() takes them
};

// A whole response. `body` is dropped, length included, where the status forbids one.
void write_response(std::string& out, const ResponseOptions& options, std::string_view body);

// The answer to a request that was refused: the reason as text/plain, "Connection: close". Give the
// fields a status demands as `headers`: Allow with 405, Upgrade and Sec-WebSocket-Version with 426,
// Retry-After with 503.
// `date` as in ResponseOptions.
void write_error(std::string& out, const HttpError& error, std::span<const Header> headers = {},
                 std::string_view date = {});
std::string error_response(const HttpError& error, std::string_view date = {});

// What goes before the data of one chunk, of which there must be some; kChunkEnd goes behind it.
// kLastChunk ends the body.
void write_chunk_head(std::string& out, std::uint64_t bytes);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// "HTTP/1.1 100 Continue": send before reading a body when RequestHead::expects_continue is set.
void write_continue(std::string& out);

struct SwitchingProtocols {
  std::string_view accept_key;   // Sec-WebSocket-Accept: 28 characters of base64
  std::string_view subprotocol;  // left out when empty; must be a token
  std::string_view extensions;   // left out when empty; must be a field value
  std::span<const Header> headers;  // extra ones; must be a token and a field value
};

// The 101 of a WebSocket handshake (RFC 6455 section 4.2.2). Everything is checked, since a
// subprotocol or a header may stem from the client or a hook; on an Error `out` is as it was.
[[nodiscard]] Result<void> write_switching_protocols(std::string& out,
                                                     const SwitchingProtocols& response);

}  // namespace anywire::http
