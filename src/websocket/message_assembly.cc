#include "websocket/message_assembly.h"

#include <algorithm>

namespace anywire::ws {
namespace {

constexpr std::uint64_t kBelievedBytesMax = 1024 * 1024;

}  // namespace

void MessageAssembly::reserve(std::size_t more, std::uint64_t expected) {
  const std::size_t needed = message_bytes() + more;
  if (message && needed <= message->capacity()) return;
  const auto believed = static_cast<std::size_t>(std::min(expected, kBelievedBytesMax));
  const std::size_t doubled = message ? message->capacity() * 2 : 0;
  const std::size_t capacity = std::max({needed, believed, doubled});
  if (message) {
    message.grow(capacity);
  } else {
    message = Buffer::allocate(capacity);
  }
}

}  // namespace anywire::ws
