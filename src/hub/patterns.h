// Patterns: the wildcard subscriptions of one loop. A pattern is registered with every owner; what
// an owner sends is handed to the subscribers whose pattern takes the channel, at the end of the
// turn. From now on only: nothing is recovered, and that a channel has begun anew can be seen by
// the epoch of its next publication.
//
// Thread: the loop's. Lifetime: a Hub's.
// Limits: kCachedMax channels remember from turn to turn which patterns take them; beyond that they
// are forgotten all at once and found anew. What comes or goes costs nothing until a channel's next
// message, and that only looks at what has come since its last.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/glob.h"
#include "broker/publication.h"
#include "hub/delivery.h"
#include "hub/names.h"
#include "hub/pattern_index.h"

namespace anywire::hub {

class Patterns;
struct LocalPattern;

// One wildcard subscription, base of whatever wants to receive many channels' messages.
// Thread and lifetime: as Subscriber.
class PatternSubscriber {
 public:
  PatternSubscriber() = default;
  PatternSubscriber(const PatternSubscriber&) = delete;
  PatternSubscriber& operator=(const PatternSubscriber&) = delete;
  virtual ~PatternSubscriber();

  // The subscription is in force at all owners.
  virtual void on_subscribed() = 0;
  // The next publications of one channel, in order: that is the one they name. False when no more
  // can be taken now; these were. Then nothing comes until `Hub::resume`.
  virtual bool on_delivery(Delivery& delivery) = 0;
  // So many messages were left out while it could take no more; told at `resume`.
  virtual void on_missed(std::uint64_t messages) = 0;

  bool subscribed() const { return pattern_ != nullptr; }

 private:
  friend class Patterns;
  LocalPattern* pattern_ = nullptr;
  std::uint32_t index_ = 0;
  bool stalled_ = false;
  std::uint64_t missed_ = 0;
};

struct LocalPattern : std::enable_shared_from_this<LocalPattern> {
  LocalPattern(Patterns& owner, auth::Glob taken) : patterns(owner), glob(std::move(taken)) {}

  Patterns& patterns;
  const auth::Glob glob;
  std::vector<PatternSubscriber*> subscribers = {};  // null where one has left
  std::uint32_t holes = 0;
  std::uint64_t number = 0;  // of the index; also names the joining
  bool left = false;         // somebody has, and `Patterns::left_` lists it
  bool ended = false;
  std::size_t answers_due = 0;  // of owners that do not know of it yet
};

class Patterns {
 public:
  // Tells the owners that this loop wants, or no longer wants, what a pattern takes. The answers
  // of `joining`, as many as `add` returns, come to `confirm`.
  struct Owners {
    std::function<std::size_t(const std::string& pattern, std::uint64_t joining)> add;
    std::function<void(const std::string& pattern)> remove;
  };

  explicit Patterns(Owners owners) : owners_(std::move(owners)) {}

  void subscribe(const auth::Glob& glob, PatternSubscriber& subscriber);
  void unsubscribe(PatternSubscriber& subscriber);
  void resume(PatternSubscriber& subscriber);

  void confirm(const std::string& pattern, std::uint64_t joining);
  void receive(const broker::PublicationPtr& publication);
  void deliver();
  // Of one channel, now, what waits up to `last`: somebody who has been hearing it by a pattern
  // subscribes to the channel itself, from behind `last` on.
  void deliver(const std::string& channel, const broker::Position& last);

  std::size_t size() const { return patterns_.size(); }

 private:
  static constexpr std::size_t kCachedMax = 10'000;

  // A channel that some pattern takes, or took: what has ended leaves the list when the channel is
  // next needed.
  struct Matched {
    std::vector<std::shared_ptr<LocalPattern>> patterns;
    std::uint64_t seen = 0;     // number of the last pattern it has been tested with
    std::uint64_t endings = 0;  // how many patterns had ended by then
    std::vector<broker::PublicationPtr> pending;
  };

  Matched& matched(const std::string& channel);
  void match(std::string_view channel, Matched& matched);
  void hand_out(Matched& matched);
  template <typename Visit>
  void walk(LocalPattern& pattern, Visit&& visit);
  void end_walk();
  void close_holes(LocalPattern& pattern);

  Owners owners_;
  std::unordered_map<std::string, std::shared_ptr<LocalPattern>, NameHash, std::equal_to<>>
      patterns_;
  PatternIndex<LocalPattern> index_;
  ByName<Matched> matched_;
  std::vector<Matched*> dirty_;
  bool walking_ = false;
  std::vector<LocalPattern*> left_;  // by somebody, whose place is still there
  std::uint64_t endings_ = 0;
};

}  // namespace anywire::hub
