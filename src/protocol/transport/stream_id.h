// StreamId: what a client without WebSocket names its stream by. It says on which loop and in which
// slot the stream lives, so that a request that arrived anywhere finds it, and proves by a secret
// that the client is the one that was told so.
//
// Thread: any; plain data and pure functions, but make_secret, which asks the kernel.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/slot_table.h"

namespace anywire::protocol {

struct StreamId {
  using Secret = std::array<std::uint8_t, 16>;

  Secret secret{};
  std::uint32_t loop = 0;
  SlotId slot;

  bool operator==(const StreamId&) const = default;
};

StreamId::Secret make_secret();

// Takes the same time wherever they differ.
bool same_secret(const StreamId::Secret& a, const StreamId::Secret& b);

// 38 characters that need no escaping in JSON or a URL. One text per id.
std::string to_text(const StreamId& id);
std::optional<StreamId> parse_stream_id(std::string_view text);

}  // namespace anywire::protocol
