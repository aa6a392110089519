#include "server/config_loader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <tuple>

#include "base/assert.h"
#include "base/suggest.h"
#include "server/config_apps.h"
#include "server/config_lists.h"
#include "server/config_schema.h"
#include "server/config_toml.h"
#include "server/config_value.h"

extern char** environ;

namespace anywire::server {
namespace {

using std::string_view;

constexpr string_view kVariablePrefix = "ANYWIRE_";
constexpr const char* kConfigVariable = "ANYWIRE_CONFIG";

// "; did you mean ...?" or nothing.
std::string did_you_mean(string_view word, std::span<const string_view> candidates,
                         string_view quote) {
  const auto meant = suggest(word, candidates);
  return meant ? fmt::format("; did you mean {0}{1}{0}?", quote, *meant) : std::string();
}

// Of a key of an earlier version.
std::string moved(string_view table, string_view name) {
  const auto now = moved_to(table, name);
  return now ? fmt::format("; moved to \"{}\"", *now) : std::string();
}

std::string moved_variable(string_view variable) {
  for (const MovedKey& moved : moved_keys()) {
    const Key before{.table = moved.table, .name = moved.name, .kind = BoolKind{}, .doc = {}};
    if (before.variable() != variable) continue;
    const std::size_t dot = moved.now.find('.');
    const Key* now = find_key(moved.now.substr(0, dot), moved.now.substr(dot + 1));
    return fmt::format("; moved to {}", now->variable());
  }
  return {};
}

std::vector<string_view> names_in(string_view table) {
  std::vector<string_view> names;
  for (const Key& key : keys()) {
    if (key.table == table && !key.name.empty()) names.push_back(key.name);
  }
  return names;
}

// The full path of a key of this name in any other table: the right word in the wrong place.
std::string elsewhere(string_view name) {
  for (const Key& key : keys()) {
    if (key.name == name && !name.empty()) return fmt::format("; did you mean \"{}\"?", key.path());
  }
  for (const ListTable* list : list_tables()) {
    if (find_list_key(*list, name) == nullptr) continue;
    return fmt::format("; did you mean it in a table [[{}]]?", list->table.name);
  }
  return {};
}

// One pass over a parsed file. Problems are collected with their positions, because toml++ keeps
// tables sorted by name and people read from top to bottom.
class FileReader {
 public:
  // Of the process, or of one of its [[apps]].
  enum class Of { kProcess, kApp };

  FileReader(string_view path, Of of, Config& config) : path_(path), of_(of), config_(config) {}

  void read(string_view text) {
    try {
      read_root(toml::parse(text));
    } catch (const toml::parse_error& error) {
      add(error.source(), one_line(error.description()));
    }
  }

  std::vector<std::string> take_problems() {
    std::sort(problems_.begin(), problems_.end(), [](const Found& a, const Found& b) {
      return std::tie(a.line, a.column, a.text) < std::tie(b.line, b.column, b.text);
    });
    std::vector<std::string> lines;
    for (const Found& found : problems_) {
      lines.push_back(fmt::format("{}:{}:{}: {}", path_, found.line, found.column, found.text));
    }
    return lines;
  }

 private:
  struct Found {
    std::uint32_t line, column;
    std::string text;
  };

  void add(const toml::source_region& where, std::string text) {
    problems_.push_back({where.begin.line, where.begin.column, std::move(text)});
  }

  void read_root(const toml::table& root) {
    std::vector<string_view> names;
    for (const Table& table : tables()) names.push_back(table.name);
    for (const auto& [key, node] : root) {
      const string_view name = key.str();
      const bool known = std::find(names.begin(), names.end(), name) != names.end();
      if (known && !may_set(name, "")) {
        add(key.source(), of_the_process(name));
      } else if (const ListTable* list = find_list(name)) {
        read_list(*list, node);
      } else if (known && node.is_table()) {
        read_table(name, *node.as_table());
      } else if (known) {
        add(node.source(), fmt::format("\"{0}\" must be a table: write [{0}] on a line of its own, "
                                       "then its keys", name));
      } else if (node.is_table()) {
        add(key.source(), fmt::format("unknown table {}{}", in_quotes_short(name),
                                      did_you_mean(name, names, "\"")));
      } else {
        add(key.source(), fmt::format("unknown key {}{}", in_quotes_short(name), elsewhere(name)));
      }
    }
  }

