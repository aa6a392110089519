// The broker contract's suite: contract_test.cc states broker.h sentence by sentence, for every
// implementation that is instantiated against it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, BrokerContract, testing::Values(ContractCase{...}),
//                            contract_case_name);
//
// Only tests include it. Thread: the test's, which plays the loop.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "broker/broker.h"

namespace anywire::broker {

// One broker, its clock, and a way to wait.
class BrokerUnderTest {
 public:
  virtual ~BrokerUnderTest() = default;
  virtual Broker& broker() = 0;
  virtual ManualWallClock& clock() = 0;
  // Until every callback that is due has come.
  virtual void settle() = 0;
};

struct ContractCase {
  std::string name;
  bool durable = false;  // what the suite's streams ask for
  // The store keeps history that memory has no room for.
  bool history_outlives_memory = false;
  std::function<std::unique_ptr<BrokerUnderTest>(const BrokerLimits&)> make;
};

inline std::string contract_case_name(const testing::TestParamInfo<ContractCase>& info) {
  return info.param.name;
}
inline void PrintTo(const ContractCase& contract, std::ostream* out) { *out << contract.name; }

inline Draft draft_of(std::string_view text) {
  Draft draft;
  draft.kind = PayloadKind::kText;
  draft.payload = Buffer::copy_of(as_bytes(text));
  draft.payload->make_shared();
  return draft;
}

inline std::string text_of(const Publication& publication) {
  if (!publication.payload) return "";
  return std::string(as_text(publication.payload->bytes()));
}

inline std::string texts_of(const std::vector<PublicationPtr>& publications) {
  std::string all;
  for (const PublicationPtr& one : publications) all += (all.empty() ? "" : " ") + text_of(*one);
  return all;
}

// A sink that holds the stream, writes down what comes, and complains of what must never come.
class Listener final : public StreamSink {
 public:
  Listener(Broker& broker, std::string_view channel, const StreamOptions& options)
      : stream(broker.open(channel, options, *this)) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void on_publication(const PublicationPtr& publication) override {
    EXPECT_FALSE(inside_) << "the sink was entered twice";
    inside_ = true;
    EXPECT_NE(publication->epoch, 0u);
    if (last.epoch != 0) {
      EXPECT_EQ(publication->epoch, last.epoch);
      EXPECT_EQ(publication->offset, last.offset + 1);
    }
    EXPECT_GE(publication->time_ms, last_time_ms_);
    if (stream) {
      EXPECT_EQ(stream->top(), publication->position());
    }
    last = publication->position();
    last_time_ms_ = publication->time_ms;
    got.push_back(publication);
    log.push_back("pub " + text_of(*publication));
    if (then) then(*publication);
    inside_ = false;
  }
  void on_reset(Position top) override {
    EXPECT_FALSE(inside_) << "the sink was entered twice";
    EXPECT_NE(top.epoch, 0u);
    EXPECT_NE(top, last) << "a reset to where one was";
    if (stream) {
      EXPECT_EQ(stream->top(), top);
    }
    last = top;
    last_time_ms_ = 0;
    ++resets;
    log.push_back("reset");
  }

  void publish(std::string_view text, std::string key = "") {
    stream->publish({draft_of(text), std::move(key)}, [this, here = here()](auto result) {
      if (here.expired()) return;
      answers.push_back(result);
      log.push_back(result ? "done" : "failed");
    });
  }
  void read(const HistoryQuery& query) {
    stream->read(query, [this, here = here()](auto page) {
      if (!here.expired()) pages.push_back(std::move(page));
    });
  }

  std::string texts() const { return texts_of(got); }

  Position last;  // handed to this sink
  std::vector<PublicationPtr> got;
  std::vector<std::expected<PublishResult, BrokerError>> answers;
  std::vector<std::expected<HistoryPage, BrokerError>> pages;
  std::vector<std::string> log;
  int resets = 0;
  std::function<void(const Publication&)> then;
  std::unique_ptr<Stream> stream;  // last: the sink outlives it

 private:
  // Answers come though the handle is gone, and the listener with it.
  std::weak_ptr<const bool> here() const { return here_; }

  const std::shared_ptr<const bool> here_ = std::make_shared<const bool>(true);
  bool inside_ = false;
  std::uint64_t last_time_ms_ = 0;
};

class BrokerContract : public testing::TestWithParam<ContractCase> {
 protected:
  void start(const BrokerLimits& limits = {}) { under_test_ = GetParam().make(limits); }
  void SetUp() override { start(); }

  Broker& broker() { return under_test_->broker(); }
  ManualWallClock& clock() { return under_test_->clock(); }
  void settle() { under_test_->settle(); }
  void pass(Duration time) {
    clock().advance(time);
    broker().expire();
    settle();
  }

  static StreamOptions keeping(std::size_t messages) {
    StreamOptions options;
    options.history_messages = messages;
    options.durable = GetParam().durable;
    return options;
  }
  static StreamOptions no_history() { return keeping(0); }

  std::unique_ptr<Listener> open(std::string_view channel, const StreamOptions& options) {
    auto listener = std::make_unique<Listener>(broker(), channel, options);
    settle();
    return listener;
  }

  PublishResult publish(Listener& listener, std::string_view text, std::string key = "") {
    listener.answers.clear();
    listener.publish(text, std::move(key));
    settle();
    if (listener.answers.size() != 1 || !listener.answers[0]) {
      ADD_FAILURE() << text << " was not published";
      return {};
    }
    return *listener.answers[0];
  }

  std::optional<BrokerError> publish_error(Listener& listener, std::string_view text,
                                           std::string key = "") {
    listener.answers.clear();
    listener.publish(text, std::move(key));
    settle();
    if (listener.answers.size() != 1 || listener.answers[0]) return std::nullopt;
    return listener.answers[0].error();
  }

  // Publishes "1", "2", ... `count`.
  void publish_numbers(Listener& listener, int count) {
    for (int i = 1; i <= count; ++i) listener.publish(std::to_string(i));
    settle();
    ASSERT_EQ(listener.got.size(), static_cast<std::size_t>(count));
  }

  HistoryPage read(Listener& listener, const HistoryQuery& query = {}) {
    listener.pages.clear();
    listener.read(query);
    settle();
    if (listener.pages.size() != 1 || !listener.pages[0]) {
      ADD_FAILURE() << "no page came";
      return {};
    }
    return std::move(*listener.pages[0]);
  }
  std::string texts(Listener& listener, const HistoryQuery& query = {}) {
    return texts_of(read(listener, query).publications);
  }

 private:
  std::unique_ptr<BrokerUnderTest> under_test_;
};

}  // namespace anywire::broker
