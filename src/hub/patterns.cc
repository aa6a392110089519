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
    found = patterns_.emplace(name, std::make_shared<LocalPattern>(*this, glob)).first;
    index_.add(*found->second);
    found->second->answers_due = owners_.add(name, found->second->number);
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
  if (!std::exchange(pattern->left, true)) left_.push_back(pattern);
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
  if (found == patterns_.end() || found->second->number != joining) return;
  LocalPattern& pattern = *found->second;
  if (--pattern.answers_due > 0) return;
  walk(pattern, [](PatternSubscriber& one) { one.on_subscribed(); });
  end_walk();
}

// Calls nobody: the owner may be in the middle of its list.
void Patterns::receive(const broker::PublicationPtr& publication) {
  Matched& channel = matched(publication->channel);
  // In a walk, which may be over this very list, it is as it was, and is made good in `hand_out`.
  if (channel.patterns.empty() && !walking_) return;  // sent before the owner knew that we left
  if (channel.pending.empty()) dirty_.push_back(&channel);
  channel.pending.push_back(publication);
}

Patterns::Matched& Patterns::matched(const std::string& channel) {
  std::unique_ptr<Matched>& known = matched_[channel];
  if (known == nullptr) known = std::make_unique<Matched>();
  if (!walking_) match(channel, *known);
  return *known;
}

// What waits to be handed out stays, and is the new patterns', too, if they are in force by then.
void Patterns::match(std::string_view channel, Matched& matched) {
  if (std::exchange(matched.endings, endings_) != endings_) {
    std::erase_if(matched.patterns, [](const auto& pattern) { return pattern->ended; });
  }
  index_.candidates(channel, std::exchange(matched.seen, index_.last()), [&](LocalPattern& one) {
    if (one.glob.matches(channel)) matched.patterns.push_back(one.shared_from_this());
    return true;
  });
}

void Patterns::deliver() {
  if (dirty_.empty()) return;
  for (std::size_t i = 0; i < dirty_.size(); ++i) hand_out(*dirty_[i]);
  dirty_.clear();
  end_walk();
  if (matched_.size() > kCachedMax) matched_.clear();
}

void Patterns::deliver(const std::string& channel, const broker::Position& last) {
  const auto found = matched_.find(channel);
  if (found == matched_.end() || walking_) return;
  Matched& matched = *found->second;
  const auto later = std::ranges::find_if(matched.pending, [&](const auto& publication) {
    return publication->epoch == last.epoch && publication->offset > last.offset;
  });
  std::vector<broker::PublicationPtr> rest(later, matched.pending.end());
  matched.pending.erase(later, matched.pending.end());
  hand_out(matched);
  // Before what came in answer. Its place in `dirty_` is there already.
  matched.pending.insert(matched.pending.begin(), rest.begin(), rest.end());
  end_walk();
}

void Patterns::hand_out(Matched& channel) {
  if (channel.pending.empty()) return;
  const std::vector<broker::PublicationPtr> publications = std::exchange(channel.pending, {});
  const broker::Publication& first = *publications.front();
  match(first.channel, channel);
  std::vector<Step> steps =
      steps_of(publications, {first.epoch, first.offset - 1}, Gap::Reason::kEvicted);
  for (const std::shared_ptr<LocalPattern>& pattern : channel.patterns) {
    if (pattern->answers_due > 0) continue;
    walk(*pattern, [&](PatternSubscriber& one) {
      for (Step& step : steps) {
        if (one.pattern_ != pattern.get()) return;  // it has left
        if (one.stalled_) {
          one.missed_ += step.delivery.publications().size();
        } else if (!one.on_delivery(step.delivery)) {
          one.stalled_ = true;
        }
      }
    });
  }
}

// Ends patterns that nobody wants any more, and closes the places of those who left others.
void Patterns::end_walk() {
  if (left_.empty()) return;
  for (LocalPattern* pattern : std::exchange(left_, {})) {
    pattern->left = false;
    if (pattern->holes < pattern->subscribers.size()) {
      close_holes(*pattern);
      continue;
    }
    pattern->subscribers.clear();
    pattern->ended = true;
    ++endings_;
    index_.remove(*pattern);
    owners_.remove(pattern->glob.pattern());
    patterns_.erase(patterns_.find(pattern->glob.pattern()));
  }
  if (patterns_.empty() && dirty_.empty()) matched_.clear();
}

// Only when every other place is one, so that many who leave do not move all others each time.
void Patterns::close_holes(LocalPattern& pattern) {
  if (pattern.holes * 2 < pattern.subscribers.size()) return;
  std::erase(pattern.subscribers, nullptr);
  pattern.holes = 0;
  for (std::uint32_t i = 0; i < pattern.subscribers.size(); ++i) {
    pattern.subscribers[i]->index_ = i;
  }
}

}  // namespace anywire::hub
