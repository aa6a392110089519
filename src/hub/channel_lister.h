// ChannelLister: answers which channels one loop has, one question after the other and a slice of
// each turn, so that a list of a million channels delays nobody. Internal to hub/.
//
// Thread: the loop's. Lifetime: a Hub's, whose tables it reads. Limits: kWaitingMax questions wait;
// further ones are refused.
#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <functional>
#include <utility>

#include "hub/channel_scan.h"
#include "hub/local_channel.h"
#include "hub/names.h"
#include "hub/presence_desk.h"
#include "hub/subscriber.h"
#include "reactor/loop.h"

namespace anywire::hub {

class ChannelLister {
 public:
  static constexpr std::size_t kWaitingMax = 64;
  using Done = std::move_only_function<void(std::expected<ChannelPage, HubError>)>;

  ChannelLister(reactor::Loop& loop, const ByName<LocalChannel>& channels,
                const PresenceDesk& presence)
      : loop_(loop), channels_(channels), presence_(presence) {}

  // `done` is called in a later turn.
  void ask(const ChannelQuery& query, Done done);

 private:
  struct Question {
    ChannelScan scan;
    Done done;
    bool subscribers_seen = false;  // the first of the two tables
  };

  void step();

  reactor::Loop& loop_;
  const ByName<LocalChannel>& channels_;
  const PresenceDesk& presence_;
  std::deque<Question> questions_;
};

}  // namespace anywire::hub
