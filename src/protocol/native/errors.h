// The error codes of the native protocol (section 2), and what the hub's refusals are called here.
//
// Thread: any; constants and pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "hub/subscriber.h"
#include "protocol/app_hook.h"
#include "protocol/validation.h"

namespace anywire::protocol::native {

enum class ErrorCode : std::uint8_t {
  kBadMessage,
  kUnknownType,
  kNotConnected,
  kAlreadyConnected,
  kIdInUse,
  kBadChannel,
  kForbidden,
  kUnauthorized,
  kUserMismatch,
  kAlreadySubscribed,
  kNotSubscribed,
  kTooManyChannels,
  kTooLarge,
  kNoHistory,
  kNoPresence,
  kNoOccupancy,
  kEpochChanged,
  kTooManyMembers,
  kNotPresent,
  kIdempotencyConflict,
  kNoHandler,
  kTooManyPending,
  kRateLimited,
  kOverloaded,
  kUnavailable,
  kRefused,
  kAppUnavailable,
  kSchemaViolation,
};

inline constexpr std::size_t kErrorCodes = 28;

struct ErrorName {
  std::string_view code;
  bool retry = false;  // the same command, unchanged, may succeed later
};

inline constexpr std::array<ErrorName, kErrorCodes> kErrorNames = {{
    {"bad_message"},
    {"unknown_type"},
    {"not_connected"},
    {"already_connected"},
    {"id_in_use"},
    {"bad_channel"},
    {"forbidden"},
    {"unauthorized"},
    {"user_mismatch"},
    {"already_subscribed"},
    {"not_subscribed"},
    {"too_many_channels"},
    {"too_large"},
    {"no_history"},
    {"no_presence"},
    {"no_occupancy"},
    {"epoch_changed"},
    {"too_many_members", true},
    {"not_present"},
    {"idempotency_conflict"},
    {"no_handler"},
    {"too_many_pending", true},
    {"rate_limited", true},
    {"overloaded", true},
    {"unavailable", true},
    {"refused"},
    {"app_unavailable", true},
    {"schema_violation"},
}};

constexpr const ErrorName& name(ErrorCode code) {
  return kErrorNames[static_cast<std::size_t>(code)];
}

static_assert(name(ErrorCode::kSchemaViolation).code == "schema_violation");

// Why a command is not carried out; `message` is for the developer of the client.
struct Refusal {
  ErrorCode code = ErrorCode::kBadMessage;
  std::string message;
  std::string reason;  // of kRefused: the application's own code, if it gave one
  bool retry = false;  // of kRefused: the application says that the same may be allowed later
  std::uint64_t retry_after_ms = 0;  // then it may succeed; 0: nobody knows
  std::string path;  // of kSchemaViolation: JSON Pointer into the data; empty: all of it

  bool operator==(const Refusal&) const = default;
};

Refusal refusal_of(hub::HubError error);
Refusal refusal_of(AppRefusal refused);
Refusal refusal_of(SchemaViolation violation);

}  // namespace anywire::protocol::native
