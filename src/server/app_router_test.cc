#include "server/app_router.h"

#include <gtest/gtest.h>

namespace anywire::server {
namespace {

AppEntry at_path(std::string name, std::string path) {
  return {.name = std::move(name), .config = "x", .path = std::move(path), .hosts = {}};
}
AppEntry at_hosts(std::string name, std::vector<std::string> hosts) {
  return {.name = std::move(name), .config = "x", .path = {}, .hosts = std::move(hosts)};
}

struct Seen {
  std::size_t app;
  std::string path;  // within it
  bool operator==(const Seen&) const = default;
};
void PrintTo(const Seen& seen, std::ostream* out) { *out << seen.app << " at " << seen.path; }

Seen look(const AppRouter& router, std::string_view host, std::string_view path) {
  http::RequestHead head;
  head.host = host;
  head.path = path;
  const AppRouter::Found found = router.find(head);
  return {found.app, std::string(path_within(path, found.prefix_bytes))};
}

TEST(AppRouter, GoesByTheBeginningOfThePath) {
  const std::vector<AppEntry> apps{at_path("shop", "/shop")};
  const AppRouter router(apps);
  EXPECT_EQ(look(router, "a", "/shop/raw/x"), (Seen{1, "/raw/x"}));
  EXPECT_EQ(look(router, "a", "/shop/"), (Seen{1, "/"}));
  EXPECT_EQ(look(router, "a", "/shop"), (Seen{1, "/"}));
  for (const char* other :
       {"/", "/raw/x", "/shopping/raw/x", "/Shop/raw/x", "/x/shop/raw", "*", ""}) {
    EXPECT_EQ(look(router, "a", other).app, 0u) << other;
  }
}

TEST(AppRouter, TakesTheLongestPathThatFits) {
  const std::vector<AppEntry> apps{at_path("a", "/a"), at_path("b", "/a/b"),
                                   at_path("c", "/a/b/c")};
  const AppRouter router(apps);
  EXPECT_EQ(look(router, "h", "/a/x"), (Seen{1, "/x"}));
  EXPECT_EQ(look(router, "h", "/a/b/x"), (Seen{2, "/x"}));
  EXPECT_EQ(look(router, "h", "/a/b/c"), (Seen{3, "/"}));
  EXPECT_EQ(look(router, "h", "/a/bc"), (Seen{1, "/bc"}));
}

TEST(AppRouter, GoesByHostsFirst) {
  const std::vector<AppEntry> apps{
      at_path("p", "/p"), at_hosts("h", {"h.example", "*.h.example:8443"}),
      AppEntry{.name = "both", .config = "x", .path = "/both", .hosts = {"both.example"}}};
  const AppRouter router(apps);
  EXPECT_EQ(look(router, "h.example", "/p/x"), (Seen{2, "/p/x"})) << "the path stays whole";
  EXPECT_EQ(look(router, "H.Example:80", "/x"), (Seen{2, "/x"}));
  EXPECT_EQ(look(router, "h.example.", "/x"), (Seen{2, "/x"})) << "from the root on";
  EXPECT_EQ(look(router, "w.h.example:8443", "/x"), (Seen{2, "/x"}));
  EXPECT_EQ(look(router, "w.h.example", "/x"), (Seen{0, "/x"}));
  EXPECT_EQ(look(router, "xh.example", "/x"), (Seen{0, "/x"}));
  EXPECT_EQ(look(router, "", "/x"), (Seen{0, "/x"})) << "HTTP/1.0 may name none";
  EXPECT_EQ(look(router, "both.example", "/both/x"), (Seen{3, "/both/x"}));
  EXPECT_EQ(look(router, "a", "/both/x"), (Seen{3, "/x"}));
}

TEST(AppRouter, TakesTheFirstOfSeveralWhoseHostsFit) {
  const std::vector<AppEntry> apps{at_hosts("a", {"a.x.example"}), at_hosts("b", {"*.x.example"})};
  const AppRouter router(apps);
  EXPECT_EQ(look(router, "a.x.example", "/").app, 1u);
  EXPECT_EQ(look(router, "b.x.example", "/").app, 2u);
}

}  // namespace
}  // namespace anywire::server
