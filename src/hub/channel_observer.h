// ChannelObserver: somebody who wants to know of channels whether anybody is there. Told by the
// loop that owns the channel, and by no other.
//
// Thread: the owner loop's. Lifetime: outlives the Hub it was given to, or is taken away before.
// Views are read during the call; nothing of the hub's may be called inside.
#pragma once

#include <string_view>

namespace anywire::hub {

class ChannelObserver {
 public:
  // The first subscriber on any loop has come; the last has gone. Those by pattern do not count.
  virtual void on_occupied(std::string_view channel) = 0;
  virtual void on_vacated(std::string_view channel) = 0;
  // Presence: as other members are told, so that who comes back within the grace has never left.
  virtual void on_joined(std::string_view channel, std::string_view client,
                         std::string_view user) = 0;
  virtual void on_left(std::string_view channel, std::string_view client,
                       std::string_view user) = 0;

 protected:
  ~ChannelObserver() = default;
};

}  // namespace anywire::hub
