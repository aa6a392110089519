#include "net/output_queue.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace anywire::net {

OutputQueue::~OutputQueue() = default;

void OutputQueue::append(Bytes head, Bytes body, bool last) {
  const std::size_t size = head.size() + body.size();
  if (size == 0) return;
  bytes_ += size;
  if (count_ > 0) {
    BufferRef& tail = at(count_ - 1);
    // An exclusive tail is one this queue made itself: nobody else can hold it, and bytes already
    // handed to the kernel lie before its end.
    if (tail->exclusive() && tail->room() >= size) {
      tail->append(head);
      tail->append(body);
      return;
    }
  }
  // Others of its size will follow, or many small ones.
  const std::size_t wanted = last ? 0 : std::min(kTailBytesMax, std::max(kTailBytes, bytes_ * 4));
  BufferRef buffer = Buffer::allocate(std::max(size, wanted));
  buffer->append(head);
  buffer->append(body);
  push(std::move(buffer));
}

void OutputQueue::append(BufferRef buffer) {
  if (buffer->size() == 0) return;
  // Who reads too slowly must not be owed more pointers than bytes.
  if (buffer->size() <= kTinyBytes && count_ >= kInline) return append(buffer->bytes());
  bytes_ += buffer->size();
  push(std::move(buffer));
}

void OutputQueue::push(BufferRef buffer) {
  if (count_ == capacity_) grow();
  at(count_) = std::move(buffer);
  ++count_;
}

void OutputQueue::grow() {
  std::unique_ptr<BufferRef[]> larger(new BufferRef[std::size_t{capacity_} * 2]);
  for (std::uint32_t i = 0; i < count_; ++i) larger[i] = std::move(at(i));
  heap_ = std::move(larger);
  head_ = 0;
  capacity_ *= 2;
}

Bytes OutputQueue::front() const {
  return count_ == 0 ? Bytes{} : at(0)->bytes().subspan(head_offset_);
}

std::size_t OutputQueue::gather(iovec* entries, std::size_t max) const {
  const std::size_t n = std::min<std::size_t>(max, count_);
  for (std::uint32_t i = 0; i < n; ++i) {
    const Bytes part = i == 0 ? front() : at(i)->bytes();
    entries[i] = {const_cast<std::uint8_t*>(part.data()), part.size()};
  }
  return n;
}

void OutputQueue::copy_head(std::uint8_t* out, std::size_t size) const {
  AW_ASSERT(size <= bytes_);
  for (std::uint32_t i = 0; size > 0; ++i) {
    const Bytes part = i == 0 ? front() : at(i)->bytes();
    const std::size_t take = std::min(size, part.size());
    std::memcpy(out, part.data(), take);
    out += take;
    size -= take;
  }
}

void OutputQueue::consume(std::size_t size) {
  AW_ASSERT(size <= bytes_);
  bytes_ -= size;
  consumed_ += size;
  while (size > 0) {
    const std::size_t left = at(0)->size() - head_offset_;
    if (size < left) {
      head_offset_ += static_cast<std::uint32_t>(size);
      return;
    }
    size -= left;
    head_offset_ = 0;
    at(0) = BufferRef();
    head_ = (head_ + 1) & (capacity_ - 1);
    --count_;
  }
}

void OutputQueue::make_own() {
  if (bytes_ == 0) return;
  BufferRef own = Buffer::allocate(bytes_);
  copy_head(own->mutable_data(), bytes_);
  own->commit(bytes_);
  for (std::uint32_t i = 0; i < count_; ++i) at(i) = BufferRef();
  head_ = 0;
  head_offset_ = 0;
  count_ = 1;
  at(0) = std::move(own);
}

}  // namespace anywire::net
