// DeltaBases: of each channel in which a session of this loop wants differences, the publication
// before the run that is being handed out, which is what the first of the run is told as a
// difference from.
//
// All receivers of a loop are given the same runs, so the first one of them finds the last
// publication of the run before, and the others what the first one found. Who is catching up has
// runs of its own; for the first of these there is nothing here, and it is told whole.
//
// Thread: the loop's. Limits: two publications for each such channel, for as long as somebody
// listens to it that way.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "broker/publication.h"
#include "hub/delivery.h"

namespace anywire::protocol::native {

class DeltaBases {
 public:
  void add(std::string_view channel) {
    ++channels_.try_emplace(std::string(channel)).first->second.sessions;
  }
  void remove(std::string_view channel) {
    const auto found = channels_.find(channel);
    if (found != channels_.end() && --found->second.sessions == 0) channels_.erase(found);
  }

  // The one right before the first of `run`; null if it is not known. `run` is not empty.
  broker::PublicationPtr before(hub::Delivery::Publications run) {
    const broker::Publication& first = *run.front();
    const auto found = channels_.find(std::string_view(first.channel));
    if (found == channels_.end()) return nullptr;
    Channel& channel = found->second;
    if (precedes(channel.last, first)) {
      channel.before = std::exchange(channel.last, run.back());
      return channel.before;
    }
    if (precedes(channel.before, first)) return channel.before;
    const bool newer = !channel.last || channel.last->epoch != first.epoch ||
                       channel.last->offset < first.offset;
    if (newer) {
      channel.before = nullptr;
      channel.last = run.back();
    }
    return nullptr;
  }

  std::size_t channels() const { return channels_.size(); }

 private:
  struct Channel {
    std::size_t sessions = 0;
    broker::PublicationPtr before;  // the last run
    broker::PublicationPtr last;    // of the last run
  };

  static bool precedes(const broker::PublicationPtr& one, const broker::Publication& next) {
    return one && one->epoch == next.epoch && one->offset + 1 == next.offset;
  }

  std::map<std::string, Channel, std::less<>> channels_;
};

}  // namespace anywire::protocol::native
