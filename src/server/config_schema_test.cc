#include "server/config_schema.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "server/config_channels.h"
#include "server/limit_options.h"

namespace anywire::server {
namespace {

using namespace std::chrono_literals;

const Key& key(std::string_view table, std::string_view name) {
  const Key* found = find_key(table, name);
  EXPECT_NE(found, nullptr) << table << '.' << name;
  return *found;
}

// Every key there is, those of a channel rule included.
std::vector<const Key*> every_key() {
  std::vector<const Key*> all;
  for (const Key& k : keys()) all.push_back(&k);
  for (const ListTable* list : list_tables()) {
    for (const Key& k : list->keys()) all.push_back(&k);
  }
  return all;
}

// The problem's text, or "ok".
std::string outcome(const Key& k, const Value& value, Config& config) {
  const auto problem = assign(k, value, config);
  return problem ? problem->text : "ok";
}

std::string outcome(const Key& k, const Value& value) {
  Config config;
  return outcome(k, value, config);
}

TEST(ConfigSchema, NamesEveryKeyOnceInAKnownTable) {
  std::set<std::string> paths, variables, known;
  for (const Table& table : tables()) known.insert(std::string(table.name));
  for (const Key& k : keys()) {
    EXPECT_TRUE(paths.insert(k.path()).second) << k.path();
    EXPECT_TRUE(variables.insert(k.variable()).second) << k.variable();
    EXPECT_TRUE(known.contains(std::string(k.table))) << k.path();
  }
}

TEST(ConfigSchema, WritesNamesInSnakeCase) {
  for (const Key& k : keys()) {
    for (const char c : std::string(k.name)) {
      const bool digit = c >= '0' && c <= '9';
      EXPECT_TRUE((c >= 'a' && c <= 'z') || digit || c == '_') << k.path();
    }
    EXPECT_EQ(k.table.find('_'), k.table.npos) << "a variable's table could not be told";
  }
}

TEST(ConfigSchema, KeepsTheTablesOrder) {
  std::vector<std::string_view> seen;
  for (const Key& k : keys()) {
    if (seen.empty() || seen.back() != k.table) seen.push_back(k.table);
  }
  ASSERT_EQ(seen.size(), tables().size()) << "the keys of a table are apart";
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], tables()[i].name);
}

TEST(ConfigSchema, DocumentsEveryKeyInSentences) {
  for (const Key* k : every_key()) {
    EXPECT_GT(k->doc.size(), 15u) << k->path();
    EXPECT_EQ(k->doc.back(), '.') << k->path();
  }
}

TEST(ConfigSchema, ReservesNoVariableOfAKey) {
  for (const Key& k : keys()) EXPECT_FALSE(is_reserved_variable(k.variable())) << k.variable();
}

TEST(ConfigSchema, ReservesApplicationAndKubernetesVariables) {
  for (const char* name : {"ANYWIRE_URL", "ANYWIRE_BIN", "ANYWIRE_CONFIG", "ANYWIRE_PORT",
                           "ANYWIRE_SERVICE_HOST", "ANYWIRE_SERVICE_PORT_HTTP",
                           "ANYWIRE_PORT_3001_TCP_ADDR"}) {
    EXPECT_TRUE(is_reserved_variable(name)) << name;
  }
  EXPECT_FALSE(is_reserved_variable("ANYWIRE_SERVER_LISTENS"));
  EXPECT_FALSE(is_reserved_variable("ANYWIRE_"));
}

TEST(ConfigSchema, SpellsKeysForEverySource) {
  const Key& k = key("websocket", "ping_interval");
  EXPECT_EQ(k.path(), "websocket.ping_interval");
  EXPECT_EQ(k.variable(), "ANYWIRE_WEBSOCKET_PING_INTERVAL");
  EXPECT_EQ(k.flag(), "--websocket.ping_interval");
}

TEST(ConfigSchema, FindsNoKeyThatDoesNotExist) {
  EXPECT_EQ(find_key("websocket", "listen"), nullptr);
  EXPECT_EQ(find_key("", ""), nullptr);
}

