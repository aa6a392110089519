// Broker: keeps the streams of channels: their order, their history, and which publishes were
// already made. One instance per loop, for the channels that loop owns; implementations: memory,
// SQLite (durable, one machine), later Redis and NATS. docs/decisions/0003-realtime-core.md.
//
// Thread: the loop's. Callbacks come on that thread, inside the call or later; they may call the
// broker again, and may destroy any Stream but the one whose StreamSink is being called.
// Lifetime: the broker outlives its streams. A callback that is still due when its stream's handle
// is destroyed comes all the same, unless the broker itself goes.
// Limits: BrokerLimits for all streams of this broker together, StreamOptions for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "broker/publication.h"

namespace anywire::broker {

// What the channel's rule says.
struct StreamOptions {
  std::size_t history_messages = 0;  // kept at most; 0 = no history
  std::size_t history_bytes_max = 4 * 1024 * 1024;
  Duration history_ttl{0};           // older ones are dropped; 0 = never for their age
  bool durable = false;              // acknowledged only when on disk; needs a broker with a disk
  Duration idempotency_window{300'000};

  bool operator==(const StreamOptions&) const = default;
};

// For all streams of one broker.
struct BrokerLimits {
  std::size_t history_bytes_max = 128 * 1024 * 1024;  // the stream longest unused goes first
  std::size_t idempotency_keys_max = 100'000;         // the oldest go first
  // How long a stream nobody holds, with neither history nor keys left, keeps its epoch and offset.
  Duration forget_after{60'000};
};

enum class BrokerError : std::uint8_t {
  kUnavailable,          // the store cannot be reached or failed; a retry may help
  kIdempotencyConflict,  // this key was used for another message
  kOverloaded,           // too much is waiting for the store; a retry may help
};

struct PublishRequest {
  Draft draft;
  // Not empty: if this key was used on this channel within the window, nothing is published and
  // the first position is the answer. Scoped to the channel. At most 64 bytes; checked above.
  std::string idempotency_key;
};

struct PublishResult {
  Position position;
  bool duplicate = false;
};

using PublishDone = std::move_only_function<void(std::expected<PublishResult, BrokerError>)>;

struct HistoryQuery {
  enum class Order : std::uint8_t { kForward, kBackward };
  Order order = Order::kForward;
  // Exclusive bounds; forward from just above `after`, backward from just below `before`.
  std::optional<std::uint64_t> after;
  std::optional<std::uint64_t> before;
  // Inclusive bounds in Unix milliseconds.
  std::optional<std::uint64_t> from_ms;
  std::optional<std::uint64_t> to_ms;
  std::size_t limit = 100;
  // The page ends before the message that would make its payloads larger, but has one at least.
  std::size_t bytes_max = 1024 * 1024;
};

struct HistoryPage {
  std::vector<PublicationPtr> publications;  // in the order asked for
  Position top;                              // of the stream, when it was read
  std::uint64_t oldest = 0;                  // first offset still kept; top.offset + 1 if none
  bool more = false;                         // the query goes on behind the last one
};

using HistoryDone = std::move_only_function<void(std::expected<HistoryPage, BrokerError>)>;

// Told what happens on a stream. Lives until its Stream handle is destroyed.
class StreamSink {
 public:
  // The next publication, whoever made it: offsets come without gaps.
  virtual void on_publication(const PublicationPtr& publication) = 0;
  // The stream goes on at `top`, in another epoch or behind a hole that cannot be filled: everybody
  // has missed something.
  virtual void on_reset(Position top) = 0;

 protected:
  ~StreamSink() = default;
};

// One channel's stream, open for as long as somebody here takes part in it.
class Stream {
 public:
  virtual ~Stream() = default;

  // The last position handed to the sink; epoch 0 as long as the store has not answered yet.
  virtual Position top() const = 0;
  // `on_publication` comes before `done`. `draft.payload` has been made shared.
  virtual void publish(PublishRequest request, PublishDone done) = 0;
  // Reads as of now: includes everything the sink was given, and may include more.
  virtual void read(const HistoryQuery& query, HistoryDone done) = 0;
  // The channel's rule has changed.
  virtual void set_options(const StreamOptions& options) = 0;
};

class Broker {
 public:
  virtual ~Broker() = default;

  // At most one open handle per channel.
  virtual std::unique_ptr<Stream> open(std::string_view channel, const StreamOptions& options,
                                       StreamSink& sink) = 0;
  // Forgets a stream's history: `on_reset` follows if it is open.
  virtual void clear(std::string_view channel) = 0;
  // Drops what has outlived its time. Called about once a second.
  virtual void expire() = 0;

  // Payload bytes of history held in memory.
  virtual std::size_t history_bytes() const = 0;
  // Streams known, open or not.
  virtual std::size_t streams() const = 0;
};

}  // namespace anywire::broker
