// Backlog: what the publishers of one loop have set going and not every loop has delivered yet.
//
// Mailboxes between loops have no bound of their own: a publisher could fill the memory with
// messages for an owner or a crowd on another loop that is slower than it. So the bytes under way
// are counted, and publishers wait while there are too many.
//
// Thread: `add` and `full` on the publishers' loop, `give_back` on any. Lifetime: shared by the hub
// and the publications under way, which may outlive it. Limits: kBacklogBytesMax, and what each
// publisher sent last.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "base/task.h"
#include "broker/publication.h"
#include "reactor/loop.h"

namespace anywire::hub {

class Backlog : public std::enable_shared_from_this<Backlog> {
 public:
  static constexpr std::size_t kBacklogBytesMax = 1024 * 1024;
  // Room is reported when so little is left.
  static constexpr std::size_t kBacklogBytesResume = 256 * 1024;
  // What a publication costs besides its payload: itself, its buffer's head, its mails.
  static constexpr std::size_t kOverheadBytes = 256;

  // `on_room` is called on `loop`, after `full` has been true, once kBacklogBytesResume are left;
  // perhaps also when nobody waits.
  Backlog(reactor::Loop& loop, Task on_room) : loop_(&loop), on_room_(std::move(on_room)) {}
  // The loop's last word: no call follows. All loops have stopped, or run in one thread.
  void stop() { loop_ = nullptr; }

  void add(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  bool full() const { return bytes_.load(std::memory_order_relaxed) > kBacklogBytesMax; }
  void give_back(std::size_t bytes);

 private:
  std::atomic<std::size_t> bytes_{0};
  reactor::Loop* loop_;
  Task on_room_;
};

// A publication that is counted until nobody has it any more.
struct CountedPublication final : broker::Publication {
  CountedPublication() = default;
  CountedPublication(const CountedPublication&) = delete;
  CountedPublication& operator=(const CountedPublication&) = delete;
  ~CountedPublication() {
    if (backlog) backlog->give_back(bytes);
  }
  void count_in(const std::shared_ptr<Backlog>& where);

  std::shared_ptr<Backlog> backlog;
  std::size_t bytes = 0;
};

}  // namespace anywire::hub
