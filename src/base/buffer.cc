#include "base/buffer.h"

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>

#include "base/assert.h"

namespace anywire {

BufferRef Buffer::allocate(std::size_t capacity) {
  AW_ASSERT(capacity <= std::numeric_limits<std::uint32_t>::max());
  void* memory = std::malloc(sizeof(Buffer) + capacity);
  AW_ASSERT(memory != nullptr);
  auto* buffer = new (memory) Buffer;
  buffer->data_ = static_cast<std::uint8_t*>(memory) + sizeof(Buffer);
  buffer->capacity_ = static_cast<std::uint32_t>(capacity);
  return BufferRef(buffer);
}

BufferRef Buffer::copy_of(Bytes bytes) { return copy_of(bytes, {}); }

BufferRef Buffer::copy_of(Bytes head, Bytes tail) {
  BufferRef buffer = allocate(head.size() + tail.size());
  buffer->append(head);
  buffer->append(tail);
  return buffer;
}

BufferRef Buffer::view_of(const BufferRef& parent, std::size_t offset, std::size_t size) {
  AW_ASSERT(offset + size <= parent->size());
  BufferRef view = allocate(0);
  view->data_ = parent->data_ + offset;
  view->size_ = static_cast<std::uint32_t>(size);
  view->capacity_ = view->size_;
  view->parent_ = parent.buffer_;
  view->parent_->retain();
  return view;
}

void Buffer::append(Bytes bytes) {
  AW_ASSERT(bytes.size() <= room());
  if (bytes.empty()) return;
  std::memcpy(data_ + size_, bytes.data(), bytes.size());
  size_ += static_cast<std::uint32_t>(bytes.size());
}

void BufferRef::grow(std::size_t capacity) {
  AW_ASSERT(buffer_->exclusive() && capacity <= std::numeric_limits<std::uint32_t>::max());
  if (capacity <= buffer_->capacity_) return;
  // A Buffer is trivially relocatable: plain members, and a pointer into itself set anew below.
  void* memory = std::realloc(static_cast<void*>(buffer_), sizeof(Buffer) + capacity);
  AW_ASSERT(memory != nullptr);
  buffer_ = static_cast<Buffer*>(memory);
  buffer_->data_ = static_cast<std::uint8_t*>(memory) + sizeof(Buffer);
  buffer_->capacity_ = static_cast<std::uint32_t>(capacity);
}

void Buffer::destroy() {
  if (parent_ != nullptr) parent_->release();
  this->~Buffer();
  std::free(this);
}

}  // namespace anywire
