// TcpStream: a Stream over a connected, non-blocking socket (TCP or Unix).
#pragma once

#include <cstdint>
#include <memory>

#include "net/output_queue.h"
#include "net/stream.h"
#include "reactor/loop.h"

namespace anywire::net {

class FlushQueue;

class TcpStream final : public Stream {
 public:
  // Takes the descriptor over. Fails (and closes it) when the loop cannot watch it.
  static Result<std::unique_ptr<TcpStream>> adopt(FlushQueue& queue, int fd);
  ~TcpStream() override;

  ReadResult read(MutableBytes into) override;
  // Reads without taking: for the PROXY protocol, which must not eat what follows its header.
  ReadResult peek(MutableBytes into);
  void write(Bytes bytes) override;
  void write(BufferRef buffer) override;
  void write_framed(Bytes head, Bytes body, bool now) override;
  std::size_t queued_bytes() const override { return output_ ? output_->bytes() : 0; }
  std::uint64_t progress() const override { return output_ ? output_->consumed() : 0; }
  void notify_when_drained() override;
  void set_send_timeout(Duration timeout) override;
  void set_reading(bool on) override;
  void watch_for_end(bool on) override;
  void finish() override;
  void close_when_sent() override;
  void close() override;
  void reset() override;
  bool encrypted() const override { return false; }
  bool detach() override;
  // On its new loop. Fails when that cannot watch it.
  Result<void> attach(FlushQueue& queue);

  // Called by the loop.
  void on_ready(std::uint32_t ready) override;

  // For reading facts about the peer; -1 once closed.
  int fd() const { return fd_; }

 private:
  friend class FlushQueue;

  TcpStream(FlushQueue& queue, int fd) : queue_(&queue), fd_(fd) {}
  std::size_t send_now(Bytes head, Bytes body);
  void mark_dirty();
  std::uint32_t interest() const;
  void update_interest();
  bool has_output() const { return fd_ >= 0 && output_ != nullptr && !blocked_; }
  // What the FlushQueue found out by sending `offered` bytes: how many the kernel took, or a
  // negative errno.
  void on_sent(std::int64_t result, std::size_t offered);
  void end_output();

  FlushQueue* queue_;  // null while detached
  std::unique_ptr<OutputQueue> output_;
  int fd_;
  bool reading_ = true;
  bool dirty_ : 1 = false;      // in the FlushQueue's list
  bool blocked_ : 1 = false;    // the socket is full; waiting for kWritable
  bool finishing_ : 1 = false;  // no more writes; shut down once the queue is empty
  bool closing_ : 1 = false;    // and close after that
  bool ended_ : 1 = false;      // shut down
  bool notify_drained_ : 1 = false;
  bool watches_end_ : 1 = false;  // while not reading
};

}  // namespace anywire::net
