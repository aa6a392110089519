#include "dialect.h"

#include <gtest/gtest.h>

namespace anywire::bench {
namespace {

TEST(Dialect, IsFoundByName) {
  EXPECT_FALSE(find_dialect("plain")->socketio);
  EXPECT_TRUE(find_dialect("socketio")->socketio);
  EXPECT_FALSE(find_dialect("xmpp"));
}

TEST(Dialect, PlainHasNoMessagesOfItsOwn) {
  for (const char* text : {"0{}", "2", "40", "42[]"}) {
    const DialectStep step = dialect_step(kPlainDialect, text);
    EXPECT_FALSE(step.consumed || step.opened);
    EXPECT_TRUE(step.answer.empty());
  }
}

TEST(Dialect, SocketIoOpensTheNamespaceBeforeTheTestBegins) {
  const DialectStep open = dialect_step(kSocketIoDialect, R"(0{"sid":"x"})");
  EXPECT_TRUE(open.consumed);
  EXPECT_FALSE(open.opened);
  EXPECT_EQ(open.answer, "40");
  const DialectStep connected = dialect_step(kSocketIoDialect, R"(40{"sid":"y"})");
  EXPECT_TRUE(connected.consumed && connected.opened);
  EXPECT_TRUE(connected.answer.empty());
}

TEST(Dialect, SocketIoPingsAreAnswered) {
  EXPECT_EQ(dialect_step(kSocketIoDialect, "2").answer, "3");
}

TEST(Dialect, SocketIoEventsBelongToTheTest) {
  EXPECT_FALSE(dialect_step(kSocketIoDialect, R"(42["m","x"])").consumed);
}

}  // namespace
}  // namespace anywire::bench
