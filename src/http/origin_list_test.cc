#include "http/origin_list.h"

#include <gtest/gtest.h>

namespace anywire::http {
namespace {

OriginList list(std::vector<std::string> patterns) {
  auto parsed = OriginList::parse(patterns);
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message);
  return parsed.value_or(OriginList());
}

RequestHead request(const char* origin) {
  RequestHead head;
  if (origin != nullptr) head.headers.push_back({"origin", origin});
  return head;
}

TEST(OriginList, TakesWhatIsWrittenOutWhateverItsCase) {
  const OriginList origins = list({"https://app.example", "http://localhost:3000", "http://[::1]"});
  EXPECT_TRUE(origins.allows("https://app.example"));
  EXPECT_TRUE(origins.allows("HTTPS://App.Example"));
  EXPECT_TRUE(origins.allows("http://localhost:3000"));
  EXPECT_TRUE(origins.allows("http://[::1]"));
  for (const char* origin :
       {"", "null", "*", "https://", "app.example", "http://app.example", "https://app.example:8443",
        "https://app.example:443", "https://app.example.", "https://app.example/",
        "https://app.example.evil.com", "https://a.app.example", "https://evil.com#app.example",
        "https://user@app.example", "https://app.example@evil.com", "https://app.example\\.evil.com",
        "https://app.example evil.com", "http://localhost", "http://localhost:30000", "//app.example",
        "https:app.example", "https:/app.example", "javascript://app.example"}) {
    EXPECT_FALSE(origins.allows(origin)) << origin;
  }
}

TEST(OriginList, TakesNamesBelowADomainButNeverTheDomainItself) {
  const OriginList origins = list({"https://*.app.example"});
  for (const char* origin : {"https://a.app.example", "https://a.b.app.example",
                             "https://x_y.app.example", "https://A.APP.EXAMPLE"}) {
    EXPECT_TRUE(origins.allows(origin)) << origin;
  }
  for (const char* origin :
       {"https://app.example", "https://.app.example", "https://a..app.example",
        "https://evilapp.example", "https://a.app.example.evil.com", "https://evil.com#.app.example",
        "https://evil.com/.app.example", "https://evil.com?.app.example",
        "https://evil.com\\.app.example", "https://evil.com:80.app.example",
        "https://evil.com@a.app.example", "https://evil.com%00.app.example",
        "https://evil.com,https://a.app.example", "http://a.app.example",
        "https://a.app.example:8443", "https://*.app.example", "https://[::1].app.example"}) {
    EXPECT_FALSE(origins.allows(origin)) << origin;
  }
}

TEST(OriginList, TakesAnyPortWhereAStarStandsForIt) {
  const OriginList origins = list({"http://localhost:*", "https://*.app.example:*"});
  for (const char* origin : {"http://localhost", "http://localhost:3000", "http://localhost:65535",
                             "https://a.app.example:8443", "https://a.app.example"}) {
    EXPECT_TRUE(origins.allows(origin)) << origin;
  }
  for (const char* origin :
       {"https://localhost:3000", "http://localhost:", "http://localhost:x", "http://localhost:65536",
        "http://localhost:3000.evil.com", "http://localhost.evil.com:3000", "http://localhost:*",
        "http://a.localhost:3000", "https://app.example:8443"}) {
    EXPECT_FALSE(origins.allows(origin)) << origin;
  }
}

TEST(OriginList, TakesNullOnlyWhereItIsWritten) {
  EXPECT_FALSE(list({"https://app.example"}).allows("null"));
  EXPECT_TRUE(list({"https://app.example", "null"}).allows("null"));
  EXPECT_FALSE(list({"null"}).names("null")) << "any site can make a sandboxed frame";
  EXPECT_FALSE(list({"*", "null"}).names("null"));
  EXPECT_TRUE(list({"*"}).allows("null")) << "everybody is everybody";
  EXPECT_FALSE(list({"*"}).names("null"));
}

TEST(OriginList, TellsWhoIsNamedFromWhoIsMerelyAllowed) {
  const OriginList origins = list({"*", "https://app.example"});
  EXPECT_TRUE(origins.allows("https://evil.com"));
  EXPECT_FALSE(origins.names("https://evil.com"));
  EXPECT_TRUE(origins.names("https://app.example"));
  EXPECT_FALSE(list({"*"}).names("*"));
  EXPECT_FALSE(OriginList().allows("https://app.example"));
}

TEST(OriginList, LetsRequestsWithoutAnOriginPassAndNamesThemNot) {
  const OriginList origins = list({"https://app.example"});
  EXPECT_TRUE(origins.allows(request(nullptr)));
  EXPECT_FALSE(origins.names(request(nullptr)));
  EXPECT_TRUE(origins.allows(request("https://app.example")));
  EXPECT_TRUE(origins.names(request("https://app.example")));
  EXPECT_FALSE(origins.allows(request(""))) << "an empty one is one";
  EXPECT_FALSE(origins.allows(request("https://evil.com")));
}

TEST(OriginList, SaysWhetherAnswersDependOnTheOrigin) {
  EXPECT_FALSE(list({"*"}).selective());
  EXPECT_TRUE(list({"*", "https://app.example"}).selective());
  EXPECT_TRUE(list({"https://app.example"}).selective());
  EXPECT_TRUE(list({"*", "null"}).selective());
  EXPECT_TRUE(list({}).selective());
}

TEST(OriginList, RefusesPatternsThatCouldNeverMatchOrMatchTooMuch) {
  for (const char* text :
       {"", "app.example", "https://", "https://app.example/", "https://app.example/path",
        "HTTPS://app.example", "https://App.Example", "https://app.example:443", "http://a:80",
        "https://*", "https://*.", "https://*.com", "https://*.*.example", "https://a.*.example",
        "https://app.*", "*://app.example", "https://*.1.2.3.4", "https://*.[::1]",
        "https://*app.example", "https://app.example:*:*", "https://app.example:80*",
        "https://user@app.example", "https://*..example", "1https://a", "://a", "Null", "**"}) {
    EXPECT_FALSE(is_origin_pattern(text)) << text;
    EXPECT_FALSE(OriginList::parse(std::vector<std::string>{text}).has_value()) << text;
  }
  for (const char* text : {"*", "null", "https://app.example", "http://localhost:3000",
                           "http://*.localhost:3000", "https://*.app.example", "http://127.0.0.1:*",
                           "chrome-extension://abcdef", "capacitor://localhost", "http://[::1]:*"}) {
    EXPECT_TRUE(is_origin_pattern(text)) << text;
  }
}

}  // namespace
}  // namespace anywire::http
