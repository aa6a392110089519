// Digest: what was published under an idempotency key, short enough to keep. Tells a repeat from
// another message that uses the same key.
//
// The first 128 bits of SHA-256 over kind, event and payload. Stored on disk: never change it
// without a new schema version. Thread: any.
#pragma once

#include <array>
#include <cstdint>

#include "broker/publication.h"

namespace anywire::broker {

using Digest = std::array<std::uint8_t, 16>;

Digest digest_of(const Draft& draft);

}  // namespace anywire::broker
