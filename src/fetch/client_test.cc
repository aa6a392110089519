#include "fetch/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "fetch/testing/test_server.h"
#include "net/testing/recorder.h"
#include "tls/encrypt_queue.h"
#include "tls/testing.h"
#include "tls/tls_stream.h"

namespace anywire::fetch {
namespace {

using testing::Seen;
using testing::TestServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A server by hand: says `answer` to whatever comes, once per connection, then does as told.
class RawServer final : private net::AcceptHandler {
 public:
  enum class Then { kStay, kClose };

  RawServer(reactor::Loop& loop, std::string answer, Then then)
      : loop_(loop), answer_(std::move(answer)), then_(then) {
    listener_ = *net::Listener::open(loop, net::Address::ipv4({127, 0, 0, 1}, 0), {}, *this);
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(listener_->address().port()) + "/";
  }
  std::string heard() const {
    std::string all;
    for (const auto& client : clients_) all += client->recorder.received;
    return all;
  }
  std::size_t accepted() const { return clients_.size(); }

 private:
  struct Client {
    net::Recorder recorder;
    std::unique_ptr<net::TcpStream> stream;
  };
  void on_accept(int fd, const net::Address&) override {
    auto client = std::make_unique<Client>();
    client->stream = *net::TcpStream::adopt(queue_, fd);
    client->stream->set_handler(client->recorder);
    client->recorder.stream = client->stream.get();
    client->recorder.on_readable_hook = [this, one = client.get()] {
      const bool first = one->recorder.received.empty();
      one->recorder.read_some();
      if (!first) return;
      one->stream->write(as_bytes(answer_));
      if (then_ == Then::kClose) one->stream->close_when_sent();
    };
    clients_.push_back(std::move(client));
  }
  void on_shed() override {}

  reactor::Loop& loop_;
  std::string answer_;
  Then then_;
  net::FlushQueue queue_{loop_, {}};
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<net::Listener> listener_;
};

class FetchTest : public ::testing::Test {
 protected:
  void make(ClientOptions options = {}) { client = *Client::create(*loop, std::move(options)); }

  // Turns the loop until `done`, for at most ten seconds.
  void until(const std::function<bool()>& done) {
    const TimePoint end = clock.now() + Duration{10'000};
    while (!done() && clock.now() < end) loop->turn(Duration{20});
    ASSERT_TRUE(done());
  }
  Outcome ask(Request request) {
    std::optional<Outcome> got;
    client->send(std::move(request), [&](Outcome outcome) { got = std::move(outcome); });
    EXPECT_FALSE(got) << "told inside send()";
    until([&] { return got.has_value(); });
    return std::move(*got);
  }
  static void echo(const Seen& seen, const TestServer::Reply& reply) {
    reply({.status = 200, .content_type = "text/plain", .body = seen.method + " " + seen.body});
  }

  SystemClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  std::unique_ptr<Client> client;
};

TEST_F(FetchTest, GetsWhatTheServerSays) {
  make();
  TestServer server(*loop, echo);
  const Outcome got = ask({.url = server.url("/a?b=c")});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(got->body, "GET ");
  EXPECT_EQ(got->header("content-TYPE"), "text/plain");
  EXPECT_EQ(got->header("nothing"), "");
  EXPECT_EQ(server.seen[0].target, "/a?b=c");
  EXPECT_EQ(server.seen[0].header("user-agent"), "anywire");
}

TEST_F(FetchTest, PostsBodyAndHeadersAsTheyAre) {
  make();
  TestServer server(*loop, echo);
  const std::string body = std::string("a\0b", 3) + std::string(300'000, 'x');
  const Outcome got = ask({.method = "POST",
                           .url = server.url(),
                           .headers = {{"Content-Type", "application/json"},
                                       {"X-Empty", ""},
                                       {"X-Thing", "a: b; c"}},
                           .body = body});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->body, "POST " + body);
  EXPECT_EQ(server.seen[0].header("content-type"), "application/json");
  EXPECT_EQ(server.seen[0].header("x-thing"), "a: b; c");
  EXPECT_EQ(server.seen[0].header("content-length"), std::to_string(body.size()));
  EXPECT_EQ(server.seen[0].header("expect"), "");
}

TEST_F(FetchTest, PostsNothingAsAPost) {
  make();
  TestServer server(*loop, echo);
  const Outcome got = ask({.method = "POST", .url = server.url()});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->body, "POST ");
  EXPECT_EQ(server.seen[0].header("content-length"), "0");
  EXPECT_EQ(server.seen[0].header("content-type"), "");
}

TEST_F(FetchTest, KnowsOtherMethods) {
  make();
  TestServer server(*loop, echo);
  EXPECT_EQ(ask({.method = "PUT", .url = server.url(), .body = "x"})->body, "PUT x");
  EXPECT_EQ(ask({.method = "DELETE", .url = server.url()})->body, "DELETE ");
  EXPECT_EQ(ask({.method = "HEAD", .url = server.url()})->body, "");
}

TEST_F(FetchTest, UsesAConnectionAgain) {
  make();
  TestServer server(*loop, echo);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(ask({.method = "POST", .url = server.url(), .body = "x"}));
  }
  EXPECT_EQ(server.seen.size(), 5u);
  EXPECT_EQ(server.accepted, 1u);
}

TEST_F(FetchTest, SendsWithinDoneAndManyAtOnce) {
  make();
  TestServer server(*loop, echo);
  int answered = 0;
  for (int i = 0; i < 100; ++i) {
    client->send({.method = "POST", .url = server.url(), .body = std::to_string(i)},
                 [&, i](Outcome first) {
                   ASSERT_TRUE(first) << first.error().text;
                   EXPECT_EQ(first->body, "POST " + std::to_string(i));
                   client->send({.url = server.url()}, [&](Outcome second) {
                     ASSERT_TRUE(second) << second.error().text;
                     ++answered;
                   });
                 });
  }
  EXPECT_EQ(client->pending(), 100u);
  until([&] { return answered == 100; });
  EXPECT_EQ(client->pending(), 0u);
}

TEST_F(FetchTest, PassesStatusesAndRedirectsOn) {
  make();
  TestServer server(*loop, [&](const Seen& seen, const TestServer::Reply& reply) {
    http::Response response{.status = seen.target == "/to" ? 302 : 404, .body = "moved"};
    static const std::string there = "http://127.0.0.1:1/other";
    response.headers.push_back({"Location", there});
    reply(std::move(response));
  });
  const Outcome got = ask({.url = server.url("/to")});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 302);
  EXPECT_EQ(got->header("location"), "http://127.0.0.1:1/other");
  EXPECT_EQ(server.seen.size(), 1u);
  EXPECT_EQ(ask({.url = server.url()})->status, 404);
}

