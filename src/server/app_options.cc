#include "server/app_options.h"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "auth/key.h"
#include "fetch/client.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

constexpr std::string_view kConnect = "connect";
constexpr std::string_view kRpc = "rpc";
constexpr std::string_view kEvents = "events";

// An editor ends a file with a line break, which nobody means to be part of the secret.
std::string_view without_line_break(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

Result<std::string> secret_of(
    const AppSection& app,
    const std::function<Result<std::string>(const std::string&)>& read_file) {
  if (!app.secret.empty()) return app.secret;
  const auto in_file = [&](std::string_view why) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("\"app.secret_file\" ({}): {}", in_quotes_short(app.secret_file), why));
  };
  Result<std::string> text = read_file(app.secret_file);
  if (!text) return in_file(text.error().message);
  std::string secret(without_line_break(*text));
  OPENSSL_cleanse(text->data(), text->size());
  if (secret.size() >= auth::kSecretBytesMin) return secret;
  return in_file(fmt::format("the secret must have at least {} bytes", auth::kSecretBytesMin));
}

bool asks(const AppSection& app, std::string_view hook) {
  return std::ranges::find(app.hooks, hook) != app.hooks.end();
}

bool has_hook(const hub::ChannelRule& rule) { return rule.subscribe_hook || rule.publish_hook; }

}  // namespace

bool is_hook_url(std::string_view text) {
  return text.empty() || fetch::check_url(text).has_value();
}

bool is_hook_name(std::string_view text) {
  return text == kConnect || text == kRpc || text == kEvents;
}

Result<std::optional<hooks::AppOptions>> app_options(
    const Config& config,
    const std::function<Result<std::string>(const std::string&)>& read_file) {
  const AppSection& app = config.app;
  if (app.url.empty()) return std::optional<hooks::AppOptions>();
  Result<std::string> secret = secret_of(app, read_file);
  if (!secret) return std::unexpected(secret.error());
  if (!app.ca_file.empty()) {
    if (const Result<std::string> pem = read_file(app.ca_file); !pem) {
      return fail(ErrorCode::kNotFound, fmt::format("\"app.ca_file\" ({}): {}",
                                                    in_quotes_short(app.ca_file),
                                                    pem.error().message));
    }
  }
  hooks::AppOptions options;
  options.dispatcher.url = app.url;
  options.dispatcher.timeout = app.timeout;
  options.dispatcher.requests_max = static_cast<std::size_t>(app.requests_max);
  options.dispatcher.queue_max = static_cast<std::size_t>(app.queue_max);
  // One message of the largest size must fit, base64 included.
  options.dispatcher.queue_bytes_max =
      std::max(app.queue_bytes_max, 4 * config.websocket.message_bytes_max);
  options.secret = *std::move(secret);
  options.ca_file = app.ca_file;
  options.asks_connect = asks(app, kConnect);
  options.asks_rpc = asks(app, kRpc);
  options.tells_events = asks(app, kEvents);
  options.allow_unavailable = app.unavailable == Verdict::kAllow;
  options.message_bytes_max = config.websocket.message_bytes_max;
  return options;
}

void check_app(const Config& config, std::vector<std::string>& problems) {
  const AppSection& app = config.app;
  if (!app.secret.empty() && !app.secret_file.empty()) {
    problems.push_back("\"app.secret\" and \"app.secret_file\" are both set; one of them is it");
  }
  if (!app.url.empty()) {
    if (app.secret.empty() && app.secret_file.empty()) {
      problems.push_back(
          "\"app.url\" is set but \"app.secret\" is not: the application must be able to tell "
          "requests of this server from others");
    }
    return;
  }
  if (!app.hooks.empty()) {
    problems.push_back(
        "\"app.hooks\" asks the application but \"app.url\" does not say where it is");
  }
  const auto rule = std::ranges::find_if(config.channels, has_hook);
  if (rule != config.channels.end() || has_hook(config.channel_defaults)) {
    problems.push_back(fmt::format(
        "a channel rule ({}) asks the application but \"app.url\" does not say where it is",
        rule == config.channels.end() ? "of all channels"
                                      : in_quotes_short(rule->pattern.pattern())));
  }
}

}  // namespace anywire::server
