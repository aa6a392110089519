// SendRing: a batch of non-blocking sends handed to the kernel in one system call (io_uring).
// Every send is complete when `submit` returns, so nothing outlives the call and no completion has
// to be matched to a connection that may be gone.
//
// Thread: the loop's that made it (the ring is single-issuer).
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <memory>

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

  SendRing();
  unsigned perform();

  std::unique_ptr<io_uring> ring_;
  std::unique_ptr<Completion[]> results_;
  unsigned pending_ = 0;
};

}  // namespace anywire::net
