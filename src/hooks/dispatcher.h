// Dispatcher: carries questions to the customer's application and brings its answers back: signed,
// so many at once, so many waiting, each for so long, and none while the circuit is open.
//
// A question is asked once. Only one that says so is sent again, once and with the same delivery
// id, when its connection failed before there was an answer.
//
// What counts as a failure of the application, for the circuit: that it could not be reached, was
// too slow, broke off, answered 5xx or 429, or with something other than what was asked for. Other
// answers of 4xx say that it is alive and did not like this one question, which a client may have
// brought about; they fail that question only.
//
// Thread: the loop's. Lifetime: destroyed before its loop; what is under way then is dropped and
// its `done` not called. Limits: DispatcherOptions. Memory: what waits or is under way has at most
// queue_bytes_max bytes, and each of requests_max answers at most answer_bytes_max.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/time.h"
#include "fetch/client.h"
#include "hooks/circuit.h"
#include "hooks/signature.h"
#include "protocol/app_hook.h"
#include "reactor/loop.h"

namespace anywire::hooks {

struct DispatcherOptions {
  std::string url;
  Duration timeout{5'000};  // from the call to the answer, waiting included
  std::size_t requests_max = 64;
  std::size_t queue_max = 1000;
  std::size_t queue_bytes_max = 64 * 1024 * 1024;
  std::size_t answer_bytes_max = 1024 * 1024;
};

struct Delivery {
  std::string_view hook;     // "publish" and so on; a constant
  std::string id;            // from `next_id`
  std::string body;
  bool repeatable = false;
};

enum class Failure {
  kFull,         // too much waits already
  kCircuitOpen,  // it has failed too often just now
  kNoAnswer,     // not reached, too slow, broke off
  kBadAnswer,    // an answer with a status other than 200
};

struct DispatcherCounters {
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;
  std::uint64_t failed = 0;    // asked, and nothing of use came
  std::uint64_t repeated = 0;
  std::uint64_t shed = 0;      // not asked: kFull or kCircuitOpen
};

class Dispatcher final : private reactor::Timer {
 public:
  // Gets the body of an answer with status 200, and says what is wrong with it if it is not what
  // was asked for. Never called inside `send`.
  using Complaint = std::string;
  using Done = std::move_only_function<Complaint(std::expected<std::string, Failure>)>;

  Dispatcher(reactor::Loop& loop, WallClock& wall, DispatcherOptions options, Signer signer,
             std::unique_ptr<fetch::Client> client);
  ~Dispatcher() override;

  // Unlike any before, of this process and of others.
  std::string next_id();
  void send(Delivery delivery, Done done);

  protocol::ByteBudget& waiting() { return bytes_; }
  const DispatcherCounters& counters() const { return counters_; }
  std::size_t queued() const { return queue_.size(); }
  std::size_t under_way() const { return under_way_; }

 private:
  struct Question {
    Delivery delivery;
    Done done;
    TimePoint deadline;
    TimePoint asked_at;
    std::size_t bytes = 0;
    bool probe = false;
    bool repeated = false;
  };
  using QuestionPtr = std::unique_ptr<Question>;

  void ask(QuestionPtr question);
  void on_outcome(QuestionPtr question, fetch::Outcome outcome);
  void ask_waiting();
  bool may_repeat(const Question& question, const fetch::Error& error) const;
  void finish(QuestionPtr question, const fetch::Outcome& outcome);
  void give_up_soon(QuestionPtr question, Failure failure);
  void give_up(Question& question, Failure failure);
  void fail_waiting(Failure failure);
  void note_failure(const Question& question, std::string_view why);
  bool is_illness(const Question& question, const fetch::Outcome& outcome) const;
  void complain(const Question& question, std::string_view why, int status);
  void on_timer() override;
  void arm_for_first();

  reactor::Loop& loop_;
  WallClock& wall_;
  const DispatcherOptions options_;
  const std::string origin_;  // of the URL, for logs
  const Signer signer_;
  const std::string id_prefix_;
  std::uint64_t last_id_ = 0;
  Circuit circuit_;
  protocol::ByteBudget bytes_;
  std::deque<QuestionPtr> queue_;
  std::size_t under_way_ = 0;
  DispatcherCounters counters_;
  TimePoint complained_at_;
  std::uint64_t complaints_held_ = 0;  // not logged since
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what is posted to the loop
  std::unique_ptr<fetch::Client> client_;
};

// What an operator should look at when the application answers so, as the end of a log line; empty
// if there is nothing to say.
std::string_view advice_for(int status);

}  // namespace anywire::hooks
