#include "server/config_channels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "server/config_accessors.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using namespace std::chrono_literals;
using std::string_view;

constexpr std::array<string_view, 3> kAccesses{"anyone", "users", "capability"};
constexpr std::array<string_view, 5> kSlowConsumers{"auto", "recover", "latest", "drop",
                                                    "disconnect"};
constexpr string_view kProtocols = "protocols, \"native\" or \"raw\"";

template <auto Member>
EnumKind access() {
  return one_of<&Config::channel_defaults, Member>(kAccesses);
}

std::vector<Key> build_history_keys() {
  using R = hub::ChannelRule;
  constexpr auto kAt = &Config::channel_defaults;
  return {
      {"channels", "pattern", PatternKind{at<kAt, &R::pattern>},
       "The channels the rule is about: `*` stands for any characters, also none, also `:` and "
       "`/`; `?` for one character."},
      {"channels", "history_messages", IntKind{at<kAt, &R::history_messages>, 0, 1'000'000},
       "Messages kept, so that clients can recover what they missed and ask for what was said "
       "before. 0 means none."},
      {"channels", "history_bytes_max", SizeKind{at<kAt, &R::history_bytes_max>, kKiB, kGiB},
       "Size of the messages kept; the oldest go first."},
      {"channels", "history_ttl", DurationKind{at<kAt, &R::history_ttl>, 0ms, 24h * 365},
       "How long a message is kept. 0 means as long as there is room."},
      {"channels", "durable", BoolKind{at<kAt, &R::durable>},
       "Keep the history on disk, in `history.path`, and acknowledge a publication only when it is "
       "there."},
      {"channels", "presence", BoolKind{at<kAt, &R::presence>},
       "Let clients enter the channel, and tell its members who else is there."},
      {"channels", "presence_grace", DurationKind{at<kAt, &R::presence_grace>, 0ms, 10min},
       "How long a member whose connection was lost is still there, so that reloading a page shows "
       "nobody leaving."},
      {"channels", "occupancy", BoolKind{at<kAt, &R::occupancy>},
       "Tell subscribers how many they are."},
      {"channels", "members_max", IntKind{at<kAt, &R::members_max>, 1, 1'000'000},
       "Members a channel with presence may have; further ones are refused."},
  };
}

std::vector<Key> build_access_and_delivery_keys() {
  using R = hub::ChannelRule;
  constexpr auto kAt = &Config::channel_defaults;
  return {
      {"channels", "subscribe", access<&R::subscribe>(),
       "Who may subscribe: `anyone`, `users` (who has a user id) or those whose token grants the "
       "`capability`."},
      {"channels", "publish", access<&R::publish>(), "Who may publish, in the same words."},
      {"channels", "history_access", access<&R::history_access>(),
       "Who may ask for history. Recovery after a lost connection needs no more than to "
       "subscribe."},
      {"channels", "presence_access", access<&R::presence_access>(),
       "Who may enter and see who is there."},
      {"channels", "slow_consumer", one_of<kAt, &R::slow_consumer>(kSlowConsumers),
       "What happens to a subscriber that reads too slowly. `recover`: it continues from the "
       "history once it has caught up; `latest`: it gets the newest message; `drop`: it misses "
       "some; `disconnect`: its connection is closed. It is told of every gap. `auto` is `recover` "
       "with history and `disconnect` without."},
      {"channels", "flush_window", DurationKind{at<kAt, &R::flush_window>, 0ms, 5ms},
       "Hold messages back for so long to send more at once: less work at high rates, for a "
       "little latency."},
      {"channels", "conflate", BoolKind{at<kAt, &R::conflate>},
       "Of waiting messages with the same key send only the newest: for prices, positions and "
       "other states."},
      {"channels", "delta", BoolKind{at<kAt, &R::delta>},
       "Offer differences to the message before instead of whole messages, to clients that ask for "
       "it."},
      {"channels", "message_bytes_max", SizeKind{at<kAt, &R::message_bytes_max>, 0, kGiB},
       "Size of a message's payload. 0 means what the connection allows."},
      {"channels", "protocols",
       ListKind{at<kAt, &R::protocols>, is_channel_protocol, kProtocols, 0},
       "Protocols that may use the channel. Empty means all."},
      {"channels", "subscribe_hook", BoolKind{at<kAt, &R::subscribe_hook>},
       "Ask the application (`[app]`) about every subscription to the channel. Pattern "
       "subscriptions leave the channel out."},
      {"channels", "publish_hook", BoolKind{at<kAt, &R::publish_hook>},
       "Ask the application about every message that a client publishes: it may refuse or change "
       "it."},
      {"channels", "schema", TextKind{at<kAt, &R::schema>},
       "Path of a JSON Schema that the data of every message must fit; text and binary messages "
       "are refused then. See docs/validation.md. Empty means anything."},
      {"channels", "event_schemas", TextKind{at<kAt, &R::event_schemas>},
       "Path of a JSON object with one JSON Schema for each event that messages may have; others "
       "are refused, and so are messages without an event unless `schema` is set, too."},
  };
}

