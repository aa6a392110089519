// What brokers ask of the store, and what it answers. Internal to the SQLite broker.
//
// A StoredStream stands for one opening of one channel. Its loop makes it and passes it along; all
// but `channel` belongs to the writer thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.h"
#include "broker/digest.h"

namespace anywire::broker {

// A stream's row, as the open transaction sees it.
struct StreamRow {
  std::uint64_t id = 0;
  std::uint64_t epoch = 0;
  std::uint64_t top = 0;
  std::uint64_t oldest = 1;
  std::uint64_t bytes = 0;
  std::uint64_t last_ms = 0;
  std::optional<std::uint64_t> due_ms;
  std::optional<std::uint64_t> front_ms;  // time of `oldest`, once it was looked up; not stored
  bool changed = false;
};

struct StoredStream {
  explicit StoredStream(std::string_view name) : channel(name) {}

  const std::string channel;
  StreamOptions options;
  StreamRow row;
  std::uint64_t generation = 0;  // of the store's view of the disk; another one: read the row again
  Position told;                 // the last position the loop knows of; epoch 0 = none
};

struct StoreRequest {
  enum class Kind : std::uint8_t {
    kLoad,     // first for a stream, and again until it succeeds
    kPublish,
    kRead,
    kOptions,
    kClear,    // also for a stream nobody holds
    kRelease,  // the last one for a stream
    kExpire,   // for all streams; has none of its own
    kFlush,    // nothing to do; answered when everything before it has been
  };
  Kind kind = Kind::kLoad;
  std::shared_ptr<StoredStream> stream;
  std::uint64_t now_ms = 0;
  Duration forget_after{0};
  StreamOptions options;                     // kLoad, kOptions
  std::shared_ptr<Publication> publication;  // kPublish: position and time are the store's to set
  std::string key;
  Digest digest{};
  HistoryQuery query;                        // kRead

  // What it takes while it waits.
  std::size_t bytes = 0;
};

struct StoreReply {
  std::optional<BrokerError> error;
  // Come first. After a failure the disk may turn out to hold more than was known, or something
  // else.
  std::optional<Position> reset;
  std::vector<PublicationPtr> missed;
  PublishResult published;     // kPublish
  PublicationPtr publication;  // kPublish, unless it was a duplicate
  HistoryPage page;            // kRead; kLoad: the newest, for the cache
  Position top;                // kLoad, kClear
  std::uint64_t oldest = 0;    // on disk, after the whole batch
};

}  // namespace anywire::broker
