// App router: which app a request is for, by the host it names or by the beginning of its path.
//
// Hosts come first, in the order of the apps; then paths, of which the longest that fits counts.
// Neither is proof of anything: what keeps the apps apart is that each has keys of its own.
//
// Thread: any, once made. Lifetime: owns what it needs; views are read during the call. Limits: a
// look costs one pass over the host and one over the path for each app (kAppsMax).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "http/host_list.h"
#include "http/request.h"
#include "server/config.h"

namespace anywire::server {

class AppRouter {
 public:
  struct Found {
    std::size_t app = 0;           // 0: the default app; else 1 + its index in [[apps]]
    std::size_t prefix_bytes = 0;  // of RequestHead::path, which the app does not see
  };

  // The entries have been checked (check_apps).
  explicit AppRouter(std::span<const AppEntry> apps);

  Found find(const http::RequestHead& request) const;

 private:
  struct ByHost {
    std::size_t app;
    http::HostList hosts;
  };
  struct ByPath {
    std::size_t app;
    std::string path;
  };
  std::vector<ByHost> hosts_;
  std::vector<ByPath> paths_;  // the longest first
};

// The path that an app sees: without the prefix, and never empty.
std::string_view path_within(std::string_view path, std::size_t prefix_bytes);

}  // namespace anywire::server
