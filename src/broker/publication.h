// Publication: one message of a channel, in the order its owner gave it. Immutable once made.
//
// Thread: any; loops share it by reference count, one count per loop that delivers it. The payload
// is marked shared before it leaves its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/buffer.h"

namespace anywire::broker {

enum class PayloadKind : std::uint8_t { kJson, kText, kBinary };

struct Publication {
  std::string channel;
  std::uint64_t offset = 0;  // +1 per publication of the channel, from 1
  PayloadKind kind = PayloadKind::kBinary;
  BufferRef payload;
};

using PublicationPtr = std::shared_ptr<const Publication>;

}  // namespace anywire::broker
