#include "server/refusals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "net/testing/fake_stream.h"

namespace anywire::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RefusalsTest : public ::testing::Test {
 protected:
  ~RefusalsTest() override {
    refusals.abort();
    loop->turn(Duration::zero());
  }
  net::FakeWire& newcomer(const TurnAway& why) {
    wires.push_back(std::make_unique<net::FakeWire>(*loop));
    refusals.take(wires.back()->make_stream(), {}, why);
    return *wires.back();
  }
  void turn() { loop->turn(Duration::zero()); }

  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  Refusals refusals{*loop, http::ConnectionOptions()};
  std::vector<std::unique_ptr<net::FakeWire>> wires;
};

constexpr const char* kUpgrade =
    "GET /anywire HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

TEST_F(RefusalsTest, AnswerTheFirstRequestAndClose) {
  net::FakeWire& wire = newcomer({.status = 429,
                                  .code = "rate_limited",
                                  .message = "over the limit connects_per_address: 5 in a minute",
                                  .retry_after = Duration(11'500)});
  EXPECT_EQ(refusals.size(), 1u);
  wire.deliver(kUpgrade);
  turn();
  EXPECT_THAT(wire.sent,
              AllOf(StartsWith("HTTP/1.1 429 Too Many Requests\r\n"),
                    HasSubstr("Retry-After: 12\r\n"), HasSubstr("Connection: close\r\n"),
                    HasSubstr("Content-Type: application/json\r\n"),
                    HasSubstr(R"({"code":"rate_limited","message":"over the limit )"
                              R"(connects_per_address: 5 in a minute","retryAfter":11500})")));
}

TEST_F(RefusalsTest, TellEachItsOwn) {
  net::FakeWire& one = newcomer(overloaded_now());
  net::FakeWire& other = newcomer(too_many_from_address());
  one.deliver(kUpgrade);
  other.deliver("POST /anywire/poll HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
  turn();
  EXPECT_THAT(one.sent, AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr(R"("code":"overloaded")")));
  EXPECT_THAT(other.sent,
              AllOf(StartsWith("HTTP/1.1 4"), testing::Not(HasSubstr("overloaded"))));
}

TEST_F(RefusalsTest, AreOnlySoManyAtATime) {
  while (!refusals.full()) newcomer(overloaded_now());
  EXPECT_EQ(refusals.size(), Refusals::kRefusalsMax);
  // Who says nothing does not keep its place.
  clock.advance(Refusals::kRefusalTimeout + Duration(1000));
  turn();
  clock.advance(Duration(10'000));
  turn();
  turn();
  EXPECT_FALSE(refusals.full());
}

TEST_F(RefusalsTest, ScatterWhoIsToComeBack) {
  std::vector<Duration> waits;
  for (int i = 0; i < 100; ++i) waits.push_back(overloaded_now().retry_after);
  const auto [least, most] = std::minmax_element(waits.begin(), waits.end());
  EXPECT_GE(*least, Duration(5'000));
  EXPECT_LE(*most, Duration(15'000));
  EXPECT_GT(*most - *least, Duration(5'000));
}

TEST(TurnAwayBytes, AreAWholeAnswer) {
  EXPECT_THAT(turn_away_bytes({.status = 503,
                               .code = "overloaded",
                               .message = "no",
                               .retry_after = Duration(3'000)}),
              AllOf(StartsWith("HTTP/1.1 503 Service Unavailable\r\n"),
                    HasSubstr("Retry-After: 3\r\n"), HasSubstr("Connection: close\r\n"),
                    testing::EndsWith(
                        "\r\n\r\n" R"({"code":"overloaded","message":"no","retryAfter":3000})")));
}

}  // namespace
}  // namespace anywire::server
