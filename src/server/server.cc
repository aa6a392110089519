#include "server/server.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/fd_limit.h"
#include "base/heap.h"
#include "base/log.h"
#include "server/app_router.h"
#include "server/config_apps.h"
#include "server/config_loader.h"
#include "server/served_app.h"
#include "server/worker.h"

namespace anywire::server {
namespace {

// Descriptors that are no connections: log, epoll, eventfd, io_uring and reserve of each loop.
constexpr std::uint64_t kDescriptorsPerLoop = 8;
constexpr std::uint64_t kDescriptorsBesides = 16;

tls::ContextOptions tls_options(const TlsSection& section) {
  return {.certificate_file = section.certificate,
          .key_file = section.key,
          .min_version = section.min_version == TlsVersion::k13 ? tls::MinVersion::kTls13
                                                                : tls::MinVersion::kTls12};
}

class Server {
 public:
  Server(const Config& config, const ServerOptions& options)
      : config_(config), options_(options) {}

  Result<void> start();
  void wait_for_end();

 private:
  Result<void> make_workers();
  Result<void> listen();
  Result<void> listen(net::Address address);
  void announce() const;
  Result<void> open_apps(const std::vector<reactor::Loop*>& loops);
  bool settle(Duration patience);
  void reload();
  void reload_certificate();
  void reload_keys();
  std::uint64_t connections_max(unsigned loops) const;

