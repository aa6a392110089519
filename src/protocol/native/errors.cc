#include "protocol/native/errors.h"

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
    case HubError::kNoHistory: return {ErrorCode::kNoHistory, "the channel keeps no history"};
    case HubError::kNoPresence: return {ErrorCode::kNoPresence, "the channel has no presence"};
  }
  return {ErrorCode::kUnavailable, "the command could not be carried out"};
}

}  // namespace anywire::protocol::native