// Every default is inside its own range and has one spelling that is read back to the same.
TEST(ConfigSchema, ReadsBackTheDefaultOfEveryKey) {
  for (const Key* one : every_key()) {
    const Key& k = *one;
    // A name has to be given: there is no default that would do.
    if (k.path() == "keys.name" || k.path() == "apps.name") continue;
    const std::string shown = format_value(k, Config{});
    // TOML without its quotes and brackets is what a variable holds; some text has its own.
    std::string text;
    const bool is_text = std::holds_alternative<TextKind>(k.kind);
    for (std::size_t i = 0; i < shown.size(); ++i) {
      if (is_text && shown[i] == '\\') {
        text += shown[++i];
      } else if (shown[i] != '"' && (is_text || (shown[i] != '[' && shown[i] != ']'))) {
        text += shown[i];
      }
    }
    Config config = dev_config();
    EXPECT_EQ(outcome(k, Text{text}, config), "ok") << k.path();
    EXPECT_EQ(format_value(k, config), shown) << k.path();
  }
}

// A value other than the one the key has, as a variable would spell it.
std::string another_value(const Key& key, Config& config) {
  return std::visit(
      [&](const auto& kind) -> std::string {
        using K = std::decay_t<decltype(kind)>;
        if constexpr (std::is_same_v<K, BoolKind>) {
          return kind.at(config) ? "false" : "true";
        } else if constexpr (std::is_same_v<K, IntKind> || std::is_same_v<K, SizeKind>) {
          return std::to_string(kind.at(config) == kind.max ? kind.min : kind.max);
        } else if constexpr (std::is_same_v<K, DurationKind>) {
          return fmt::format("{}ms", (kind.at(config) == kind.max ? kind.min : kind.max).count());
        } else if constexpr (std::is_same_v<K, EnumKind>) {
          return std::string(kind.names[kind.names.size() - 1 - kind.get(config)]);
        } else if constexpr (std::is_same_v<K, RateKind>) {
          return "7/h burst 9";
        } else if constexpr (std::is_same_v<K, RootKind>) {
          return "echo";
        } else if constexpr (std::is_same_v<K, RulesKind>) {
          return fmt::format(R"([{{"{}":"changed"}}])", kind.list->required);
        } else if constexpr (std::is_same_v<K, ListKind>) {
          for (const char* text :
               {"unix:/changed", "10.0.0.0/8", "https://changed.example", "changed.example",
                "connect", "polling"}) {
            if (kind.valid(text)) return text;
          }
          return "raw";
        } else if constexpr (std::is_same_v<K, TextKind>) {
          for (const char* text :
               {"/changed-to-something", R"({"changed":["rpc"]})", "https://changed.example/",
                "unix:/changed.sock"}) {
            if (kind.valid == nullptr || kind.valid(text)) return text;
          }
          return "changed";
        } else {
          return "/changed-to-something-of-32-bytes";  // text, a secret or a pattern
        }
      },
      key.kind);
}

// Each key has a member of its own: setting one changes that one and nothing else.
TEST(ConfigSchema, StoresEachKeyInItsOwnMember) {
  for (const Key* changed : every_key()) {
    Config config;
    const std::string other = another_value(*changed, config);
    ASSERT_EQ(outcome(*changed, Text{other}, config), "ok") << changed->path() << " = " << other;
    if (const auto* secret = std::get_if<SecretKind>(&changed->kind)) {
      EXPECT_EQ(secret->at(config), other);
      EXPECT_EQ(format_value(*changed, config), "\"\"") << "a secret is not shown";
      continue;
    }
    for (const Key* k : every_key()) {
      // One choice alone cannot be changed to another, and a middle choice mirrors itself.
      const auto* choice = std::get_if<EnumKind>(&k->kind);
      Config defaults;
      if (choice && choice->get(defaults) * 2 + 1 == choice->names.size()) continue;
      EXPECT_EQ(format_value(*k, config) != format_value(*k, Config{}), k == changed)
          << changed->path() << " changed " << k->path();
    }
  }
}

