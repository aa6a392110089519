// SendRing: a batch of non-blocking sends handed to the kernel in one system call (io_uring).
// Every send is complete when `submit` returns, so nothing outlives the call and no completion has
// to be matched to a connection that may be gone.
//
// Thread: the loop's that made it (the ring is single-issuer).
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/bytes.h"

struct io_uring;

namespace anywire::net {

class SendRing {
 public:
  static constexpr unsigned kEntries = 512;

  // Null when the kernel has no (sufficient) io_uring or forbids it.
  static std::unique_ptr<SendRing> create();
  ~SendRing();
  SendRing(const SendRing&) = delete;
  SendRing& operator=(const SendRing&) = delete;

  // Adds one send; the bytes stay valid until `submit` returns. At most kEntries between submits.
  void add(int fd, Bytes bytes, std::uint64_t tag);

  // The same by vector; the parts are copied, what they point to is not. False, and nothing added,
  // when the batch has no room for so many parts.
  bool add(int fd, std::span<const iovec> parts, std::uint64_t tag);

  // Performs what was added and reports each: bytes sent, or a negative errno.
  template <typename Done>
  void submit(Done&& done) {
    const unsigned count = perform();
    for (unsigned i = 0; i < count; ++i) done(results_[i].tag, results_[i].result);
  }

 private:
  struct Completion {
    std::uint64_t tag;
    std::int32_t result;
  };

  static constexpr std::size_t kPartsPerBatch = 4096;

  SendRing();
  unsigned perform();

  std::unique_ptr<io_uring> ring_;
  std::unique_ptr<Completion[]> results_;
  // Headers and parts of the vectored sends, at fixed places until `submit`.
  std::unique_ptr<msghdr[]> headers_;
  std::unique_ptr<iovec[]> parts_;
  std::size_t parts_used_ = 0;
  unsigned pending_ = 0;
};

}  // namespace anywire::net
