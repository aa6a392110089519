#include "broker/memory.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <vector>

#include "base/assert.h"

namespace anywire::broker {

std::uint64_t new_epoch(Random* random) {
  for (;;) {
    std::uint64_t epoch = 0;
    if (random != nullptr) {
      epoch = random->next();
    } else {
      std::array<std::uint8_t, sizeof epoch> bytes;
      secure_random(bytes);
      epoch = std::bit_cast<std::uint64_t>(bytes);
    }
    if (epoch != 0) return epoch;
  }
}

// Something to hand out: a publication or a reset for the sink, an answer for the publisher.
struct MemoryBroker::Event {
  PublicationPtr publication;
  std::optional<Position> reset;
  PublishDone done;
  std::expected<PublishResult, BrokerError> result;
};

// One stream. Stays when its handle goes, until it is forgotten.
struct MemoryBroker::State final : History::Owner {
  State(MemoryBroker& owner, std::string_view name)
      : broker(owner), channel(name), history(owner.pool_, this) {}
  ~State() { broker.keys_.clear(keys); }

  void on_history_evicted() override { broker.settle_idle(*this); }
  bool spent() const { return history.empty() && keys.empty(); }

  MemoryBroker& broker;
  const std::string channel;
  StreamOptions options;
  Position top;          // the last one ordered
  Position handed_out;   // the last one given to the sink; behind `top` only while handing out
  std::uint64_t last_ms = 0;
  StreamSink* sink = nullptr;  // null while nobody holds the stream
  bool handing_out = false;
  bool in_sink = false;
  std::vector<Event> waiting;  // came up while handing out
  History history;
  KeyTable::Chain keys;
  std::uint64_t due_ms = 0;       // 0 = not in due_
  bool idle = false;
  std::optional<std::uint64_t> spent_since_ms;
  std::list<State*>::iterator idle_place;
  std::list<State*>::iterator spent_place;
};

class MemoryBroker::Handle final : public Stream {
 public:
  Handle(MemoryBroker& broker, State& state) : broker_(broker), state_(state) {}
  ~Handle() override { broker_.release(state_); }

  Position top() const override { return state_.handed_out; }
  void publish(PublishRequest request, PublishDone done) override {
    broker_.publish(state_, std::move(request), std::move(done));
  }
  void read(const HistoryQuery& query, HistoryDone done) override {
    broker_.read(state_, query, std::move(done));
  }
  void set_options(const StreamOptions& options) override { broker_.apply(state_, options); }

