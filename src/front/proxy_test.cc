// Requests through the proxy and back, over real sockets on both sides.
#include "front/proxy.h"

#include <gtest/gtest.h>

#include <string>

#include "front/testing/stage.h"

namespace anywire::front {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kUpgrade =
    "GET /hmr HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: x\r\n\r\n";

class ProxyTest : public Stage {
 protected:
  ProxyTest() { options.upstream = upstream(); }
  void start() { use({.files = {}, .proxy = options}); }
  // A client that has asked, and the server that was.
  void ask(std::string_view request = kGet) {
    client = connect();
    client.say(request);
    app = next_request();
  }
  void expect_status(std::string_view status) {
    EXPECT_TRUE(until_heard(client, "\r\n\r\n"));
    EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 " + std::string(status) + " "))
        << client.hear();
  }
  // Sends what nobody reads, until nothing more fits; returns how much that was.
  std::size_t fill(Peer& from) {
    const std::string part(64 * 1024, 'x');
    std::size_t sent = 0;
    for (int idle = 0; idle < 20;) {
      const std::size_t some = from.say_some(part);
      sent += some;
      idle = some > 0 ? 0 : idle + 1;
      EXPECT_LT(sent, 256u << 20) << "it is read without end";
      if (sent >= 256u << 20) return sent;
      loop->turn(Duration{1});
    }
    return sent;
  }
  // Sends until nothing of it is read any more, and no more than the kernel has room for.
  void hold_back_upload() {
    const std::string part(64 * 1024, 'x');
    EXPECT_TRUE(until([&] {
      if (unread() > 0) {
        settle();
        if (unread() > 0) return true;
      }
      client.say_some(part);
      return false;
    }));
  }
  std::size_t sockets() const { return front->descriptors(); }

