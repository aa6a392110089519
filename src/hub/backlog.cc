#include "hub/backlog.h"

namespace anywire::hub {

void Backlog::give_back(std::size_t bytes) {
  const std::size_t before = bytes_.fetch_sub(bytes, std::memory_order_acq_rel);
  const bool room = before > kBacklogBytesResume && before - bytes <= kBacklogBytesResume;
  if (!room || loop_ == nullptr) return;
  loop_->post([self = shared_from_this()] {
    if (self->loop_ != nullptr) self->on_room_();
  });
}

void CountedPublication::count_in(const std::shared_ptr<Backlog>& where) {
  backlog = where;
  bytes = payload->size() + Backlog::kOverheadBytes;
  backlog->add(bytes);
}

}  // namespace anywire::hub