  const Config& config_;
  const ServerOptions& options_;
  SystemClock clock_;
  std::uint64_t descriptors_max_ = 0;
  std::vector<std::unique_ptr<reactor::Loop>> loops_;
  SystemWallClock wall_clock_;
  std::vector<std::unique_ptr<ServedApp>> apps_;  // the default one first
  std::unique_ptr<const AppRouter> router_;       // null where there is no other
  std::unique_ptr<ConnectionBudget> budget_;
  std::unique_ptr<AddressBudget> addresses_;
  std::unique_ptr<Overload> overload_;
  protocol::HttpStreamGroup http_streams_;
  WorkerGroup worker_group_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

std::uint64_t Server::connections_max(unsigned loops) const {
  const std::uint64_t besides = kDescriptorsBesides + loops * kDescriptorsPerLoop;
  const std::uint64_t possible = descriptors_max_ > besides ? descriptors_max_ - besides : 1;
  const auto wanted = static_cast<std::uint64_t>(config_.server.connections_max);
  return wanted == 0 ? possible : std::min(wanted, possible);
}

Result<void> Server::make_workers() {
  std::shared_ptr<const tls::Context> tls;
  if (config_.tls.enabled()) {
    auto context = tls::Context::load(tls_options(config_.tls));
    if (!context) return std::unexpected(context.error());
    tls = std::move(*context);
  }
  if (!config_.front.files.empty()) {
    if (auto checked = front::Files::check(config_.front.files); !checked) {
      return std::unexpected(checked.error());
    }
  }
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  const unsigned count = config_.server.loops > 0 ? static_cast<unsigned>(config_.server.loops)
                                                  : cores;
  std::vector<reactor::Loop*> loops;
  for (unsigned i = 0; i < count; ++i) {
    auto loop = reactor::Loop::create(reactor::LoopOptions{.index = i}, clock_);
    if (!loop) return std::unexpected(loop.error());
    loops_.push_back(std::move(*loop));
    loops.push_back(loops_.back().get());
  }
  if (auto opened = open_apps(loops); !opened) return opened;
  budget_ = std::make_unique<ConnectionBudget>(connections_max(count));
  addresses_ = std::make_unique<AddressBudget>(
      static_cast<std::uint32_t>(config_.server.connections_per_address_max));
  overload_ = std::make_unique<Overload>(
      OverloadOptions{.memory_max = config_.server.memory_max,
                      .loop_lag_max = config_.server.loop_lag_max,
                      .loops = count});
  std::vector<ServedApp*> others;
  for (std::size_t i = 1; i < apps_.size(); ++i) others.push_back(apps_[i].get());
  const WorkerOptions options{.config = config_,
                              .budget = *budget_,
                              .addresses = *addresses_,
                              .overload = *overload_,
                              .adapters = apps_[0]->adapters(),
                              .http_streams = http_streams_,
                              .workers = worker_group_,
                              .welcome_page = options_.dev,
                              .router = router_.get(),
                              .others = others};
  for (unsigned i = 0; i < count; ++i) {
    workers_.push_back(std::make_unique<Worker>(*loops_[i], options, apps_[0]->hub(i), tls));
  }
  return {};
}

Result<void> Server::open_apps(const std::vector<reactor::Loop*>& loops) {
  const auto open = [&](std::string name, std::string path, const Config& config) -> Result<void> {
    auto app = ServedApp::open(name, std::move(path), config, loops, wall_clock_);
    if (app) {
      apps_.push_back(*std::move(app));
      return {};
    }
    // Where there is one app only, nobody has heard of its name.
    if (!config_.apps.empty()) {
      app.error().message = fmt::format("app \"{}\": {}", name, app.error().message);
    }
    return std::unexpected(std::move(app.error()));
  };
  if (auto opened = open(std::string(kDefaultApp), {}, config_); !opened) return opened;
  for (std::size_t i = 0; i < config_.apps.size(); ++i) {
    const AppEntry& entry = config_.apps[i];
    auto opened = open(entry.name, entry.path, config_.app_configs[i]);
    if (!opened) return opened;
  }
  if (config_.apps.empty()) return {};
  router_ = std::make_unique<AppRouter>(config_.apps);
  for (const std::string& sentence : common_secrets(config_, read_config_file)) {
    log::warn(sentence);
  }
  return {};
}

// ":3001" stands for every interface: an IPv4 and an IPv6 socket, because a socket for both costs
// more kernel memory per IPv4 connection and names its peers in mapped form.
std::vector<std::string> expand(const std::vector<std::string>& listen) {
  std::vector<std::string> expanded;
  for (const std::string& text : listen) {
    if (text.starts_with(':')) {
      expanded.push_back("0.0.0.0" + text);
      expanded.push_back("[::]" + text);
    } else {
      expanded.push_back(text);
    }
  }
  return expanded;
}

Result<void> Server::listen() {
  std::uint16_t dev_port = 0;
  for (const std::string& text : expand(config_.server.listen)) {
    auto address = net::Address::parse(text);
    if (!address) return std::unexpected(address.error());
    // `anywire dev --port 0`: one port for both loopback addresses, as "localhost" means both.
    if (options_.dev && address->is_ip() && address->port() == 0) address->set_port(dev_port);
    auto listening = listen(*address);
    // A machine without IPv6 is no reason not to serve the rest.
    const bool no_ipv6 = !listening && address->family() == net::Family::kIpv6 &&
                         (listening.error().system_errno == EAFNOSUPPORT ||
                          listening.error().system_errno == EADDRNOTAVAIL) &&
                         !workers_[0]->listeners().empty();
    if (no_ipv6) {
      log::warn("no IPv6 on this machine", {{"address", text}});
    } else if (!listening) {
      return listening;
    }
    dev_port = workers_[0]->listeners().back()->address().port();
  }
  return {};
}

Result<void> Server::listen(net::Address address) {
  if (auto unused = net::check_unused(address); !unused) return unused;
  const net::Listener* first = nullptr;
  for (const auto& worker : workers_) {
    if (auto listening = worker->listen(address, first); !listening) return listening;
    if (first != nullptr) continue;
    first = worker->listeners().back().get();
    address = first->address();  // with the port the kernel chose, if it was left to it
    if (!config_.server.reuse_port) break;
  }
  return {};
}

void Server::announce() const {
  for (const auto& app : apps_) {
    if (app->brokers().store() == nullptr) continue;
    log::info("durable channels are on disk",
              {{"app", app->name()}, {"file", app->config().history.path}});
  }
  for (const auto& listener : workers_[0]->listeners()) {
    log::info("listening", {{"address", listener->address().to_string()},
                            {"tls", config_.tls.enabled()},
                            {"loops", loops_.size()}});
  }
  if (!options_.dev || workers_[0]->listeners().empty()) return;
  const std::string port = std::to_string(workers_[0]->listeners()[0]->address().port());
  const bool has_site = !config_.front.upstream.empty() || !config_.front.files.empty();
  std::printf(
      "\n  Anywire is running\n\n"
      "  %s   http://localhost:%s/\n"
      "  Same chat, raw     ws://localhost:%s/\n"
      "  For our packages   ws://localhost:%s%s\n"
      "  Any channel, raw   ws://localhost:%s/raw/my-channel\n"
      "  JSON echo          ws://localhost:%s/echo\n\n"
      "  Stop with Ctrl+C. This mode trusts everybody; `anywire serve` is for production.\n\n",
      has_site ? "Your site       " : "Chat in two tabs", port.c_str(), port.c_str(), port.c_str(),
      config_.native.path.c_str(), port.c_str(), port.c_str());
  std::fflush(stdout);
}

Result<void> Server::start() {
  auto limit = raise_fd_limit();
  if (!limit) return std::unexpected(limit.error());
  descriptors_max_ = *limit;
  if (auto made = make_workers(); !made) return made;
  if (auto listening = listen(); !listening) return listening;
  for (const auto& worker : workers_) worker->start();
  announce();
  return {};
}

void Server::reload_keys() {
  std::optional<Config> changed;
  if (options_.reload_config) {
    auto config = options_.reload_config();
    if (!config) {
      for (const std::string& problem : config.error()) log::error(problem);
      log::error("keys not reloaded, the old ones stay");
      return;
    }
    changed = *std::move(config);
  }
  const Config& now = changed ? *changed : config_;
  apps_[0]->reload_keys(now);
  for (std::size_t i = 1; i < apps_.size(); ++i) {
    const std::string& name = apps_[i]->name();
    const auto same = std::find_if(now.apps.begin(), now.apps.end(),
                                   [&](const AppEntry& entry) { return entry.name == name; });
    if (same == now.apps.end()) {
      log::warn("the app is in the configuration no more; it is served until a restart",
                {{"app", name}});
      continue;
    }
    apps_[i]->reload_keys(now.app_configs[static_cast<std::size_t>(same - now.apps.begin())]);
  }
  if (now.apps.size() + 1 > apps_.size()) log::warn("new apps are served after a restart");
}

void Server::reload() {
  reload_keys();
  reload_certificate();
}

void Server::reload_certificate() {
  if (!config_.tls.enabled()) {
    return;
  }
  auto context = tls::Context::load(tls_options(config_.tls));
  if (!context) {
    log::error("certificate not reloaded, the old one stays",
               {{"reason", context.error().message}});
    return;
  }
  for (const auto& worker : workers_) worker->replace_tls(*context);
  log::info("certificate reloaded");
}

bool Server::settle(Duration patience) {
  const TimePoint until = clock_.now() + patience;
  bool settled = true;
  for (const auto& app : apps_) {
    const Duration left = std::max(until - clock_.now(), Duration(1));
    settled = app->settle(left) && settled;
  }
  return settled;
}

void Server::wait_for_end() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  int signal = 0;
  do {
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) reload();
  } while (signal != SIGTERM && signal != SIGINT);
  log::info("draining", {{"timeout_ms", config_.server.drain_timeout}});
  const TimePoint deadline = clock_.now() + config_.server.drain_timeout;
  for (const auto& worker : workers_) worker->stop_accepting();
  // Whoever has published is answered before the goodbye; but a disk that hangs may not use up all
  // the time for that.
  const Duration patience = config_.server.drain_timeout / 2;
  if (patience.count() > 0 && !settle(patience)) {
    log::warn("some publications take too long to be answered");
  }
  for (const auto& worker : workers_) worker->drain(deadline);
  for (const auto& worker : workers_) worker->join();
}

// Every thread inherits this, so that signals reach only the main thread, by sigwait.
void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  // A file at its size limit is a full disk, and no reason to end.
  ::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace

Result<void> run(const Config& config, const ServerOptions& options) {
  block_signals();
  heap::keep_freed_memory();
  {
    Server server(config, options);
    if (auto started = server.start(); !started) return started;
    server.wait_for_end();
  }  // writes what still waits for the disk
  log::info("stopped");
  return {};
}

}  // namespace anywire::server
