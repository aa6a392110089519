// The half of config_schema.h that turns values into members of a Config and back.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

#include "auth/key.h"
#include "base/suggest.h"
#include "server/config_lists.h"
#include "server/config_schema.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using std::string_view;

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string quoted_list(std::span<const string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += in_quotes(names[i]);
  }
  return out;
}

std::string shown(const Value& value) {
  return std::visit(
      Overloaded{
          [](Text text) { return in_quotes_short(text.text); },
          [](bool flag) { return std::string(flag ? "true" : "false"); },
          [](std::int64_t number) { return std::to_string(number); },
          [](double number) { return fmt::format("{}", number); },
          [](const std::string& text) { return in_quotes_short(text); },
          [](const std::vector<std::string>&) { return std::string("a list"); },
          [](OtherType other) { return std::string(other.name); },
      },
      value);
}

// The characters of a text value, whether it comes from TOML or from outside.
std::optional<string_view> as_text(const Value& value) {
  if (const auto* text = std::get_if<Text>(&value)) return text->text;
  if (const auto* text = std::get_if<std::string>(&value)) return string_view(*text);
  return std::nullopt;
}

std::vector<std::string> split_at_commas(string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

// read(kind, value): the value as the key's own type, or nothing when it does not fit.

std::optional<bool> read(const BoolKind&, const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* text = std::get_if<Text>(&value)) return parse_bool(text->text);
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<Text>(&value)) return parse_integer(text->text);
  return std::nullopt;
}

std::optional<int> read(const IntKind& kind, const Value& value) {
  const auto number = read_integer(value);
  if (!number || *number < kind.min || *number > kind.max) return std::nullopt;
  return static_cast<int>(*number);
}

std::optional<std::size_t> read(const SizeKind& kind, const Value& value) {
  std::optional<std::size_t> bytes;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number >= 0) bytes = static_cast<std::size_t>(*number);
  } else if (const auto text = as_text(value)) {
    bytes = parse_size(*text);
  }
  if (!bytes || *bytes < kind.min || *bytes > kind.max) return std::nullopt;
  return bytes;
}

std::optional<Duration> read(const DurationKind& kind, const Value& value) {
  std::optional<Duration> duration;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number == 0) duration = Duration(0);  // every other number would need a unit
  } else if (const auto text = as_text(value)) {
    duration = parse_duration(*text);
  }
  if (!duration || *duration < kind.min || *duration > kind.max) return std::nullopt;
  return duration;
}

std::optional<Rate> read(const RateKind& kind, const Value& value) {
  const auto text = as_text(value);
  return text ? parse_rate(*text, kind.bytes) : std::nullopt;
}

std::optional<std::string> read(const TextKind& kind, const Value& value) {
  const auto text = as_text(value);
  if (!text || !is_plain_text(*text) || (kind.valid && !kind.valid(*text))) return std::nullopt;
  return std::string(*text);
}

std::optional<std::string> read(const SecretKind& kind, const Value& value) {
  const auto text = as_text(value);
  const bool fits = text && is_plain_text(*text) && text->size() <= auth::kSecretBytesMax &&
                    (text->empty() || text->size() >= kind.bytes_min);
  if (!fits) return std::nullopt;
  return std::string(*text);
}

std::optional<auth::Glob> read(const PatternKind&, const Value& value) {
  const auto text = as_text(value);
  auto glob = text ? auth::Glob::parse(*text) : Result<auth::Glob>(std::unexpect);
  if (!glob) return std::nullopt;
  return std::move(*glob);
}

std::optional<RawRoot> read(const RootKind&, const Value& value) {
  const auto text = as_text(value);
  return text ? parse_root(*text) : std::nullopt;
}

std::optional<std::vector<std::string>> read(const ListKind&, const Value& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  if (const auto* text = std::get_if<Text>(&value)) return split_at_commas(text->text);
  return std::nullopt;
}

std::string shown_secret(const Value& value) {
  const auto text = as_text(value);
  return text ? fmt::format("{} bytes", text->size()) : "something that is not text";
}

Problem mismatch(const Key& key, const Value& value) {
  return {fmt::format("\"{}\" must be {}, got {}", key.path(), expectation(key),
                      key.is_secret() ? shown_secret(value) : shown(value)),
          {}};
}

// Kinds whose member takes exactly what read() returns.
template <typename K>
std::optional<Problem> assign_kind(const Key& key, const K& kind, const Value& value,
                                   Config& config) {
  auto result = read(kind, value);
  if (!result) return mismatch(key, value);
  kind.at(config) = std::move(*result);
  return std::nullopt;
}