  void read_list(const ListTable& list, const toml::node& node) {
    const auto elements = to_rules(node);
    if (!elements) {
      add(node.source(), fmt::format("\"{0}\" must be a list of tables: write [[{0}]] on a line of "
                                     "its own before the keys of each {1}",
                                     list.table.name, list.element));
      return;
    }
    for (RuleProblem& problem : store_list(list, *elements, path_, config_)) {
      problems_.push_back({problem.at.line, problem.at.column, std::move(problem.text)});
    }
  }

  void read_table(string_view table_name, const toml::table& table) {
    for (const auto& [toml_key, node] : table) {
      const string_view name = toml_key.str();
      if (const Key* key = find_key(table_name, name)) {
        if (may_set(table_name, name)) {
          read_value(*key, node);
        } else {
          add(toml_key.source(), of_the_process(key->path()));
        }
        continue;
      }
      std::string hint = moved(table_name, name);
      if (hint.empty()) hint = did_you_mean(name, names_in(table_name), "\"");
      if (hint.empty()) hint = elsewhere(name);
      add(toml_key.source(),
          fmt::format("unknown key {}{}", in_quotes_short(fmt::format("{}.{}", table_name, name)),
                      hint));
    }
  }

  void read_value(const Key& key, const toml::node& node) {
    const auto problem = assign(key, to_value(node), config_);
    if (!problem) return;
    const toml::array* list = node.as_array();
    const toml::node& blamed = list && problem->element ? (*list)[*problem->element] : node;
    add(blamed.source(), problem->text);
  }

  bool may_set(string_view table, string_view name) const {
    return of_ == Of::kProcess || belongs_to_app(table, name);
  }

  static std::string of_the_process(string_view name) {
    return fmt::format("{} is for all apps of the process: it belongs into the file that has the "
                       "[[apps]]", in_quotes_short(name));
  }

