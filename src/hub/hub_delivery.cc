// Hub: what is received and how it reaches the subscribers at the live edge.
#include <algorithm>
#include <utility>

#include "hub/hub.h"
#include "hub/steps.h"

namespace anywire::hub {

void Hub::receive(const broker::PublicationPtr& publication) {
  LocalChannel* channel = find(publication->channel);
  // What was sent to an earlier joining must not come before the answer to this one.
  if (channel == nullptr || !channel->live) return;
  if (channel->pending.empty()) schedule(*channel);
  channel->pending.push_back(publication);
  if (channel->pending.size() >= kPendingMax && !channel->walking) make_room(*channel);
}

void Hub::schedule(LocalChannel& channel) {
  if (channel.rule.flush_window.count() <= 0) {
    dirty_.push_back(channel.name);
    return;
  }
  windows_.push_back({loop_.now() + channel.rule.flush_window, channel.name});
  arm(windows_.back().end);
}

void Hub::make_room(LocalChannel& channel) {
  if (channel.rule.conflate && channel.rule.flush_window.count() > 0) {
    conflate(channel.pending);
    if (channel.pending.size() < kPendingMax / 2) return;
  }
  deliver_pending(channel);
}

void Hub::on_turn_end() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    if (LocalChannel* channel = find(dirty_[i])) deliver_pending(*channel);
  }
  dirty_.clear();
  patterns_.deliver();
  last_page_.reset();
  owner_.on_turn_end();
}

void Hub::arm(TimePoint at) {
  if (armed() && armed_for_ <= at) return;
  armed_for_ = at;
  loop_.arm(*this, std::max(at - loop_.now(), Duration{0}));
}

void Hub::on_timer() {
  const TimePoint now = loop_.now();
  const auto due = std::partition(windows_.begin(), windows_.end(),
                                  [now](const Window& one) { return one.end > now; });
  const std::vector<Window> ended(std::make_move_iterator(due),
                                  std::make_move_iterator(windows_.end()));
  windows_.erase(due, windows_.end());
  for (const Window& window : ended) {
    if (LocalChannel* channel = find(window.channel)) deliver_pending(*channel);
  }
  if (!retries_.empty() && retry_at_ <= now) retry_readers();
  if (!retries_.empty()) arm(retry_at_);
  for (const Window& window : windows_) arm(window.end);
}

void Hub::deliver_pending(LocalChannel& channel) {
  if (channel.pending.empty() || channel.walking) return;
  std::vector<broker::PublicationPtr> publications = std::exchange(channel.pending, {});
  const broker::Position had =
      std::exchange(channel.delivered, publications.back()->position());
  Gap::Reason reason = Gap::Reason::kEvicted;
  if (channel.rule.conflate) {
    conflate(publications);
    reason = Gap::Reason::kConflated;
  }
  std::vector<Step> steps = steps_of(publications, had, reason);
  const bool may_fall_behind = channel.rule.slow_consumer != SlowConsumer::kDisconnect;
  // A receiver that publishes in answer is served in the next walk, so everybody sees one order.
  channel.walking = true;
  const std::size_t count = channel.subscribers.size();
  for (std::size_t i = 0; i < count; ++i) {
    for (Step& step : steps) {
      if (channel.subscribers[i] == nullptr) break;  // it may leave in between
      if (step.gap) {
        tell_gap(*channel.subscribers[i], *step.gap);
        if (channel.subscribers[i] == nullptr) break;
      }
      const bool more = channel.subscribers[i]->on_delivery(step.delivery);
      if (more || !may_fall_behind || channel.subscribers[i] == nullptr) continue;
      fall_behind(channel, *channel.subscribers[i], step.last());
      break;
    }
  }
  channel.end_walk();
  drop_if_empty(channel);
}

void Hub::tell_gap(Subscriber& subscriber, const Gap& gap) {
  if (gap.reason != Gap::Reason::kConflated && gap.to >= gap.from) {
    counters_.skipped += gap.to - gap.from + 1;
  }
  subscriber.on_gap(gap);
}

void Hub::reset(const std::string& name, broker::Position top) {
  LocalChannel* channel = find(name);
  if (channel == nullptr || !channel->live) return;
  if (channel->walking) {
    // The broker has found out inside a publish of a receiver's. What follows in the new epoch
    // tells of the gap by itself.
    return loop_.post([this, name, top] { reset(name, top); });
  }
  deliver_pending(*channel);
  channel = find(name);
  if (channel == nullptr) return;
  const std::optional<Gap> gap = gap_between(channel->delivered, top, Gap::Reason::kEvicted);
  if (!gap) return;
  channel->delivered = top;
  channel->walk([&](Subscriber& one) { tell_gap(one, *gap); });
  drop_if_empty(*channel);
}

void Hub::fall_behind(LocalChannel& channel, Subscriber& subscriber,
                      const broker::Position& cursor) {
  ++counters_.stalls;
  channel.remove(subscriber);
  add_reader({.state = Reader::State::kStalled,
              .subscriber = &subscriber,
              .channel = &channel,
              .cursor = cursor});
}

}  // namespace anywire::hub
