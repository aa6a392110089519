#include "protocol/native/calls.h"

#include <algorithm>
#include <utility>

namespace anywire::protocol::native {
namespace {

std::unexpected<CallError> failure(CallError::Code code) {
  return std::unexpected(CallError{.kind = code, .code = {}, .message = {}});
}

}  // namespace

Calls::~Calls() {
  for (Pending& call : pending_) tell(std::move(call), failure(CallError::Code::kGone));
}

std::uint64_t Calls::begin(Duration timeout, CallDone done) {
  pending_.push_back({++last_, loop_.now() + timeout, std::move(done)});
  arm_next();
  return last_;
}

void Calls::end(std::uint64_t number, std::expected<std::string, CallError> result) {
  const auto found = std::ranges::find(pending_, number, &Pending::number);
  if (found == pending_.end()) return;
  Pending call = std::move(*found);
  pending_.erase(found);
  arm_next();
  tell(std::move(call), std::move(result));
}

void Calls::on_timer() {
  const TimePoint now = loop_.now();
  for (std::size_t i = 0; i < pending_.size();) {
    if (pending_[i].deadline > now) {
      ++i;
      continue;
    }
    tell(std::move(pending_[i]), failure(CallError::Code::kTimeout));
    pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  arm_next();
}

void Calls::arm_next() {
  if (pending_.empty()) return disarm();
  const auto next = std::ranges::min_element(pending_, {}, &Pending::deadline);
  loop_.arm(*this, std::max(next->deadline - loop_.now(), Duration{1}));
}

void Calls::tell(Pending call, std::expected<std::string, CallError> result) {
  loop_.post([done = std::move(call.done), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

}  // namespace anywire::protocol::native
