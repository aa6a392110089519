#include "hub/patterns.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "hub/steps.h"

namespace anywire::hub {

PatternSubscriber::~PatternSubscriber() {
  if (pattern_ != nullptr) pattern_->patterns.unsubscribe(*this);
}

void Patterns::subscribe(const auth::Glob& glob, PatternSubscriber& subscriber) {
  AW_ASSERT(subscriber.pattern_ == nullptr);
  const std::string& name = glob.pattern();
  auto found = patterns_.find(name);
  if (found == patterns_.end()) {
    auto made = std::make_unique<LocalPattern>(LocalPattern{.patterns = *this, .glob = glob});
    made->joining = ++joinings_;
    found = patterns_.emplace(name, std::move(made)).first;
    stale_ = true;
    found->second->answers_due = owners_.add(name, found->second->joining);
  }
  LocalPattern& pattern = *found->second;
  subscriber.pattern_ = &pattern;
  subscriber.index_ = static_cast<std::uint32_t>(pattern.subscribers.size());
  subscriber.stalled_ = false;
  subscriber.missed_ = 0;
  pattern.subscribers.push_back(&subscriber);
  if (pattern.answers_due == 0) subscriber.on_subscribed();
}

void Patterns::unsubscribe(PatternSubscriber& subscriber) {
  LocalPattern* pattern = std::exchange(subscriber.pattern_, nullptr);
  if (pattern == nullptr) return;
  pattern->subscribers[subscriber.index_] = nullptr;
  ++pattern->holes;
  left_ = true;
  if (!walking_) end_walk();
}

void Patterns::resume(PatternSubscriber& subscriber) {
  if (subscriber.pattern_ == nullptr || !subscriber.stalled_) return;
  subscriber.stalled_ = false;
  const std::uint64_t missed = std::exchange(subscriber.missed_, 0);
  if (missed > 0) subscriber.on_missed(missed);
}

template <typename Visit>
void Patterns::walk(LocalPattern& pattern, Visit&& visit) {
  walking_ = true;
  const std::size_t count = pattern.subscribers.size();
  for (std::size_t i = 0; i < count; ++i) {
    if (pattern.subscribers[i] != nullptr) visit(*pattern.subscribers[i]);
  }
  walking_ = false;
}

void Patterns::confirm(const std::string& name, std::uint64_t joining) {
  const auto found = patterns_.find(name);
  if (found == patterns_.end() || found->second->joining != joining) return;
  LocalPattern& pattern = *found->second;
  if (--pattern.answers_due > 0) return;
  walk(pattern, [](PatternSubscriber& one) { one.on_subscribed(); });
  end_walk();
}

void Patterns::receive(const broker::PublicationPtr& publication) {
  Matched& channel = matched(publication->channel);
  if (channel.patterns.empty()) return;  // sent before the owner knew that we left
  if (channel.pending.empty()) dirty_.push_back(&channel);
  channel.pending.push_back(publication);
}

Patterns::Matched& Patterns::matched(const std::string& channel) {
  const auto found = matched_.find(channel);
  if (found != matched_.end() && !stale_) return *found->second;
  if (stale_ || matched_.size() >= kCachedMax) forget_matches();
  std::unique_ptr<Matched>& made = matched_[channel];
  made = std::make_unique<Matched>();
  for (const auto& [name, pattern] : patterns_) {
    if (pattern->glob.matches(channel)) made->patterns.push_back(pattern.get());
  }
  return *made;
}

void Patterns::forget_matches() {
  deliver();
  matched_.clear();
  stale_ = false;
}

void Patterns::deliver() {
  if (dirty_.empty()) return;
  for (std::size_t i = 0; i < dirty_.size(); ++i) hand_out(*dirty_[i]);
  dirty_.clear();
  end_walk();
}

void Patterns::hand_out(Matched& channel) {
  const std::vector<broker::PublicationPtr> publications = std::exchange(channel.pending, {});
  const broker::Publication& first = *publications.front();
  std::vector<Step> steps =
      steps_of(publications, {first.epoch, first.offset - 1}, Gap::Reason::kEvicted);
  for (LocalPattern* pattern : channel.patterns) {
    if (pattern->answers_due > 0) continue;
    walk(*pattern, [&](PatternSubscriber& one) {
      for (Step& step : steps) {
        if (one.pattern_ != pattern) return;  // it has left
        if (one.stalled_) {
          one.missed_ += step.delivery.publications().size();
        } else if (!one.on_delivery(step.delivery)) {
          one.stalled_ = true;
        }
      }
    });
  }
}

// Closes the places of those who left, and ends patterns that nobody wants.
void Patterns::end_walk() {
  if (!std::exchange(left_, false)) return;
  for (auto at = patterns_.begin(); at != patterns_.end();) {
    LocalPattern& pattern = *at->second;
    if (pattern.holes > 0) {
      std::erase(pattern.subscribers, nullptr);
      pattern.holes = 0;
      for (std::uint32_t i = 0; i < pattern.subscribers.size(); ++i) {
        pattern.subscribers[i]->index_ = i;
      }
    }
    if (!pattern.subscribers.empty()) {
      ++at;
      continue;
    }
    for (auto& [channel, cached] : matched_) std::erase(cached->patterns, &pattern);
    owners_.remove(pattern.glob.pattern());
    at = patterns_.erase(at);
  }
}

}  // namespace anywire::hub
