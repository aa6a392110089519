// HTTP status codes: the phrase for each one we send, and the error a parser reports.
//
// Pure data: any thread, static lifetime.
#pragma once

#include <string_view>

namespace anywire::http {

// Why a request is refused. `reason` is a static sentence for a person, without a full stop and
// without anything the peer sent, so it may go into a body or a log as it is.
struct HttpError {
  int status = 0;  // 4xx or 5xx; 0 means "no error"
  const char* reason = "";
};

// The phrase of RFC 9110 section 15 for `status`, or "Unknown" for a code this server never sends.
std::string_view reason_phrase(int status);

// True when a response with this status carries neither a body nor a Content-Length
// (RFC 9110 sections 8.6 and 6.4.1): 1xx, 204 and 304.
constexpr bool forbids_body(int status) {
  return (status >= 100 && status < 200) || status == 204 || status == 304;
}

}  // namespace anywire::http
