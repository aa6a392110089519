// Masking and unmasking of frame payloads (RFC 6455 5.3): XOR with a repeating four-byte key, in
// place. The operation is its own inverse, so this serves both directions.
//
// Thread: any. Lifetime: `data` is touched during the call only, and nothing outside it is read or
// written. Any alignment and length is fine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace anywire::ws {

// `key_native` is the key's four wire bytes as memcpy loads them. `phase` is how many payload bytes
// of this frame came before `data`; only its last two bits count, so a running total may be passed.
void unmask(MutableBytes data, std::uint32_t key_native, std::size_t phase);

}  // namespace anywire::ws
