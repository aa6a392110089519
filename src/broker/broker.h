// Broker: keeps the streams of channels: their order, their history, and which publishes were
// already made. One instance per loop, for the channels that loop owns; implementations: memory,
// SQLite (durable, one machine), later Redis and NATS. docs/decisions/0003-realtime-core.md.
//
// Thread: the loop's. Callbacks come on that thread, inside the call or later; they may call the
// broker again, and may destroy any Stream but the one whose StreamSink is being called. A sink is
// never entered twice: what is published inside `on_publication` is ordered at once, and handed out
// (and its `done` called) after the outer call has returned.
// Lifetime: the broker outlives its streams. A `done` that is still due when its stream's handle is
// destroyed comes all the same, unless the broker itself goes; the sink is not called any more. The
// broker is not destroyed inside a callback.
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
  // Payload, texts and kPublicationCost (broker/history.h) each. A single message that is larger is
  // delivered, and not kept.
  std::size_t history_bytes_max = 4 * 1024 * 1024;
  Duration history_ttl{0};           // older ones are dropped; 0 = never for their age
  bool durable = false;              // acknowledged only when on disk; needs a broker with a disk
  Duration idempotency_window{300'000};  // holds for the keys published while it is set

  bool operator==(const StreamOptions&) const = default;
};

// For all streams of one broker. What goes for them early is seen like what goes with time: a
// stream that lost the head of its history says so in `HistoryPage::oldest`, a forgotten one comes
// back with another epoch. A lost key lets a repeat through.
struct BrokerLimits {
  // In memory, counted as StreamOptions says. The stream longest unused loses its head first.
  std::size_t history_bytes_max = 128 * 1024 * 1024;
  std::size_t idempotency_keys_max = 100'000;  // in memory; the oldest go first
  // Streams remembered though nobody holds them. The longest idle is forgotten first, those with
  // neither history nor keys before the others.
  std::size_t idle_streams_max = 100'000;
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
  // the first position is the answer, provided that kind, payload and event are the same (otherwise
  // kIdempotencyConflict). Scoped to the channel. At most 64 bytes; checked above. Keys outlive a
  // `clear`: the answer is then a position of the former epoch.
  std::string idempotency_key;
};

struct PublishResult {
  Position position;
  bool duplicate = false;
};

// May be empty for publishers that do not ask.
using PublishDone = std::move_only_function<void(std::expected<PublishResult, BrokerError>)>;

struct HistoryQuery {
  enum class Order : std::uint8_t { kForward, kBackward };
  Order order = Order::kForward;
  // Exclusive bounds; forward from just above `after`, backward from just below `before`.
  std::optional<std::uint64_t> after;
  std::optional<std::uint64_t> before;
  // Inclusive bounds in Unix milliseconds. All bounds given hold together.
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
  // The next publication, whoever made it: its offset is that of `top()` before the call plus one,
  // its epoch the same (or `top()` was still unknown), its time never before the last one's.
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

  // The last position handed to the sink, this call's included. Epoch 0 as long as the store has
  // not answered yet; the sink is not told when it does, but a `read` is answered after it.
  virtual Position top() const = 0;
  // Order is that of the calls. `on_publication` comes before `done`; on an error it does not come.
  // After kUnavailable from a disk or a network it is not known whether the message was published:
  // if it was, it reaches the sink after all, before the next one does. A retry under the same key
  // is safe. A broker without a disk answers kUnavailable on a durable stream.
  // `draft.payload` has been made shared.
  virtual void publish(PublishRequest request, PublishDone done) = 0;
  // Reads as of now: includes everything the sink was given, and may include more.
  virtual void read(const HistoryQuery& query, HistoryDone done) = 0;
  // The channel's rule has changed. What the new options do not allow is dropped; a change of
  // `durable` moves the channel to another stream, with `on_reset`.
  virtual void set_options(const StreamOptions& options) = 0;
};

class Broker {
 public:
  virtual ~Broker() = default;

  // At most one open handle per channel.
  virtual std::unique_ptr<Stream> open(std::string_view channel, const StreamOptions& options,
                                       StreamSink& sink) = 0;
  // Forgets a stream's history and begins a new epoch at offset 0: `on_reset` follows if it is
  // open.
  virtual void clear(std::string_view channel) = 0;
  // Drops what has outlived its time. Called about once a second.
  virtual void expire() = 0;

  // Payload bytes of history held in memory.
  virtual std::size_t history_bytes() const = 0;
  // Streams known, open or not.
  virtual std::size_t streams() const = 0;
};

}  // namespace anywire::broker
