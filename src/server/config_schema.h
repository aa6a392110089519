// Config schema: the one table of configuration keys. Each entry names a member of Config, says
// what values it takes and documents it; the loader, `anywire config`, docs/configuration.md, the
// environment variables and the flags all come from here. To add a key, add the member to
// server/config.h and one entry to the table in config_schema.cc.
//
// Thread: any; the table is constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/config.h"

namespace anywire::server {

template <typename T>
using Accessor = T& (*)(Config&);

struct BoolKind {
  Accessor<bool> at;
};
struct IntKind {
  Accessor<int> at;
  int min, max;
};
struct SizeKind {
  Accessor<std::size_t> at;
  std::size_t min, max;
};
struct DurationKind {
  Accessor<Duration> at;
  Duration min, max;
};
struct RateKind {
  Accessor<Rate> at;
  bool bytes = false;  // may have units of size
};
// `names[i]` is the spelling of the enumerator with value i.
struct EnumKind {
  std::span<const std::string_view> names;
  std::size_t (*get)(Config&);
  void (*set)(Config&, std::size_t);
};
struct TextKind {
  Accessor<std::string> at;
  bool (*valid)(std::string_view) = nullptr;  // null: any text on one line
  std::string_view expected = "text on one line";
};
// Text that is never shown: not in errors, and format_value() says it is empty.
struct SecretKind {
  Accessor<std::string> at;
  std::size_t bytes_min;  // unless it is empty
};
struct PatternKind {
  Accessor<auth::Glob> at;
};
struct RootKind {
  Accessor<RawRoot> at;
};
struct ListKind {
  Accessor<std::vector<std::string>> at;
  bool (*valid)(std::string_view);  // one element
  std::string_view expected;        // completes "must be a list of ..."
  std::size_t elements_min;
};

// A whole list of tables; see config_lists.h.
struct ListTable;
struct RulesKind {
  const ListTable* list;
};

using Kind = std::variant<BoolKind, IntKind, SizeKind, DurationKind, EnumKind, TextKind, RootKind,
                          ListKind, RateKind, SecretKind, PatternKind, RulesKind>;

struct Key {
  std::string_view table;
  std::string_view name;  // empty: the key is the table itself, a list of tables in the file
  Kind kind;
  std::string_view doc;  // whole sentences, Markdown, one paragraph

  std::string path() const;         // "websocket.ping_interval"
  std::string variable() const;     // "ANYWIRE_WEBSOCKET_PING_INTERVAL"
  std::string flag() const;         // "--websocket.ping_interval"
  bool is_list() const { return std::holds_alternative<ListKind>(kind); }
  bool is_secret() const { return std::holds_alternative<SecretKind>(kind); }
};

struct Table {
  std::string_view name;
  std::string_view doc;
  bool is_list = false;  // [[name]] in the file, once per element
};

std::span<const Table> tables();    // in the order of the documentation
std::span<const Key> keys();        // grouped by table, in the same order
const Key* find_key(std::string_view table, std::string_view name);

// Keys of earlier versions, and where they are now: the path.
struct MovedKey {
  std::string_view table, name, now;
};
std::span<const MovedKey> moved_keys();
std::optional<std::string_view> moved_to(std::string_view table, std::string_view name);

// A variable that begins with ANYWIRE_ but is no key: those our JavaScript packages read, and those
// Kubernetes injects into every pod beside a Service called "anywire" (ANYWIRE_PORT=tcp://...).
bool is_reserved_variable(std::string_view variable);

// A value on its way into a Config. Text comes from a variable or a flag and is read as the key
// needs it; the other alternatives are TOML's own types, which must fit the key.
struct Text {
  std::string_view text;
};
struct OtherType {
  std::string_view name;  // "a table", "a date": fits no key
};
using Value = std::variant<Text, bool, std::int64_t, double, std::string, std::vector<std::string>,
                           OtherType>;

struct Problem {
  std::string text;                    // "\"server.loops\" must be ..., got \"many\""
  std::optional<std::size_t> element;  // of a list, when one element is to blame
};

// Checks the value and stores it. On a problem the Config is unchanged.
std::optional<Problem> assign(const Key& key, const Value& value, Config& config);

// "a whole number from 0 to 256": completes "must be".
std::string expectation(const Key& key);

// The current value as TOML, which assign() reads back to the same.
std::string format_value(const Key& key, const Config& config);

}  // namespace anywire::server
