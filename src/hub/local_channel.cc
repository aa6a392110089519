#include "hub/local_channel.h"

namespace anywire::hub {

void LocalChannel::add(Subscriber& subscriber) {
  subscriber.channel_ = this;
  subscriber.index_ = static_cast<std::uint32_t>(subscribers.size());
  subscribers.push_back(&subscriber);
}

void LocalChannel::remove(Subscriber& subscriber) {
  if (walking) {
    subscribers[subscriber.index_] = nullptr;
    ++holes;
    return;
  }
  Subscriber* last = subscribers.back();
  subscribers[subscriber.index_] = last;
  last->index_ = subscriber.index_;
  subscribers.pop_back();
  // After a crowd has left, its array goes, too.
  if (subscribers.capacity() > 64 && subscribers.size() < subscribers.capacity() / 4) {
    subscribers.shrink_to_fit();
  }
}

void LocalChannel::end_walk() {
  walking = false;
  if (holes == 0) return;
  std::erase(subscribers, nullptr);
  holes = 0;
  for (std::size_t i = 0; i < subscribers.size(); ++i) {
    subscribers[i]->index_ = static_cast<std::uint32_t>(i);
  }
}

}  // namespace anywire::hub
