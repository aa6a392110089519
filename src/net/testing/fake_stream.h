// FakeStream and FakeWire: a net::Stream in memory and the test's end of it. What the peer sends
// may come in any cuts, how much it takes is a number the test sets, and everything that happens to
// the stream can be looked at afterwards. Only tests and fuzz targets include it.
//
//   FakeWire wire(loop);
//   connection.attach(wire.make_stream(), ...);
//   wire.deliver("bytes");               // calls on_readable as the loop would
//   wire.window = 100;                   // the peer takes 100 bytes more and then stalls
//   loop.turn(Duration::zero());         // output leaves at the end of the turn
//
// Thread: the loop's. Lifetime: the wire outlives its stream; the loop outlives both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "net/stream.h"
#include "reactor/loop.h"

namespace anywire::net {

class FakeStream;

class FakeWire final : public reactor::TurnEndHook {
 public:
  static constexpr std::size_t kOpenWindow = std::numeric_limits<std::size_t>::max();

  explicit FakeWire(reactor::Loop& loop) : loop_(loop) { loop_.add_turn_end_hook(*this); }
  ~FakeWire() { loop_.remove_turn_end_hook(*this); }
  FakeWire(const FakeWire&) = delete;
  FakeWire& operator=(const FakeWire&) = delete;

  std::unique_ptr<Stream> make_stream();

  // The peer's side of input.
  void deliver(std::string_view bytes) {
    arrive(bytes);
    pump();
  }
  // The same without a call: the bytes wait for the next pump.
  void arrive(std::string_view bytes) { incoming_.append(bytes); }
  void end_input() {
    input_ended_ = true;
    pump();
  }
  void reset_by_peer();
  // Level-triggered readiness: calls on_readable as long as there is something to read.
  void pump();
  std::size_t unread() const { return incoming_.size() - read_; }

  // The peer's side of output.
  std::string sent;                   // what the peer has got
  std::size_t window = kOpenWindow;   // how much more it takes
  std::size_t low_watermark = 1024;
  bool fail_next_flush = false;       // the kernel reports a broken connection

  std::size_t read_max = kOpenWindow;  // of one read()
  int reads = 0;
  std::size_t largest_read = 0;        // room offered to read()
  int shared_writes = 0;               // writes that came as a BufferRef

  bool reading() const { return reading_; }
  bool fin_sent() const { return fin_sent_; }          // `finish` has done its work
  bool closed() const { return closed_; }              // by whichever way
  bool closed_when_sent() const { return closed_cleanly_; }
  bool destroyed() const { return stream_ == nullptr; }
  std::size_t queued() const { return queue_.size(); }
  bool encrypted = false;
  Duration send_timeout{0};            // as it was set, 0: never

  void on_turn_end() override;

 private:
  friend class FakeStream;

  void take_output();

  reactor::Loop& loop_;
  FakeStream* stream_ = nullptr;
  std::string incoming_;
  std::size_t read_ = 0;
  std::string queue_;
  std::uint64_t taken_ = 0;
  bool input_ended_ = false;
  bool broken_ = false;
  bool reading_ = true;
  bool watches_end_ = false;
  bool notify_ = false;
  bool finishing_ = false;
  bool closing_ = false;
  bool fin_sent_ = false;
  bool closed_ = false;
  bool closed_cleanly_ = false;
};

class FakeStream final : public Stream {
 public:
  explicit FakeStream(FakeWire& wire) : wire_(wire) {}
  ~FakeStream() override {
    wire_.stream_ = nullptr;
    wire_.closed_ = true;
  }

  StreamHandler& handler() { return *handler_; }

  ReadResult read(MutableBytes into) override {
    ++wire_.reads;
    wire_.largest_read = std::max(wire_.largest_read, into.size());
    if (wire_.broken_) return {ReadStatus::kError};
    const std::size_t bytes = std::min({into.size(), wire_.unread(), wire_.read_max});
    if (bytes == 0) {
      return {wire_.input_ended_ && wire_.unread() == 0 ? ReadStatus::kEnd
                                                        : ReadStatus::kWouldBlock};
    }
    std::memcpy(into.data(), wire_.incoming_.data() + wire_.read_, bytes);
    wire_.read_ += bytes;
    return {ReadStatus::kData, bytes};
  }

  void write(Bytes bytes) override {
    if (wire_.closed_ || wire_.finishing_) return;
    wire_.queue_.append(as_text(bytes));
  }
  void write(BufferRef buffer) override {
    ++wire_.shared_writes;
    write(buffer->bytes());
  }
  std::size_t queued_bytes() const override { return wire_.queue_.size(); }
  std::uint64_t progress() const override { return wire_.taken_; }
  void notify_when_drained() override { wire_.notify_ = true; }
  void set_send_timeout(Duration timeout) override { wire_.send_timeout = timeout; }
  void set_reading(bool on) override { wire_.reading_ = on; }
  void watch_for_end(bool on) override { wire_.watches_end_ = on; }
  void finish() override { wire_.finishing_ = true; }
  void close_when_sent() override { wire_.finishing_ = wire_.closing_ = true; }
  void close() override {
    wire_.closed_ = true;
    wire_.queue_.clear();
  }
  bool encrypted() const override { return wire_.encrypted; }

 private:
  FakeWire& wire_;
};

inline std::unique_ptr<Stream> FakeWire::make_stream() {
  auto stream = std::make_unique<FakeStream>(*this);
  stream_ = stream.get();
  return stream;
}

inline void FakeWire::pump() {
  while (!closed_ && stream_ != nullptr && reading_) {
    const bool something = unread() > 0 || input_ended_ || broken_;
    if (!something) return;
    const std::size_t before = read_;
    stream_->handler().on_readable();
    // A handler that leaves everything where it is gets its next call in the next turn.
    if (read_ == before) return;
  }
  if (closed_ || stream_ == nullptr || !input_ended_ || !watches_end_) return;
  stream_->handler().on_closed();
}

inline void FakeWire::reset_by_peer() {
  broken_ = true;
  if (closed_ || stream_ == nullptr) return;
  if (reading_) {
    stream_->handler().on_readable();
  } else {
    stream_->handler().on_closed();
  }
}

inline void FakeWire::take_output() {
  const std::size_t bytes = std::min(queue_.size(), window);
  sent.append(queue_, 0, bytes);
  queue_.erase(0, bytes);
  taken_ += bytes;
  if (window != kOpenWindow) window -= bytes;
}

inline void FakeWire::on_turn_end() {
  if (closed_ || stream_ == nullptr) return;
  StreamHandler& handler = stream_->handler();
  if (fail_next_flush) {
    fail_next_flush = false;
    broken_ = true;
    return handler.on_closed();
  }
  take_output();
  // What is written in on_drained leaves in the same turn, as it does through a FlushQueue.
  while (notify_ && queue_.size() <= low_watermark) {
    notify_ = false;
    handler.on_drained();
    if (closed_) return;
    take_output();
  }
  if (!finishing_ || !queue_.empty()) return;
  if (closing_) {
    closed_ = closed_cleanly_ = true;
    handler.on_closed();
  } else {
    fin_sent_ = true;
  }
}

}  // namespace anywire::net