TEST_F(FetchTest, BoundsTheAnswer) {
  make();
  TestServer server(*loop, [](const Seen&, const TestServer::Reply& reply) {
    reply({.body = std::string(1000, 'x')});
  });
  EXPECT_EQ(ask({.url = server.url(), .response_bytes_max = 1000})->body.size(), 1000u);
  const Outcome got = ask({.url = server.url(), .response_bytes_max = 999});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(got.error().sent);
}

TEST_F(FetchTest, BoundsTheHeadOfTheAnswer) {
  make();
  std::string head = "HTTP/1.1 200 OK\r\n";
  while (head.size() < Client::kHeadBytesMax) head += "X: " + std::string(1000, 'x') + "\r\n";
  RawServer server(*loop, head, RawServer::Then::kStay);
  const Outcome got = ask({.url = server.url()});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTooLarge);
}

TEST_F(FetchTest, ForgetsTheHeadersOfInterimAnswers) {
  make();
  RawServer server(*loop,
                   "HTTP/1.1 103 Early Hints\r\nX-A: 1\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nX-B: 2\r\nContent-Length: 2\r\n\r\nok",
                   RawServer::Then::kStay);
  const Outcome got = ask({.url = server.url()});
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(got->header("x-a"), "");
  EXPECT_EQ(got->header("x-b"), "2");
  EXPECT_EQ(got->body, "ok");
}

