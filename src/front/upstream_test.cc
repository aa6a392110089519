// Connections to the application's server, over real sockets.
#include "front/upstream.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "front/testing/stage.h"

namespace anywire::front {
namespace {

constexpr std::string_view kRequest = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Writes down what it is told.
class User final : public UpstreamUser {
 public:
  void on_upstream_head(const http::ReceivedHead& head) override {
    statuses.push_back(head.status);
    if (head.status == 101 && takes_stream) taken = connection->take_stream();
  }
  void on_upstream_body(Bytes part) override {
    body.append(as_text(part));
    if (pauses) connection->pause();
  }
  void on_upstream_complete() override {
    complete = true;
    releases ? connection->release() : connection->abandon();
  }
  void on_upstream_drained() override { ++drained; }
  void on_upstream_failed(UpstreamFailure why, std::string_view text) override {
    failed = true;
    failure = why;
    detail = text;
  }
  bool over() const { return complete || failed; }

  UpstreamConnection* connection = nullptr;
  bool releases = true;
  bool pauses = false;
  bool takes_stream = false;
  std::vector<int> statuses;
  std::string body;
  int drained = 0;
  bool complete = false;
  bool failed = false;
  UpstreamFailure failure{};
  std::string detail;
  UpstreamConnection::Taken taken;
};

class UpstreamTest : public Stage {
 protected:
  ~UpstreamTest() override {
    pool.reset();
    turn();
  }
  void make_pool(UpstreamOptions options) {
    pool = std::make_unique<UpstreamPool>(queue, options);
  }
  void make_pool() { make_pool(upstream()); }
  void open(User& user, UpstreamPool::Which which = UpstreamPool::Which::kAny,
            bool to_head = false) {
    user.connection = pool->open(user, which, to_head);
    if (user.connection != nullptr) user.connection->send(as_bytes(kRequest));
  }
  // A connection that has served a request and rests: the server's end of it.
  Peer rest(std::string_view answer = kOk) {
    User user;
    open(user);
    Peer app = next_request();
    app.take_heard();
    app.say(answer);
    EXPECT_TRUE(until([&] { return user.complete; }));
    EXPECT_EQ(pool->idle(), 1u);
    return app;
  }
  // What becomes of a request to which the server says this and then ends.
  User outcome_of(std::string_view said, bool to_head = false) {
    User user;
    open(user, UpstreamPool::Which::kFresh, to_head);
    Peer app = next_request();
    app.say(said);
    app.hang_up();
    EXPECT_TRUE(until([&] { return user.over(); })) << said;
    return user;
  }

