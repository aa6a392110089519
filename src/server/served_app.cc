#include "server/served_app.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "fetch/client.h"
#include "server/auth_keys.h"
#include "server/config_apps.h"
#include "server/config_loader.h"

namespace anywire::server {

Result<std::unique_ptr<ServedApp>> ServedApp::open(std::string name, std::string path,
                                                   const Config& config,
                                                   const std::vector<reactor::Loop*>& loops,
                                                   WallClock& wall) {
  std::unique_ptr<ServedApp> app(new ServedApp(std::move(name), std::move(path), config));
  auto brokers = BrokerGroup::open(config.history, loops, wall);
  if (!brokers) return std::unexpected(brokers.error());
  app->brokers_ = *std::move(brokers);
  std::vector<hub::HubSeat> seats;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    seats.push_back({*loops[i], app->brokers_->broker(i)});
  }
  app->rules_ = std::make_unique<hub::Rules>(config.channels, config.channel_defaults);
  app->hubs_ = std::make_unique<hub::HubGroup>(
      seats, *app->rules_,
      hub::HubOptions{.idempotency_window = config.history.idempotency_window});
  auto adapters = AdapterGroup::create(config, loops, wall);
  if (!adapters) return std::unexpected(adapters.error());
  app->adapters_ = *std::move(adapters);
  if (auto fetched = app->fetch_keys(*loops[0]); !fetched) return std::unexpected(fetched.error());
  return app;
}

Result<void> ServedApp::fetch_keys(reactor::Loop& loop) {
  const AuthSection& auth = config_.auth;
  if (auth.jwks_url.empty()) return {};
  if (!auth.jwks_url.starts_with("https:")) {
    log::warn("the keys for tokens are fetched without TLS: whoever is on the way can replace them",
              {{"server", fetch::origin_of(auth.jwks_url)}});
  }
  // The configuration has been checked.
  const auto parsed = [](const std::string& json) {
    return auth::Capability::parse(json).value_or(auth::Capability());
  };
  jwks_ = std::make_unique<JwksRefresher>(loop, adapters_->authority->keys,
                                          JwksOptions{.url = auth.jwks_url,
                                                      .refresh = auth.jwks_refresh,
                                                      .stale = auth.jwks_stale,
                                                      .capability = parsed(auth.jwks_capability),
                                                      .grants = parsed(auth.jwks_grants),
                                                      .ca_file = {}});
  adapters_->authority->keys.set_source(jwks_.get());
  return jwks_->start();
}

// Connections live on, also those whose token is of a key that has gone: a revocation ends them.
void ServedApp::reload_keys(const Config& changed) {
  auto keys = load_auth_keys(changed, read_config_file);
  if (!keys) {
    log::error("keys not reloaded, the old ones stay",
               {{"app", name_}, {"reason", keys.error().message}});
    return;
  }
  const std::size_t count = keys->keys().size();
  adapters_->authority->keys.set_configured(*std::move(keys));
  log::info("keys reloaded", {{"app", name_}, {"keys", count}});
}

namespace {

std::set<std::string> secrets_of(
    const Config& config, const std::function<Result<std::string>(const std::string&)>& read_file) {
  std::set<std::string> secrets;
  const auto add = [&](const std::string& text, const std::string& file) {
    if (!text.empty()) secrets.insert(text);
    if (file.empty()) return;
    if (auto read = read_file(file)) {
      // As load_auth_keys() has it.
      if (read->ends_with('\n')) read->pop_back();
      if (read->ends_with('\r')) read->pop_back();
      secrets.insert(*std::move(read));
    }
  };
  add(config.auth.hs256_secret, config.auth.hs256_secret_file);
  for (const KeySection& key : config.keys) add(key.secret, key.secret_file);
  return secrets;
}

}  // namespace

std::vector<std::string> common_secrets(
    const Config& config, const std::function<Result<std::string>(const std::string&)>& read_file) {
  std::vector<std::set<std::string>> all{secrets_of(config, read_file)};
  for (const Config& app : config.app_configs) all.push_back(secrets_of(app, read_file));
  const auto name = [&](std::size_t app) {
    return app == 0 ? std::string(kDefaultApp) : config.apps[app - 1].name;
  };
  std::vector<std::string> sentences;
  for (std::size_t b = 1; b < all.size(); ++b) {
    for (std::size_t a = 0; a < b; ++a) {
      const bool common = std::any_of(all[a].begin(), all[a].end(), [&](const std::string& secret) {
        return all[b].contains(secret);
      });
      if (!common) continue;
      sentences.push_back(fmt::format(
          "the apps \"{}\" and \"{}\" have a secret in common: a token of the one is good for the "
          "other",
          name(a), name(b)));
    }
  }
  return sentences;
}

}  // namespace anywire::server
