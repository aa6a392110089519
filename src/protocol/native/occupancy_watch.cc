#include "protocol/native/occupancy_watch.h"

#include <algorithm>
#include <utility>

namespace anywire::protocol::native {

void OccupancyWatch::add(std::string_view name, SessionRef session) {
  const auto at = channels_.try_emplace(std::string(name)).first;
  at->second.watchers.push_back({session});
  ask(at);
  if (!armed()) loop_.arm(*this, kInterval);
}

void OccupancyWatch::remove(std::string_view name, SessionRef session) {
  const auto at = channels_.find(name);
  if (at == channels_.end()) return;
  std::erase_if(at->second.watchers, [&](const Watcher& one) { return one.session == session; });
  if (at->second.watchers.empty()) channels_.erase(at);
}

void OccupancyWatch::ask(Channels::iterator at) {
  if (std::exchange(at->second.asked, true)) return;
  hub_.occupancy(at->first, [this, name = at->first](const hub::Occupancy& occupancy) {
    answer(name, occupancy);
  });
}

// Who came while the question was under way is told what it brought, too.
void OccupancyWatch::answer(const std::string& name, const hub::Occupancy& occupancy) {
  const auto at = channels_.find(name);
  if (at == channels_.end()) return;
  Channel& channel = at->second;
  const bool same = channel.known && channel.last.subscribers == occupancy.subscribers &&
                    channel.last.present == occupancy.present;
  channel.asked = false;
  channel.known = true;
  channel.last = occupancy;
  std::vector<SessionRef> sessions;
  for (Watcher& one : channel.watchers) {
    if (std::exchange(one.told, true) && same) continue;
    sessions.push_back(one.session);
  }
  // A session may end over it, and the channel with it.
  OccupancyNews news(name, occupancy);
  for (const SessionRef session : sessions) tell_(session, news);
}

void OccupancyWatch::on_timer() {
  auto at = channels_.lower_bound(next_);
  for (std::size_t i = std::min(kAsksMax, channels_.size()); i > 0; --i) {
    if (at == channels_.end()) at = channels_.begin();
    ask(at++);
  }
  next_ = at == channels_.end() ? std::string() : at->first;
  if (!channels_.empty()) loop_.arm(*this, kInterval);
}

}  // namespace anywire::protocol::native
