#include "sim/sim_broker.h"

#include <utility>
#include <vector>

namespace anywire::sim {

using broker::BrokerError;
using broker::Position;
using broker::PublicationPtr;

// What the store has, between the stream in memory and the hub's sink.
struct SimBroker::State final : broker::StreamSink {
  State(SimBroker& owner, std::string_view name) : store(owner), channel(name) {}

  void on_publication(const PublicationPtr& publication) override {
    store.truth_.ordered(*publication);
    if (hides) {
      untold.push_back(publication);
    } else if (store.options_.fault == Fault::kSwapMessages && untold.empty() &&
               store.options_.dice.below(10) == 0) {
      untold.push_back(publication);
    } else {
      tell(publication);
      // A sound store would have told of these first.
      if (store.options_.fault == Fault::kSwapMessages) tell_untold();
    }
  }
  void on_reset(Position top) override {
    untold.clear();
    told = top;
    store.truth_.handed(channel, top);
    if (sink != nullptr) sink->on_reset(top);
  }
  void tell(const PublicationPtr& publication) {
    told = publication->position();
    store.truth_.handed(*publication);
    if (sink != nullptr) sink->on_publication(publication);
  }
  void tell_untold() {
    for (const PublicationPtr& one : std::exchange(untold, {})) tell(one);
  }
  void learn(Position top) {
    told = top;
    untold.clear();
    store.truth_.handed(channel, top);
  }

  SimBroker& store;
  const std::string channel;
  broker::StreamSink* sink = nullptr;
  std::unique_ptr<broker::Stream> inner;
  Position told;  // the last one the hub was given; epoch 0 as long as it has not been answered
  bool hides = false;  // the publish under way will be reported as failed
  std::vector<PublicationPtr> untold;
};

class SimBroker::Handle final : public broker::Stream {
 public:
  Handle(SimBroker& store, std::shared_ptr<State> state)
      : store_(store), state_(std::move(state)) {}
  ~Handle() override {
    state_->sink = nullptr;
    state_->inner.reset();
  }

  Position top() const override { return state_->told; }
  void publish(broker::PublishRequest request, broker::PublishDone done) override {
    store_.ask([&store = store_, state = state_, request = std::move(request),
                done = std::move(done)]() mutable {
      run_publish(store, *state, std::move(request), std::move(done));
    });
  }
  void read(const broker::HistoryQuery& query, broker::HistoryDone done) override {
    store_.ask([&store = store_, state = state_, query, done = std::move(done)]() mutable {
      if (store.fails()) return done(std::unexpected(BrokerError::kUnavailable));
      if (state->told.epoch != 0 && !store.fails()) state->tell_untold();
      state->inner->read(query, [&](auto page) {
        if (state->told.epoch == 0) state->learn(page->top);
        done(std::move(page));
      });
    });
  }
  void set_options(const broker::StreamOptions& options) override {
    state_->inner->set_options(options);
  }

 private:
  static void run_publish(SimBroker& store, State& state, broker::PublishRequest request,
                          broker::PublishDone done) {
    const Fault fault = store.options_.fault;
    if (fault == Fault::kForgetKey) request.idempotency_key.clear();
    if (fault == Fault::kAckNothing && store.options_.dice.below(10) == 0) {
      const Position next{state.told.epoch, state.told.offset + 1};
      return done(broker::PublishResult{next, false});
    }
    if (!store.fails()) {
      if (fault != Fault::kSwapMessages) state.tell_untold();
      return state.inner->publish(std::move(request), std::move(done));
    }
    const bool kept = store.options_.dice.below(2) == 0;
    if (kept) {
      state.hides = true;
      state.inner->publish(std::move(request), {});
      state.hides = false;
    }
    const bool busy = !kept && store.options_.dice.below(3) == 0;
    done(std::unexpected(busy ? BrokerError::kOverloaded : BrokerError::kUnavailable));
  }

  SimBroker& store_;
  std::shared_ptr<State> state_;
};

SimBroker::SimBroker(SimBrokerOptions options, WallClock& wall, Truth& truth)
    : options_(std::move(options)),
      truth_(truth),
      inner_(options_.limits, wall, &options_.epochs) {}

SimBroker::~SimBroker() = default;

std::unique_ptr<broker::Stream> SimBroker::open(std::string_view channel,
                                                const broker::StreamOptions& options,
                                                broker::StreamSink& sink) {
  auto state = std::make_shared<State>(*this, channel);
  state->sink = &sink;
  broker::StreamOptions given = options;
  if (options_.fault == Fault::kLeakHistory) given.history_ttl = Duration{0};
  state->inner = inner_.open(channel, given, *state);
  if (!options_.late) state->learn(state->inner->top());
  open_[state->channel] = state;
  return std::make_unique<Handle>(*this, std::move(state));
}

void SimBroker::clear(std::string_view channel) {
  ask([this, name = std::string(channel)] { inner_.clear(name); });
}

void SimBroker::ask(std::move_only_function<void()> question) {
  if (!options_.late) return question();
  due_.push_back(std::move(question));
  options_.soon();
}

void SimBroker::step() {
  std::move_only_function<void()> question = std::move(due_.front());
  due_.pop_front();
  question();
}

std::optional<bool> SimBroker::has(std::string_view channel, std::uint64_t epoch,
                                   std::uint64_t offset) {
  const auto found = open_.find(channel);
  const auto state = found == open_.end() ? nullptr : found->second.lock();
  if (!state || !state->inner) return std::nullopt;
  broker::HistoryQuery query;
  query.limit = 1;
  bool there = false;
  state->inner->read(query, [&](auto page) {
    there = page->top.epoch == epoch && offset >= page->oldest && offset <= page->top.offset;
  });
  return there;
}

}  // namespace anywire::sim
