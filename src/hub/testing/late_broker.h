// LateBroker: a broker whose answers come when the test says so, in the order of the questions, as
// from a store behind a writer thread. Only tests include it.
//
// Thread: one. What `step` does happens as if a mail from the store had arrived.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "broker/memory.h"

namespace anywire::hub {

class LateBroker final : public broker::Broker {
 public:
  LateBroker(const broker::BrokerLimits& limits, WallClock& clock, Random* random)
      : inner_(limits, clock, random) {}

  std::unique_ptr<broker::Stream> open(std::string_view channel,
                                       const broker::StreamOptions& options,
                                       broker::StreamSink& sink) override {
    auto state = std::make_shared<State>();
    state->sink = &sink;
    state->inner = inner_.open(channel, options, *state);
    return std::make_unique<Handle>(*this, std::move(state));
  }
  void clear(std::string_view channel) override { inner_.clear(channel); }
  void expire() override { inner_.expire(); }
  std::size_t history_bytes() const override { return inner_.history_bytes(); }
  std::size_t streams() const override { return inner_.streams(); }

  // Answers the oldest question. False if there is none.
  bool step() {
    if (due_.empty()) return false;
    auto next = std::move(due_.front());
    due_.pop_front();
    next();
    return true;
  }
  void run() {
    while (step()) {
    }
  }
  std::size_t due() const { return due_.size(); }

  bool failing = false;  // answers are errors, and nothing is done

 private:
  struct State final : broker::StreamSink {
    void on_publication(const broker::PublicationPtr& publication) override {
      top = publication->position();
      if (sink != nullptr) sink->on_publication(publication);
    }
    void on_reset(broker::Position position) override {
      top = position;
      if (sink != nullptr) sink->on_reset(position);
    }
    broker::StreamSink* sink = nullptr;
    std::unique_ptr<broker::Stream> inner;
    broker::Position top;  // unknown until the first answer
  };

  class Handle final : public broker::Stream {
   public:
    Handle(LateBroker& broker, std::shared_ptr<State> state)
        : broker_(broker), state_(std::move(state)) {}
    ~Handle() override {
      state_->sink = nullptr;
      // At most one handle per channel; and what is due was promised an answer only.
      state_->inner.reset();
    }
    broker::Position top() const override { return state_->top; }
    void publish(broker::PublishRequest request, broker::PublishDone done) override {
      broker_.due_.push_back([this_broker = &broker_, state = state_,
                              request = std::move(request), done = std::move(done)]() mutable {
        if (this_broker->failing || !state->inner) {
          return done(std::unexpected(broker::BrokerError::kUnavailable));
        }
        state->inner->publish(std::move(request), std::move(done));
      });
    }
    void read(const broker::HistoryQuery& query, broker::HistoryDone done) override {
      broker_.due_.push_back(
          [this_broker = &broker_, state = state_, query, done = std::move(done)]() mutable {
            if (this_broker->failing || !state->inner) {
              return done(std::unexpected(broker::BrokerError::kUnavailable));
            }
            state->inner->read(query, [&](auto page) {
              if (state->top.epoch == 0) state->top = page->top;
              done(std::move(page));
            });
          });
    }
    void set_options(const broker::StreamOptions& options) override {
      state_->inner->set_options(options);
    }

   private:
    LateBroker& broker_;
    std::shared_ptr<State> state_;
  };

  broker::MemoryBroker inner_;
  std::deque<std::move_only_function<void()>> due_;
};

}  // namespace anywire::hub
