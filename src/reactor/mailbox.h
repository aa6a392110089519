// Mailbox: how other threads hand work to a loop. The only place besides start-up code that
// holds a mutex.
//
// Thread: `post` from anywhere; the rest from the loop. Tasks of one poster run in the order they
// were posted. The eventfd is written only when the loop is asleep or about to be.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "base/task.h"

namespace anywire::reactor {

class Mailbox {
 public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void post(Task task);

  int wake_fd() const { return wake_fd_; }

  // To be called before sleeping: announces the sleep and tells whether it is allowed. After
  // waking (or when it is not allowed) the loop calls `end_sleep`.
  bool begin_sleep();
  void end_sleep();

  // Runs what has been posted so far, at most `tasks_max`; returns how many tasks that was.
  std::size_t run_posted(std::size_t tasks_max = SIZE_MAX);

 private:
  int wake_fd_;
  std::atomic<bool> asleep_{false};
  std::mutex mutex_;
  std::vector<Task> incoming_;
  std::vector<Task> running_;
};

}  // namespace anywire::reactor
