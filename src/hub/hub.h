// Hub: one loop's part of all channels: who on this loop listens to what, and, through its Owner,
// the streams of the channels this loop owns. docs/decisions/0003-realtime-core.md.
//
// Every channel has one owner loop, found by hashing its name. A publication goes to the owner,
// whose broker orders it and keeps it if the channel's rule says so; what comes out of the broker
// goes to each loop with subscribers, one mail per loop, and each loop delivers to its own. So all
// receivers see one order, and the cost of crossing loops does not grow with their number.
//
// Delivery happens at the end of the turn (or of the channel's flush window), in one walk over a
// channel's subscribers that hands each of them everything that has come: a burst touches the
// memory of ten thousand receivers once.
//
// A subscriber has everything from its Joined::position on, in order and once, and is told by
// `on_gap` of whatever it does not get.
//
// Thread: the loop's, but for what HubGroup says. Lifetime: outlives its subscribers; the broker
// and the rules outlive it. Made before whatever sends output at the end of a turn
// (net::FlushQueue), so that deliveries leave in the turn they were made in.
// Limits: per channel and receiver, at most kPendingMax publications wait for the end of a turn,
// and a receiver that is behind holds no message at all; the rest is the broker's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "broker/publication.h"
#include "hub/channel_observer.h"
#include "hub/channel_lister.h"
#include "hub/channel_scan.h"
#include "hub/delivery.h"
#include "hub/fetch.h"
#include "hub/inbox.h"
#include "hub/local_channel.h"
#include "hub/names.h"
#include "hub/owner.h"
#include "hub/patterns.h"
#include "hub/readers.h"
#include "hub/rules.h"
#include "hub/steps.h"
#include "hub/subscriber.h"
#include "reactor/loop.h"

namespace anywire::hub {

class Hub;

// What one loop gives to its hub.
struct HubSeat {
  reactor::Loop& loop;
  broker::Broker& broker;  // of the channels this loop owns
};

struct HubOptions {
  Duration idempotency_window{300'000};  // in which a key is not used twice
};

// All hubs of a server, one per loop. Made before the loops run and unchanged afterwards.
class HubGroup {
 public:
  HubGroup(const std::vector<HubSeat>& seats, const Rules& rules,
           const HubOptions& options = {});
  ~HubGroup();

  Hub& hub(std::uint32_t loop) { return *hubs_[loop]; }
  Hub& owner_of(std::string_view channel) {
    return *hubs_[std::hash<std::string_view>{}(channel) % hubs_.size()];
  }
  std::size_t size() const { return hubs_.size(); }

 private:
  friend class Hub;
  CrowdedInboxes crowded_{0};
  std::vector<std::unique_ptr<Hub>> hubs_;
};

using EnterDone = std::move_only_function<void(std::expected<std::uint64_t, HubError>)>;
using MembersDone = std::move_only_function<void(std::expected<PresencePage, HubError>)>;

struct Occupancy {
  std::uint64_t subscribers = 0;
  PresenceCounts present;  // zero where the rule has no presence
};
using OccupancyDone = std::move_only_function<void(const Occupancy&)>;

struct ChannelList {
  std::vector<std::pair<std::string, ChannelCounts>> channels;  // in the order of their names
  bool more = false;  // ask again with `after` = the last one's name
};
using ChannelsDone = std::move_only_function<void(std::expected<ChannelList, HubError>)>;

// What has happened on this loop.
struct HubCounters {
  std::uint64_t stalls = 0;        // a subscriber had enough
  std::uint64_t pages = 0;         // of history, read for those who joined or caught up
  std::uint64_t recoveries = 0;    // joined with a position and lost nothing
  std::uint64_t lost_joining = 0;  // joined with a position and lost something
  std::uint64_t skipped = 0;       // messages that a subscriber was told it will not get
};

class Hub final : public reactor::TurnEndHook, private reactor::Timer {
 public:
  // A walk with more would take longer to reach its last receiver than it saves.
  static constexpr std::size_t kPendingMax = 64;
  // Of one page of `history`, whatever is asked for.
  static constexpr std::size_t kHistoryMessagesMax = 1000;
  static constexpr std::size_t kHistoryBytesMax = 1024 * 1024;
  static constexpr std::size_t kMembersMax = 1000;

