#include "reactor/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace anywire::reactor {
namespace {

constexpr int kEventsPerTurnMax = 1024;

std::uint32_t to_epoll(std::uint32_t interest) {
  std::uint32_t events = 0;
  if ((interest & kReadable) != 0) events |= EPOLLIN;
  if ((interest & kWritable) != 0) events |= EPOLLOUT;
  if ((interest & kPeerEnd) != 0) events |= EPOLLRDHUP;
  return events;
}

std::uint32_t from_epoll(std::uint32_t events) {
  std::uint32_t ready = 0;
  if ((events & EPOLLIN) != 0) ready |= kReadable;
  if ((events & EPOLLOUT) != 0) ready |= kWritable;
  if ((events & EPOLLRDHUP) != 0) ready |= kPeerEnd;
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) ready |= kError;
  return ready;
}

}  // namespace

Result<std::unique_ptr<Loop>> Loop::create(const LoopOptions& options, Clock& clock) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return fail(ErrorCode::kIo, "cannot create an epoll descriptor", errno);
  std::unique_ptr<Loop> loop(new Loop(options, clock, fd));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // null stands for the mailbox
  if (::epoll_ctl(fd, EPOLL_CTL_ADD, loop->mailbox_.wake_fd(), &event) != 0) {
    return fail(ErrorCode::kIo, "cannot watch the mailbox", errno);
  }
  return loop;
}

Loop::Loop(const LoopOptions& options, Clock& clock, int epoll_fd)
    : options_(options),
      clock_(clock),
      epoll_fd_(epoll_fd),
      started_(clock.now()),
      now_(started_),
      timers_(started_),
      receive_buffer_(new std::uint8_t[options.receive_buffer_bytes]),
      events_(new epoll_event[kEventsPerTurnMax]) {}

Loop::~Loop() {
  destroy_doomed();
  ::close(epoll_fd_);
}

void Loop::run() {
  while (!stopping_) turn(TimerWheel::kNever);
}

void Loop::stop() {
  post([this] { stopping_ = true; });
}

void Loop::turn(Duration wait_max) {
  wait(wait_max);
  act(SIZE_MAX);
}

void Loop::turn_for_test(Task arrivals, std::size_t tasks_max) {
  now_ = clock_.now();
  arrivals();
  act(tasks_max);
}

// All of a turn that is not the kernel's.
void Loop::act(std::size_t tasks_max) {
  mailbox_.run_posted(tasks_max);
  timers_.advance(now_);
  for (TurnEndHook* hook : hooks_) hook->on_turn_end();
  destroy_doomed();
}

void Loop::wait(Duration wait_max) {
  Duration sleep = std::min(wait_max, timers_.until_next());
  const bool may_sleep = sleep > Duration::zero() && mailbox_.begin_sleep();
  const int timeout_ms =
      !may_sleep ? 0
      : sleep == TimerWheel::kNever
          ? -1
          : static_cast<int>(std::min<std::int64_t>(sleep.count(), 3'600'000));
  const int count = ::epoll_wait(epoll_fd_, events_.get(), kEventsPerTurnMax, timeout_ms);
  mailbox_.end_sleep();
  now_ = clock_.now();
  AW_ASSERT(count >= 0 || errno == EINTR);
  dispatch(count);
}

void Loop::dispatch(int count) {
  for (int i = 0; i < count; ++i) {
    auto* watcher = static_cast<Watcher*>(events_[i].data.ptr);
    if (watcher == nullptr) {
      std::uint64_t drained = 0;
      [[maybe_unused]] const auto n = ::read(mailbox_.wake_fd(), &drained, sizeof drained);
      continue;
    }
    watcher->on_ready(from_epoll(events_[i].events));
  }
}

void Loop::destroy_doomed() {
  // A destructor may doom further objects; the index survives the growth.
  for (std::size_t i = 0; i < doomed_.size(); ++i) doomed_[i].destroy(doomed_[i].object);
  doomed_.clear();
}

Result<void> Loop::watch(int fd, std::uint32_t interest, Watcher& watcher) {
  epoll_event event{};
  event.events = to_epoll(interest);
  event.data.ptr = &watcher;
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail(ErrorCode::kIo, "cannot watch a descriptor", errno);
  }
  return {};
}

void Loop::update(int fd, std::uint32_t interest, Watcher& watcher) {
  epoll_event event{};
  event.events = to_epoll(interest);
  event.data.ptr = &watcher;
  AW_ASSERT(::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0);
}

void Loop::unwatch(int fd) { ::epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

void Loop::remove_turn_end_hook(TurnEndHook& hook) { std::erase(hooks_, &hook); }

}  // namespace anywire::reactor
