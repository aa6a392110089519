// Buffer: a reference-counted block of bytes, written by one owner and immutable once shared.
//
// Everything queued for sending is a BufferRef, so a frame that goes to ten thousand receivers
// exists once and each receiver costs one pointer.
//
// Thread: the count is plain while a buffer lives on one loop. Before a reference crosses loops,
// the only holder calls `make_shared()`; from then on the count is atomic. A loop that delivers
// such bytes to many receivers wraps them in `view_of()`: the atomic count then moves once per
// loop, not once per receiver.
// Limits: at most 4 GiB - 1 per buffer.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/bytes.h"

namespace anywire {

class BufferRef;

class Buffer {
 public:
  // A new buffer with room for `capacity` bytes and none used.
  static BufferRef allocate(std::size_t capacity);
  static BufferRef copy_of(Bytes bytes);
  static BufferRef copy_of(Bytes head, Bytes tail);
  // Local handle on a part of another buffer's bytes, which it keeps alive.
  static BufferRef view_of(const BufferRef& parent, std::size_t offset, std::size_t size);

  const std::uint8_t* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::size_t room() const { return capacity_ - size_; }
  Bytes bytes() const { return {data_, size_}; }

  // True while nobody else can see the bytes, so that they may still change. Never again once they
  // are shared between loops: a count of one does not say that another loop's reads are over.
  bool exclusive() const {
    return !atomic_ && parent_ == nullptr && refs_.load(std::memory_order_relaxed) == 1;
  }

  // The following are for the exclusive owner only.
  std::uint8_t* mutable_data() { return data_; }
  MutableBytes free_space() { return {data_ + size_, capacity_ - size_}; }
  void commit(std::size_t bytes) { size_ += static_cast<std::uint32_t>(bytes); }
  void truncate(std::size_t size) { size_ = static_cast<std::uint32_t>(size); }
  void append(Bytes bytes);
  // Again has no effect, so that a buffer can go to several loops one after the other.
  void make_shared() {
    if (!atomic_) atomic_ = true;
  }

  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

 private:
  friend class BufferRef;
  Buffer() = default;
  ~Buffer() = default;
  void retain();
  void release();
  void destroy();

  std::atomic<std::uint32_t> refs_{1};
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
  bool atomic_ = false;
  std::uint8_t* data_ = nullptr;
  Buffer* parent_ = nullptr;
};

// Holder of one reference; null when default-constructed or moved from.
class BufferRef {
 public:
  BufferRef() = default;
  BufferRef(const BufferRef& other) : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->retain();
  }
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferRef() {
    if (buffer_ != nullptr) buffer_->release();
  }

  Buffer* operator->() const { return buffer_; }
  Buffer& operator*() const { return *buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }

  // Makes room for `capacity` bytes in all, keeping the content. For an exclusive buffer only;
  // the bytes may move.
  void grow(std::size_t capacity);

 private:
  friend class Buffer;
  explicit BufferRef(Buffer* adopted) : buffer_(adopted) {}
  Buffer* buffer_ = nullptr;
};

inline void Buffer::retain() {
  if (atomic_) {
    refs_.fetch_add(1, std::memory_order_relaxed);
  } else {
    refs_.store(refs_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
}

inline void Buffer::release() {
  if (atomic_) {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
    return;
  }
  const std::uint32_t left = refs_.load(std::memory_order_relaxed) - 1;
  refs_.store(left, std::memory_order_relaxed);
  if (left == 0) destroy();
}

}  // namespace anywire
