// OutputQueue: what one stream has still to send, as references to shared buffers. Exists only
// while there is something to send, so an idle connection pays nothing for it.
//
// Small writes are appended to a private tail buffer, so that a burst of them costs one buffer;
// shared frames cost one pointer each.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/buffer.h"

namespace anywire::net {

class OutputQueue {
 public:
  OutputQueue() = default;
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;
  ~OutputQueue();

  void append(Bytes bytes) { append(bytes, {}, false); }
  // Both parts, in one buffer. `last`: nothing is likely to follow, so no room is kept for it.
  void append(Bytes head, Bytes body, bool last);
  void append(BufferRef buffer);

  std::size_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  std::size_t buffers() const { return count_; }
  // Bytes dropped from the front in this queue's life.
  std::uint64_t consumed() const { return consumed_; }

  // The unsent part of the first buffer.
  Bytes front() const;
  // Fills at most `max` entries with the head of the queue; returns how many.
  std::size_t gather(iovec* entries, std::size_t max) const;
  // Copies the first `size` bytes (size <= bytes()) to `out`.
  void copy_head(std::uint8_t* out, std::size_t size) const;
  // Drops `size` bytes from the front.
  void consume(std::size_t size);
  // Makes the bytes this queue's alone, so that it may go to another loop.
  void make_own();

 private:
  static constexpr std::uint32_t kInline = 8;
  static constexpr std::size_t kTailBytes = 512;
  static constexpr std::size_t kTailBytesMax = 16 * 1024;
  static constexpr std::size_t kTinyBytes = 2 * sizeof(void*);

  BufferRef& at(std::uint32_t i) { return ring()[(head_ + i) & (capacity_ - 1)]; }
  const BufferRef& at(std::uint32_t i) const {
    return const_cast<OutputQueue*>(this)->at(i);
  }
  BufferRef* ring() { return heap_ ? heap_.get() : inline_.data(); }
  void push(BufferRef buffer);
  void grow();

  std::array<BufferRef, kInline> inline_;
  std::unique_ptr<BufferRef[]> heap_;
  std::uint32_t capacity_ = kInline;
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
  // Bytes of the first buffer that are already sent.
  std::uint32_t head_offset_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t consumed_ = 0;
};

}  // namespace anywire::net
