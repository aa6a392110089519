#include "server/contract_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/suggest.h"
#include "codec/json_reader.h"
#include "schema/pointer.h"
#include "schema/schema.h"
#include "server/config_value.h"

namespace anywire::server {
namespace {

using codec::JsonKind;
using codec::JsonValue;
using protocol::Validation;
using schema::Schema;
using std::string_view;

using ReadFile = std::function<Result<std::string>(const std::string&)>;

SourcePosition position_of(string_view text, std::size_t offset) {
  const string_view before = text.substr(0, offset);
  const std::size_t line_end = before.rfind('\n');
  const std::size_t column = line_end == before.npos ? offset : offset - line_end - 1;
  return {.line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
          .column = static_cast<std::uint32_t>(column + 1)};
}

// One file of schemas, and what is wrong with it.
class SchemaFile {
 public:
  SchemaFile(std::string path, LoadedValidation& loaded, std::vector<std::string>& problems)
      : path_(std::move(path)), loaded_(loaded), problems_(problems) {}

  // Nothing, and a problem, if there is no JSON to be read. `setting` is what names the file.
  std::optional<JsonValue> read(string_view setting, const ReadFile& read_file) {
    Result<std::string> text = read_file(path_);
    if (!text) {
      problems_.push_back(
          fmt::format("{}: {}: {}", setting, in_quotes_short(path_), text.error().message));
      return std::nullopt;
    }
    text_ = *std::move(text);
    const auto value = reader_.read(as_bytes(text_));
    if (value) return *value;
    problems_.push_back(fmt::format("{}: {}", at(reader_.fault_at()), value.error().message));
    return std::nullopt;
  }

  void refuse(JsonValue value, string_view pointer, string_view text) {
    problems_.push_back(line(value, pointer, text));
  }

  // A schema that stands at `pointer`. Nothing, and a problem, if it is none.
  std::optional<Schema> compile(JsonValue value, const std::string& pointer) {
    auto schema = Schema::compile(value);
    if (!schema) {
      const schema::CompileError& error = schema.error();
      refuse(place(value, error.pointer), pointer + error.pointer, error.text);
      return std::nullopt;
    }
    for (const schema::CompileError& hint : schema->hints()) {
      loaded_.hints.push_back(line(place(value, hint.pointer), pointer + hint.pointer, hint.text));
    }
    return *std::move(schema);
  }

  // The member of that name, if it is there and of that kind.
  std::optional<JsonValue> find(JsonValue object, const std::string& pointer, string_view name,
                                JsonKind kind, string_view wanted) {
    const auto value = object.find(name);
    if (!value || value->kind() == kind) return value;
    refuse(*value, pointer + schema::pointer_step(name), fmt::format("must be {}", wanted));
    return std::nullopt;
  }

  void refuse_unknown(JsonValue object, const std::string& pointer,
                      std::span<const string_view> known) {
    for (const auto [name, value] : object.members()) {
      if (std::ranges::find(known, name) != known.end()) continue;
      const auto meant = suggest(name, known);
      refuse(value, pointer + schema::pointer_step(name),
             meant ? fmt::format("is not known; did you mean \"{}\"?", *meant)
                   : fmt::format("is not known; there are {}", fmt::join(known, ", ")));
    }
  }

 private:
  // The nearest value that is there: a keyword that is missing stands nowhere.
  static JsonValue place(JsonValue value, string_view pointer) {
    return schema::find_at(value, pointer).value_or(value);
  }

  std::string at(std::size_t offset) const {
    const SourcePosition position = position_of(text_, offset);
    return fmt::format("{}:{}:{}", path_, position.line, position.column);
  }

  std::string line(JsonValue value, string_view pointer, string_view text) const {
    const auto offset = static_cast<std::size_t>(value.raw().data() - text_.data());
    return fmt::format("{}: {} {}", at(offset), in_quotes_short(pointer.empty() ? "/" : pointer),
                       text);
  }

  std::string path_;
  std::string text_;
  codec::JsonReader reader_;
  LoadedValidation& loaded_;
  std::vector<std::string>& problems_;
};

std::optional<Validation::Events> read_events(SchemaFile& file, JsonValue object,
                                              const std::string& pointer) {
  Validation::Events events;
  for (const auto [name, value] : object.members()) {
    auto schema = file.compile(value, pointer + schema::pointer_step(name));
    if (schema) events.emplace(std::string(name), *std::move(schema));
  }
  return events;
}

// ---- The contract ----

class ContractReader {
 public:
  ContractReader(SchemaFile& file, Validation::Parts& parts) : file_(file), parts_(parts) {}

