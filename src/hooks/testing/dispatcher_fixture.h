// DispatcherTest: questions over a real HTTP server on the same loop, which answers what the test
// says, when it says. Only tests include it.
//
// Thread: one. Lifetime: the dispatcher goes before the server and the loop.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fetch/testing/test_server.h"
#include "hooks/dispatcher.h"

namespace anywire::hooks {

// The real clock of the loop, and what is added to it.
class LeapingClock final : public Clock {
 public:
  TimePoint now() override { return real_.now() + ahead; }
  Duration ahead{0};

 private:
  SystemClock real_;
};

class DispatcherTest : public ::testing::Test {
 protected:
  using Seen = fetch::testing::Seen;
  using TestServer = fetch::testing::TestServer;
  static constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

  DispatcherTest() { wall.set(1'767'225'600'000); }

  void make() {
    options.url = server.url("/hooks");
    dispatcher = std::make_unique<Dispatcher>(*loop, wall, options, *Signer::create(kSecret),
                                              *fetch::Client::create(*loop, {}));
  }
  void until(const std::function<bool()>& done) {
    for (int i = 0; !done() && i < 1000; ++i) loop->turn(Duration{10});
    ASSERT_TRUE(done());
  }
  // Sends, and appends what comes of it to `results`.
  void ask(std::string text = "{}", bool repeatable = false) {
    dispatcher->send({.hook = "publish",
                      .id = dispatcher->next_id(),
                      .body = std::move(text),
                      .repeatable = repeatable},
                     [this](const std::expected<std::string, Failure>& answer) {
                       results.push_back(answer ? *answer : name(answer.error()));
                       return answer && *answer == "bad" ? std::string("bad shape") : std::string();
                     });
  }
  void ask_and_wait() {
    const std::size_t before = results.size();
    ask();
    until([&] { return results.size() > before; });
  }
  static std::string name(Failure failure) {
    switch (failure) {
      case Failure::kFull: return "full";
      case Failure::kCircuitOpen: return "open";
      case Failure::kNoAnswer: return "no answer";
      case Failure::kBadAnswer: return "bad answer";
    }
    return "";
  }
  void release() {
    for (auto& reply : std::exchange(held, {})) reply({.body = "late"});
  }

  LeapingClock clock;
  ManualWallClock wall;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  int status = 200;
  std::string body = "ok";
  bool hold = false;
  std::vector<TestServer::Reply> held;
  TestServer server{*loop, [this](const Seen&, const TestServer::Reply& reply) {
                      if (hold) return held.push_back(reply);
                      reply({.status = status, .body = body});
                    }};
  DispatcherOptions options;
  std::unique_ptr<Dispatcher> dispatcher;
  std::vector<std::string> results;
};

}  // namespace anywire::hooks
