#include "reactor/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>

#include "base/assert.h"

namespace anywire::reactor {

Mailbox::Mailbox() : wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  AW_ASSERT(wake_fd_ >= 0);
}

Mailbox::~Mailbox() { ::close(wake_fd_); }

void Mailbox::post(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    incoming_.push_back(std::move(task));
  }
  if (asleep_.exchange(false)) {
    const std::uint64_t one = 1;
    // Cannot fail but for a full counter, which wakes the loop just the same.
    [[maybe_unused]] const auto written = ::write(wake_fd_, &one, sizeof one);
  }
}

bool Mailbox::begin_sleep() {
  asleep_.store(true);
  const std::scoped_lock lock(mutex_);
  return incoming_.empty();
}

void Mailbox::end_sleep() {
  asleep_.store(false);
}

std::size_t Mailbox::run_posted(std::size_t tasks_max) {
  {
    const std::scoped_lock lock(mutex_);
    if (incoming_.empty()) return 0;
    if (incoming_.size() <= tasks_max) {
      running_.swap(incoming_);
    } else {
      const auto end = incoming_.begin() + static_cast<std::ptrdiff_t>(tasks_max);
      running_.assign(std::make_move_iterator(incoming_.begin()), std::make_move_iterator(end));
      incoming_.erase(incoming_.begin(), end);
    }
  }
  const std::size_t count = running_.size();
  for (Task& task : running_) task();
  running_.clear();
  return count;
}

}  // namespace anywire::reactor