  Hub(HubGroup& group, const HubSeat& seat, const Rules& rules, const HubOptions& options);
  ~Hub() override;

  // `on_subscribed` comes inside the call if this loop is live on the channel, or owns it, and
  // nothing has to be read; else after a mail to the owner and back. One channel per Subscriber.
  void subscribe(std::string_view channel, Subscriber& subscriber,
                 const SubscribeOptions& options = {});
  void unsubscribe(Subscriber& subscriber);
  // A subscriber that said "no more" can take more again. Without effect on others.
  void resume(Subscriber& subscriber);

  // All channels whose name matches, present and future ones: what is published from
  // `on_subscribed` on, which comes when all loops know.
  void subscribe(const auth::Glob& pattern, PatternSubscriber& subscriber) {
    patterns_.subscribe(pattern, subscriber);
  }
  void unsubscribe(PatternSubscriber& subscriber) { patterns_.unsubscribe(subscriber); }
  void resume(PatternSubscriber& subscriber) { patterns_.resume(subscriber); }

  // Publishes to the channel `from` is subscribed to. May call its `on_hold`. What is published is
  // large, so it is taken by reference and moved as seldom as can be.
  void publish(Subscriber& from, broker::Draft&& draft);
  // The name of the channel it is subscribed to.
  std::string_view channel_of(const Subscriber& subscriber) const {
    return subscriber.channel_->name;
  }
  // `done` may be empty: then nothing comes back, and a publication that nobody would hear and no
  // history would keep is dropped. It may come inside the call.
  void publish(std::string_view channel, broker::PublishRequest&& request, PublishDone done = {});
  void publish(std::string_view channel, broker::Draft&& draft);
  // The loops are behind with what was published: whoever can wait before publishing more, should.
  bool crowded() const { return group_.crowded_.load(std::memory_order_relaxed) != 0; }
  // Calls `go_on` on this loop when they have caught up. For publishers without a Subscriber.
  void when_roomy(Task go_on) { waiting_.push_back(std::move(go_on)); }

  // One page. `done` may come inside the call.
  void history(std::string_view channel, const broker::HistoryQuery& query, HistoryDone done);

  // Who is present, if the channel's rule has presence. The client id is the key; a member belongs
  // to the loop it entered from last. Ids have 1..PresenceSet::kIdBytesMax bytes and the info at
  // most PresenceOptions::info_bytes_max, checked above. `done` may be empty, and may come inside
  // the call; it gets the version of presence that shows the member.
  void enter(std::string_view channel, const MemberDraft& member, EnterDone done = {});
  // As enter, but refused if it is not present.
  void update(std::string_view channel, const MemberDraft& member, EnterDone done = {});
  void leave(std::string_view channel, std::string_view client_id);
  // Its connection is lost: it leaves after the rule's grace, unless it enters again.
  void vanish(std::string_view channel, std::string_view client_id);
  // A page of the members behind `after`, in the order of their client ids.
  void members(std::string_view channel, std::string_view after, std::size_t limit,
               MembersDone done);
  // How many are there, on all loops together.
  void occupancy(std::string_view channel, OccupancyDone done);
  // Channels that have subscribers or members, on all loops together. `done` comes some turns
  // later; kOverloaded if too many have asked.
  void list_channels(const ChannelQuery& query, ChannelsDone done);

  // Tells of the channels this loop owns, from now on; null: nobody. Before the loop runs.
  void observe(ChannelObserver* observer) { owner_.observe(observer); }

  std::size_t channels() const { return local_.size(); }
  std::size_t patterns() const { return patterns_.size(); }
  std::size_t owned_channels() const { return owner_.channels(); }
  std::size_t present_channels() const { return owner_.presence().channels(); }
  // Subscribers that are not at the live edge.
  std::size_t readers() const { return readers_.size(); }
  const HubCounters& counters() const { return counters_; }
  const Rules& rules() const { return rules_; }

 private:
  friend class Owner;
  struct Window {
    TimePoint end;
    std::string channel;
  };

  reactor::Loop& loop() { return loop_; }

  void route(std::string_view channel, broker::PublishRequest&& request, PublishDone&& done);

