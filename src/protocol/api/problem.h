// Problem: why a call of the HTTP API was not carried out, and how that is said: a stable code, the
// HTTP status that belongs to it, a text for the developer. docs/api.md has the table for users.
//
//   {"error":{"code":"forbidden","message":"this key may not publish to \"news\"","retry":false}}
//
// Thread: any; plain data and pure functions. Lifetime: owns its texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "codec/json_writer.h"
#include "http/exchange.h"
#include "hub/subscriber.h"

namespace anywire::protocol::api {

enum class Code : std::uint8_t {
  kBadRequest,
  kBadChannel,
  kUnauthorized,
  kForbidden,
  kNotFound,
  kClientGone,
  kNoHandler,
  kNoHistory,
  kNoPresence,
  kMethodNotAllowed,
  kRequestTimeout,
  kIdempotencyConflict,
  kEpochChanged,
  kTooLarge,
  kUnsupportedMediaType,
  kSchemaViolation,
  kRefused,
  kRateLimited,
  kTooManyPending,
  kOverloaded,
  kUnavailable,
  kTimeout,
};

struct CodeName {
  std::string_view name;
  int status = 400;
  bool retry = false;  // the same call, unchanged, may succeed later
};

inline constexpr std::array<CodeName, 22> kCodeNames = {{
    {"bad_request", 400},
    {"bad_channel", 400},
    {"unauthorized", 401},
    {"forbidden", 403},
    {"not_found", 404},
    {"client_gone", 404},
    {"no_handler", 404},
    {"no_history", 404},
    {"no_presence", 404},
    {"method_not_allowed", 405},
    {"request_timeout", 408, true},
    {"idempotency_conflict", 409},
    {"epoch_changed", 409},
    {"too_large", 413},
    {"unsupported_media_type", 415},
    {"schema_violation", 422},
    {"refused", 422},
    {"rate_limited", 429, true},
    {"too_many_pending", 429, true},
    {"overloaded", 503, true},
    {"unavailable", 503, true},
    {"timeout", 504, true},
}};

constexpr const CodeName& name(Code code) { return kCodeNames[static_cast<std::size_t>(code)]; }

static_assert(name(Code::kTimeout).name == "timeout");

struct Problem {
  Code code = Code::kBadRequest;
  std::string message;
  // JSON Pointer (RFC 6901) to what is at fault: into the message's `data` for schema_violation,
  // into the request's body for everything else. Empty: all of it, or unknown.
  std::string path;
  std::string reason;       // with kRefused: the application's own code, if it gave one
  Duration retry_after{0};  // 0: unknown

  bool operator==(const Problem&) const = default;
};

Problem problem_of(hub::HubError error);

// The object that stands for `error`, as the writer's next value.
void append(codec::JsonWriter& json, const Problem& problem);

// A whole answer.
http::Response json_answer(std::string body, int status = 200);
http::Response problem_answer(const Problem& problem);

}  // namespace anywire::protocol::api
