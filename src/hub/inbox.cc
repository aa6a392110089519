#include "hub/inbox.h"

namespace anywire::hub {

void Inbox::add(std::size_t bytes) {
  const std::size_t now = bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (now <= kInboxBytesMax || full_.load(std::memory_order_relaxed)) return;
  if (!full_.exchange(true, std::memory_order_acq_rel)) {
    crowded_.fetch_add(1, std::memory_order_acq_rel);
  }
}

// An `add` in between may leave it over the limit and not full; the next one sees that.
bool Inbox::take(std::size_t bytes) {
  const std::size_t now = bytes_.fetch_sub(bytes, std::memory_order_relaxed) - bytes;
  if (now > kInboxBytesResume || !full_.load(std::memory_order_relaxed)) return false;
  if (!full_.exchange(false, std::memory_order_acq_rel)) return false;
  return crowded_.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

}  // namespace anywire::hub
