// Keys from a JWKS document, over a real HTTP server on the test's loop.
#include "server/jwks_refresher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "auth/testing/signer.h"
#include "base/clock.h"
#include "fetch/testing/test_server.h"

namespace anywire::server {
namespace {

using namespace std::chrono_literals;
using fetch::testing::Seen;
using fetch::testing::TestServer;

// Time passes when the test says so; what the network needs comes on top.
class SteppedClock final : public Clock {
 public:
  TimePoint now() override { return system_.now() + added_; }
  void pass(Duration time) { added_ += time; }

 private:
  SystemClock system_;
  Duration added_{0};
};

class JwksRefresherTest : public ::testing::Test {
 protected:
  ~JwksRefresherTest() override {
    if (refresher) refresher->stop();
  }

  void start(Duration stale = 1h) {
    refresher = std::make_unique<JwksRefresher>(
        *loop, ring,
        JwksOptions{.url = server.url("/jwks.json"),
                    .refresh = 60s,
                    .stale = stale,
                    .capability = auth::Capability::everything()});
    ASSERT_TRUE(refresher->start());
  }
  void publish(const std::string& kid) {
    document = "{\"keys\":[{" + signer.jwk_members() + ",\"kid\":\"" + kid + "\"}]}";
  }
  bool has(const std::string& kid) { return ring.keys()->find(kid) != nullptr; }
  // True when it came true.
  bool until(const std::function<bool()>& done) {
    for (int i = 0; i < 2000 && !done(); ++i) loop->turn(5ms);
    return done();
  }
  bool asked(std::size_t times) {
    return until([&] { return server.seen.size() >= times; });
  }
  // Lets everything happen that is due.
  void settle() {
    for (int i = 0; i < 20; ++i) loop->turn(1ms);
  }
  int look_again() {
    waiting = 0;
    EXPECT_TRUE(refresher->look_again([this] { ++waiting; }));
    return waiting;
  }

  SteppedClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  auth::KeyRing ring;
  const auth::Signer signer{auth::Algorithm::kEs256};
  std::string document = R"({"keys":[]})";
  int status = 200;
  std::function<void(http::Response)> held;
  bool hold = false;
  TestServer server{*loop, [this](const Seen&, TestServer::Reply reply) {
                      http::Response response{.status = status};
                      response.body = document;
                      if (hold) {
                        held = reply;
                      } else {
                        reply(std::move(response));
                      }
                    }};
  std::unique_ptr<JwksRefresher> refresher;
  int waiting = 0;
};

TEST_F(JwksRefresherTest, FetchesAtOnceAndAfterItsTime) {
  publish("old");
  start();
  ASSERT_TRUE(until([&] { return has("old"); }));
  EXPECT_EQ(server.seen[0].target, "/jwks.json");
  publish("new");
  clock.pass(59s);
  settle();
  EXPECT_TRUE(has("old"));
  clock.pass(2s);
  ASSERT_TRUE(until([&] { return has("new"); }));
  EXPECT_FALSE(has("old")) << "it was rotated out";
}

TEST_F(JwksRefresherTest, LooksAgainForAKeyNobodyKnows) {
  publish("old");
  start();
  ASSERT_TRUE(until([&] { return has("old"); }));
  publish("new");
  look_again();
  settle();
  EXPECT_EQ(waiting, 1) << "too soon: who asked is not kept waiting";
  EXPECT_FALSE(has("new"));
  clock.pass(10s);
  settle();
  look_again();
  ASSERT_TRUE(until([&] { return waiting == 1; }));
  EXPECT_TRUE(has("new"));
  EXPECT_EQ(server.seen.size(), 2u);
}

TEST_F(JwksRefresherTest, AsksOnceForManyWhoWait) {
  start();
  ASSERT_TRUE(asked(1));
  settle();
  clock.pass(11s);
  settle();
  publish("new");
  waiting = 0;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(refresher->look_again([this] { ++waiting; }));
  ASSERT_TRUE(until([&] { return waiting == 100; }));
  EXPECT_TRUE(has("new"));
  EXPECT_EQ(server.seen.size(), 2u);
}

TEST_F(JwksRefresherTest, JoinsTheRequestThatIsUnderWay) {
  hold = true;
  start();
  ASSERT_TRUE(until([&] { return held != nullptr; }));
  look_again();
  settle();
  EXPECT_EQ(waiting, 0);
  publish("first");
  http::Response response{.status = 200};
  response.body = document;
  held(std::move(response));
  ASSERT_TRUE(until([&] { return waiting == 1; }));
  EXPECT_TRUE(has("first"));
  EXPECT_EQ(server.seen.size(), 1u);
}

TEST_F(JwksRefresherTest, KeepsItsKeysWhileTheServerIsGone) {
  publish("old");
  start();
  ASSERT_TRUE(until([&] { return has("old"); }));
  server.stop();
  clock.pass(61s);
  settle();
  clock.pass(58min);
  settle();
  EXPECT_TRUE(has("old"));
  clock.pass(3min);
  ASSERT_TRUE(until([&] { return !has("old"); })) << "stale";
  publish("new");
  server.restart();
  clock.pass(2min);
  ASSERT_TRUE(until([&] { return has("new"); })) << "back again";
}

TEST_F(JwksRefresherTest, TriesAgainSoonAndThenLessOften) {
  status = 500;
  start();
  ASSERT_TRUE(asked(1));
  settle();
  clock.pass(JwksRefresher::kRetryMin);
  ASSERT_TRUE(asked(2));
  settle();
  publish("good");
  status = 200;
  clock.pass(2 * JwksRefresher::kRetryMin);
  ASSERT_TRUE(until([&] { return has("good"); }));
}

TEST_F(JwksRefresherTest, TakesNothingFromAnswersThatAreNone) {
  publish("good");
  start();
  ASSERT_TRUE(until([&] { return has("good"); }));
  std::size_t times = 1;
  for (const std::string& body : {std::string("<html>"), std::string("{}"), std::string(),
                                  std::string(auth::kJwksBytesMax + 1, ' ')}) {
    document = body;
    clock.pass(61s);
    ASSERT_TRUE(asked(++times));
    settle();
    EXPECT_TRUE(has("good")) << body.substr(0, 10);
  }
}

// A flood of forged tokens: nobody waits, and the other server is not bothered.
TEST_F(JwksRefresherTest, AsksNoMoreThanOnceInTenSeconds) {
  start();
  ASSERT_TRUE(asked(1));
  settle();
  int answered = 0;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(refresher->look_again([&] { ++answered; }));
  }
  ASSERT_TRUE(until([&] { return answered == 1000; }));
  EXPECT_EQ(server.seen.size(), 1u);
}

TEST_F(JwksRefresherTest, LetsOnlySoManyWait) {
  hold = true;
  start();
  ASSERT_TRUE(until([&] { return held != nullptr; }));
  std::size_t answered = 0;
  for (std::size_t i = 0; i < JwksRefresher::kWaitersMax + 5; ++i) {
    EXPECT_TRUE(refresher->look_again([&] { ++answered; }));
  }
  settle();
  EXPECT_EQ(answered, 5u);
  held({.status = 500});
  ASSERT_TRUE(until([&] { return answered == JwksRefresher::kWaitersMax + 5; }));
}

TEST_F(JwksRefresherTest, LetsNobodyWaitWhenItHasStopped) {
  start();
  ASSERT_TRUE(asked(1));
  refresher->stop();
  look_again();
  settle();
  EXPECT_EQ(waiting, 1);
}

}  // namespace
}  // namespace anywire::server