  void read(JsonValue contract) {
    if (contract.kind() != JsonKind::kObject) {
      return file_.refuse(contract, "", "must be an object");
    }
    constexpr std::array<string_view, 4> kMembers{"version", "channels", "rpc", "$schema"};
    file_.refuse_unknown(contract, "", kMembers);
    const auto version = contract.find("version");
    if (!version || version->u64() != 1) {
      file_.refuse(version.value_or(contract), "/version", "must be 1");
    }
    if (const auto channels =
            file_.find(contract, "", "channels", JsonKind::kArray, "a list of channels")) {
      read_channels(*channels);
    }
    if (const auto rpc =
            file_.find(contract, "", "rpc", JsonKind::kObject, "an object of methods")) {
      for (const auto [name, method] : rpc->members()) {
        read_method(method, "/rpc" + schema::pointer_step(name), name);
      }
    }
  }

 private:
  void read_channels(JsonValue channels) {
    if (channels.size() > kContractChannelsMax) {
      return file_.refuse(channels, "/channels",
                          fmt::format("may have {} channels at most", kContractChannelsMax));
    }
    std::size_t index = 0;
    for (const JsonValue channel : channels.elements()) {
      read_channel(channel, fmt::format("/channels/{}", index++));
    }
  }

  void read_channel(JsonValue channel, const std::string& pointer) {
    if (channel.kind() != JsonKind::kObject) {
      return file_.refuse(channel, pointer, "must be an object");
    }
    constexpr std::array<string_view, 4> kMembers{"pattern", "message", "events", "presence"};
    file_.refuse_unknown(channel, pointer, kMembers);
    Validation::Channel read;
    const auto pattern = channel.find("pattern");
    const auto text = pattern ? pattern->string() : std::nullopt;
    auto glob = text ? auth::Glob::parse(*text)
                     : fail(ErrorCode::kInvalidArgument, "must be a pattern such as \"room:*\"");
    if (!glob) {
      return file_.refuse(pattern.value_or(channel), pointer + "/pattern", glob.error().message);
    }
    read.pattern = *std::move(glob);
    read.message = schema_of(channel, pointer, "message");
    read.presence = schema_of(channel, pointer, "presence");
    if (const auto events =
            file_.find(channel, pointer, "events", JsonKind::kObject, "an object of schemas")) {
      read.events = read_events(file_, *events, pointer + "/events");
    }
    parts_.channels.push_back(std::move(read));
  }

  void read_method(JsonValue method, const std::string& pointer, string_view name) {
    if (method.kind() != JsonKind::kObject) {
      return file_.refuse(method, pointer, "must be an object");
    }
    constexpr std::array<string_view, 2> kMembers{"input", "output"};
    file_.refuse_unknown(method, pointer, kMembers);
    parts_.methods.emplace(std::string(name),
                           Validation::Method{.input = schema_of(method, pointer, "input"),
                                              .output = schema_of(method, pointer, "output")});
  }

  std::optional<Schema> schema_of(JsonValue object, const std::string& pointer, string_view name) {
    const auto value = object.find(name);
    if (!value) return std::nullopt;
    return file_.compile(*value, pointer + schema::pointer_step(name));
  }

  SchemaFile& file_;
  Validation::Parts& parts_;
};

// ---- Channel rules ----

std::string setting_of(const Config& config, std::size_t index, string_view key) {
  return index < config.channels.size()
             ? fmt::format("\"channels.{}\" of rule {}", key, index + 1)
             : fmt::format("\"channels.{}\"", key);
}

}  // namespace

std::expected<LoadedValidation, std::vector<std::string>> load_validation(
    const Config& config, const ReadFile& read_file) {
  LoadedValidation loaded;
  std::vector<std::string> problems;
  Validation::Parts parts;
  bool any = false;
  // As hub::Rules have them: the one behind all others is the last.
  for (std::size_t i = 0; i <= config.channels.size(); ++i) {
    const hub::ChannelRule& rule =
        i < config.channels.size() ? config.channels[i] : config.channel_defaults;
    Validation::Rule& read = parts.rules.emplace_back();
    if (!rule.schema.empty()) {
      any = true;
      SchemaFile file(rule.schema, loaded, problems);
      const auto value = file.read(setting_of(config, i, "schema"), read_file);
      if (value) read.message = file.compile(*value, "");
    }
    if (!rule.event_schemas.empty()) {
      any = true;
      SchemaFile file(rule.event_schemas, loaded, problems);
      const auto value = file.read(setting_of(config, i, "event_schemas"), read_file);
      if (value && value->kind() != JsonKind::kObject) {
        file.refuse(*value, "", "must be an object with a schema for each event");
      } else if (value) {
        read.events = read_events(file, *value, "");
      }
    }
  }
  if (!config.contract.file.empty()) {
    any = true;
    SchemaFile file(config.contract.file, loaded, problems);
    if (const auto value = file.read("\"contract.file\"", read_file)) {
      ContractReader(file, parts).read(*value);
    }
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  if (any) loaded.validation = std::make_unique<const Validation>(std::move(parts));
  return loaded;
}

}  // namespace anywire::server