  std::unique_ptr<UpstreamPool> pool;
};

TEST_F(UpstreamTest, SendsARequestAndHandsTheAnswerOut) {
  make_pool();
  User user;
  open(user);
  EXPECT_FALSE(user.connection->reused());
  EXPECT_EQ(user.connection->queued_bytes(), kRequest.size()) << "it waits for the connection";
  Peer app = next_request(kRequest);
  app.say("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(until([&] { return user.statuses.size() == 2; }));
  app.say("3\r\none\r\n");
  ASSERT_TRUE(until([&] { return user.body == "one"; })) << "each part as it comes";
  app.say("3\r\ntwo\r\n0\r\n\r\n");
  ASSERT_TRUE(until([&] { return user.complete; }));
  EXPECT_EQ(user.statuses, (std::vector<int>{103, 200}));
  EXPECT_EQ(user.body, "onetwo");
  EXPECT_EQ(pool->idle(), 1u);
}

TEST_F(UpstreamTest, TellsWhenWhatWaitedHasLeft) {
  make_pool();
  User user;
  open(user);
  user.connection->send_framed(as_bytes("5\r\n"), as_bytes("hello"));
  user.connection->notify_when_drained();
  Peer app = next_request(kRequest);
  EXPECT_TRUE(until([&] { return user.drained == 1; }));
  EXPECT_TRUE(app.heard("5\r\nhello"));
  user.connection->abandon();
}

TEST_F(UpstreamTest, TheAnswerToHeadHasNoBody) {
  make_pool();
  User user;
  open(user, UpstreamPool::Which::kAny, true);
  Peer app = next_request();
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_TRUE(until([&] { return user.complete; }));
  EXPECT_EQ(pool->idle(), 1u);
}

TEST_F(UpstreamTest, AConnectionServesTheNextRequest) {
  make_pool();
  Peer app = rest();
  User user;
  open(user);
  EXPECT_TRUE(user.connection->reused());
  EXPECT_EQ(pool->size(), 1u);
  ASSERT_TRUE(until_heard(app, "GET / "));
  app.say(kOk);
  EXPECT_TRUE(until([&] { return user.complete; }));
  EXPECT_FALSE(listening.accept()) << "there is no second one";
}

TEST_F(UpstreamTest, AFreshOneMayBeAskedFor) {
  make_pool();
  const Peer resting = rest();
  User user;
  open(user, UpstreamPool::Which::kFresh);
  EXPECT_FALSE(user.connection->reused());
  EXPECT_EQ(pool->size(), 2u);
  user.connection->abandon();
}

TEST_F(UpstreamTest, AnAnswerThatEndsTheConnectionLeavesNone) {
  make_pool();
  const std::string answers[] = {
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
      "HTTP/1.1 200 OK\r\n\r\nok",  // framed by the end
      std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
  };
  for (const std::string& answer : answers) {
    const User user = outcome_of(answer);
    EXPECT_TRUE(user.complete) << answer;
    EXPECT_EQ(user.body, "ok");
    EXPECT_EQ(pool->idle(), 0u) << answer;
    EXPECT_EQ(pool->size(), 0u) << answer;
  }
}

TEST_F(UpstreamTest, RestsForLessThanTheServerSays) {
  struct Case {
    const char* field;
    Duration rests;
  };
  // A second less than what was said, within half a second and a minute; 4 s where nothing was.
  const Case cases[] = {{"", Duration{4'000}},
                        {"Keep-Alive: timeout=10\r\n", Duration{9'000}},
                        {"Keep-Alive: max=5, timeout=3\r\n", Duration{2'000}},
                        {"Keep-Alive: timeout=1\r\n", Duration{500}},
                        {"Keep-Alive: timeout=4000000000\r\n", Duration{60'000}},
                        {"Keep-Alive: timeout=many\r\n", Duration{4'000}},
                        {"Keep-Alive: max=5\r\n", Duration{4'000}}};
  for (const auto& [field, rests] : cases) {
    make_pool();
    const Peer app =
        rest("HTTP/1.1 200 OK\r\n" + std::string(field) + "Content-Length: 2\r\n\r\nok");
    turn(rests - Duration{100});
    EXPECT_EQ(pool->idle(), 1u) << field;
    // A minute is kept to the slot of a coarse wheel.
    turn(Duration{200} + rests / 32);
    EXPECT_EQ(pool->idle(), 0u) << field;
    EXPECT_EQ(pool->size(), 0u) << field;
  }
}

TEST_F(UpstreamTest, ARestingConnectionThatEndsIsForgotten) {
  make_pool();
  Peer app = rest();
  app.hang_up();
  EXPECT_TRUE(until([&] { return pool->size() == 0; }));
}

// The loop has not been told yet when the next request comes.
TEST_F(UpstreamTest, WhoHasGoneOrSpeaksUnaskedIsNotUsedAgain) {
  make_pool();
  for (const bool speaks : {true, false}) {
    Peer app = rest();
    if (speaks) {
      app.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    } else {
      app.hang_up();
    }
    User user;
    open(user);
    EXPECT_FALSE(user.connection->reused());
    Peer next = next_request();
    next.say(kOk);
    EXPECT_TRUE(until([&] { return user.complete; }));
    EXPECT_EQ(user.body, "ok");
    next.hang_up();
    EXPECT_TRUE(until([&] { return pool->size() == 0; }));
  }
}

TEST_F(UpstreamTest, SaysThatAConnectionThatRestedBroke) {
  make_pool();
  Peer app = rest();
  User user;
  open(user);
  ASSERT_TRUE(until_heard(app, "GET / "));
  app.hang_up();
  ASSERT_TRUE(until([&] { return user.failed; }));
  EXPECT_EQ(user.failure, UpstreamFailure::kStale);
}

TEST_F(UpstreamTest, AnAnswerThatStopsIsBroken) {
  make_pool();
  for (const char* said :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "HTTP/1.1 103 Early Hints\r\n\r\n"}) {
    const User user = outcome_of(said);
    EXPECT_TRUE(user.failed) << said;
    EXPECT_EQ(user.failure, UpstreamFailure::kBroken) << said;
    EXPECT_EQ(pool->size(), 0u);
  }
}

// A body that the end of the connection ends must not be ended by a reset.
TEST_F(UpstreamTest, AResetIsNoEndOfABody) {
  make_pool();
  User user;
  open(user);
  Peer app = next_request();
  app.say("HTTP/1.1 200 OK\r\n\r\nhalf");
  ASSERT_TRUE(until([&] { return user.body == "half"; }));
  app.reset();
  ASSERT_TRUE(until([&] { return user.failed; }));
  EXPECT_EQ(user.failure, UpstreamFailure::kBroken);
}

TEST_F(UpstreamTest, WhatIsNoHttpIsGarbage) {
  make_pool();
  std::string hints;
  for (int i = 0; i < 17; ++i) hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
  const std::string all[] = {
      "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", hints};
  for (const std::string& said : all) {
    const User user = outcome_of(said);
    EXPECT_TRUE(user.failed) << said;
    EXPECT_EQ(user.failure, UpstreamFailure::kGarbage) << said;
    EXPECT_FALSE(user.detail.empty()) << said;
  }
}

TEST_F(UpstreamTest, AHeadHasALimit) {
  UpstreamOptions options = upstream();
  options.response_limits.head_bytes_max = 1'000;
  make_pool(options);
  const User user =
      outcome_of("HTTP/1.1 200 OK\r\nX: " + std::string(1'000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(user.failed);
  EXPECT_EQ(user.failure, UpstreamFailure::kGarbage);
}

// A server may answer and close without having read all: what it said is there to be read.
TEST_F(UpstreamTest, AnAnswerBeforeTheEndOfTheRequestIsHeard) {
  make_pool();
  User user;
  user.releases = false;
  open(user);
  const std::string part(64 * 1024, 'x');
  for (int i = 0; i < 64; ++i) user.connection->send(as_bytes(part));
  Peer app;
  ASSERT_TRUE(until([&] { return (app = listening.accept()).operator bool(); }));
  settle();
  app.say("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
  app.hang_up();
  ASSERT_TRUE(until([&] { return user.over(); }));
  EXPECT_TRUE(user.complete);
  EXPECT_EQ(user.body, "no");
}

TEST_F(UpstreamTest, WaitsNoLongerThanItWasTold) {
  make_pool();
  User user;
  open(user);
  const Peer app = next_request();
  user.connection->expect_within(Duration{3'000});
  turn(Duration{2'000});
  EXPECT_FALSE(user.over());
  user.connection->expect_within(Duration{3'000});
  turn(Duration{2'000});
  EXPECT_FALSE(user.over()) << "the last word counts";
  turn(Duration{1'200});
  ASSERT_TRUE(user.failed);
  EXPECT_EQ(user.failure, UpstreamFailure::kTimeout);
}

TEST_F(UpstreamTest, AnAnswerThatHasBegunMayTakeAnyTime) {
  make_pool();
  User user;
  open(user);
  Peer app = next_request();
  user.connection->expect_within(Duration{3'000});
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  ASSERT_TRUE(until([&] { return !user.statuses.empty(); }));
  turn(Duration{3'600'000});
  EXPECT_FALSE(user.over());
  app.say("ok");
  EXPECT_TRUE(until([&] { return user.complete; }));
}

TEST_F(UpstreamTest, HoldsTheServerBackWhilePaused) {
  make_pool();
  User user;
  user.pauses = true;
  open(user);
  Peer app = next_request();
  app.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nlast\r\n");
  ASSERT_TRUE(until([&] { return !user.body.empty(); }));
  app.say("5\r\nlater\r\n0\r\n\r\n");
  settle();
  EXPECT_EQ(user.body, "last");
  user.pauses = false;
  user.connection->resume();
  EXPECT_TRUE(until([&] { return user.complete; }));
  EXPECT_EQ(user.body, "lastlater");
}

TEST_F(UpstreamTest, SaysThatNobodyIsThere) {
  const UpstreamOptions options = upstream();
  listening.stop();
  make_pool(options);
  User user;
  open(user);
  EXPECT_FALSE(user.failed) << "never from within `open`";
  ASSERT_TRUE(until([&] { return user.failed; }));
  EXPECT_EQ(user.failure, UpstreamFailure::kUnreachable);
  EXPECT_EQ(pool->size(), 0u);
}

TEST_F(UpstreamTest, TriesOneAddressAfterTheOther) {
  Listening dead;
  dead.stop();
  UpstreamOptions options = upstream();
  options.target.addresses.insert(options.target.addresses.begin(), dead.address());
  make_pool(options);
  User user;
  open(user);
  Peer app = next_request(kRequest);
  app.say(kOk);
  EXPECT_TRUE(until([&] { return user.complete; }));
}

TEST_F(UpstreamTest, LooksANameUpForAllWhoWait) {
  UpstreamOptions options = upstream();
  options.target.addresses.clear();
  options.target.name = "127.0.0.1";
  options.target.port = listening.address().port();
  make_pool(options);
  User one;
  User two;
  open(one);
  open(two);
  Peer app = next_request(kRequest);
  Peer other = next_request(kRequest);
  app.say(kOk);
  other.say(kOk);
  EXPECT_TRUE(until([&] { return one.complete && two.complete; }));
}

TEST_F(UpstreamTest, SaysThatANameCannotBeResolved) {
  UpstreamOptions options = upstream();
  options.target.addresses.clear();
  options.target.name = "-.invalid";  // RFC 6761 section 6.4: never a host
  make_pool(options);
  User user;
  open(user);
  ASSERT_TRUE(until([&] { return user.failed; }));
  EXPECT_EQ(user.failure, UpstreamFailure::kUnreachable);
  EXPECT_NE(user.detail, "");
}

TEST_F(UpstreamTest, MayBeGivenUpBeforeThereIsAConnection) {
  UpstreamOptions options = upstream();
  make_pool(options);
  User connecting;
  open(connecting);
  connecting.connection->abandon();
  options.target.addresses.clear();
  options.target.name = "127.0.0.1";
  make_pool(options);
  User resolving;
  open(resolving);
  resolving.connection->abandon();
  settle();
  EXPECT_FALSE(connecting.over() || resolving.over());
  EXPECT_EQ(pool->size(), 0u);
}

TEST_F(UpstreamTest, ThereAreNoMoreThanTheLimitSays) {
  UpstreamOptions options = upstream();
  options.connections_max = 2;
  make_pool(options);
  User one;
  User two;
  User three;
  open(one);
  open(two);
  open(three);
  EXPECT_EQ(three.connection, nullptr);
  one.connection->abandon();
  EXPECT_EQ(pool->open(three, UpstreamPool::Which::kAny, false, 1), nullptr)
      << "tunnels are counted in";
  open(three);
  EXPECT_NE(three.connection, nullptr);
  two.connection->abandon();
  three.connection->abandon();
}

TEST_F(UpstreamTest, AtTheLimitWhatRestsMakesRoom) {
  UpstreamOptions options = upstream();
  options.connections_max = 1;
  make_pool(options);
  Peer resting = rest();
  User user;
  open(user, UpstreamPool::Which::kFresh);
  ASSERT_NE(user.connection, nullptr);
  EXPECT_TRUE(until_ended(resting));
  EXPECT_EQ(pool->size(), 1u);
  user.connection->abandon();
}

TEST_F(UpstreamTest, HandsTheStreamOverAfterASwitch) {
  make_pool();
  User user;
  user.takes_stream = true;
  open(user);
  Peer app = next_request();
  app.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nearly");
  ASSERT_TRUE(until([&] { return user.taken.stream != nullptr; }));
  EXPECT_EQ(as_text(user.taken.early->bytes()), "early");
  EXPECT_EQ(pool->size(), 0u) << "it is the user's";
  user.taken.stream->close();
  loop->defer_delete(std::move(user.taken.stream));
}

TEST_F(UpstreamTest, DrainingEndsWhatRestsAndLetsWorkFinish) {
  make_pool();
  Peer resting = rest();
  User user;
  open(user, UpstreamPool::Which::kFresh);
  Peer app = next_request();
  pool->drain();
  EXPECT_TRUE(until_ended(resting));
  EXPECT_EQ(pool->size(), 1u);
  app.say(kOk);
  EXPECT_TRUE(until([&] { return user.complete; }));
  EXPECT_EQ(pool->size(), 0u) << "nothing rests any more";
}

}  // namespace
}  // namespace anywire::front
