// Publication: one message of a channel, in the order its stream gave it. Immutable once made.
//
// Thread: any; loops share it by reference count, one count per loop that delivers it. The payload
// is marked shared before it leaves its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/buffer.h"

namespace anywire::broker {

enum class PayloadKind : std::uint8_t { kJson, kText, kBinary };

struct Tag {
  std::string name;
  std::string value;

  bool operator==(const Tag&) const = default;
};

// A place in a stream. `epoch` is random and stands for one life of the stream; it is never 0 once
// the stream exists. `offset` is that of the last message had, 0 for none.
struct Position {
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;

  bool operator==(const Position&) const = default;
};

// What a publisher hands in. Everything but the payload may be empty.
struct Draft {
  PayloadKind kind = PayloadKind::kBinary;
  BufferRef payload;
  std::string event;
  std::string id;         // given by the publisher; receivers fall back on the position
  std::string client_id;  // whose it is: public id of the connection, and its user
  std::string user_id;
  std::string key;        // of conflation: a later one with the same key stands for this one
  std::vector<Tag> tags;  // what subscribers may filter by
  std::string extras;     // read only by the adapter that wrote it
};

struct Publication : Draft {
  std::string channel;
  std::uint64_t epoch = 0;
  std::uint64_t offset = 0;   // +1 per publication of the stream, from 1
  std::uint64_t time_ms = 0;  // when it was ordered: Unix time

  Position position() const { return {epoch, offset}; }
};

using PublicationPtr = std::shared_ptr<const Publication>;

}  // namespace anywire::broker
