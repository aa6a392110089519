// Calls: what others have asked of one client and wait for; `call` and `answer` of
// docs/protocol.md.
//
// Every call ends exactly once: by the client's answer, in its time, or as gone with the session.
// An answer to a call that has ended is ignored.
//
// Thread: the loop's. Lifetime: a session's, made with its first call. What a call ends with is
// told in a later task of the loop, so that nobody is called from within the end of a session.
// Limits: kCallsMax wait at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "protocol/clients.h"
#include "reactor/loop.h"

namespace anywire::protocol::native {

class Calls final : private reactor::Timer {
 public:
  static constexpr std::size_t kCallsMax = 64;

  explicit Calls(reactor::Loop& loop) : loop_(loop) {}
  ~Calls() override;

  bool full() const { return pending_.size() >= kCallsMax; }
  bool empty() const { return pending_.empty(); }

  // The call's number. Not when it is full.
  std::uint64_t begin(Duration timeout, CallDone done);
  void end(std::uint64_t number, std::expected<std::string, CallError> result);

 private:
  struct Pending {
    std::uint64_t number = 0;
    TimePoint deadline;
    CallDone done;
  };

  void on_timer() override;
  void arm_next();
  void tell(Pending call, std::expected<std::string, CallError> result);

  reactor::Loop& loop_;
  std::vector<Pending> pending_;
  std::uint64_t last_ = 0;
};

}  // namespace anywire::protocol::native
