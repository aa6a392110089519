// NativeSession: how fast it may do things, and how many at a time.
#include <fmt/core.h>

#include <utility>

#include "protocol/native/session.h"

namespace anywire::protocol::native {
namespace {

Refusal refusal_of(LimitHit hit) {
  Refusal refusal{ErrorCode::kRateLimited, std::move(hit.text)};
  refusal.retry_after_ms = static_cast<std::uint64_t>(hit.retry_after.count());
  return refusal;
}

}  // namespace

// False when the message is not to be carried out; the client has been told then.
bool NativeSession::admit_rate(const Incoming& incoming) {
  SessionLimits* const limits = this->limits();
  if (limits == nullptr) return true;
  const TimePoint now = adapter_.loop().now();
  if (limits->floods(now)) {
    close(Close::kTooManyMessages, "far too many messages in this time");
    return false;
  }
  auto hit = limits->take(Limited::kMessages, 1, now);
  if (!hit) hit = limits->take(Limited::kBytes, incoming.bytes, now);
  if (!hit && incoming.command) {
    if (std::holds_alternative<Subscribe>(*incoming.command)) {
      hit = limits->take(Limited::kSubscribes, 1, now);
    } else if (std::holds_alternative<Enter>(*incoming.command)) {
      // To leave is free: nobody leaves more often than it enters.
      hit = limits->take(Limited::kPresence, 1, now);
    }
  }
  if (!hit) return true;
  send_error(incoming.id, refusal_of(*std::move(hit)), incoming.channel);
  return false;
}

// It is known who connects. False when that user connects too often; then this is the end.
bool NativeSession::admit_user() {
  SessionLimits* const limits = this->limits();
  if (limits == nullptr) return true;
  const auto hit = limits->connect_as(user(), adapter_.loop().now());
  if (hit) close(Close::kTooManyMessages, hit->text);
  return !hit;
}

// False when that user has enough connections; then this is the end. One whose session has been
// taken over is counted no more by now.
bool NativeSession::admit_connection() {
  SessionLimits* const limits = this->limits();
  if (limits == nullptr) return true;
  const auto hit = limits->count_connection();
  if (hit) close(Close::kTooManyMessages, hit->text);
  return !hit;
}

std::optional<Refusal> NativeSession::no_presence_place() const {
  const std::size_t max = adapter_.options().presence_channels_max;
  if (max == 0) return std::nullopt;
  std::size_t present = 0;
  for (const Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    present += seat->present ? 1 : 0;
  }
  if (present < max) return std::nullopt;
  return Refusal{ErrorCode::kTooManyChannels,
                 fmt::format("one connection may be present in at most {} channels", max)};
}

}  // namespace anywire::protocol::native
