#include "protocol/api/call.h"

#include <fmt/core.h>

#include <algorithm>

namespace anywire::protocol::api {
namespace {

// As an editor counts: lines and bytes of the line, from 1.
std::string place_in(Bytes body, std::size_t at) {
  const std::string_view before = as_text(body).substr(0, at);
  const auto lines = std::ranges::count(before, '\n');
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", lines + 1, before.size() - line_start + 1);
}

}  // namespace

void ApiCall::on_request(const http::RequestHead& head, BufferRef body) {
  if (!endpoint_.has_body()) return (this->*endpoint_.read)(head);
  const Bytes bytes = body ? body->bytes() : Bytes();
  if (bytes.empty()) {
    return refuse({.code = Code::kBadRequest, .message = "the body is empty; it must be JSON"});
  }
  const auto value = adapter_.reader().read(bytes);
  if (!value) {
    return refuse({.code = Code::kBadRequest,
                   .message = fmt::format("{} ({})", value.error().message,
                                          place_in(bytes, adapter_.reader().fault_at()))});
  }
  (this->*endpoint_.run)(head, *value);
}

// The body broke a limit while it came.
std::optional<http::Response> ApiCall::refusal(const http::HttpError& error) const {
  switch (error.status) {
    case 413: return problem_answer(adapter_.too_large_body());
    case 408:
      return problem_answer(
          {.code = Code::kRequestTimeout, .message = "the body took too long to arrive"});
    default:
      return problem_answer({.code = error.status == 503 ? Code::kOverloaded : Code::kBadRequest,
                             .message = std::string(error.reason)});
  }
}

auth::WallTime ApiCall::now() const {
  return auth::wall_time(adapter_.services().wall.unix_ms());
}

}  // namespace anywire::protocol::api
