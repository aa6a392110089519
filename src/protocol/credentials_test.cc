#include "protocol/credentials.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "auth/jwt.h"
#include "protocol/transport/testing/fake_transport.h"

namespace anywire::protocol {
namespace {

using Headers = std::vector<http::Header>;

Credentials read(const Headers& headers, std::string_view query = {}, bool named = false,
                 std::string_view cookie = "session") {
  http::RequestHead head = request_for("/anywire");
  head.headers = headers;
  head.query = query;
  return read_credentials(head, {.origin_named = named}, cookie);
}

TEST(Credentials, AreNoneInAPlainRequest) {
  EXPECT_FALSE(read({}).any());
  const Headers others{{"Authorization", "Basic YTpi"},
                       {"Sec-WebSocket-Protocol", "anywire.v1.json"}};
  EXPECT_FALSE(read(others, "since=1").any());
}

TEST(Credentials, AreInTheAuthorizationHeader) {
  EXPECT_EQ(read({{"authorization", "bearer abc"}}).token, "abc");
  EXPECT_EQ(read({{"Authorization", "Bearer  abc "}}).token, "abc");
  EXPECT_EQ(read({{"Authorization", "Bearer"}}).token, "");
  EXPECT_EQ(read({{"Authorization", "Bearerabc"}}).token, "");
}

TEST(Credentials, AreAmongTheSubprotocols) {
  EXPECT_EQ(read({{"Sec-WebSocket-Protocol", "anywire.v1.json, anywire.token.a.b"}}).token, "a.b");
  EXPECT_EQ(read({{"Sec-WebSocket-Protocol", "anywire.v1.json"},
                  {"sec-websocket-protocol", "anywire.token.x"}})
                .token,
            "x");
  EXPECT_EQ(read({{"Sec-WebSocket-Protocol", "xanywire.token.a"}}).token, "");
}

TEST(Credentials, AreATicketInTheQuery) {
  EXPECT_EQ(read({}, "ticket=abc").ticket, "abc");
  EXPECT_EQ(read({}, "a=1&ticket=abc&ticket=def").ticket, "abc");
  EXPECT_EQ(read({}, "tickets=abc&xticket=1&ticket").ticket, "");
  EXPECT_EQ(read({}, "ticket=").ticket, "");
  EXPECT_EQ(read({}, "&&=&ticket=x&").ticket, "x");
  EXPECT_EQ(read({}, "token=abc").token, "") << "tokens do not belong into URLs";
}

// Cross-site WebSocket hijacking: the browser sends the cookie whoever's page it is.
TEST(Credentials, AreInACookieOnlyOfANamedOrigin) {
  const Headers headers{{"Cookie", "a=1; session=abc; b=2"}, {"Origin", "https://evil.example"}};
  const Credentials foreign = read(headers);
  EXPECT_FALSE(foreign.any());
  EXPECT_TRUE(foreign.cookie_ignored);
  EXPECT_EQ(read(headers, {}, true).token, "abc");
  EXPECT_FALSE(read(headers, {}, true, "").any()) << "cookies are not read unless configured";
  EXPECT_FALSE(read(headers, {}, true, "").cookie_ignored);
  EXPECT_FALSE(read({{"Cookie", "a=1"}}).cookie_ignored);
}

TEST(Credentials, FindTheCookieByItsWholeName) {
  EXPECT_EQ(read({{"Cookie", "xsession=1;session=2"}}, {}, true).token, "2");
  EXPECT_EQ(read({{"Cookie", "session2=1"}, {"cookie", "session=\"q\""}}, {}, true).token, "q");
  EXPECT_EQ(read({{"Cookie", "session"}}, {}, true).token, "");
  EXPECT_EQ(read({{"Cookie", ";;=;session=x"}}, {}, true).token, "x");
}

TEST(Credentials, CountInAFixedOrder) {
  const Headers all{{"Cookie", "session=cookie"},
                    {"Sec-WebSocket-Protocol", "anywire.token.subprotocol"},
                    {"Authorization", "Bearer header"}};
  const Credentials every = read(all, "ticket=ticket", true);
  EXPECT_EQ(every.ticket, "ticket");
  EXPECT_EQ(every.token, "header");
  EXPECT_EQ(read({all[0], all[1]}, {}, true).token, "subprotocol");
  EXPECT_EQ(read({all[0]}, {}, true).token, "cookie");
}

TEST(Credentials, AreKeptUpToTheirLimit) {
  const std::string huge(100'000, 'a');
  const std::string value = "Bearer " + huge, query = "ticket=" + huge;
  EXPECT_EQ(read({{"Authorization", value}}).token.size(), auth::kTokenBytesMax + 1);
  EXPECT_EQ(read({}, query).ticket.size(), auth::kTokenBytesMax + 1);
}

}  // namespace
}  // namespace anywire::protocol
