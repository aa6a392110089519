// OccupancyWatch: tells the sessions of one loop how many subscribers a channel has, if they asked
// for it: soon after that, and then whenever the number is another one, about once a second.
//
// The number is asked of all loops (hub::Hub::occupancy), once for all sessions that watch the same
// channel here; nothing is asked while nobody watches, so what is not wanted costs nothing.
//
// Thread: the loop's. Lifetime: an adapter's; answers still due when it goes must not come after
// that. Limits: kAsksMax channels are asked about at a time, the others wait for the next interval;
// one entry for each watched channel and session.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "hub/hub.h"
#include "protocol/native/session_table.h"
#include "reactor/loop.h"

namespace anywire::protocol::native {

// A number, and its wire forms, made by the first session that needs one.
class OccupancyNews {
 public:
  OccupancyNews(std::string_view channel, const hub::Occupancy& occupancy)
      : channel_(channel), occupancy_(occupancy) {}

  std::string_view channel() const { return channel_; }
  const hub::Occupancy& occupancy() const { return occupancy_; }

  template <typename Encode>
  const BufferRef& frame(std::size_t variant, Encode&& encode) {
    BufferRef& frame = frames_[variant];
    if (!frame) frame = encode();
    return frame;
  }

 private:
  const std::string_view channel_;
  const hub::Occupancy& occupancy_;
  std::array<BufferRef, hub::Delivery::kVariantsMax> frames_;
};

class OccupancyWatch final : private reactor::Timer {
 public:
  static constexpr Duration kInterval{1'000};
  static constexpr std::size_t kAsksMax = 1'000;
  using Tell = std::function<void(SessionRef, OccupancyNews&)>;

  OccupancyWatch(reactor::Loop& loop, hub::Hub& hub, Tell tell)
      : loop_(loop), hub_(hub), tell_(std::move(tell)) {}

  void add(std::string_view channel, SessionRef session);
  void remove(std::string_view channel, SessionRef session);

  std::size_t channels() const { return channels_.size(); }

 private:
  struct Watcher {
    SessionRef session;
    bool told = false;
  };
  struct Channel {
    std::vector<Watcher> watchers;
    hub::Occupancy last;
    bool known = false;
    bool asked = false;
  };
  using Channels = std::map<std::string, Channel, std::less<>>;

  void ask(Channels::iterator at);
  void answer(const std::string& name, const hub::Occupancy& occupancy);
  void on_timer() override;

  reactor::Loop& loop_;
  hub::Hub& hub_;
  const Tell tell_;
  Channels channels_;
  std::string next_;  // where the next interval goes on
};

}  // namespace anywire::protocol::native
