#include "http/host_list.h"

#include <gtest/gtest.h>

namespace anywire::http {
namespace {

HostList list(std::vector<std::string> patterns) {
  auto parsed = HostList::parse(patterns);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(HostList());
}

TEST(HostList, TakesAnyHostWhenItIsEmpty) {
  EXPECT_TRUE(HostList().allows("anything.example"));
  EXPECT_TRUE(list({}).allows(""));
}

TEST(HostList, TakesANameOnAnyPortUnlessOneIsWritten) {
  const HostList hosts = list({"app.example", "api.example:8443", "[::1]"});
  for (const char* host : {"app.example", "App.Example:80", "app.example:3001", "app.example.",
                           "api.example:8443", "[::1]", "[::1]:3001"}) {
    EXPECT_TRUE(hosts.allows(host)) << host;
  }
  for (const char* host : {"", "evil.com", "a.app.example", "app.example.evil.com", "api.example",
                           "api.example:443", "app.example:", "app.example@evil.com",
                           "app.example..", "127.0.0.1", "localhost", ".",
                           "app.example evil.com"}) {
    EXPECT_FALSE(hosts.allows(host)) << host;
  }
}

TEST(HostList, TakesNamesBelowADomainButNeverTheDomainItself) {
  const HostList hosts = list({"*.app.example", "*.other.example:8443"});
  EXPECT_TRUE(hosts.allows("a.app.example"));
  EXPECT_TRUE(hosts.allows("a.b.app.example:3001"));
  EXPECT_TRUE(hosts.allows("a.other.example:8443"));
  for (const char* host : {"app.example", ".app.example", "aapp.example", "a.app.example.evil.com",
                           "a.other.example", "*.app.example"}) {
    EXPECT_FALSE(hosts.allows(host)) << host;
  }
}

TEST(HostList, TakesAsLocalWhatNoPageOfTheInternetCanBeCalled) {
  const HostList hosts = list({"local"});
  for (const char* host :
       {"localhost", "localhost:3001", "app.localhost:3001", "127.0.0.1:3001", "[::1]:3001",
        "192.168.1.20:3001", "8.8.8.8", "anywire", "anywire:3001", "laptop.local", "db.internal",
        "router.home.arpa", "LOCALHOST", "localhost."}) {
    EXPECT_TRUE(hosts.allows(host)) << host;
  }
  for (const char* host : {"evil.com", "evil.com:3001", "localhost.evil.com", "127.0.0.1.evil.com",
                           "evillocalhost.com", "local.evil.com", ""}) {
    EXPECT_FALSE(hosts.allows(host)) << host;
  }
  EXPECT_FALSE(list({"app.example"}).allows("localhost"));
}

TEST(HostList, RefusesPatternsThatCouldNeverMatch) {
  for (const char* text : {"", "*", "*.", "*.*.example", "a.*", "https://app.example", "app.example/",
                           "app.example:", "app.example:*", "app.example:x", "*.1.2.3.4", "*.[::1]",
                           "::1", "[::1", "user@a", "*..example"}) {
    EXPECT_FALSE(is_host_pattern(text)) << text;
    EXPECT_FALSE(HostList::parse(std::vector<std::string>{text}).has_value()) << text;
  }
  for (const char* text : {"local", "localhost", "*.app.example", "app.example:443", "[::1]:1"}) {
    EXPECT_TRUE(is_host_pattern(text)) << text;
  }
}

}  // namespace
}  // namespace anywire::http
