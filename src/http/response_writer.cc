#include "http/response_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

#include "base/assert.h"

namespace anywire::http {
namespace {

// Decimal digits of `number` without a string of their own.
class Decimal {
 public:
  explicit Decimal(std::uint64_t number)
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  std::string_view text() const {
    return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, 20> digits_;
  char* end_;
};

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool frames_message(std::string_view name) {
  return equals_ignore_case(name, "content-length") ||
         equals_ignore_case(name, "transfer-encoding") || equals_ignore_case(name, "connection");
}

Result<void> check_field(std::string_view name, std::string_view value) {
  if (!is_token(name)) return fail(ErrorCode::kInvalidArgument, "a header name is not a token");
  if (!is_field_value(value)) {
    return fail(ErrorCode::kInvalidArgument, "a header value holds a control character");
  }
  if (frames_message(name)) {
    return fail(ErrorCode::kInvalidArgument, "Connection and framing headers cannot be set");
  }
  return {};
}

bool is_base64_char(char c) {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/' ||
         c == '=';
}

Result<void> check_switching(const SwitchingProtocols& response) {
  const std::string_view key = response.accept_key;
  if (key.size() != 28 || !std::all_of(key.begin(), key.end(), is_base64_char)) {
    return fail(ErrorCode::kInvalidArgument, "the accept key is not 28 characters of base64");
  }
  if (!response.subprotocol.empty() && !is_token(response.subprotocol)) {
    return fail(ErrorCode::kInvalidArgument, "the subprotocol is not a token");
  }
  if (!is_field_value(response.extensions)) {
    return fail(ErrorCode::kInvalidArgument, "the extensions hold a control character");
  }
  for (const Header& header : response.headers) {
    if (auto checked = check_field(header.name, header.value); !checked) return checked;
  }
  return {};
}

}  // namespace

ResponseHead::ResponseHead(std::string& out, int status) : out_(out), status_(status) {
  AW_ASSERT(status >= 100 && status <= 599);
  out_.append("HTTP/1.1 ").append(Decimal(static_cast<std::uint64_t>(status)).text());
  out_.append(" ").append(reason_phrase(status)).append("\r\n");
}

void ResponseHead::append(std::string_view name, std::string_view value) {
  append_field(out_, name, value);
}

ResponseHead& ResponseHead::header(std::string_view name, std::string_view value) {
  AW_ASSERT(is_token(name) && is_field_value(value) && !frames_message(name));
  append(name, value);
  return *this;
}

Result<void> ResponseHead::try_header(std::string_view name, std::string_view value) {
  if (auto checked = check_field(name, value); !checked) return checked;
  append(name, value);
  return {};
}

ResponseHead& ResponseHead::content_length(std::uint64_t bytes) {
  if (!forbids_body(status_)) append("Content-Length", Decimal(bytes).text());
  return *this;
}

ResponseHead& ResponseHead::chunked() {
  AW_ASSERT(!forbids_body(status_));
  append("Transfer-Encoding", "chunked");
  return *this;
}

void write_chunk_head(std::string& out, std::uint64_t bytes) {
  AW_ASSERT(bytes > 0);
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bytes, 16).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data())).append("\r\n");
}

void ResponseHead::finish(bool keep_alive) {
  // A message with Upgrade must name it in Connection as well (RFC 9110 section 7.8).
  if (status_ == 426) {
    append("Connection", keep_alive ? "upgrade, keep-alive" : "upgrade, close");
  } else {
    append("Connection", keep_alive ? "keep-alive" : "close");
  }
  out_.append("\r\n");
}

void ResponseHead::finish_informational() {
  AW_ASSERT(status_ < 200);
  // RFC 9110 section 15.2.2: the Upgrade field is the caller's and must be named here.
  if (status_ == 101) append("Connection", "Upgrade");
  out_.append("\r\n");
}

void write_response(std::string& out, const ResponseOptions& options, std::string_view body) {
  ResponseHead head(out, options.status);
  if (!options.date.empty()) head.header("Date", options.date);
  if (!options.content_type.empty()) head.header("Content-Type", options.content_type);
  for (const Header& header : options.headers) head.header(header.name, header.value);
  head.content_length(body.size());
  head.finish(options.keep_alive);
  if (!options.head_only && !forbids_body(options.status)) out.append(body);
}

void write_error(std::string& out, const HttpError& error, std::span<const Header> headers,
                 std::string_view date) {
  const std::string_view reason = error.reason;
  ResponseHead head(out, error.status);
  if (!date.empty()) head.header("Date", date);
  head.header("Content-Type", "text/plain; charset=utf-8");
  // A browser must not guess that the text is something it could run.
  head.header("X-Content-Type-Options", "nosniff");
  for (const Header& header : headers) head.header(header.name, header.value);
  head.content_length(reason.size() + 1);
  head.finish(false);
  out.append(reason).append("\n");
}

std::string error_response(const HttpError& error, std::string_view date) {
  std::string out;
  write_error(out, error, {}, date);
  return out;
}

void write_continue(std::string& out) { out.append("HTTP/1.1 100 Continue\r\n\r\n"); }

Result<void> write_switching_protocols(std::string& out, const SwitchingProtocols& response) {
  if (auto checked = check_switching(response); !checked) return checked;
  out.append("HTTP/1.1 101 Switching Protocols\r\n"
             "Upgrade: websocket\r\n"
             "Connection: Upgrade\r\n");
  append_field(out, "Sec-WebSocket-Accept", response.accept_key);
  if (!response.subprotocol.empty()) {
    append_field(out, "Sec-WebSocket-Protocol", response.subprotocol);
  }
  if (!response.extensions.empty()) {
    append_field(out, "Sec-WebSocket-Extensions", response.extensions);
  }
  for (const Header& header : response.headers) append_field(out, header.name, header.value);
  out.append("\r\n");
  return {};
}

}  // namespace anywire::http
