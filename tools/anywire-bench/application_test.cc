// The application against a client that speaks HTTP by hand, over sockets.
#include "application.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace anywire::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

std::string question(std::string_view hook = "publish", std::string_view body = R"({"id":"1"})") {
  return "POST /hooks HTTP/1.1\r\nHost: 127.0.0.1\r\nAnywire-Hook: " + std::string(hook) +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class ApplicationTest : public testing::Test {
 protected:
  void SetUp() override {
    auto engine = Engine::create({.url = *parse_url("ws://127.0.0.1:1/")});
    ASSERT_TRUE(engine);
    engine_ = *std::move(engine);
    auto application = Application::open(*engine_, 0);
    ASSERT_TRUE(application) << application.error().message;
    application_ = *std::move(application);
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    // What is said in two pieces does not wait for the first to be acknowledged.
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(application_->port());
    ASSERT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_TRUE(turn_until([this] { return application_->connections() == 1; }));
  }
  void TearDown() override {
    if (fd_ >= 0) ::close(fd_);
  }

  template <typename Done>
  bool turn_until(Done done) {
    return engine_->run_until(done, 10s);
  }

  void say(std::string_view bytes) {
    ASSERT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  // Turns the loop until so many bytes have come.
  std::string hear(std::size_t bytes) {
    std::string heard;
    turn_until([&] {
      char buffer[4096];
      const ssize_t n = ::recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) heard.append(buffer, static_cast<std::size_t>(n));
      return heard.size() >= bytes;
    });
    return heard;
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Application> application_;
  int fd_ = -1;
};

TEST_F(ApplicationTest, AllowsAndCountsWhatItIsAskedOverOneConnection) {
  for (std::uint64_t i = 1; i <= 3; ++i) {
    say(question());
    EXPECT_EQ(hear(kAnswer.size()), kAnswer);
    EXPECT_EQ(application_->questions(), i);
  }
  EXPECT_EQ(application_->connections(), 1u);
  EXPECT_FALSE(engine_->failed()) << engine_->failure();
}

TEST_F(ApplicationTest, AnswersAQuestionHoweverItIsCut) {
  const std::string whole = question();
  for (std::size_t cut = 1; cut < whole.size(); ++cut) {
    say(whole.substr(0, cut));
    engine_->loop().turn(Duration{0});
    say(whole.substr(cut));
    ASSERT_EQ(hear(kAnswer.size()), kAnswer) << cut;
  }
  EXPECT_EQ(application_->questions(), whole.size() - 1);
}

TEST_F(ApplicationTest, AnswersWhenAllOfTheBodyHasComeAndNotBefore) {
  const std::string body(300'000, 'x');
  const std::string whole = question("publish", body);
  say(whole.substr(0, whole.size() - 1));
  for (int i = 0; i < 20; ++i) engine_->loop().turn(Duration{1});
  EXPECT_EQ(application_->questions(), 0u);
  say("x");
  EXPECT_EQ(hear(kAnswer.size()), kAnswer);
  EXPECT_EQ(application_->questions(), 1u);
}

TEST_F(ApplicationTest, AnswersQuestionsThatComeTogether) {
  say(question() + question("publish", "") + question());
  EXPECT_EQ(hear(3 * kAnswer.size()),
            std::string(kAnswer) + std::string(kAnswer) + std::string(kAnswer));
  EXPECT_EQ(application_->questions(), 3u);
}

TEST_F(ApplicationTest, LetsTheServerCloseConnections) {
  say(question());
  hear(kAnswer.size());
  ::close(fd_);
  fd_ = -1;
  EXPECT_TRUE(turn_until([this] { return application_->connections() == 0; }));
  EXPECT_FALSE(engine_->failed()) << engine_->failure();
}

TEST_F(ApplicationTest, FailsTheRunWhenItIsAskedAboutSomethingElse) {
  say(question("connect"));
  EXPECT_FALSE(turn_until([] { return false; }));
  EXPECT_TRUE(engine_->failure().contains("\"connect\"")) << engine_->failure();
  EXPECT_EQ(application_->questions(), 0u);
}

TEST_F(ApplicationTest, FailsTheRunWhenWhatComesIsNotHttp) {
  say("PUBLISH\r\n\r\n");
  EXPECT_FALSE(turn_until([] { return false; }));
  EXPECT_TRUE(engine_->failure().contains("bad HTTP")) << engine_->failure();
}

TEST_F(ApplicationTest, DoesNotOpenWhereSomebodyListens) {
  const auto second = Application::open(*engine_, application_->port());
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().message.contains("already in use")) << second.error().message;
}

}  // namespace
}  // namespace anywire::bench