std::vector<Key> build_rule_keys() {
  std::vector<Key> all = build_history_keys();
  for (Key& key : build_access_and_delivery_keys()) all.push_back(std::move(key));
  return all;
}

std::string named(const Config& config, std::size_t index) {
  return fmt::format("channel rule {} ({})", index + 1,
                     in_quotes_short(config.channels[index].pattern.pattern()));
}

// The first rule that takes every channel of a later one makes it useless.
void check_reach(const Config& config, std::size_t index, std::vector<std::string>& problems) {
  for (std::size_t before = 0; before < index; ++before) {
    if (!config.channels[before].pattern.covers(config.channels[index].pattern)) continue;
    problems.push_back(fmt::format("{}{} never applies, because {} takes all its channels; the "
                                   "first match wins",
                                   place_in_list(config.channel_sources, index, "pattern"),
                                   named(config, index), named(config, before)));
    return;
  }
}

void check_rule(const Config& config, std::size_t index, std::vector<std::string>& problems) {
  const hub::ChannelRule& rule = config.channels[index];
  // `key` is the one to blame.
  const auto add = [&](string_view key, string_view text) {
    problems.push_back(
        fmt::format("{}{} {}", place_in_list(config.channel_sources, index, key),
                    named(config, index), text));
  };
  const bool history = rule.history_messages > 0;
  if (rule.durable && !history) {
    add("durable", "is durable but keeps no history: set \"history_messages\"");
  }
  if (rule.durable && config.history.path.empty()) {
    add("durable", "is durable, but \"history.path\" names no file for it: set one, such as "
                   "path = \"/var/lib/anywire/history.db\" in [history]");
  }
  if (rule.slow_consumer == hub::SlowConsumer::kRecover && !history) {
    add("slow_consumer",
        "lets slow consumers recover but keeps no history: set \"history_messages\"");
  }
  if (history && rule.history_bytes_max > config.history.memory_max) {
    add("history_bytes_max",
        fmt::format("has a \"history_bytes_max\" ({}) above \"history.memory_max\" ({})",
                    format_size(rule.history_bytes_max), format_size(config.history.memory_max)));
  }
  if (rule.message_bytes_max > config.websocket.message_bytes_max) {
    add("message_bytes_max",
        fmt::format("has a \"message_bytes_max\" ({}) above \"websocket.message_bytes_max\" ({})",
                    format_size(rule.message_bytes_max),
                    format_size(config.websocket.message_bytes_max)));
  }
}

}  // namespace

std::span<const Key> rule_keys() {
  static const std::vector<Key> all = build_rule_keys();
  return all;
}

const Key* find_rule_key(string_view name) { return find_list_key(channel_list(), name); }

const ListTable& channel_list() {
  static const ListTable list{
      .table = kChannelsTable,
      .element = "rule",
      .name = "channel rule",
      .required = "pattern",
      .example = "[{pattern = \"chat:*\", history_messages = 100}]",
      .most = hub::kRulesMax,
      .needs_more = false,
      .keys = rule_keys,
      .sources = &Config::channel_sources,
      .size = [](const Config& config) { return config.channels.size(); },
      .clear = [](Config& config) { config.channels.clear(); },
      .begin = [](Config& scratch, const Config& config) {
        scratch.channel_defaults = config.channel_defaults;
      },
      .show = [](Config& scratch, const Config& config, std::size_t index) {
        scratch.channel_defaults = config.channels[index];
      },
      .add = [](Config& config, const Config& scratch) {
        config.channels.push_back(scratch.channel_defaults);
      }};
  return list;
}

void check_rules(const Config& config, std::vector<std::string>& problems) {
  for (std::size_t i = 0; i < config.channels.size(); ++i) {
    check_reach(config, i, problems);
    check_rule(config, i, problems);
  }
}

}  // namespace anywire::server
