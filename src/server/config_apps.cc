#include "server/config_apps.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "http/host_list.h"
#include "http/request.h"
#include "server/config_accessors.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using std::string_view;

constexpr std::size_t kNameBytesMax = 32;
constexpr std::size_t kPathBytesMax = 128;

constexpr string_view kExpectedName = "a name of 1 to 32 of the characters a-z, 0-9 and -";
constexpr string_view kExpectedPath =
    "a path such as \"/shop\" of letters, digits, \"-\", \"_\", \".\" and \"~\", or empty";
constexpr string_view kExpectedHosts =
    R"(names such as "shop.example.com" or "*.shop.example.com", with a port or without)";

bool is_app_name(string_view text) {
  return !text.empty() && text.size() <= kNameBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// What means the same to whoever decodes it: no escapes, no empty segment, none of dots alone.
bool is_prefix(string_view text) {
  if (text.empty()) return true;
  if (text.size() > kPathBytesMax || text.front() != '/' || text.back() == '/') return false;
  string_view rest = text.substr(1);
  while (true) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const string_view segment = rest.substr(0, slash);
    const bool plain = std::all_of(segment.begin(), segment.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_' || c == '.' || c == '~';
    });
    if (!plain || segment.empty() || segment == "." || segment == "..") return false;
    if (slash == rest.size()) return true;
    rest.remove_prefix(slash + 1);
  }
}

std::vector<Key> build_keys() {
  using S = AppEntry;
  constexpr auto kAt = &Config::app_defaults;
  return {
      {"apps", "name", TextKind{at<kAt, &S::name>, is_app_name, kExpectedName},
       "What the log calls the app."},
      {"apps", "config", TextKind{at<kAt, &S::config>},
       "Path of the file with what the app has of its own. Read again on SIGHUP, as this one is."},
      {"apps", "path", TextKind{at<kAt, &S::path>, is_prefix, kExpectedPath},
       "The paths below this one are the app's: with `/shop` its clients connect to "
       "`/shop/anywire`, and its HTTP API is at `/shop/api/v1`. Of several that fit, the longest "
       "counts."},
      {"apps", "hosts", ListKind{at<kAt, &S::hosts>, http::is_host_pattern, kExpectedHosts, 0},
       "Requests that name one of these hosts are the app's, whatever their path. They come before "
       "the paths; the first app that fits has the request."},
  };
}

std::span<const Key> app_keys() {
  static const std::vector<Key> all = build_keys();
  return all;
}

bool is_at_or_below(string_view path, string_view prefix) {
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || path[prefix.size()] == '/');
}

// A path of the main file's protocols that nobody could reach any more.
std::optional<string_view> hidden_by(string_view prefix, const Config& config) {
  const auto hides = [&](string_view path) { return is_at_or_below(path, prefix); };
  if (config.raw.enabled && (hides("/raw") || is_at_or_below(prefix, "/raw"))) return "/raw";
  if (config.raw.echo && hides("/echo")) return "/echo";
  if (config.native.enabled && hides(config.native.path)) return config.native.path;
  if (config.api.enabled && hides(config.api.path)) return config.api.path;
  return std::nullopt;
}

class Checker {
 public:
  Checker(const Config& config, std::vector<std::string>& problems)
      : config_(config), problems_(problems) {}

  void check(std::size_t index) {
    const AppEntry& app = config_.apps[index];
    if (app.name == kDefaultApp) add(index, "name", "has the name of the main file's own app");
    if (app.config.empty()) add(index, "config", "needs a \"config\", the file with its settings");
    if (app.path.empty() && app.hosts.empty()) {
      add(index, "path", "needs a \"path\" or \"hosts\", or no request would be for it");
    }
    if (const auto hidden = hidden_by(app.path, config_); !app.path.empty() && hidden) {
      add(index, "path", fmt::format("has a \"path\" that would hide {} of this file's own app",
                                     in_quotes_short(*hidden)));
    }
    for (std::size_t i = 0; i < index; ++i) check_against(index, config_.apps[i]);
  }

 private:
  void check_against(std::size_t index, const AppEntry& before) {
    const AppEntry& app = config_.apps[index];
    if (app.name == before.name) add(index, "name", "has the name of another one");
    if (!app.path.empty() && app.path == before.path) {
      add(index, "path", fmt::format("has the \"path\" of {}", in_quotes_short(before.name)));
    }
    for (const std::string& host : app.hosts) {
      const auto same = std::any_of(before.hosts.begin(), before.hosts.end(), [&](auto& other) {
        return http::equals_ignore_case(host, other);
      });
      if (!same) continue;
      add(index, "hosts", fmt::format("has the host {}, which {} has as well",
                                      in_quotes_short(host), in_quotes_short(before.name)));
    }
  }

  void add(std::size_t index, string_view member, string_view text) {
    problems_.push_back(fmt::format("{}app {} ({}) {}",
                                    place_in_list(config_.app_sources, index, member), index + 1,
                                    in_quotes_short(config_.apps[index].name), text));
  }

  const Config& config_;
  std::vector<std::string>& problems_;
};

}  // namespace

const ListTable& app_list() {
  static const ListTable list{
      .table = kAppsTable,
      .element = "app",
      .name = "app",
      .required = "name",
      .example = "[{name = \"shop\", config = \"shop.toml\", path = \"/shop\"}]",
      .most = kAppsMax,
      .needs_more = true,
      .keys = app_keys,
      .sources = &Config::app_sources,
      .size = [](const Config& config) { return config.apps.size(); },
      .clear = [](Config& config) { config.apps.clear(); },
      .begin = [](Config& scratch, const Config& config) {
        scratch.app_defaults = config.app_defaults;
      },
      .show = [](Config& scratch, const Config& config, std::size_t index) {
        scratch.app_defaults = config.apps[index];
      },
      .add = [](Config& config, const Config& scratch) {
        config.apps.push_back(scratch.app_defaults);
      }};
  return list;
}

bool belongs_to_app(string_view table, string_view name) {
  constexpr std::array<string_view, 10> kTables{"auth", "keys",   "channels", "limits", "app",
                                                "contract", "raw", "native",   "api",    "history"};
  if (table == "http") return name.empty() || name == "allowed_origins";
  return std::find(kTables.begin(), kTables.end(), table) != kTables.end();
}

void share_process(const Config& process, Config& app) {
  app.server = process.server;
  app.tls = process.tls;
  std::vector<std::string> origins = std::move(app.http.allowed_origins);
  app.http = process.http;
  app.http.allowed_origins = std::move(origins);
  app.websocket = process.websocket;
  app.fallback = process.fallback;
  app.front = process.front;
  app.log = process.log;
}

void check_apps(const Config& config, std::vector<std::string>& problems) {
  Checker checker(config, problems);
  for (std::size_t i = 0; i < config.apps.size(); ++i) checker.check(i);
}

void check_app_files(const Config& config, std::vector<std::string>& problems) {
  const auto path_of = [&](std::size_t app) -> const std::string& {
    return app == 0 ? config.history.path : config.app_configs[app - 1].history.path;
  };
  for (std::size_t i = 0; i < config.app_configs.size(); ++i) {
    for (std::size_t before = 0; before <= i; ++before) {
      if (path_of(i + 1).empty() || path_of(i + 1) != path_of(before)) continue;
      problems.push_back(fmt::format(
          "{}: \"history.path\" ({}) is the file of another app", config.apps[i].config,
          in_quotes_short(path_of(i + 1))));
      break;
    }
  }
}

}  // namespace anywire::server
