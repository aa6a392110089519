#include "net/resolve.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace anywire::net {
namespace {

class ResolveTest : public ::testing::Test {
 protected:
  void wait(const std::optional<Resolver::Answer>& answer) {
    for (int i = 0; i < 3000 && !answer; ++i) loop->turn(Duration{10});
  }
  SystemClock clock;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
};

TEST_F(ResolveTest, FindsAddressesOfAName) {
  Resolver resolver(*loop);
  std::optional<Resolver::Answer> answer;
  resolver.resolve("127.0.0.1", 3000, [&](Resolver::Answer found) { answer = std::move(found); });
  EXPECT_TRUE(resolver.busy());
  EXPECT_FALSE(answer) << "never from within the call";
  wait(answer);
  ASSERT_TRUE(answer);
  ASSERT_TRUE(answer->has_value());
  EXPECT_EQ(answer->value()[0].to_string(), "127.0.0.1:3000");
  EXPECT_FALSE(resolver.busy());
}

TEST_F(ResolveTest, KnowsBothKindsOfAddress) {
  Resolver resolver(*loop);
  std::optional<Resolver::Answer> answer;
  resolver.resolve("::1", 443, [&](Resolver::Answer found) { answer = std::move(found); });
  wait(answer);
  ASSERT_TRUE(answer);
  // A machine without IPv6 may well say that there is none.
  if (answer->has_value()) {
    EXPECT_EQ(answer->value()[0].to_string(), "[::1]:443");
  }
}

TEST_F(ResolveTest, MayBeAskedAgainFromItsAnswer) {
  Resolver resolver(*loop);
  std::optional<Resolver::Answer> answer;
  resolver.resolve("127.0.0.1", 80, [&](Resolver::Answer) {
    EXPECT_FALSE(resolver.busy());
    resolver.resolve("127.0.0.2", 81, [&](Resolver::Answer found) { answer = std::move(found); });
  });
  wait(answer);
  ASSERT_TRUE(answer && answer->has_value());
  EXPECT_EQ(answer->value()[0].to_string(), "127.0.0.2:81");
}

TEST_F(ResolveTest, SeveralDoNotWaitForOneAnother) {
  std::vector<std::unique_ptr<Resolver>> resolvers;
  int answered = 0;
  for (int i = 0; i < 8; ++i) {
    resolvers.push_back(std::make_unique<Resolver>(*loop));
    resolvers.back()->resolve("127.0.0.1", 80, [&](Resolver::Answer) { ++answered; });
  }
  for (int i = 0; i < 3000 && answered < 8; ++i) loop->turn(Duration{10});
  EXPECT_EQ(answered, 8);
}

TEST_F(ResolveTest, ANameThatIsNoneIsAnAnswerToo) {
  Resolver resolver(*loop);
  for (const std::string& name : {std::string(), std::string("a b"), std::string(300, 'x'),
                                  std::string("..")}) {
    std::optional<Resolver::Answer> answer;
    resolver.resolve(name, 80, [&](Resolver::Answer found) { answer = std::move(found); });
    wait(answer);
    ASSERT_TRUE(answer) << name;
    if (!name.empty()) {
      ASSERT_FALSE(answer->has_value()) << name;
      EXPECT_NE(answer->error().message, "") << name;
    }
  }
}

TEST_F(ResolveTest, SaysThatThereIsNone) {
  Resolver resolver(*loop);
  std::optional<Resolver::Answer> answer;
  // RFC 6761: never a host.
  resolver.resolve("x.invalid", 80, [&](Resolver::Answer found) { answer = std::move(found); });
  wait(answer);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->has_value());
}

TEST_F(ResolveTest, MayGoWhileALookUpIsUnderWay) {
  auto resolver = std::make_unique<Resolver>(*loop);
  bool called = false;
  resolver->resolve("127.0.0.1", 80, [&](Resolver::Answer) { called = true; });
  resolver.reset();
  for (int i = 0; i < 20; ++i) loop->turn(Duration{5});
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace anywire::net
