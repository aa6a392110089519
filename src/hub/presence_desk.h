// PresenceDesk: who is present in the channels that one loop owns: their PresenceSets, and the
// loops that listen to each. Internal to hub/.
//
// Thread: the owner loop's. Lifetime: an Owner's. Nothing is handed out inside a call: `send` only
// posts. Limits: those of PresenceSet for each channel; a set goes when nobody is present and
// nobody listens.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/channel_scan.h"
#include "hub/channel_observer.h"
#include "hub/names.h"
#include "hub/presence.h"
#include "hub/rules.h"
#include "hub/subscriber.h"
#include "reactor/loop.h"

namespace anywire::hub {

class PresenceDesk final : private reactor::Timer {
 public:
  // Hands a diff to a loop that listens. `ask` is not 0 in the answer to `listen`, for those who
  // wait for one.
  using Send = std::function<void(std::uint32_t loop, const std::string& channel,
                                  const PresenceDiffPtr& diff, std::uint64_t ask)>;
  using Accepted = std::expected<std::uint64_t, HubError>;

  PresenceDesk(reactor::Loop& loop, const Rules& rules, Send send)
      : loop_(loop), rules_(rules), send_(std::move(send)) {}

  // Refused, a member that is there stays as it was, as a member of that loop.
  Accepted enter(std::string_view channel, const MemberDraft& draft);
  Accepted update(std::string_view channel, const MemberDraft& draft);
  void leave(std::string_view channel, std::string_view client_id, std::uint32_t loop);
  void vanish(std::string_view channel, std::string_view client_id, std::uint32_t loop);

  PresencePage page(std::string_view channel, std::string_view after, std::size_t limit);
  PresenceCounts counts(std::string_view channel);

  // The loop gets all diffs from the answer on, which has everything. May be asked again.
  void listen(std::string_view channel, std::uint32_t loop, std::uint64_t ask);
  void unlisten(std::string_view channel, std::uint32_t loop);

  void observe(ChannelObserver* observer) { observer_ = observer; }

  std::size_t channels() const { return channels_.size(); }
  // How many are present, a slice of all channels; see ChannelScan.
  bool step(ChannelScan& scan) const {
    return scan.step(channels_, [](const Channel& channel) {
      return ChannelCounts{.members = channel.set.counts().members};
    });
  }

 private:
  struct Channel {
    Channel(std::string_view channel, const PresenceOptions& options, std::uint64_t epoch)
        : name(channel), set(options, epoch) {}
    const std::string name;
    PresenceSet set;
    std::vector<std::uint32_t> loops;  // that listen
    TimePoint due{};                   // in due_, unless it is 0
  };

  // By name where the time is the same, so that the same events always have the same order.
  struct ByTime {
    using Due = std::pair<TimePoint, Channel*>;
    bool operator()(const Due& a, const Due& b) const {
      return a.first != b.first ? a.first < b.first : a.second->name < b.second->name;
    }
  };

  Channel* find(std::string_view name);
  Channel& open(std::string_view name);
  void settle(Channel& channel);
  void on_timer() override;
  void arm_for(TimePoint at);

  reactor::Loop& loop_;
  const Rules& rules_;
  Send send_;
  ChannelObserver* observer_ = nullptr;
  ByName<Channel> channels_;
  std::set<std::pair<TimePoint, Channel*>, ByTime> due_;
};

}  // namespace anywire::hub
