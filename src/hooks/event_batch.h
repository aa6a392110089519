// EventBatch: what has happened, gathered until there are so many events or the first of them is so
// old, and then told to the application in one request. One batch is under way at a time, so events
// of one loop come in their order; one that could not be told is told again, with the same delivery
// id, after a second, two, four and so on.
//
// Thread: the loop's. Lifetime: destroyed before its loop and its dispatcher. Limits: kEventsMax
// events wait; what comes on top is counted as lost, and so is a batch after kAttemptsMax attempts.
// The number goes with the next batch that arrives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "hooks/dispatcher.h"
#include "hooks/question.h"
#include "reactor/loop.h"

namespace anywire::hooks {

class EventBatch final : private reactor::Timer {
 public:
  static constexpr std::size_t kBatchMax = 100;
  static constexpr Duration kDelay{100};
  static constexpr std::size_t kEventsMax = 10'000;
  static constexpr int kAttemptsMax = 8;
  static constexpr Duration kRetryMin{1'000};
  static constexpr Duration kRetryMax{30'000};

  // Told of the body of each answer with status 200; says what is wrong with it.
  using OnAnswer = std::function<std::string(std::string_view body)>;

  EventBatch(reactor::Loop& loop, Dispatcher& dispatcher, OnAnswer on_answer)
      : loop_(loop), dispatcher_(dispatcher), on_answer_(std::move(on_answer)) {}

  void add(Event event);

  std::size_t waiting() const { return events_.size() + batch_.size(); }
  std::uint64_t lost() const { return lost_; }

 private:
  void on_timer() override;
  void send();
  std::string on_answer(const std::expected<std::string, Failure>& answer);

  reactor::Loop& loop_;
  Dispatcher& dispatcher_;
  const OnAnswer on_answer_;
  std::deque<Event> events_;
  std::vector<Event> batch_;   // under way, or to be sent again
  std::string batch_id_;
  std::uint64_t batch_lost_ = 0;  // said in it
  bool under_way_ = false;
  int attempts_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace anywire::hooks
