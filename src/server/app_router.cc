#include "server/app_router.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace anywire::server {

AppRouter::AppRouter(std::span<const AppEntry> apps) {
  for (std::size_t i = 0; i < apps.size(); ++i) {
    if (!apps[i].hosts.empty()) {
      auto hosts = http::HostList::parse(apps[i].hosts);
      AW_ASSERT(hosts.has_value());
      hosts_.push_back({i + 1, *std::move(hosts)});
    }
    if (!apps[i].path.empty()) paths_.push_back({i + 1, apps[i].path});
  }
  std::sort(paths_.begin(), paths_.end(), [](const ByPath& a, const ByPath& b) {
    return a.path.size() > b.path.size();
  });
}

AppRouter::Found AppRouter::find(const http::RequestHead& request) const {
  for (const ByHost& one : hosts_) {
    if (!request.host.empty() && one.hosts.allows(request.host)) return {.app = one.app};
  }
  for (const ByPath& one : paths_) {
    const std::size_t size = one.path.size();
    if (!request.path.starts_with(one.path)) continue;
    if (request.path.size() > size && request.path[size] != '/') continue;
    return {.app = one.app, .prefix_bytes = size};
  }
  return {};
}

std::string_view path_within(std::string_view path, std::size_t prefix_bytes) {
  const std::string_view rest = path.substr(std::min(prefix_bytes, path.size()));
  return rest.empty() ? std::string_view("/") : rest;
}

}  // namespace anywire::server
