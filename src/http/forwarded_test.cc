#include "http/forwarded.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anywire::http {
namespace {

net::Address address(std::string_view text) { return *net::Address::parse(text); }

net::CidrList trusted() {
  const std::string blocks[] = {"10.0.0.0/8", "fd00::/8", "unix"};
  return *net::CidrList::parse(blocks);
}

struct Case {
  const char* what;
  const char* peer;
  std::vector<Header> headers;
  const char* client;  // as to_string() has it
};

void expect_clients(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    RequestHead head;
    head.headers = c.headers;
    EXPECT_EQ(find_client(head, address(c.peer), false, trusted()).address.to_string(), c.client)
        << c.what;
  }
}

const char kFor[] = "X-Forwarded-For";

TEST(Forwarded, BelievesOnlyTrustedPeers) {
  expect_clients({
      {"stranger", "192.0.2.1:5", {{kFor, "198.51.100.7"}}, "192.0.2.1:5"},
      {"proxy", "10.0.0.1:5", {{kFor, "198.51.100.7"}}, "198.51.100.7:0"},
      {"mapped proxy", "[::ffff:10.0.0.1]:5", {{kFor, "198.51.100.7"}}, "198.51.100.7:0"},
      {"proxy on a Unix socket", "unix:/run/p", {{kFor, "198.51.100.7"}}, "198.51.100.7:0"},
      {"IPv6 proxy", "[fd00::1]:5", {{kFor, "2001:db8::9"}}, "[2001:db8::9]:0"},
      {"proxy without the header", "10.0.0.1:5", {}, "10.0.0.1:5"},
      {"mapped stranger", "[::ffff:192.0.2.1]:5", {}, "192.0.2.1:5"},
  });
}

TEST(Forwarded, TakesTheRightmostAddressThatIsNotTrusted) {
  expect_clients({
      {"forged ones to the left", "10.0.0.1:5", {{kFor, "1.1.1.1, 10.9.9.9, 198.51.100.7"}},
       "198.51.100.7:0"},
      {"through two proxies", "10.0.0.1:5", {{kFor, "1.1.1.1, 198.51.100.7, 10.0.0.2"}},
       "198.51.100.7:0"},
      {"over several lines", "10.0.0.1:5",
       {{kFor, "1.1.1.1"}, {"Other", "2.2.2.2"}, {"x-forwarded-for", "198.51.100.7"},
        {"X-FORWARDED-FOR", "10.0.0.3 , 10.0.0.2"}},
       "198.51.100.7:0"},
      {"only proxies", "10.0.0.1:5", {{kFor, "10.0.0.9, 10.0.0.2"}}, "10.0.0.9:0"},
  });
}

TEST(Forwarded, ReadsTheFormsProxiesWrite) {
  expect_clients({
      {"with a port", "10.0.0.1:5", {{kFor, "198.51.100.7:4711"}}, "198.51.100.7:4711"},
      {"IPv6 in brackets", "10.0.0.1:5", {{kFor, "[2001:db8::9]"}}, "[2001:db8::9]:0"},
      {"IPv6 with a port", "10.0.0.1:5", {{kFor, "[2001:db8::9]:80"}}, "[2001:db8::9]:80"},
      {"mapped", "10.0.0.1:5", {{kFor, "::ffff:198.51.100.7"}}, "198.51.100.7:0"},
      {"mapped proxy in the list", "10.0.0.1:5", {{kFor, "198.51.100.7, ::ffff:10.0.0.2"}},
       "198.51.100.7:0"},
  });
}

TEST(Forwarded, GarbageEndsTheWalkAtTheLastKnownAddress) {
  for (const char* garbage : {"unknown", "", " ", "_hidden", "localhost", "localhost:80", ":80",
                              "unix:/x", "unix", "198.51.100", "198.51.100.7.1", "0x7f.1",
                              "1.1.1.1 x",
                              "\"1.1.1.1\"", "[::1", "::1]", "[1.1.1.1]", "1.1.1.1:99999",
                              "fe80::1%2",
                              "[fe80::1%2]:5", "1.1.1.1;for=2.2.2.2", "010.1.1.1", "none"}) {
    const std::string alone = garbage;
    const std::string behind_a_proxy = alone + ", 10.0.0.2";
    const std::string left_of_all = "1.1.1.1," + alone;
    expect_clients({
        {garbage, "10.0.0.1:5", {{kFor, alone}}, "10.0.0.1:5"},
        {garbage, "10.0.0.1:5", {{kFor, behind_a_proxy}}, "10.0.0.2:0"},
        {garbage, "10.0.0.1:5", {{kFor, left_of_all}}, "10.0.0.1:5"},
    });
  }
}

bool is_secure(std::vector<Header> headers, bool peer_is_secure, const char* peer = "10.0.0.1:5") {
  RequestHead head;
  head.headers = std::move(headers);
  return find_client(head, address(peer), peer_is_secure, trusted()).is_secure;
}

const char kProto[] = "X-Forwarded-Proto";

TEST(Forwarded, TakesTheSchemeFromTrustedPeersOnly) {
  EXPECT_TRUE(is_secure({{kProto, "https"}}, false));
  EXPECT_TRUE(is_secure({{kProto, "WSS"}}, false));
  EXPECT_FALSE(is_secure({{kProto, "http"}}, true));
  EXPECT_FALSE(is_secure({{kProto, "https"}}, false, "192.0.2.1:5"));
  EXPECT_TRUE(is_secure({{kProto, "http"}}, true, "192.0.2.1:5"));
  for (const bool peer_is_secure : {false, true}) {
    EXPECT_EQ(is_secure({}, peer_is_secure), peer_is_secure);
    EXPECT_EQ(is_secure({{kProto, "gopher"}}, peer_is_secure), peer_is_secure);
    EXPECT_EQ(is_secure({{kProto, ""}}, peer_is_secure), peer_is_secure);
  }
}

TEST(Forwarded, TakesTheSchemeOfTheHopThatSawTheClient) {
  // Two proxies: the outer one speaks TLS with the client, the inner one plain HTTP with the outer.
  const Header hops = {kFor, "198.51.100.7, 10.0.0.2"};
  EXPECT_TRUE(is_secure({hops, {kProto, "https, http"}}, false));
  EXPECT_FALSE(is_secure({hops, {kProto, "http, https"}}, false));
  EXPECT_TRUE(is_secure({hops, {kProto, "https"}}, false));
  // What the client itself claims stands further left.
  EXPECT_FALSE(is_secure({hops, {kProto, "https, http, http"}}, false));
  EXPECT_FALSE(is_secure({{kFor, "198.51.100.7"}, {kProto, "https, http"}}, false));
}

}  // namespace
}  // namespace anywire::http