  ProxyOptions options;
  Peer client;
  Peer app;
};

// --- there and back ---

TEST_F(ProxyTest, PassesARequestOnAndItsAnswerBack) {
  start();
  ask("GET /a?b HTTP/1.1\r\nHost: app.example\r\nAccept: x\r\nConnection: close, x-mine\r\n"
      "X-Mine: 1\r\n\r\n");
  EXPECT_EQ(app.hear(),
            "GET /a?b HTTP/1.1\r\nHost: app.example\r\nAccept: x\r\n"
            "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
            "X-Forwarded-Host: app.example\r\n"
            "Forwarded: for=192.0.2.7;host=app.example;proto=http\r\n\r\n");
  app.say("HTTP/1.1 418 Teapot\r\nX-App: yes\r\nKeep-Alive: timeout=9\r\nDate: today\r\n"
          "Content-Length: 3\r\n\r\ntea");
  ASSERT_TRUE(until_ended(client));
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 418 ")) << client.hear();
  EXPECT_TRUE(client.heard("X-App: yes\r\nDate: today\r\n"));
  EXPECT_FALSE(client.heard("Keep-Alive"));
  EXPECT_TRUE(client.hear().ends_with("\r\n\r\ntea"));
  EXPECT_EQ(sockets(), 1u) << "the server's connection outlives the client's";
}

TEST_F(ProxyTest, AnswersFollowOneAnotherOnOneConnection) {
  start();
  ask(std::string(kGet) + "GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_FALSE(app.heard("GET /b")) << "one at a time";
  app.say(kOk);
  ASSERT_TRUE(until_heard(app, "GET /b"));
  app.say("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(until_heard(client, "HTTP/1.1 204"));
}

TEST_F(ProxyTest, BodiesStreamBothWays) {
  start();
  ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\none\r\n");
  EXPECT_TRUE(until_heard(app, "3\r\none\r\n")) << "the part is there before the rest";
  app.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nreply\r\n");
  EXPECT_TRUE(until_heard(client, "5\r\nreply\r\n"));
  client.say("2\r\nno\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_TRUE(until_heard(app, "2\r\nno\r\n0\r\n\r\n"));
  app.say("0\r\nX: y\r\n\r\n");
  EXPECT_TRUE(until([&] { return client.hear().ends_with("0\r\n\r\n"); }));
  EXPECT_FALSE(client.heard("X: y")) << "trailers are dropped";
}

TEST_F(ProxyTest, ALargeBodyArrivesWholeThroughSmallWindows) {
  options.high_watermark_bytes = 64 * 1024;
  start();
  const std::size_t size = 3'000'000;
  ask("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
  app.take_heard();
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n");
  ASSERT_TRUE(until_heard(client, "\r\n\r\n"));
  client.take_heard();
  std::string sent;
  std::string back;
  for (std::size_t i = 0; i < size; ++i) sent += static_cast<char>('a' + i * 7 % 23 + i / 9999 % 3);
  std::size_t at = 0;
  std::size_t echoed = 0;
  EXPECT_TRUE(until([&] {
    at += client.say_some(std::string_view(sent).substr(at));
    app.hear_some(100'000);
    echoed += app.say_some(std::string_view(app.hear()).substr(echoed));
    client.hear_some(50'000);
    return client.hear().size() == size;
  }));
  EXPECT_TRUE(client.hear() == sent);
}

TEST_F(ProxyTest, AnswersWithoutABodyHaveNone) {
  start();
  ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  ASSERT_TRUE(until_heard(client, "Content-Length: 99"));
  client.say(kGet);
  ASSERT_TRUE(until_heard(app, "GET /a"));
  app.say("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
  ASSERT_TRUE(until_heard(client, "ETag"));
  EXPECT_FALSE(client.heard("Transfer-Encoding"));
}

TEST_F(ProxyTest, HintsComeFirstAndContinueOnlyToWhoAsked) {
  start();
  ask();
  app.say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
  app.say(kOk);
  ASSERT_TRUE(until_heard(client, "ok"));
  EXPECT_TRUE(client.hear().starts_with(
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 "));
  start();  // without the connection that rests
  ask("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(app.heard("Expect: 100-continue\r\n"));
  EXPECT_EQ(client.hear(), "");
  app.say("HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(until_heard(client, "100 Continue\r\n\r\n"));
  client.say("hi");
  EXPECT_TRUE(until_heard(app, "\r\n\r\nhi"));
}

TEST_F(ProxyTest, AnAnswerBeforeTheEndOfTheRequestEndsBothConnections) {
  start();
  ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc");
  app.say(kOk);
  ASSERT_TRUE(until_heard(client, "ok"));
  EXPECT_TRUE(client.heard("Connection: close"));
  EXPECT_TRUE(until_ended(app));
  EXPECT_EQ(sockets(), 0u) << "what of the body it has read nobody knows";
}

// --- limits ---

TEST_F(ProxyTest, ABodyHasALimit) {
  options.body_bytes_max = 10;
  start();
  client = connect();
  client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
  expect_status("413");
  ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n");
  client.say("3\r\n123\r\n");
  expect_status("413");
  EXPECT_TRUE(until_ended(app));
}

TEST_F(ProxyTest, ABodyThatStopsHasATime) {
  options.body_timeout = Duration{2'000};
  start();
  ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
  ASSERT_TRUE(until_heard(app, "abc"));
  turn(Duration{2'100});
  expect_status("408");
  EXPECT_TRUE(until_ended(app));
}

TEST_F(ProxyTest, AServerThatDoesNotAnswerHasATime) {
  options.answer_timeout = Duration{3'000};
  start();
  ask();
  turn(Duration{2'000});
  EXPECT_EQ(client.hear(), "");
  turn(Duration{1'100});
  expect_status("504");
  EXPECT_TRUE(until_ended(app));
}

TEST_F(ProxyTest, ConnectionsToTheServerHaveALimit) {
  options.upstream.connections_max = 1;
  start();
  ask();
  Peer second = connect();
  second.say(kGet);
  ASSERT_TRUE(until_heard(second, "\r\n\r\n"));
  EXPECT_TRUE(second.hear().starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(second.heard("Retry-After:"));
  app.say(kOk);
  EXPECT_TRUE(until_heard(client, "ok"));
}

TEST_F(ProxyTest, AServerThatDoesNotReadHoldsTheClientBack) {
  options.answer_timeout = Duration{3'000};
  start();
  ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.say("40000000\r\n");
  fill(client);
  turn(Duration{3'200});
  settle();
  EXPECT_TRUE(client.heard("HTTP/1.1 504 ")) << "one that neither reads nor answers is given up";
}

// What the client sends is not read, so its end would not be met either.
TEST_F(ProxyTest, AClientThatLeavesInTheMiddleOfAPausedUploadIsNoticed) {
  options.answer_timeout = Duration::zero();
  start();
  for (const bool in_order : {true, false}) {
    ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    hold_back_upload();
    EXPECT_EQ(sockets(), 1u);
    in_order ? client.hang_up() : client.reset();
    EXPECT_TRUE(until([&] { return sockets() == 0; })) << in_order;
    EXPECT_TRUE(until_ended(app));
    EXPECT_TRUE(context.connections.empty());
  }
}

TEST_F(ProxyTest, SoIsOneThatOnlyEndsItsSide) {
  options.answer_timeout = Duration::zero();
  start();
  ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
  app.say("HTTP/1.1 200 OK\r\n\r\n");
  hold_back_upload();
  client.end_saying();
  EXPECT_TRUE(until([&] { return sockets() == 0; }));
  EXPECT_TRUE(until_ended(client));
}

// The end of its side waits behind what it has sent, for which there is no window.
TEST_F(ProxyTest, AClientThatLeavesBehindAFullWindowIsGivenUp) {
  options.answer_timeout = Duration{5'000};
  start();
  for (const bool answering : {true, false}) {
    ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
    if (answering) {
      app.say("HTTP/1.1 200 OK\r\n\r\nbegun");
      ASSERT_TRUE(until_heard(client, "begun"));
    }
    fill(client);
    client.hang_up();
    settle();
    turn(Duration{4'000});
    EXPECT_EQ(sockets(), 1u);
    turn(Duration{1'200});
    EXPECT_TRUE(until([&] { return sockets() == 0; })) << answering;
  }
}

TEST_F(ProxyTest, AnAnswerThatBeginsDoesNotExcuseWhoTakesNothing) {
  options.answer_timeout = Duration{5'000};
  start();
  ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
  hold_back_upload();
  app.say("HTTP/1.1 200 OK\r\n\r\nbegun");
  ASSERT_TRUE(until_heard(client, "begun"));
  turn(Duration{5'200});
  EXPECT_TRUE(until_ended(client));
  EXPECT_FALSE(client.heard("0\r\n\r\n"));
}

TEST_F(ProxyTest, AClientThatLeavesBehindAPileOfRequestsIsNoticed) {
  start();
  ask();
  client.say(std::string(64 * 1024, 'x'));
  ASSERT_TRUE(until([&] { return unread() > 0; }));
  settle();
  EXPECT_GT(unread(), 0u);
  client.hang_up();
  EXPECT_TRUE(until_ended(app));
  EXPECT_TRUE(until([&] { return sockets() == 0; }));
}

TEST_F(ProxyTest, AClientThatTakesNothingOfItsAnswerIsGivenUp) {
  options.send_timeout = Duration{10'000};
  start();
  ask();
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
  fill(app);
  EXPECT_EQ(sockets(), 1u);
  pass(Duration{9'000});
  EXPECT_EQ(sockets(), 1u);
  pass(Duration{12'000});
  EXPECT_EQ(sockets(), 0u);
  EXPECT_TRUE(until_ended(app));
  EXPECT_TRUE(until_ended(client));
  EXPECT_LT(client.hear().size(), 1'000'000'000u);
}

TEST_F(ProxyTest, AClientThatTakesALittleIsNot) {
  options.send_timeout = Duration{10'000};
  start();
  ask();
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
  fill(app);
  for (int i = 0; i < 10; ++i) {
    // Enough for the kernel to open the window again.
    for (int part = 0; part < 40; ++part) client.hear_some(64 * 1024);
    settle();
    pass(Duration{5'000});
    fill(app);
  }
  EXPECT_EQ(sockets(), 1u);
  EXPECT_EQ(context.connections.size(), 1u);
}

TEST_F(ProxyTest, WithoutALimitAStalledClientMayStay) {
  options.send_timeout = Duration::zero();
  start();
  ask();
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
  fill(app);
  turn(Duration{3'600'000});
  settle();
  EXPECT_EQ(sockets(), 1u);
}

// --- what goes wrong ---

TEST_F(ProxyTest, AServerThatIsNotThereIsABadGateway) {
  options.explain = true;
  start();
  listening.stop();
  client = connect();
  client.say("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*\r\n\r\n");
  expect_status("502");
  EXPECT_TRUE(client.heard("text/html"));
  EXPECT_TRUE(client.heard(options.upstream.target.text));
  EXPECT_FALSE(client.heard("Connection: close")) << "the client may go on";
}

TEST_F(ProxyTest, WhatIsNoHttpIsABadGateway) {
  start();
  for (const char* said : {"220 mail.example ESMTP\r\n", "HTTP/1.1 101 Switching\r\n\r\n", ""}) {
    ask("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    app.say(said);
    if (*said == '\0') app.hang_up();
    expect_status("502");
    EXPECT_TRUE(until_ended(app) || *said == '\0');
  }
  EXPECT_EQ(sockets(), 0u);
}

TEST_F(ProxyTest, AnAnswerThatBreaksOffIsNeverTakenForTheWhole) {
  start();
  ask();
  app.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  ASSERT_TRUE(until_heard(client, "abc"));
  app.hang_up();
  ASSERT_TRUE(until_ended(client));
  EXPECT_FALSE(client.heard("0\r\n\r\n"));

  ask();
  app.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
  ASSERT_TRUE(until_heard(client, "abc"));
  app.hang_up();
  ASSERT_TRUE(until_ended(client));

  // Here only a reset says so.
  ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  app.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  ASSERT_TRUE(until_heard(client, "abc"));
  app.hang_up();
  ASSERT_TRUE(until_ended(client));
  EXPECT_TRUE(client.broken());
}

TEST_F(ProxyTest, AnAnswerThatTheEndEndsIsFramedAnew) {
  start();
  ask();
  app.say("HTTP/1.1 200 OK\r\n\r\nabc");
  app.hang_up();
  ASSERT_TRUE(until_heard(client, "0\r\n\r\n"));
  EXPECT_TRUE(client.heard("3\r\nabc\r\n"));
  EXPECT_FALSE(client.ended());
}

TEST_F(ProxyTest, TriesOnceMoreWhereNothingCanHaveHappened) {
  start();
  ask();
  app.say(kOk);
  ASSERT_TRUE(until_heard(client, "ok"));
  client.take_heard();
  client.say("GET /again HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(until_heard(app, "GET /again"));
  app.hang_up();
  Peer second = next_request("GET /again");
  second.say(kOk);
  expect_status("200");
}

TEST_F(ProxyTest, DoesNotTryAgainWhatMayHaveHappened) {
  start();
  ask();
  app.say(kOk);
  ASSERT_TRUE(until_heard(client, "ok"));
  client.take_heard();
  client.say("POST /once HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(until_heard(app, "POST /once"));
  app.hang_up();
  expect_status("502");
  EXPECT_FALSE(listening.accept());
}

TEST_F(ProxyTest, WhenTheClientGoesSoDoesItsRequest) {
  start();
  ask();
  client.hang_up();
  EXPECT_TRUE(until_ended(app));
  EXPECT_EQ(sockets(), 0u);
}

// --- upgrades ---

TEST_F(ProxyTest, AnUpgradeBecomesATunnel) {
  start();
  ask(std::string(kUpgrade) + "early");
  EXPECT_TRUE(app.heard("Upgrade: websocket\r\n"));
  settle();
  EXPECT_FALSE(app.heard("early")) << "nothing before the server has agreed";
  app.say(std::string(kSwitch) + "hello");
  ASSERT_TRUE(until_heard(client, "hello"));
  EXPECT_TRUE(client.hear().starts_with("HTTP/1.1 101 "));
  ASSERT_TRUE(until_heard(app, "early"));
  EXPECT_EQ(sockets(), 2u) << "both ends";
  client.say(std::string_view("\x00\xff ping", 7));
  EXPECT_TRUE(until_heard(app, " ping"));
  turn(Duration{86'400'000});
  EXPECT_EQ(sockets(), 2u) << "there is no idle limit";
  client.end_saying();
  EXPECT_TRUE(until_ended(app));
  app.say("bye");
  app.hang_up();
  EXPECT_TRUE(until_heard(client, "bye"));
  EXPECT_TRUE(until([&] { return sockets() == 0; }));
}

TEST_F(ProxyTest, BehindARefusedUpgradeNothingGoesOn) {
  start();
  ask(std::string(kUpgrade) + "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
  app.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(until_heard(client, "HTTP/1.1 400 "));
  EXPECT_TRUE(until_heard(app, "GET /smuggled")) << "a request of its own, which has been judged";
  EXPECT_TRUE(app.heard("/smuggled HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n"));
}

TEST_F(ProxyTest, TunnelsCountInTheLimit) {
  options.upstream.connections_max = 2;
  start();
  ask(kUpgrade);
  app.say(kSwitch);
  ASSERT_TRUE(until_heard(client, "\r\n\r\n"));
  Peer second = connect();
  second.say(kGet);
  ASSERT_TRUE(until_heard(second, "\r\n\r\n"));
  EXPECT_TRUE(second.hear().starts_with("HTTP/1.1 503 "));
}

TEST_F(ProxyTest, DrainingEndsTunnelsAndLetsRequestsFinish) {
  start();
  ask(kUpgrade);
  app.say(kSwitch);
  ASSERT_TRUE(until_heard(client, "\r\n\r\n"));
  Peer asking = connect();
  asking.say(kGet);
  Peer busy = next_request("GET /a");
  EXPECT_EQ(sockets(), 3u);
  EXPECT_GT(lease.use_count(), 1);
  front->drain();
  EXPECT_TRUE(until_ended(client));
  EXPECT_TRUE(until_ended(app));
  busy.say(kOk);
  EXPECT_TRUE(until_heard(asking, "ok"));
  EXPECT_EQ(sockets(), 0u);
}

}  // namespace
}  // namespace anywire::front
