// Readers: the subscribers of one loop that are not at the live edge of their channel: they join
// with something to read first, catch up, or have had enough for now. Each has a cursor and nothing
// else, so that a thousand stalled ones cost nothing but this. Internal to hub/.
//
// Thread: the loop's. References to a Reader are good until it is removed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "hub/fetch.h"
#include "hub/local_channel.h"
#include "hub/subscriber.h"

namespace anywire::hub {

struct Reader {
  enum class State : std::uint8_t {
    kJoining,  // a fetch is under way, and `on_subscribed` due
    kReading,  // a fetch is under way
    kStalled,  // the subscriber has to say that it can take more
  };
  ReaderId id = 0;
  State state = State::kJoining;
  bool since = false;  // a joining one gave a position, which is `cursor`
  bool latest = false;  // all but the last message is to be skipped
  std::uint32_t rewind = 0;
  Subscriber* subscriber = nullptr;
  LocalChannel* channel = nullptr;
  broker::Position cursor = {};  // what it has
};

class Readers {
 public:
  // Ids come round again after 2^31 readers, when no mail that names the first is left.
  Reader& add(const Reader& reader);
  void remove(ReaderId id) { all_.erase(id); }
  Reader* find(ReaderId id);
  std::size_t size() const { return all_.size(); }
  // O(size()).
  std::vector<ReaderId> of(const LocalChannel& channel) const;

 private:
  std::unordered_map<ReaderId, Reader> all_;
  ReaderId last_ = 0;
};

}  // namespace anywire::hub
