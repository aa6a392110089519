#include "hub/delivery.h"

#include <algorithm>

namespace anywire::hub {

std::size_t Delivery::payload_bytes_max() const {
  std::size_t most = 0;
  for (const auto& one : publications_) most = std::max(most, one->payload->size());
  return most;
}

BufferRef Delivery::joined(const std::vector<BufferRef>& parts) {
  std::size_t bytes = 0;
  for (const BufferRef& part : parts) bytes += part->size();
  BufferRef whole = Buffer::allocate(bytes);
  for (const BufferRef& part : parts) whole->append(part->bytes());
  return whole;
}

}  // namespace anywire::hub
