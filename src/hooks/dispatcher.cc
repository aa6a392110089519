#include "hooks/dispatcher.h"

#include <array>
#include <utility>

#include "base/assert.h"
#include "base/random.h"
#include "codec/base64url.h"

namespace anywire::hooks {
namespace {

// One line about what fails is enough for so long.
constexpr Duration kComplaintInterval{10'000};
// What a question costs besides its body, roughly.
constexpr std::size_t kQuestionBytes = sizeof(Delivery) + 512;

std::string random_prefix() {
  std::array<std::uint8_t, 12> bits;
  secure_random(bits);
  return codec::base64url_encode(bits) + "-";
}

}  // namespace

std::string_view advice_for(int status) {
  if (status >= 300 && status < 400) {
    return "redirects are not followed: set app.url to where they lead";
  }
  switch (status) {
    case 401:
    case 403: return "app.secret must be the secret which the application verifies with";
    case 404:
    case 405: return "app.url must be the application's route for hooks, which takes POST";
    case 413: return "the application's limit for request bodies is below message_bytes_max";
    case 200: return "the route must answer in the shape that docs/hooks.md describes";
    default: return {};
  }
}

Dispatcher::Dispatcher(reactor::Loop& loop, WallClock& wall, DispatcherOptions options,
                       Signer signer, std::unique_ptr<fetch::Client> client)
    : loop_(loop),
      wall_(wall),
      options_(std::move(options)),
      origin_(fetch::origin_of(options_.url)),
      signer_(std::move(signer)),
      id_prefix_(random_prefix()),
      bytes_(options_.queue_bytes_max),
      complained_at_(loop.now() - kComplaintInterval),
      client_(std::move(client)) {}

Dispatcher::~Dispatcher() = default;

std::string Dispatcher::next_id() { return id_prefix_ + std::to_string(++last_id_); }

void Dispatcher::send(Delivery delivery, Done done) {
  auto question = std::make_unique<Question>();
  const std::size_t bytes = kQuestionBytes + delivery.body.size();
  question->delivery = std::move(delivery);
  question->done = std::move(done);
  question->deadline = loop_.now() + options_.timeout;
  if (circuit_.open()) {
    if (circuit_.admit(loop_.now()) == Circuit::Pass::kNo) {
      return give_up_soon(std::move(question), Failure::kCircuitOpen);
    }
    question->probe = true;
  }
  const bool waits = under_way_ >= options_.requests_max && !question->probe;
  if ((waits && queue_.size() >= options_.queue_max) || !bytes_.take(bytes)) {
    circuit_.abandoned(question->probe);
    return give_up_soon(std::move(question), Failure::kFull);
  }
  question->bytes = bytes;
  if (!waits) return ask(std::move(question));
  queue_.push_back(std::move(question));
  if (!armed()) arm_for_first();
}

void Dispatcher::ask(QuestionPtr question) {
  Delivery& delivery = question->delivery;
  const std::uint64_t now_s = wall_.unix_ms() / 1000;
  question->asked_at = loop_.now();
  fetch::Request request{
      .method = "POST",
      .url = options_.url,
      .headers = {{"Content-Type", "application/json"},
                  {"Anywire-Hook", std::string(delivery.hook)},
                  {"Anywire-Delivery", delivery.id},
                  {"Anywire-Timestamp", std::to_string(now_s)},
                  {"Anywire-Signature", signer_.sign(now_s, delivery.body)}},
      .body = delivery.repeatable && !question->repeated ? delivery.body : std::move(delivery.body),
      .timeout = question->deadline - loop_.now(),
      .response_bytes_max = options_.answer_bytes_max};
  ++under_way_;
  ++(question->repeated ? counters_.repeated : counters_.asked);
  client_->send(std::move(request),
                [this, question = std::move(question)](fetch::Outcome outcome) mutable {
                  on_outcome(std::move(question), std::move(outcome));
                });
}

void Dispatcher::on_outcome(QuestionPtr question, fetch::Outcome outcome) {
  --under_way_;
  if (!outcome && may_repeat(*question, outcome.error())) {
    question->repeated = true;
    ask(std::move(question));
  } else {
    finish(std::move(question), outcome);
  }
  ask_waiting();
}

bool Dispatcher::may_repeat(const Question& question, const fetch::Error& error) const {
  const bool broke = error.code == fetch::ErrorCode::kBroken ||
                     error.code == fetch::ErrorCode::kConnect;
  return question.delivery.repeatable && !question.repeated && broke && !circuit_.open() &&
         loop_.now() < question.deadline;
}

void Dispatcher::finish(QuestionPtr question, const fetch::Outcome& outcome) {
  bytes_.give_back(std::exchange(question->bytes, 0));
  const bool told = outcome && outcome->status == 200;
  std::string wrong;
  if (told) {
    ++counters_.answered;
    wrong = question->done(outcome->body);
    if (wrong.empty()) {
      if (circuit_.succeeded()) log::info("the application answers again", {{"app", origin_}});
      return;
    }
  } else {
    wrong = outcome ? "status " + std::to_string(outcome->status) : outcome.error().text;
  }
  ++counters_.failed;
  complain(*question, wrong, outcome ? outcome->status : 0);
  if (is_illness(*question, outcome)) {
    note_failure(*question, wrong);
  } else {
    circuit_.abandoned(question->probe);
  }
  if (!told) give_up(*question, outcome ? Failure::kBadAnswer : Failure::kNoAnswer);
}

bool Dispatcher::is_illness(const Question& question, const fetch::Outcome& outcome) const {
  if (outcome) {
    const int status = outcome->status;
    return status < 400 || status >= 500 || status == 429;
  }
  // Who had to wait for its turn gave the application little time.
  if (outcome.error().code != fetch::ErrorCode::kTimeout) return true;
  return 2 * (question.deadline - question.asked_at) >= options_.timeout;
}

void Dispatcher::note_failure(const Question& question, std::string_view why) {
  if (!circuit_.failed(loop_.now(), question.probe)) return;
  log::warn("the application fails, it is asked again in a while",
            {{"app", origin_}, {"why", why}, {"wait_ms", circuit_.wait()}});
  fail_waiting(Failure::kCircuitOpen);
}

void Dispatcher::complain(const Question& question, std::string_view why, int status) {
  if (loop_.now() - complained_at_ < kComplaintInterval) {
    ++complaints_held_;
    return;
  }
  complained_at_ = loop_.now();
  log::warn("the application did not answer a hook as it should",
            {{"app", origin_},
             {"hook", question.delivery.hook},
             {"delivery", question.delivery.id},
             {"why", why},
             {"advice", advice_for(status)},
             {"suppressed", std::exchange(complaints_held_, 0)}});
}

// Everybody who waits is told at once: there is nothing to wait for.
void Dispatcher::fail_waiting(Failure failure) {
  std::deque<QuestionPtr> waiting = std::exchange(queue_, {});
  disarm();
  for (QuestionPtr& question : waiting) give_up_soon(std::move(question), failure);
}

void Dispatcher::ask_waiting() {
  while (!queue_.empty() && under_way_ < options_.requests_max) {
    QuestionPtr question = std::move(queue_.front());
    queue_.pop_front();
    ask(std::move(question));
  }
  if (queue_.empty()) disarm();
}

void Dispatcher::give_up_soon(QuestionPtr question, Failure failure) {
  if (failure != Failure::kNoAnswer) ++counters_.shed;
  bytes_.give_back(std::exchange(question->bytes, 0));
  loop_.post([this, question = std::move(question), failure, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) give_up(*question, failure);
  });
}

void Dispatcher::give_up(Question& question, Failure failure) {
  bytes_.give_back(std::exchange(question.bytes, 0));
  (void)question.done(std::unexpected(failure));
}

void Dispatcher::arm_for_first() {
  if (!queue_.empty()) loop_.arm(*this, queue_.front()->deadline - loop_.now());
}

// Those whose turn did not come in time. All wait equally long, so they are at the front.
void Dispatcher::on_timer() {
  while (!queue_.empty() && queue_.front()->deadline <= loop_.now()) {
    QuestionPtr question = std::move(queue_.front());
    queue_.pop_front();
    ++counters_.failed;
    complain(*question, "too many questions wait for the application", 0);
    give_up_soon(std::move(question), Failure::kNoAnswer);
  }
  arm_for_first();
}

}  // namespace anywire::hooks
