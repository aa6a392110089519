#include "protocol/native/errors.h"

#include <utility>

namespace anywire::protocol::native {

Refusal refusal_of(hub::HubError error) {
  using hub::HubError;
  switch (error) {
    case HubError::kUnavailable:
      return {ErrorCode::kUnavailable, "the store behind the channel cannot be reached"};
    case HubError::kOverloaded:
      return {ErrorCode::kOverloaded, "the server has more to do than it can hold"};
    case HubError::kIdempotencyConflict:
      return {ErrorCode::kIdempotencyConflict, "the key was used for another message"};
    case HubError::kTooManyMembers:
      return {ErrorCode::kTooManyMembers, "the presence of the channel is full"};
    case HubError::kTooLarge:
      return {ErrorCode::kTooLarge, "the member's \"info\" is over its limit"};
    case HubError::kNoHistory: return {ErrorCode::kNoHistory, "the channel keeps no history"};
    case HubError::kNoPresence: return {ErrorCode::kNoPresence, "the channel has no presence"};
  }
  return {ErrorCode::kUnavailable, "the command could not be carried out"};
}

Refusal refusal_of(SchemaViolation violation) {
  return {.code = ErrorCode::kSchemaViolation,
          .message = std::move(violation.message),
          .path = std::move(violation.path)};
}

Refusal refusal_of(AppRefusal refused) {
  switch (refused.code) {
    case AppRefusal::Code::kRefused:
      return {.code = ErrorCode::kRefused,
              .message = std::move(refused.message),
              .reason = std::move(refused.reason),
              .retry = refused.retry};
    case AppRefusal::Code::kNoHandler:
      return {ErrorCode::kNoHandler, "nobody answers this method"};
    case AppRefusal::Code::kUnavailable: break;
  }
  return {ErrorCode::kAppUnavailable, "the application cannot be asked at the moment"};
}

}  // namespace anywire::protocol::native
