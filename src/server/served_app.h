// Served app: what one app has for all loops: its rules, brokers and hubs, its keys, sessions,
// limits and hooks. A process has one, of the main file, and one for each of [[apps]]; they share
// nothing but loops and connections.
//
// Thread: made, reloaded, settled and destroyed by the Server's thread; `hub` and `adapters` are
// for the workers. Lifetime: configuration, loops and wall clock outlive it; it outlives the
// workers and is destroyed when no loop runs any more.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "hub/hub.h"
#include "reactor/loop.h"
#include "server/adapters.h"
#include "server/brokers.h"
#include "server/config.h"
#include "server/jwks_refresher.h"

namespace anywire::server {

class ServedApp {
 public:
  // `path` is in front of its paths, or empty. The error is one line for the operator: a history
  // file that cannot be opened, a key that cannot be read. JWKS is first fetched on `loops[0]`.
  static Result<std::unique_ptr<ServedApp>> open(std::string name, std::string path,
                                                 const Config& config,
                                                 const std::vector<reactor::Loop*>& loops,
                                                 WallClock& wall);

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  const Config& config() const { return config_; }
  hub::Hub& hub(std::size_t loop) { return hubs_->hub(loop); }
  AdapterGroup& adapters() { return *adapters_; }
  const BrokerGroup& brokers() const { return *brokers_; }

  // Takes the keys of `changed`, unless one of them cannot be read: then the old ones stay. Says
  // which in the log. Connections live on.
  void reload_keys(const Config& changed);
  // As BrokerGroup::settle.
  bool settle(Duration patience) { return brokers_->settle(patience); }

 private:
  ServedApp(std::string name, std::string path, const Config& config)
      : name_(std::move(name)), path_(std::move(path)), config_(config) {}
  Result<void> fetch_keys(reactor::Loop& loop);

  const std::string name_;
  const std::string path_;
  const Config& config_;
  std::unique_ptr<const hub::Rules> rules_;
  std::unique_ptr<BrokerGroup> brokers_;
  std::unique_ptr<hub::HubGroup> hubs_;
  std::unique_ptr<AdapterGroup> adapters_;
  std::unique_ptr<JwksRefresher> jwks_;  // null without a URL
};

// One sentence for each two apps of `config` that have a secret for tokens in common: a token of
// the one is good for the other. Files that cannot be read are left out.
std::vector<std::string> common_secrets(
    const Config& config, const std::function<Result<std::string>(const std::string&)>& read_file);

}  // namespace anywire::server
