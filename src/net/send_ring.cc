#include "net/send_ring.h"

#include <liburing.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"

namespace anywire::net {

SendRing::SendRing()
    : ring_(new io_uring{}),
      results_(new Completion[kEntries]),
      headers_(new msghdr[kEntries]),
      parts_(new iovec[kPartsPerBatch]) {}

std::unique_ptr<SendRing> SendRing::create() {
  std::unique_ptr<SendRing> ring(new SendRing);
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  if (io_uring_queue_init_params(kEntries, ring->ring_.get(), &params) != 0) {
    ring->ring_.reset();
    return nullptr;
  }
  return ring;
}

SendRing::~SendRing() {
  if (ring_) io_uring_queue_exit(ring_.get());
}

void SendRing::add(int fd, Bytes bytes, std::uint64_t tag) {
  io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
  AW_ASSERT(entry != nullptr);
  // MSG_DONTWAIT: a full socket answers -EAGAIN at once instead of leaving a poll behind.
  io_uring_prep_send(entry, fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  entry->user_data = tag;
  ++pending_;
}

bool SendRing::add(int fd, std::span<const iovec> parts, std::uint64_t tag) {
  if (parts.size() > kPartsPerBatch - parts_used_) return false;
  iovec* kept = parts_.get() + parts_used_;
  std::copy(parts.begin(), parts.end(), kept);
  parts_used_ += parts.size();
  msghdr& header = headers_[pending_];
  header = {};
  header.msg_iov = kept;
  header.msg_iovlen = parts.size();
  io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
  AW_ASSERT(entry != nullptr);
  io_uring_prep_sendmsg(entry, fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  entry->user_data = tag;
  ++pending_;
  return true;
}

unsigned SendRing::perform() {
  unsigned reaped = 0;
  const unsigned wanted = pending_;
  pending_ = 0;
  parts_used_ = 0;
  while (reaped < wanted) {
    const int submitted = io_uring_submit_and_wait(ring_.get(), wanted - reaped);
    AW_ASSERT(submitted >= 0 || submitted == -EINTR || submitted == -EAGAIN);
    io_uring_cqe* completion = nullptr;
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_for_each_cqe(ring_.get(), head, completion) {
      results_[reaped + seen] = {completion->user_data, completion->res};
      ++seen;
    }
    io_uring_cq_advance(ring_.get(), seen);
    reaped += seen;
  }
  return reaped;
}

}  // namespace anywire::net
