// The scenarios of native clients that subscribe to nothing, connect and publish, against a small
// scripted server that answers them, and asks the application, as it should or not.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

#include "application.h"
#include "native.h"
#include "scenarios.h"
#include "scripted_server_for_test.h"

namespace anywire::bench {
namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

enum class Fault {
  kNone,
  kRefusesConnect,    // answers `connect` with an error
  kNobody,            // takes no notice of a token
  kSomebody,          // takes everybody for a user
  kOtherAnswer,       // answers `connect` with something else
  kSilent,            // does not answer a publication
  kAnswersTwice,
  kWrongId,
  kDrops,             // offset 0
  kSkipsAnOffset,
  kPublishesNothing,  // answers two publications with one offset
  kRefuses,           // answers a publication with an error
  kDoesNotAsk,
  kAsksTwice,
};

class ScriptedSessions final : public ScriptedServer {
 public:
  explicit ScriptedSessions(Fault fault) : ScriptedServer(false, Manner::kHonest), fault_(fault) {}
  ~ScriptedSessions() override {
    stop();
    if (application_ >= 0) ::close(application_);
  }

  // Before it is started.
  void ask_at(std::uint16_t port) {
    application_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(application_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

 private:
  void answer(int fd, std::string payload) override {
    payload.contains(R"("type":"connect")") ? greet(fd, payload) : publish(fd, payload);
  }

  void greet(int fd, const std::string& greeting) {
    const bool known = fault_ == Fault::kSomebody ||
                       (fault_ != Fault::kNobody && greeting.contains(R"("token":")"));
    if (fault_ == Fault::kRefusesConnect) {
      return say(fd, R"({"type":"error","id":1,"code":"bad_message","message":"no"})");
    }
    if (fault_ == Fault::kOtherAnswer) return say(fd, R"({"type":"pong","id":1})");
    say(fd, R"({"type":"connected","id":1,"client":"c",)" +
                std::string(known ? R"("user":"u",)" : "") + R"("session":"s","resumed":false})");
  }

  void publish(int fd, const std::string& command) {
    const bool odd = is_odd();
    const std::size_t at = command.rfind(R"("id":)") + 5;
    const std::string id = command.substr(at, command.size() - 1 - at);
    if (application_ >= 0 && !(odd && fault_ == Fault::kDoesNotAsk)) ask();
    if (odd && fault_ == Fault::kAsksTwice) ask();
    if (odd && fault_ == Fault::kSilent) return;
    if (odd && fault_ == Fault::kRefuses) {
      return say(fd, R"({"type":"error","id":)" + id + R"(,"code":"refused","message":"no"})");
    }
    if (!(odd && fault_ == Fault::kPublishesNothing)) ++offset_;
    if (odd && fault_ == Fault::kSkipsAnOffset) ++offset_;
    const std::string published =
        R"({"type":"published","id":)" + (odd && fault_ == Fault::kWrongId ? id + "9" : id) +
        R"(,"epoch":"e","offset":)" +
        std::to_string(odd && fault_ == Fault::kDrops ? 0 : offset_) + "}";
    say(fd, published);
    if (odd && fault_ == Fault::kAnswersTwice) say(fd, published);
  }

  // An application that is gone does not answer.
  void ask() {
    send(application_,
         "POST / HTTP/1.1\r\nHost: h\r\nAnywire-Hook: publish\r\nContent-Length: 2\r\n\r\n{}");
    std::string answer;
    char buffer[1024];
    while (!answer.ends_with("{}")) {
      const ssize_t n = ::recv(application_, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }

  static void say(int fd, const std::string& message) {
    send(fd, frame(ws::Opcode::kText, message));
  }

  const Fault fault_;
  int application_ = -1;
  std::uint64_t offset_ = 40;  // somebody has published before
};

Options quick() {
  Options options;
  options.connections = 3;
  options.depth = 4;
  options.total = 20;
  options.concurrency = 4;
  options.size = 64;
  options.pid = ::getpid();
  options.duration = std::chrono::milliseconds(100);
  options.warmup = std::chrono::milliseconds(20);
  return options;
}

struct World {
  World(Fault fault, bool anonymous, bool with_application) : server(fault) {
    native = *Native::create({.secret = std::string(kSecret),
                              .channel = options.channel,
                              .subscribes = false,
                              .anonymous = anonymous});
    engine = *Engine::create({.url = *parse_url(server.url()),
                              .dialect = native->dialect(),
                              .native = native.get()});
    options.anonymous = anonymous;
    // The answers that never come are waited for here only.
    if (fault == Fault::kSilent) options.patience = std::chrono::milliseconds(200);
    if (with_application) {
      application = *Application::open(*engine, 0);
      server.ask_at(application->port());
    }
    server.start();
  }

  ScriptedSessions server;  // outlives the application, whose end releases it
  Options options = quick();
  std::unique_ptr<Native> native;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Application> application;
};

Result<Report> connect(Fault fault, bool anonymous = false) {
  World world(fault, anonymous, false);
  return run_connect(*world.engine, world.options);
}

Result<Report> publish(Fault fault) {
  World world(fault, false, false);
  return run_publish(*world.engine, world.options, nullptr);
}

Result<Report> publish_through_hook(Fault fault) {
  World world(fault, false, true);
  return run_publish(*world.engine, world.options, world.application.get());
}

void expect_figures(const Result<Report>& report) {
  ASSERT_TRUE(report) << report.error().message;
  for (const char* field : {"\"rate\":", "\"cpu_us\":", "\"p50_us\":", "\"p99_us\":"}) {
    EXPECT_NE(report->to_json().find(field), std::string::npos) << field;
  }
}

void expect_failure(const Result<Report>& report, std::string_view why) {
  ASSERT_FALSE(report) << why;
  EXPECT_TRUE(report.error().message.contains(why)) << report.error().message;
}

TEST(NativeConnect, ReportsTheFiguresWithATokenAndWithout) {
  const auto known = connect(Fault::kNone);
  expect_figures(known);
  EXPECT_FALSE(known->to_line().contains("anonymous"));
  const auto anonymous = connect(Fault::kNone, true);
  expect_figures(anonymous);
  EXPECT_TRUE(anonymous->to_line().contains("connect anonymous x20"));
}

TEST(NativeConnect, NoticesATokenThatNobodyLookedAt) {
  expect_failure(connect(Fault::kNobody), "not who connected");
}

TEST(NativeConnect, NoticesAnAnonymousClientThatIsTakenForAUser) {
  expect_failure(connect(Fault::kSomebody, true), "not who connected");
}

TEST(NativeConnect, FailsWhereTheConnectIsRefusedOrNotAnswered) {
  expect_failure(connect(Fault::kRefusesConnect), "bad_message");
  expect_failure(connect(Fault::kOtherAnswer), "does not answer a connect");
}

TEST(NativePublish, ReportsTheFiguresOfAnHonestServer) {
  const auto report = publish(Fault::kNone);
  expect_figures(report);
  EXPECT_TRUE(report->to_line().contains("publish 64 B x3 depth 4:")) << report->to_line();
}

TEST(NativePublish, ReportsTheFiguresWithAnApplicationThatIsAsked) {
  const auto report = publish_through_hook(Fault::kNone);
  expect_figures(report);
  EXPECT_TRUE(report->to_line().contains("through the hook")) << report->to_line();
}

TEST(NativePublish, NoticesAnswersThatAreMissingDoubledOrWrong) {
  expect_failure(publish(Fault::kSilent), "publications were acknowledged");
  expect_failure(publish(Fault::kAnswersTwice), "not under way");
  expect_failure(publish(Fault::kWrongId), "not under way");
  expect_failure(publish(Fault::kRefuses), "refused");
}

TEST(NativePublish, NoticesWhatIsAcknowledgedAndNotPublishedOnce) {
  expect_failure(publish(Fault::kDrops), "nothing was published");
  expect_failure(publish(Fault::kSkipsAnOffset), "offsets");
  expect_failure(publish(Fault::kPublishesNothing), "offsets");
}

TEST(NativePublish, FailsWhereTheApplicationIsNotAskedOnceAboutEach) {
  expect_failure(publish_through_hook(Fault::kDoesNotAsk), "the application was asked about");
  expect_failure(publish_through_hook(Fault::kAsksTwice), "the application was asked about");
}

TEST(NativePublish, FailsWhereNobodyIsLetIn) {
  expect_failure(publish(Fault::kRefusesConnect), "bad_message");
  expect_failure(publish(Fault::kNobody), "not who connected");
}

}  // namespace
}  // namespace anywire::bench