  string_view path_;
  Of of_;
  Config& config_;
  std::vector<Found> problems_;
};

using Problems = std::vector<std::string>;

void append(Problems& problems, Problems more) {
  std::move(more.begin(), more.end(), std::back_inserter(problems));
}

void read_file(const std::string& path, FileReader::Of of, const LoadInputs& inputs,
               Config& config, Problems& problems) {
  AW_ASSERT(inputs.read_file);
  const Result<std::string> text = inputs.read_file(path);
  if (!text) {
    problems.push_back(fmt::format("{}: {}", path, text.error().message));
    return;
  }
  FileReader reader(path, of, config);
  reader.read(*text);
  append(problems, reader.take_problems());
}

// A value from outside the file. A list of rules can have several problems, anything else one.
void assign_text(const Key& key, string_view text, const std::string& source, Config& config,
                 Problems& problems) {
  if (const auto* rules = std::get_if<RulesKind>(&key.kind)) {
    for (const std::string& problem : read_list_text(*rules->list, text, source, config)) {
      problems.push_back(fmt::format("{}: {}", source, problem));
    }
  } else if (const auto problem = assign(key, Text{text}, config)) {
    problems.push_back(fmt::format("{}: {}", source, problem->text));
  }
}

void read_environment(const LoadInputs& inputs, Config& config, Problems& problems) {
  std::map<std::string, const Key*> known;
  for (const Key& key : keys()) known.emplace(key.variable(), &key);
  std::vector<string_view> names;
  for (const auto& [name, key] : known) names.push_back(name);

  for (const auto& [name, value] : inputs.environment) {
    if (!name.starts_with(kVariablePrefix)) continue;
    const auto found = known.find(name);
    if (found != known.end()) {
      assign_text(*found->second, value, name, config, problems);
    } else if (!is_reserved_variable(name)) {
      std::string hint = moved_variable(name);
      if (hint.empty()) hint = did_you_mean(name, names, "");
      problems.push_back(fmt::format("{}: no such setting{}",
                                     is_plain_text(name) ? name : in_quotes_short(name), hint));
    }
  }
}

void read_flags(const LoadInputs& inputs, Config& config, Problems& problems) {
  // A list given by several flags is one list; of anything else the last one counts, and the ones
  // before it must be right nevertheless.
  std::map<const Key*, std::string> lists;
  for (const FlagValue& flag : inputs.flags) {
    const std::size_t dot = std::min(flag.key.find('.'), flag.key.size());
    const string_view table = string_view(flag.key).substr(0, dot);
    const string_view name = string_view(flag.key).substr(table.size());
    const Key* key = find_key(table, name.substr(name.empty() ? 0 : 1));
    if (key == nullptr) {
      problems.push_back(fmt::format("{}: no such setting", flag.spelled));
      continue;
    }
    std::string value = flag.value;
    if (key->is_list()) {
      std::string& list = lists[key];
      if (!list.empty() && !value.empty()) list += ',';
      value = list += value;
    }
    assign_text(*key, value, flag.spelled, config, problems);
  }
}

// What contradicts itself in an app's file; the rest of `app` is known to be well.
Problems contradictions(const std::string& path, const Config& app) {
  Problems problems = validate(app);
  for (std::string& problem : problems) {
    if (!problem.starts_with(path + ":")) problem = fmt::format("{}: {}", path, problem);
  }
  return problems;
}

void read_apps(const LoadInputs& inputs, Config& config, Problems& problems) {
  for (const AppEntry& entry : config.apps) {
    Config& app = config.app_configs.emplace_back(inputs.defaults);
    share_process(config, app);
    Problems found;
    read_file(entry.config, FileReader::Of::kApp, inputs, app, found);
    if (found.empty()) found = contradictions(entry.config, app);
    append(problems, std::move(found));
  }
  if (problems.empty()) check_app_files(config, problems);
}

std::optional<std::string> config_path(const LoadInputs& inputs) {
  if (inputs.config_path) return inputs.config_path;
  const auto variable = inputs.environment.find(kConfigVariable);
  if (variable == inputs.environment.end() || variable->second.empty()) return std::nullopt;
  return variable->second;
}

}  // namespace

std::expected<Config, std::vector<std::string>> load(const LoadInputs& inputs) {
  Config config = inputs.defaults;
  Problems problems;
  if (const auto path = config_path(inputs)) {
    read_file(*path, FileReader::Of::kProcess, inputs, config, problems);
  }
  read_environment(inputs, config, problems);
  read_flags(inputs, config, problems);

  std::vector<std::string> listen;
  for (const std::string& address : config.server.listen) {
    append(listen, expand_listen_address(address));
  }
  config.server.listen = std::move(listen);

  // A refused value leaves the default in its place, and contradictions with that are not the
  // user's.
  if (problems.empty()) problems = validate(config);
  if (problems.empty()) read_apps(inputs, config, problems);
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return config;
}

Result<std::string> read_config_file(const std::string& path) {
  const auto failed = [](int error) {
    return fail(ErrorCode::kIo, std::generic_category().message(error), error);
  };
  // O_NONBLOCK, so that a FIFO without a writer is refused below instead of waited for.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return failed(errno);
  struct stat status {};
  std::string text;
  int error = ::fstat(fd, &status) == 0 ? 0 : errno;
  if (error == 0 && S_ISDIR(status.st_mode)) error = EISDIR;
  if (error == 0 && !S_ISREG(status.st_mode)) {
    ::close(fd);
    return fail(ErrorCode::kInvalidArgument, "Not a regular file");
  }
  std::array<char, 16 * 1024> buffer;
  while (error == 0 && text.size() <= kConfigFileBytesMax) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count == 0) break;
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count < 0 && errno != EINTR) error = errno;
  }
  ::close(fd);
  if (error != 0) return failed(error);
  if (text.size() > kConfigFileBytesMax) {
    return fail(ErrorCode::kLimit,
                fmt::format("Larger than {}", format_size(kConfigFileBytesMax)));
  }
  return text;
}

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (!text.starts_with(kVariablePrefix) || equals == text.npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

}  // namespace anywire::server
