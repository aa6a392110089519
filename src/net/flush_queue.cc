#include "net/flush_queue.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>

#include "net/send_ring.h"
#include "net/tcp_stream.h"

namespace anywire::net {
namespace {

// Up to here joining buffers by copy is cheaper than a vector of them.
constexpr std::size_t kJoinBytesMax = 4 * 1024;
constexpr std::size_t kStagingBytes = 256 * 1024;
constexpr std::size_t kVectorMax = 64;
// A batch has a fixed cost of its own; below this plain sends are as cheap.
constexpr std::size_t kBatchMin = 3;

std::int64_t send_now(int fd, Bytes bytes) {
  const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return n >= 0 ? n : -errno;
}

std::size_t bytes_of(std::span<const iovec> parts) {
  std::size_t bytes = 0;
  for (const iovec& part : parts) bytes += part.iov_len;
  return bytes;
}

}  // namespace

FlushQueue::FlushQueue(reactor::Loop& loop, const FlushOptions& options)
    : loop_(loop), options_(options), staging_(new std::uint8_t[kStagingBytes]) {
  loop_.add_turn_end_hook(*this);
}

FlushQueue::~FlushQueue() { loop_.remove_turn_end_hook(*this); }

void FlushQueue::forget(TcpStream& stream) {
  std::replace(dirty_.begin(), dirty_.end(), &stream, static_cast<TcpStream*>(nullptr));
  std::replace(flushing_.begin(), flushing_.end(), &stream, static_cast<TcpStream*>(nullptr));
}

void FlushQueue::on_turn_end() {
  // Made here and not in the constructor: the ring belongs to the thread that first uses it.
  if (!ring_ && options_.use_io_uring && dirty_.size() >= kBatchMin) {
    ring_ = SendRing::create();
    options_.use_io_uring = ring_ != nullptr;
  }
  // Callbacks may write again, so this goes on until nothing is dirty.
  while (!dirty_.empty()) {
    flushing_.swap(dirty_);
    if (ring_ && flushing_.size() >= kBatchMin) {
      flush_batch();
    } else {
      for (std::size_t i = 0; i < flushing_.size(); ++i) {
        if (flushing_[i] != nullptr) flush_one(*flushing_[i]);
      }
    }
    flushing_.clear();
  }
}

void FlushQueue::flush_one(TcpStream& stream) {
  stream.dirty_ = false;
  if (!stream.has_output()) return stream.on_sent(0, 0);
  OutputQueue& output = *stream.output_;
  std::int64_t result = 0;
  std::size_t offered = output.bytes();
  if (output.buffers() == 1) {
    result = send_now(stream.fd_, output.front());
  } else if (output.bytes() <= kJoinBytesMax) {
    const std::size_t size = output.bytes();
    output.copy_head(staging_.get(), size);
    result = send_now(stream.fd_, {staging_.get(), size});
  } else {
    std::array<iovec, kVectorMax> entries;
    msghdr message{};
    message.msg_iov = entries.data();
    message.msg_iovlen = output.gather(entries.data(), entries.size());
    offered = bytes_of({entries.data(), message.msg_iovlen});
    const ssize_t n = ::sendmsg(stream.fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    result = n >= 0 ? n : -errno;
  }
  stream.on_sent(result, offered);
}

void FlushQueue::flush_batch() {
  offered_.resize(flushing_.size());
  std::size_t next = 0;
  while (next < flushing_.size()) {
    std::size_t staged = 0;
    unsigned added = 0;
    for (; next < flushing_.size() && added < SendRing::kEntries; ++next) {
      TcpStream* stream = flushing_[next];
      // A callback can have put a stream into the list twice; its bytes must not go out twice.
      if (stream == nullptr || !stream->dirty_ || !stream->has_output()) continue;
      if (!add_to_batch(*stream, next, staged)) break;
      ++added;
      stream->dirty_ = false;
    }
    ring_->submit([this](std::uint64_t index, std::int32_t result) {
      if (TcpStream* stream = flushing_[index]; stream != nullptr) {
        stream->on_sent(result, offered_[index]);
      }
    });
  }
  for (std::size_t i = 0; i < flushing_.size(); ++i) {
    if (flushing_[i] != nullptr && flushing_[i]->dirty_) flush_one(*flushing_[i]);
  }
}

// False when the batch has no room left for it. An empty batch has room for any stream.
bool FlushQueue::add_to_batch(TcpStream& stream, std::size_t index, std::size_t& staged) {
  OutputQueue& output = *stream.output_;
  std::size_t offered = output.bytes();
  if (output.buffers() == 1) {
    ring_->add(stream.fd_, output.front(), index);
  } else if (offered <= kJoinBytesMax) {
    if (staged + offered > kStagingBytes) return false;
    output.copy_head(staging_.get() + staged, offered);
    ring_->add(stream.fd_, {staging_.get() + staged, offered}, index);
    staged += offered;
  } else {
    std::array<iovec, kVectorMax> entries;
    const std::span<const iovec> parts(entries.data(),
                                       output.gather(entries.data(), entries.size()));
    if (!ring_->add(stream.fd_, parts, index)) return false;
    offered = bytes_of(parts);
  }
  // Kept, because a callback of this batch may add to the output before its result is known.
  offered_[index] = offered;
  return true;
}

}  // namespace anywire::net