  // A mail with a publication: counted from here until `work` runs on this loop.
  template <typename Work>
  void post_counted(std::size_t bytes, Work&& work) {
    inbox_.add(bytes);
    loop_.post([this, bytes, work = std::forward<Work>(work)]() mutable {
      if (inbox_.take(bytes)) tell_room();
      work();
    });
  }
  void post_publication(const broker::PublicationPtr& publication) {
    inbox_.add(Inbox::cost_of(*publication));
    loop_.post([this, publication] {
      if (inbox_.take(Inbox::cost_of(*publication))) tell_room();
      receive(publication);
    });
  }
  void tell_room();
  void release_publishers();
  void forget_held(Subscriber& subscriber);

  // Mails from the owner.
  void receive(const broker::PublicationPtr& publication);
  void reset(const std::string& channel, broker::Position top);
  void on_fetched(std::unique_ptr<Fetched> fetched);
  void on_presence(const std::string& channel, const PresenceDiffPtr& diff, std::uint64_t ask);

  Patterns::Owners pattern_owners();

  // Joining: hub.cc.
  LocalChannel* find(std::string_view channel);
  LocalChannel& make(std::string_view channel);
  bool join_here(LocalChannel& channel);
  void ask_to_join(LocalChannel& channel, bool first = false);
  void mail(std::unique_ptr<Fetch> fetch);
  void go_live(LocalChannel& channel, broker::Position top);
  void refuse_joining(LocalChannel& channel, HubError error);
  bool join_at_edge(LocalChannel& channel, Subscriber& subscriber, const broker::Position& since);
  Joined joined_at_edge(const LocalChannel& channel) const;
  void drop_if_empty(LocalChannel& channel);

  void tell_subscribed(Subscriber& subscriber, const Joined& joined);

  // Presence: hub_presence.cc.
  using DeskChange = PresenceDesk::Accepted (PresenceDesk::*)(std::string_view,
                                                              const MemberDraft&);
  using DeskEnd = void (PresenceDesk::*)(std::string_view, std::string_view, std::uint32_t);
  void change_member(std::string_view channel, const MemberDraft& member, DeskChange change,
                     EnterDone done);
  void end_member(std::string_view channel, std::string_view client_id, DeskEnd end);
  void ask_presence(Subscriber& subscriber);
  void end_presence(LocalChannel& channel, Subscriber& subscriber);

  // Delivery: hub_delivery.cc.
  void on_turn_end() override;
  void on_timer() override;
  void arm(TimePoint at);
  void schedule(LocalChannel& channel);
  void make_room(LocalChannel& channel);
  void deliver_pending(LocalChannel& channel);
  void tell_gap(Subscriber& subscriber, const Gap& gap);
  void fall_behind(LocalChannel& channel, Subscriber& subscriber, const broker::Position& cursor);

  // Readers: catch_up.cc.
  Reader& add_reader(const Reader& reader);
  void ask(const Reader& reader, bool join = false);
  void ask_later(Reader& reader);
  void retry_readers();
  void serve(ReaderId id, Fetched& fetched);
  Reader* begin_joined(ReaderId id, const Fetched& fetched);
  Reader* begin_again(ReaderId id, const Fetched& fetched);
  Reader* hand_out(ReaderId id, const Fetched& fetched);
  Reader* skip_to(ReaderId id, const broker::Position& position, Gap::Reason reason);
  void go_live(Reader& reader);
  void fail(ReaderId id, HubError error);

  HubGroup& group_;
  reactor::Loop& loop_;
  const Rules& rules_;
  Owner owner_;
  ByName<LocalChannel> local_;
  ChannelLister lister_{loop_, local_, owner_.presence()};
  Patterns patterns_;
  // Channels with something pending, by name: one may vanish before its turn comes.
  std::vector<std::string> dirty_;
  std::vector<Window> windows_;
  Readers readers_;
  std::shared_ptr<SharedPage> last_page_;  // of this turn
  std::vector<ReaderId> retries_;
  TimePoint retry_at_;
  TimePoint armed_for_;
  std::uint64_t joinings_ = 0;
  std::uint64_t presence_asks_ = 0;
  HubCounters counters_;
  Inbox inbox_;
  // Publishers that wait until the loops have caught up.
  std::vector<Subscriber*> held_;
  std::vector<Subscriber*> releasing_;  // null where one left meanwhile
  std::vector<Task> waiting_;
};

}  // namespace anywire::hub
