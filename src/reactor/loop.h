// Loop: one thread's event loop, and the owner of everything that lives on that thread.
//
// A turn is: wait for readiness, tell the watchers, run posted tasks, fire timers, run the
// turn-end hooks (this is where output is flushed, once per connection), then destroy what was
// handed to `defer_delete`. Collect, act, flush once: no callback ever destroys its own caller,
// and no connection is written to twice in one turn.
//
// Thread: everything is for the loop's own thread but `post` and `stop`.
// Lifetime: a Loop outlives all watchers, timers and hooks registered with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/task.h"
#include "reactor/mailbox.h"
#include "reactor/timer_wheel.h"

struct epoll_event;

namespace anywire::reactor {

// What a descriptor is ready for, as a bit set; `kError` also stands for a hang-up. `kPeerEnd`, the
// peer will send no more, is told only to who asks for it; whoever reads learns it by reading.
enum Ready : std::uint32_t { kReadable = 1, kWritable = 2, kError = 4, kPeerEnd = 8 };

// Told of readiness. May do anything inside `on_ready` but destroy itself other than through
// `Loop::defer_delete`. Readiness is level-triggered.
class Watcher {
 public:
  virtual void on_ready(std::uint32_t ready) = 0;

 protected:
  ~Watcher() = default;
};

// Called at the end of every turn, before deferred deletion.
class TurnEndHook {
 public:
  virtual void on_turn_end() = 0;

 protected:
  ~TurnEndHook() = default;
};

struct LoopOptions {
  std::uint32_t index = 0;                         // position in the group, 0-based
  std::size_t receive_buffer_bytes = 256 * 1024;   // one per loop, shared by all connections
};

class Loop {
 public:
  // `clock` must outlive the loop. Fails when the kernel refuses an epoll descriptor.
  static Result<std::unique_ptr<Loop>> create(const LoopOptions& options, Clock& clock);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::uint32_t index() const { return options_.index; }
  // Time at the start of this turn.
  TimePoint now() const { return now_; }
  // Milliseconds since the loop was made, modulo 2^32: a cheap stamp for activity.
  std::uint32_t now_ms() const { return static_cast<std::uint32_t>((now_ - started_).count()); }

  // Turns until `stop`. `turn` does one, waiting at most `wait_max`; tests drive the loop with it.
  void run();
  void turn(Duration wait_max);
  // One turn without the kernel, for the simulator: `arrivals` stands for the watchers that would
  // be told, and the loop sees its first `tasks_max` posted tasks only, as if the others had been
  // posted a moment later.
  void turn_for_test(Task arrivals, std::size_t tasks_max);
  void stop();

  // Any thread: runs `task` on this loop.
  void post(Task task) { mailbox_.post(std::move(task)); }

  Result<void> watch(int fd, std::uint32_t interest, Watcher& watcher);
  void update(int fd, std::uint32_t interest, Watcher& watcher);
  void unwatch(int fd);

  // Fires `delay` from the start of this turn, or a little later.
  void arm(Timer& timer, Duration delay) { timers_.arm(timer, now_ + delay); }

  // The order of registration is the order of calls.
  void add_turn_end_hook(TurnEndHook& hook) { hooks_.push_back(&hook); }
  void remove_turn_end_hook(TurnEndHook& hook);

  // Destroys `object` after this turn.
  template <typename T>
  void defer_delete(std::unique_ptr<T> object) {
    doomed_.push_back({object.release(), [](void* p) { delete static_cast<T*>(p); }});
  }

  // Scratch space for one read. Valid until the watcher returns; nobody keeps a view of it.
  MutableBytes receive_buffer() { return {receive_buffer_.get(), options_.receive_buffer_bytes}; }

 private:
  struct Doomed {
    void* object;
    void (*destroy)(void*);
  };

  Loop(const LoopOptions& options, Clock& clock, int epoll_fd);
  void wait(Duration wait_max);
  void dispatch(int count);
  void act(std::size_t tasks_max);
  void destroy_doomed();

  LoopOptions options_;
  Clock& clock_;
  int epoll_fd_;
  bool stopping_ = false;
  TimePoint started_;
  TimePoint now_;
  TimerWheel timers_;
  Mailbox mailbox_;
  std::vector<TurnEndHook*> hooks_;
  std::vector<Doomed> doomed_;
  std::unique_ptr<std::uint8_t[]> receive_buffer_;
  std::unique_ptr<epoll_event[]> events_;
};

}  // namespace anywire::reactor
