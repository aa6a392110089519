// Owner: the channels that one loop owns. It holds their streams, and hands what comes out of a
// stream to the loops that take part in the channel. Internal to hub/.
//
// A channel is open (has its Stream) as long as a loop takes part, an operation is under way, or
// until about a second after that: bursts of publications to a channel nobody listens to do not
// open it each time.
//
// Thread: the loop's. Lifetime: a Hub's; the broker outlives it. Callbacks still due from the
// broker must not run after that, so the broker goes right afterwards.
// Limits: kIdleMax idle channels are held open.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "hub/channel_observer.h"
#include "hub/fetch.h"
#include "hub/names.h"
#include "hub/pattern_index.h"
#include "hub/presence_desk.h"
#include "hub/rules.h"
#include "hub/subscriber.h"
#include "reactor/loop.h"

namespace anywire::hub {

class Hub;
class HubGroup;
class Owner;

using PublishDone =
    std::move_only_function<void(std::expected<broker::PublishResult, HubError>)>;
using HistoryDone = std::move_only_function<void(std::expected<broker::HistoryPage, HubError>)>;

class OwnedChannel final : public broker::StreamSink {
 public:
  OwnedChannel(Owner& owner, std::string_view name);

  void on_publication(const broker::PublicationPtr& publication) override;
  void on_reset(broker::Position top) override;

  // The last one handed to the loops; epoch 0 as long as the store has not answered yet.
  broker::Position top() const { return top_.epoch != 0 ? top_ : stream_->top(); }

 private:
  friend class Owner;

  // Whether a pattern of the loop takes this name, as far as the owner has looked.
  bool takes(std::uint32_t loop) const;

  Owner& owner_;
  const std::string name_;
  std::unique_ptr<broker::Stream> stream_;
  broker::Position top_;
  std::vector<std::uint32_t> loops_;  // those that take part
  // Of those, and of others, the ones with a pattern that takes this name, and one such pattern.
  struct PatternLoop {
    std::uint32_t loop;
    std::uint64_t pattern;
  };
  std::vector<PatternLoop> pattern_loops_;
  std::uint64_t patterns_seen_ = 0;     // the last that it was tested with
  std::uint64_t patterns_removed_ = 0;  // how many had been by then
  std::uint32_t operations_ = 0;  // the broker has yet to answer
  bool idle_ = false;             // listed to be closed
};

class Owner final : private reactor::Timer {
 public:
  Owner(Hub& hub, HubGroup& group, reactor::Loop& loop, broker::Broker& broker,
        const Rules& rules, Duration idempotency_window);
  ~Owner() override;

  // `done` may be empty; it is called on this loop.
  void publish(std::string_view channel, broker::PublishRequest&& request, PublishDone&& done);
  void history(std::string_view channel, const broker::HistoryQuery& query, HistoryDone done);

  // The loop takes part; returns how far the channel is.
  broker::Position join(std::string_view channel, std::uint32_t loop);
  void leave(std::string_view channel, std::uint32_t loop);
  // Answered with `Hub::on_fetched`, on the loop that asked.
  void fetch(std::unique_ptr<Fetch> fetch);

  void add_pattern(const std::string& pattern, std::uint32_t loop);
  void remove_pattern(const std::string& pattern, std::uint32_t loop);

  void observe(ChannelObserver* observer) {
    observer_ = observer;
    presence_.observe(observer);
  }

  PresenceDesk& presence() { return presence_; }
  const PresenceDesk& presence() const { return presence_; }

  void on_turn_end();

  std::size_t channels() const { return channels_.size(); }

 private:
  friend class OwnedChannel;
  struct Pattern {
    const auth::Glob glob;
    const std::uint32_t loop;
    std::uint64_t number = 0;
  };

  OwnedChannel* find(std::string_view name);
  OwnedChannel& open(std::string_view name);
  OwnedChannel& open(std::string_view name, const ChannelRule& rule);
  void end_operation(OwnedChannel& channel);
  void check_idle(OwnedChannel& channel);
  void close_idle();
  void on_timer() override;

  void deliver(OwnedChannel& channel, const broker::PublicationPtr& publication);
  void reset(OwnedChannel& channel, broker::Position top);
  void match(OwnedChannel& channel) const;
  bool matches_any(std::string_view channel) const;

  void ask_top(OwnedChannel& channel, std::unique_ptr<Fetch> fetch);
  void read(OwnedChannel& channel, std::unique_ptr<Fetch> fetch, int attempt);
  void answer(const OwnedChannel& channel, const Fetch& fetch, broker::HistoryPage page);
  void answer_error(const Fetch& fetch, broker::BrokerError error);
  void send(const Fetch& fetch, std::unique_ptr<Fetched> fetched);

  Hub& hub_;
  HubGroup& group_;
  reactor::Loop& loop_;
  broker::Broker& broker_;
  const Rules& rules_;
  const Duration idempotency_window_;
  PresenceDesk presence_;
  ChannelObserver* observer_ = nullptr;
  ByName<OwnedChannel> channels_;
  std::vector<std::string> idle_;  // to be closed at the next tick, if they are idle then
  std::map<std::pair<std::string, std::uint32_t>, Pattern> patterns_;  // by text and loop
  PatternIndex<Pattern> index_;
  std::uint64_t patterns_removed_ = 0;
};

}  // namespace anywire::hub