 private:
  MemoryBroker& broker_;
  State& state_;
};

MemoryBroker::MemoryBroker(const BrokerLimits& limits, WallClock& clock, Random* random)
    : limits_(limits),
      clock_(clock),
      random_(random),
      pool_(limits.history_bytes_max),
      keys_(limits.idempotency_keys_max) {}

MemoryBroker::~MemoryBroker() = default;

std::unique_ptr<Stream> MemoryBroker::open(std::string_view channel, const StreamOptions& options,
                                           StreamSink& sink) {
  State& state = find_or_create(channel);
  AW_ASSERT(state.sink == nullptr);
  leave_idle(state);
  state.sink = &sink;
  apply(state, options);
  return std::make_unique<Handle>(*this, state);
}

MemoryBroker::State& MemoryBroker::find_or_create(std::string_view channel) {
  const auto found = states_.find(channel);
  if (found != states_.end()) return *found->second;
  auto state = std::make_unique<State>(*this, channel);
  state->top = state->handed_out = {new_epoch(random_), 0};
  return *states_.emplace(channel, std::move(state)).first->second;
}

void MemoryBroker::release(State& state) {
  AW_ASSERT(!state.in_sink);
  state.sink = nullptr;
  settle_idle(state);
}

void MemoryBroker::publish(State& state, PublishRequest&& request, PublishDone&& done) {
  Event event;
  event.done = std::move(done);
  if (state.options.durable) {
    event.result = std::unexpected(BrokerError::kUnavailable);
    return hand_out(state, std::move(event));
  }
  const std::uint64_t now_ms = clock_.unix_ms();
  const bool keyed = !request.idempotency_key.empty();
  Digest digest{};
  if (keyed) {
    digest = digest_of(request.draft);
    if (const auto* first = keys_.find(state.keys, request.idempotency_key, now_ms)) {
      if (first->digest == digest) {
        event.result = PublishResult{first->position, true};
      } else {
        event.result = std::unexpected(BrokerError::kIdempotencyConflict);
      }
      return hand_out(state, std::move(event));
    }
  }
  // A clock set back must not bring disorder into history: the stream's time stands still then.
  state.last_ms = std::max(state.last_ms, now_ms);
  ++state.top.offset;
  event.publication = std::make_shared<Publication>(std::move(request.draft), state.channel,
                                                    state.top.epoch, state.top.offset,
                                                    state.last_ms);
  event.result = PublishResult{state.top, false};
  if (keyed) {
    const auto window = std::max<Duration::rep>(state.options.idempotency_window.count(), 0);
    keys_.add(state.keys, std::move(request.idempotency_key), {digest, state.top},
              now_ms + static_cast<std::uint64_t>(window));
  }
  if (state.options.history_messages > 0) {
    state.history.push(event.publication);
    state.history.trim(state.options, now_ms);
  }
  if (keyed || state.options.history_ttl.count() > 0) schedule(state);
  hand_out(state, std::move(event));
}

void MemoryBroker::read(State& state, const HistoryQuery& query, HistoryDone done) {
  state.history.trim(state.options, clock_.unix_ms());
  state.history.touch();
  HistoryPage page;
  page.top = state.top;
  page.oldest = state.history.empty() ? state.top.offset + 1 : state.history.first_offset();
  state.history.fill(query, page);
  done(std::move(page));
}

void MemoryBroker::clear(std::string_view channel) {
  const auto found = states_.find(channel);
  if (found == states_.end()) return;
  State& state = *found->second;
  state.history.clear();
  state.top = {new_epoch(random_), 0};
  if (state.sink == nullptr && !state.handing_out) {
    state.handed_out = state.top;
    return settle_idle(state);
  }
  Event event;
  event.reset = state.top;
  hand_out(state, std::move(event));
}

// The one place that calls sinks and publishers. What they bring up for the same stream meanwhile
// waits its turn here instead of going in between.
void MemoryBroker::hand_out(State& state, Event event) {
  if (state.handing_out) {
    state.waiting.push_back(std::move(event));
    return;
  }
  state.handing_out = true;
  give(state, event);
  for (std::size_t i = 0; i < state.waiting.size(); ++i) {
    Event next = std::move(state.waiting[i]);
    give(state, next);
  }
  if (!state.waiting.empty()) state.waiting = std::vector<Event>();
  state.handing_out = false;
  if (state.sink == nullptr) settle_idle(state);
}

void MemoryBroker::give(State& state, Event& event) {
  state.in_sink = true;
  if (event.publication) {
    state.handed_out = event.publication->position();
    if (state.sink != nullptr) state.sink->on_publication(event.publication);
  } else if (event.reset) {
    state.handed_out = *event.reset;
    if (state.sink != nullptr) state.sink->on_reset(*event.reset);
  }
  state.in_sink = false;
  if (event.done) event.done(event.result);
}

void MemoryBroker::apply(State& state, const StreamOptions& options) {
  state.options = options;
  state.history.trim(options, clock_.unix_ms());
  schedule(state);
}

// Makes sure expire() looks at the stream when its first publication or key has had its time.
// Being early is fine: it is scheduled anew then. So a publish seldom changes anything here.
void MemoryBroker::schedule(State& state) {
  std::uint64_t due_ms = 0;
  if (state.options.history_ttl.count() > 0 && !state.history.empty()) {
    due_ms = state.history.front()->time_ms +
             static_cast<std::uint64_t>(state.options.history_ttl.count());
  }
  if (!state.keys.empty()) {
    const std::uint64_t until_ms = state.keys.first_until_ms();
    due_ms = due_ms == 0 ? until_ms : std::min(due_ms, until_ms);
  }
  if (due_ms == 0 || (state.due_ms != 0 && state.due_ms <= due_ms)) return;
  unschedule(state);
  state.due_ms = due_ms;
  due_.emplace(due_ms, &state);
}

void MemoryBroker::unschedule(State& state) {
  if (state.due_ms != 0) due_.erase({state.due_ms, &state});
  state.due_ms = 0;
}

void MemoryBroker::expire() {
  const std::uint64_t now_ms = clock_.unix_ms();
  while (!due_.empty() && due_.begin()->first <= now_ms) {
    State& state = *due_.begin()->second;
    unschedule(state);
    state.history.trim(state.options, now_ms);
    keys_.expire(state.keys, now_ms);
    schedule(state);
    settle_idle(state);
  }
  const auto forget_after = static_cast<std::uint64_t>(limits_.forget_after.count());
  while (!spent_.empty() && *spent_.front()->spent_since_ms + forget_after <= now_ms) {
    forget(*spent_.front());
  }
}

// Puts a stream that nobody holds where it can be forgotten from.
void MemoryBroker::settle_idle(State& state) {
  if (state.sink != nullptr || state.handing_out) return;
  if (!state.idle) {
    state.idle = true;
    state.idle_place = idle_.insert(idle_.end(), &state);
  }
  if (state.spent() && !state.spent_since_ms) {
    state.spent_since_ms = clock_.unix_ms();
    state.spent_place = spent_.insert(spent_.end(), &state);
  }
  if (idle_.size() > limits_.idle_streams_max) {
    forget(spent_.empty() ? *idle_.front() : *spent_.front());
  }
}

void MemoryBroker::leave_idle(State& state) {
  if (state.idle) idle_.erase(state.idle_place);
  if (state.spent_since_ms) spent_.erase(state.spent_place);
  state.idle = false;
  state.spent_since_ms.reset();
}

void MemoryBroker::forget(State& state) {
  leave_idle(state);
  unschedule(state);
  states_.erase(states_.find(state.channel));
}

}  // namespace anywire::broker
