#include "hooks/event_batch.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace anywire::hooks {

void EventBatch::add(Event event) {
  if (events_.size() >= kEventsMax) {
    ++lost_;
    return;
  }
  events_.push_back(std::move(event));
  // What waits to be sent again has the timer, and goes first.
  if (under_way_ || !batch_.empty()) return;
  if (events_.size() >= kBatchMax) return send();
  if (!armed()) loop_.arm(*this, kDelay);
}

void EventBatch::on_timer() {
  if (!under_way_) send();
}

void EventBatch::send() {
  disarm();
  if (batch_.empty()) {
    const auto count = static_cast<std::ptrdiff_t>(std::min(events_.size(), kBatchMax));
    batch_.assign(std::make_move_iterator(events_.begin()),
                  std::make_move_iterator(events_.begin() + count));
    events_.erase(events_.begin(), events_.begin() + count);
    batch_id_ = dispatcher_.next_id();
    batch_lost_ = lost_;
    attempts_ = 0;
  }
  under_way_ = true;
  ++attempts_;
  dispatcher_.send({.hook = "events",
                    .id = batch_id_,
                    .body = encode(batch_id_, batch_, batch_lost_),
                    .repeatable = true},
                   [this](const std::expected<std::string, Failure>& answer) {
                     return on_answer(answer);
                   });
}

std::string EventBatch::on_answer(const std::expected<std::string, Failure>& answer) {
  under_way_ = false;
  // What was answered was received, whatever else is wrong with the answer.
  const std::string wrong = answer ? on_answer_(*answer) : std::string();
  if (answer) {
    lost_ -= batch_lost_;
    batch_.clear();
  } else if (attempts_ >= kAttemptsMax) {
    lost_ += batch_.size();
    batch_.clear();
  }
  if (!batch_.empty()) {
    const Duration wait = std::min(kRetryMin * (1 << (attempts_ - 1)), kRetryMax);
    loop_.arm(*this, wait);
  } else if (!events_.empty()) {
    loop_.arm(*this, events_.size() >= kBatchMax ? Duration{0} : kDelay);
  }
  return wrong;
}

}  // namespace anywire::hooks