std::optional<Problem> assign_kind(const Key& key, const EnumKind& kind, const Value& value,
                                   Config& config) {
  const auto text = as_text(value);
  for (std::size_t i = 0; text && i < kind.names.size(); ++i) {
    if (kind.names[i] != *text) continue;
    kind.set(config, i);
    return std::nullopt;
  }
  Problem problem = mismatch(key, value);
  if (const auto meant = text ? suggest(*text, kind.names) : std::nullopt) {
    problem.text += fmt::format("; did you mean \"{}\"?", *meant);
  }
  return problem;
}

std::optional<Problem> assign_kind(const Key& key, const ListKind& kind, const Value& value,
                                   Config& config) {
  auto list = read(kind, value);
  if (!list) return mismatch(key, value);
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (kind.valid((*list)[i])) continue;
    return Problem{fmt::format("\"{}\" must be {}, got {}", key.path(), expectation(key),
                               in_quotes_short((*list)[i])),
                   i};
  }
  if (list->size() < kind.elements_min) {
    return Problem{
        fmt::format("\"{}\" must be {}, got an empty list", key.path(), expectation(key)), {}};
  }
  kind.at(config) = std::move(*list);
  return std::nullopt;
}

std::optional<Problem> assign_kind(const Key& key, const RulesKind& kind, const Value& value,
                                   Config& config) {
  const auto text = as_text(value);
  if (!text) return mismatch(key, value);
  std::vector<std::string> problems = read_list_text(*kind.list, *text, {}, config);
  if (problems.empty()) return std::nullopt;
  return Problem{std::move(problems.front()), {}};
}

}  // namespace

std::optional<Problem> assign(const Key& key, const Value& value, Config& config) {
  return std::visit([&](const auto& kind) { return assign_kind(key, kind, value, config); },
                    key.kind);
}

std::string expectation(const Key& key) {
  return std::visit(
      Overloaded{
          [](const BoolKind&) { return std::string("true or false"); },
          [](const IntKind& kind) {
            return fmt::format("a whole number from {} to {}", kind.min, kind.max);
          },
          [](const SizeKind& kind) {
            return fmt::format("a size from {} to {}, such as 4096, \"64KiB\" or \"1MiB\"",
                               format_size(kind.min), format_size(kind.max));
          },
          [](const DurationKind& kind) {
            const bool days = kind.max >= Duration(std::chrono::days(1));
            return fmt::format("a duration from {} to {}, such as {}", format_duration(kind.min),
                               format_duration(kind.max),
                               days ? R"("10s", "2h" or "1d")" : R"("250ms", "10s" or "2m")");
          },
          [](const RateKind& kind) {
            return std::string(kind.bytes ? R"(a rate such as "1MiB/s" or "64KiB/s burst 1MiB", )"
                                          : R"(a rate such as "100/s", "100/s burst 300" or )"
                                            R"("6000/m", )") +
                   "or empty";
          },
          [](const EnumKind& kind) { return quoted_list(kind.names); },
          [](const TextKind& kind) { return std::string(kind.expected); },
          [](const SecretKind& kind) {
            return fmt::format("a secret of at least {} bytes, or empty", kind.bytes_min);
          },
          [](const PatternKind&) {
            return fmt::format("a pattern of 1 to {} bytes such as \"chat:*\"",
                               auth::kGlobBytesMax);
          },
          [](const RulesKind& kind) {
            return fmt::format("a list of {}s in JSON or TOML, such as {}", kind.list->element,
                               kind.list->example);
          },
          [](const RootKind&) { return std::string(R"("off", "echo" or "channel:NAME")"); },
          [](const ListKind& kind) { return fmt::format("a list of {}", kind.expected); },
      },
      key.kind);
}

std::string format_value(const Key& key, const Config& config) {
  Config copy = config;  // the accessors hand out writable members
  return std::visit(
      Overloaded{
          [&](const BoolKind& kind) { return std::string(kind.at(copy) ? "true" : "false"); },
          [&](const IntKind& kind) { return std::to_string(kind.at(copy)); },
          [&](const SizeKind& kind) { return in_quotes(format_size(kind.at(copy))); },
          [&](const DurationKind& kind) { return in_quotes(format_duration(kind.at(copy))); },
          [&](const RateKind& kind) { return in_quotes(format_rate(kind.at(copy), kind.bytes)); },
          [&](const EnumKind& kind) { return in_quotes(kind.names[kind.get(copy)]); },
          [&](const TextKind& kind) { return in_quotes(kind.at(copy)); },
          [](const SecretKind&) { return std::string("\"\""); },
          [&](const PatternKind& kind) { return in_quotes(kind.at(copy).pattern()); },
          [&](const RulesKind& kind) { return format_list(*kind.list, copy); },
          [&](const RootKind& kind) { return in_quotes(format_root(kind.at(copy))); },
          [&](const ListKind& kind) {
            std::vector<std::string> parts;
            for (const std::string& element : kind.at(copy)) parts.push_back(in_quotes(element));
            return fmt::format("[{}]", fmt::join(parts, ", "));
          },
      },
      key.kind);
}

}  // namespace anywire::server