TEST(ConfigSchema, NeverShowsASecret) {
  const Key& secret = key("auth", "hs256_secret");
  const std::string expected =
      "\"auth.hs256_secret\" must be a secret of at least 32 bytes, or empty, got ";
  EXPECT_EQ(outcome(secret, Text{"hunter2"}), expected + "7 bytes");
  EXPECT_EQ(outcome(secret, std::string("hunter2")), expected + "7 bytes");
  EXPECT_EQ(outcome(secret, std::int64_t{123'456'789}), expected + "something that is not text");
  EXPECT_EQ(outcome(secret, 1.25), expected + "something that is not text");
  EXPECT_EQ(outcome(secret, std::vector<std::string>{"hunter2"}),
            expected + "something that is not text");
  EXPECT_EQ(outcome(secret, Text{std::string(31, 'x')}), expected + "31 bytes");
  EXPECT_EQ(outcome(secret, Text{std::string(32, 'x')}), "ok");
  EXPECT_EQ(outcome(secret, Text{""}), "ok");
  EXPECT_EQ(outcome(secret, Text{std::string(5'000, 'x')}), expected + "5000 bytes");
}

TEST(ConfigSchema, TakesPathsOfUrlsOnly) {
  const Key& path = key("native", "path");
  EXPECT_EQ(outcome(path, Text{"/rt/v1"}), "ok");
  EXPECT_EQ(outcome(path, Text{"anywire"}),
            "\"native.path\" must be a path such as \"/anywire\", not \"/\" alone, got "
            "\"anywire\"");
}

TEST(ConfigSchema, SpellsAWholeTableByItsNameAlone) {
  const Key& k = key("channels", "");
  EXPECT_EQ(k.path(), "channels");
  EXPECT_EQ(k.variable(), "ANYWIRE_CHANNELS");
  EXPECT_EQ(k.flag(), "--channels");
  EXPECT_EQ(find_key("channels", "pattern"), nullptr) << "a rule's key belongs to a rule";
}

TEST(ConfigSchema, HoldsNumbersToTheirRange) {
  const Key& loops = key("server", "loops");
  EXPECT_EQ(outcome(loops, std::int64_t{0}), "ok");
  EXPECT_EQ(outcome(loops, std::int64_t{256}), "ok");
  const std::string expected = R"("server.loops" must be a whole number from 0 to 256, got )";
  EXPECT_EQ(outcome(loops, std::int64_t{257}), expected + "257");
  EXPECT_EQ(outcome(loops, std::int64_t{-1}), expected + "-1");
  EXPECT_EQ(outcome(loops, INT64_MAX), expected + "9223372036854775807");
  EXPECT_EQ(outcome(loops, 2.5), expected + "2.5");
  EXPECT_EQ(outcome(loops, true), expected + "true");
  EXPECT_EQ(outcome(loops, std::string("4")), expected + "\"4\"");
  EXPECT_EQ(outcome(loops, Text{"4"}), "ok");
  EXPECT_EQ(outcome(loops, Text{"many"}), expected + "\"many\"");
  EXPECT_EQ(outcome(loops, Text{""}), expected + "\"\"");
  EXPECT_EQ(outcome(loops, OtherType{"a table"}), expected + "a table");
  EXPECT_EQ(outcome(loops, std::vector<std::string>{}), expected + "a list");
}

TEST(ConfigSchema, HoldsDurationsToTheirRange) {
  const Key& timeout = key("websocket", "ping_timeout");
  Config config;
  EXPECT_EQ(outcome(timeout, std::string("100ms"), config), "ok");
  EXPECT_EQ(config.websocket.ping_timeout, 100ms);
  EXPECT_EQ(outcome(timeout, std::string("99ms"), config),
            "\"websocket.ping_timeout\" must be a duration from 100ms to 10m, such as \"250ms\", "
            "\"10s\" or \"2m\", got \"99ms\"");
  EXPECT_NE(outcome(timeout, std::int64_t{10}), "ok") << "a number without a unit";
  EXPECT_NE(outcome(timeout, std::string("11m")), "ok");
}

TEST(ConfigSchema, SpeaksOfDaysWhereADurationMayHaveSome) {
  Config config;
  const Key& window = key("native", "session_window");
  EXPECT_EQ(outcome(window, std::string("1d"), config), "ok");
  EXPECT_EQ(config.native.session_window, 24h);
  EXPECT_EQ(outcome(window, std::string("2d"), config),
            "\"native.session_window\" must be a duration from 0s to 1d, such as \"10s\", \"2h\" "
            "or \"1d\", got \"2d\"");
}

TEST(ConfigSchema, TakesRates) {
  Config config;
  const Key& messages = key("limits", "messages_per_connection");
  EXPECT_EQ(outcome(messages, std::string("100/s burst 300"), config), "ok");
  EXPECT_EQ(config.limits.messages_per_connection, (Rate{100, Duration(1000), 300}));
  EXPECT_EQ(format_value(messages, config), "\"100/s burst 300\"");
  EXPECT_EQ(outcome(messages, Text{""}, config), "ok");
  EXPECT_FALSE(config.limits.messages_per_connection.limited());
  EXPECT_EQ(outcome(messages, std::int64_t{100}),
            "\"limits.messages_per_connection\" must be a rate such as \"100/s\", \"100/s burst "
            "300\" or \"6000/m\", or empty, got 100");
  EXPECT_EQ(outcome(key("limits", "bytes_per_user"), std::string("1MiB/s"), config), "ok");
  EXPECT_EQ(outcome(key("limits", "bytes_per_user"), std::string("lots")),
            "\"limits.bytes_per_user\" must be a rate such as \"1MiB/s\" or \"64KiB/s burst "
            "1MiB\", or empty, got \"lots\"");
}

TEST(ConfigSchema, HasAKeyForEachLimitThatMakesSense) {
  Config config;
  int value = 0;
  for (const char* what : {"connects", "messages", "bytes", "subscribes", "presence"}) {
    for (const char* whom : {"connection", "user", "address", "app"}) {
      const std::string name = std::string(what) + "_per_" + whom;
      const Key* found = find_key("limits", name);
      if (name == "connects_per_connection") {
        EXPECT_EQ(found, nullptr);
        continue;
      }
      ASSERT_NE(found, nullptr) << name;
      // Each has a member of its own.
      const std::string text = std::to_string(++value) + "/s";
      EXPECT_EQ(outcome(*found, text, config), "ok") << name;
    }
  }
  std::set<std::uint64_t> amounts;
  const auto options = limit_options(config.limits);
  for (const auto& rates : options.rates) {
    for (const Rate& rate : rates) amounts.insert(rate.amount);
  }
  EXPECT_EQ(amounts.size(), 20u) << "19, and the one that is none";
}

TEST(ConfigSchema, SaysWhereAKeyHasMoved) {
  EXPECT_EQ(moved_to("raw", "allowed_origins"), "http.allowed_origins");
  EXPECT_EQ(moved_to("native", "messages_per_second"), "limits.messages_per_connection");
  EXPECT_EQ(moved_to("http", "allowed_origins"), std::nullopt);
  for (const MovedKey& moved : moved_keys()) {
    const std::size_t dot = moved.now.find('.');
    EXPECT_NE(find_key(moved.now.substr(0, dot), moved.now.substr(dot + 1)), nullptr) << moved.now;
    EXPECT_EQ(find_key(moved.table, moved.name), nullptr) << moved.name;
  }
}

TEST(ConfigSchema, TakesAPlainZeroWhereItMeansNever) {
  EXPECT_EQ(outcome(key("websocket", "idle_timeout"), std::int64_t{0}), "ok");
  EXPECT_EQ(outcome(key("websocket", "idle_timeout"), Text{"0"}), "ok");
  EXPECT_NE(outcome(key("http", "head_timeout"), std::int64_t{0}), "ok");
}

TEST(ConfigSchema, TakesSizesAsNumbersOrText) {
  const Key& size = key("websocket", "message_bytes_max");
  Config config;
  EXPECT_EQ(outcome(size, std::int64_t{4096}, config), "ok");
  EXPECT_EQ(config.websocket.message_bytes_max, 4096u);
  EXPECT_EQ(outcome(size, std::string("2MiB"), config), "ok");
  EXPECT_EQ(config.websocket.message_bytes_max, 2u * 1024 * 1024);
  EXPECT_NE(outcome(size, std::int64_t{0}), "ok");
  EXPECT_NE(outcome(size, std::int64_t{-1}), "ok");
  EXPECT_NE(outcome(size, std::string("2GiB")), "ok");
}

TEST(ConfigSchema, SuggestsTheChoiceThatWasMeant) {
  EXPECT_EQ(outcome(key("websocket", "compression"), std::string("shard")),
            "\"websocket.compression\" must be \"off\", \"shared\" or \"dedicated\", got \"shard\""
            "; did you mean \"shared\"?");
  EXPECT_EQ(outcome(key("tls", "min_version"), std::string("1.1")),
            "\"tls.min_version\" must be \"1.2\" or \"1.3\", got \"1.1\"; did you mean \"1.2\"?");
  EXPECT_EQ(outcome(key("tls", "min_version"), 1.2),
            "\"tls.min_version\" must be \"1.2\" or \"1.3\", got 1.2");
}

TEST(ConfigSchema, StoresEveryChoice) {
  Config config;
  EXPECT_EQ(outcome(key("http", "proxy_protocol"), Text{"any"}, config), "ok");
  EXPECT_EQ(config.http.proxy_protocol, ProxyProtocol::kAny);
  EXPECT_EQ(outcome(key("log", "level"), Text{"error"}, config), "ok");
  EXPECT_EQ(config.log.level, log::Level::kError);
  EXPECT_EQ(outcome(key("log", "format"), Text{"json"}, config), "ok");
  EXPECT_EQ(config.log.format, log::Format::kJson);
  EXPECT_EQ(outcome(key("tls", "min_version"), Text{"1.3"}, config), "ok");
  EXPECT_EQ(config.tls.min_version, TlsVersion::k13);
}

TEST(ConfigSchema, SplitsListsOfTextAtCommas) {
  Config config;
  EXPECT_EQ(outcome(key("http", "trusted_proxies"), Text{"10.0.0.0/8, ::1"}, config), "ok");
  EXPECT_EQ(config.http.trusted_proxies, (std::vector<std::string>{"10.0.0.0/8", "::1"}));
  EXPECT_EQ(outcome(key("http", "trusted_proxies"), Text{""}, config), "ok");
  EXPECT_TRUE(config.http.trusted_proxies.empty());
}

TEST(ConfigSchema, PointsAtTheListElementToBlame) {
  Config config;
  const auto problem = assign(key("http", "trusted_proxies"),
                              std::vector<std::string>{"10.0.0.1", "proxy"}, config);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->element, 1u);
  EXPECT_THAT(problem->text, testing::EndsWith("got \"proxy\""));
}

TEST(ConfigSchema, NeedsAnAddressToListenOn) {
  EXPECT_THAT(outcome(key("server", "listen"), std::vector<std::string>{}),
              testing::EndsWith("got an empty list"));
  EXPECT_EQ(outcome(key("http", "allowed_origins"), std::vector<std::string>{}), "ok");
}

TEST(ConfigSchema, RefusesOneTextWhereTomlNeedsAList) {
  EXPECT_NE(outcome(key("server", "listen"), std::string("127.0.0.1:3001")), "ok");
}

TEST(ConfigSchema, LeavesTheConfigAloneOnAProblem) {
  for (const Key* k : every_key()) {
    Config config;
    EXPECT_NE(outcome(*k, OtherType{"a table"}, config), "ok") << k->path();
    for (const Key* other : every_key()) {
      EXPECT_EQ(format_value(*other, config), format_value(*other, Config{}));
    }
  }
}

TEST(ConfigSchema, RefusesPathsWithANulByte) {
  EXPECT_NE(outcome(key("tls", "key"), std::string("a\0b", 3)), "ok");
}

}  // namespace
}  // namespace anywire::server