TEST_F(FetchTest, GivesUpInTimeAndSaysThatItWasSent) {
  make();
  TestServer server(*loop, [](const Seen&, const TestServer::Reply&) {});
  const Outcome got =
      ask({.method = "POST", .url = server.url(), .body = "x", .timeout = Duration{50}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(got.error().sent);
  until([&] { return server.gone == 1; });
}

TEST_F(FetchTest, ADripOfBytesDoesNotProlongTheTime) {
  make();
  RawServer server(*loop, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
                   RawServer::Then::kStay);
  const Outcome got = ask({.url = server.url(), .timeout = Duration{80}});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTimeout);
}

TEST_F(FetchTest, SaysThatNobodyListensAndThatNothingWasSent) {
  make();
  std::string url;
  {
    const TestServer server(*loop, echo);
    url = server.url();
  }
  const Outcome got = ask({.method = "POST", .url = url, .body = "x"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kConnect);
  EXPECT_FALSE(got.error().sent);
}

TEST_F(FetchTest, SaysThatANameIsNotKnownWithoutBlockingTheLoop) {
  make();
  std::optional<Outcome> got;
  int turns = 0;
  client->send({.url = "http://no-such-host.invalid/"}, [&](Outcome outcome) { got = outcome; });
  until([&] { return ++turns > 1 && got.has_value(); });
  ASSERT_FALSE(*got);
  EXPECT_EQ(got->error().code, ErrorCode::kResolve);
  EXPECT_FALSE(got->error().sent);
}

TEST_F(FetchTest, AConnectionThatBreaksBeforeTheAnswerIsAnError) {
  make();
  RawServer server(*loop, "", RawServer::Then::kClose);
  const Outcome got = ask({.method = "POST", .url = server.url(), .body = "x"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBroken);
  EXPECT_TRUE(got.error().sent);
  EXPECT_EQ(server.accepted(), 1u);
}

TEST_F(FetchTest, DoesNotSendAgainWhenAPooledConnectionEndsBehindTheRequest) {
  make();
  int asked = 0;
  TestServer* cut = nullptr;
  TestServer server(*loop, [&](const Seen& seen, const TestServer::Reply& reply) {
    if (++asked == 2) return cut->hang_up();
    echo(seen, reply);
  });
  cut = &server;
  ASSERT_TRUE(ask({.method = "POST", .url = server.url(), .body = "one"}));
  const Outcome got = ask({.method = "POST", .url = server.url(), .body = "two"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kBroken);
  EXPECT_TRUE(got.error().sent);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(ask({.method = "POST", .url = server.url(), .body = "three"}));
}

TEST_F(FetchTest, AConnectionThatEndedWhileIdleIsReplaced) {
  make();
  TestServer server(*loop, echo);
  ASSERT_TRUE(ask({.method = "POST", .url = server.url(), .body = "one"}));
  server.hang_up();
  loop->turn(Duration::zero());
  EXPECT_TRUE(ask({.method = "POST", .url = server.url(), .body = "two"}));
  EXPECT_EQ(server.accepted, 2u);
}

TEST_F(FetchTest, RefusesWhatIsNotHttp) {
  make();
  for (const char* said : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 banana\r\n\r\n", "\r\n\r\n\r\n"}) {
    RawServer server(*loop, said, RawServer::Then::kClose);
    const Outcome got = ask({.url = server.url(), .timeout = Duration{2000}});
    EXPECT_FALSE(got) << said;
  }
}

TEST_F(FetchTest, RefusesRequestsThatAreNone) {
  make();
  TestServer server(*loop, echo);
  const std::vector<Request> bad = {
      {.url = "nonsense"},
      {.url = ""},
      {.url = "ftp://127.0.0.1/"},
      {.url = "file:///etc/passwd"},
      {.url = "http://user:secret@127.0.0.1/"},
      {.url = server.url("/a\r\nX: y")},
      {.url = server.url(std::string("/\0", 2))},
      {.method = "GE T", .url = server.url()},
      {.method = "", .url = server.url()},
      {.url = server.url(), .headers = {{"X-A", "one\r\nX-B: two"}}},
      {.url = server.url(), .headers = {{"X A", "b"}}},
      {.url = server.url(), .headers = {{"", "b"}}},
  };
  for (const Request& request : bad) {
    const Outcome got = ask(request);
    ASSERT_FALSE(got) << request.url << request.method;
    EXPECT_EQ(got.error().code, ErrorCode::kInvalidRequest) << request.url << got.error().text;
    EXPECT_FALSE(got.error().sent);
    EXPECT_THAT(got.error().text, ::testing::Not(HasSubstr("secret")));
  }
  EXPECT_TRUE(server.seen.empty());
}

TEST_F(FetchTest, LooksAtUrls) {
  EXPECT_TRUE(check_url("https://app.example/api/anywire?x=1"));
  EXPECT_TRUE(check_url("http://[::1]:3000/"));
  EXPECT_EQ(check_url("ws://a/").error().message, "the URL must begin with http or https");
  EXPECT_FALSE(check_url("https://"));
  EXPECT_FALSE(check_url("https://me@app.example/"));
  EXPECT_FALSE(check_url("https://app.example/#here"));
  EXPECT_EQ(origin_of("https://app.example:8443/secret?token=1"), "https://app.example:8443");
  EXPECT_EQ(origin_of("http://app.example/secret"), "http://app.example");
  EXPECT_EQ(origin_of("nonsense nonsense"), "");
}

TEST_F(FetchTest, ProxiesOfTheEnvironmentAreLeftAloneUnlessAsked) {
  TestServer proxy(*loop, [](const Seen&, const TestServer::Reply& reply) {
    reply({.body = "proxied"});
  });
  ::setenv("http_proxy", proxy.url().c_str(), 1);
  TestServer server(*loop, echo);
  make();
  EXPECT_EQ(ask({.url = server.url()})->body, "GET ");
  client.reset();
  make({.proxy_from_environment = true});
  EXPECT_EQ(ask({.url = server.url()})->body, "proxied");
  ::unsetenv("http_proxy");
}

TEST_F(FetchTest, DroppedWithRequestsUnderWayItTellsNobody) {
  make();
  TestServer server(*loop, [](const Seen&, const TestServer::Reply&) {});
  bool told = false;
  for (int i = 0; i < 3; ++i) {
    client->send({.url = server.url()}, [&](const Outcome&) { told = true; });
  }
  client->send({.url = "nonsense"}, [&](const Outcome&) { told = true; });
  client->send({.url = "http://no-such-host.invalid/"}, [&](const Outcome&) { told = true; });
  client.reset();
  for (int i = 0; i < 5; ++i) loop->turn(Duration{5});
  EXPECT_FALSE(told);

  make();
  client->send({.url = server.url()}, [&](const Outcome&) { told = true; });
  until([&] { return server.seen.size() == 1; });
  client.reset();
  until([&] { return server.gone == 1; });
  EXPECT_FALSE(told);
}

TEST_F(FetchTest, MayBeHandedToTheLoopInsideDone) {
  make();
  TestServer server(*loop, echo);
  bool told = false;
  client->send({.url = server.url()}, [&](const Outcome&) {
    told = true;
    loop->defer_delete(std::move(client));
  });
  until([&] { return told; });
  EXPECT_EQ(client, nullptr);
}

TEST_F(FetchTest, WantsItsFileOfCertificates) {
  const auto made = Client::create(*loop, {.ca_file = "/nowhere/ca.pem"});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("certificates"));
}

// ---- TLS ----

class FetchTlsTest : public FetchTest {
 protected:
  TestServer::Wrap wrap() {
    return [this](std::unique_ptr<net::Stream> lower) {
      return std::make_unique<tls::TlsStream>(queue, context(), std::move(lower));
    };
  }
  std::shared_ptr<const tls::Context> context() {
    if (!context_) {
      certificate = directory.write("c.pem", identity.certificate_pem);
      const std::string key = directory.write("k.pem", identity.key_pem);
      context_ = *tls::Context::load({.certificate_file = certificate, .key_file = key});
    }
    return context_;
  }

  tls::testing::ScratchDirectory directory;
  tls::testing::Identity identity = tls::testing::Identity::make("localhost");
  std::string certificate;
  tls::EncryptQueue queue{*loop};

 private:
  std::shared_ptr<const tls::Context> context_;
};

TEST_F(FetchTlsTest, SpeaksTlsToWhomItTrusts) {
  TestServer server(*loop, echo, wrap());
  context();
  make({.ca_file = certificate});
  const std::string url = "https://localhost:" + std::to_string(server.port()) + "/";
  for (int i = 0; i < 3; ++i) {
    const Outcome got = ask({.method = "POST", .url = url, .body = "sealed"});
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_EQ(got->body, "POST sealed");
  }
  EXPECT_EQ(server.accepted, 1u);
}

TEST_F(FetchTlsTest, RefusesACertificateOfAnotherName) {
  TestServer server(*loop, echo, wrap());
  context();
  make({.ca_file = certificate});
  const Outcome got = ask({.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTls);
  EXPECT_FALSE(got.error().sent);
  EXPECT_TRUE(server.seen.empty());
}

TEST_F(FetchTlsTest, RefusesACertificateNobodySigned) {
  TestServer server(*loop, echo, wrap());
  make();
  const Outcome got = ask({.url = "https://localhost:" + std::to_string(server.port()) + "/"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTls);
  EXPECT_TRUE(server.seen.empty());
}

TEST_F(FetchTlsTest, RefusesAServerWithoutTls) {
  TestServer server(*loop, echo);
  make();
  const Outcome got = ask({.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/"});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kTls);
}

}  // namespace
}  // namespace anywire::fetch
