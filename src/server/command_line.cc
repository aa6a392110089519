#include "server/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <utility>
#include <vector>

#include "base/suggest.h"
#include "server/config_docs.h"
#include "server/config_schema.h"
#include "server/config_value.h"
#include "server/contract_file.h"

namespace anywire::server {
namespace {

using std::string_view;

constexpr string_view kMore = "Run `anywire --help` for an overview.\n";

// The CLI11 application and the variables it fills, one per call.
class Parser {
 public:
  Parser() : app_("Realtime server: plain WebSocket channels for any client.", "anywire") {
    app_.set_help_flag("-h,--help", "Show this help");
    app_.add_flag("-V,--version", version_flag_, "Show the version");
    app_.require_subcommand(0, 1);
    app_.allow_extras();
    add_serve();
    add_dev();
    add_check();
    add_config();
    version_ = app_.add_subcommand("version", "Show the version");
    version_->allow_extras();
    // Last, because a subcommand inherits the footer its parent has at the time.
    app_.footer(
        "Examples:\n"
        "  anywire dev                                  a chat channel at ws://localhost:3001\n"
        "  anywire serve --listen 0.0.0.0:3001          every interface\n"
        "  anywire serve --config anywire.toml --loops 4\n"
        "  anywire config > anywire.toml                a complete file to start from\n"
        "\n"
        "`anywire COMMAND --help` shows a command's flags.");
  }

  Command parse(std::span<const std::string> arguments) {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    try {
      app_.parse(std::move(reversed));
    } catch (const CLI::CallForHelp&) {
      return print(help());
    } catch (const CLI::ArgumentMismatch& error) {
      const string_view text(error.what());  // "--loops: 1 required missing"
      return refuse(fmt::format("{} needs a value", text.substr(0, text.find(':'))));
    } catch (const CLI::ParseError& error) {
      return refuse(error.what());
    }
    if (const auto problem = first_extra()) return refuse(*problem);
    return chosen();
  }

 private:
  static Command print(std::string text) {
    return {Command::Kind::kPrint, {}, std::move(text)};
  }

  static Command refuse(string_view problem) {
    return {Command::Kind::kRefuse, {}, fmt::format("anywire: {}\n{}", problem, kMore)};
  }

  void add_serve() {
    serve_ = app_.add_subcommand("serve", "Run the server");
    add_settings(*serve_);
    serve_->footer(
        "Every key of the configuration is a flag, too: --websocket.ping_interval 10s.\n"
        "`anywire config` lists them.\n"
        "\n"
        "Examples:\n"
        "  anywire serve --listen 0.0.0.0:3001 --listen '[::]:3001'\n"
        "  anywire serve --tls.certificate cert.pem --tls.key key.pem --listen 0.0.0.0:443");
  }

  void add_dev() {
    dev_ = app_.add_subcommand("dev", "Run it for development: localhost, any origin, a chat "
                                      "channel at /");
    add_settings(*dev_);
    dev_->add_option("--port", port_, "Port to listen on, both 127.0.0.1 and [::1]")
        ->option_text("N [3001]")
        ->check(CLI::Range(0, 65535).description(""))
        ->excludes(dev_->get_option("--listen"));
    dev_->footer("Takes every flag of `anywire serve`.\n\nExample:\n  anywire dev --port 4000");
  }

  void add_check() {
    check_ = app_.add_subcommand("check", "Look for mistakes in a configuration file");
    check_->allow_extras();
    check_->add_option("FILE", check_path_, "The file")->required()->option_text(" ");
  }

  void add_config() {
    config_ = app_.add_subcommand("config", "Print every configuration key with its default");
    config_->allow_extras();
    config_->add_flag("--markdown", markdown_, "As a page of documentation instead of TOML");
  }

  // --config and one option per key. Keys with a name of their own are shown in the help; the long
  // list of the others is left to `anywire config`.
  void add_settings(CLI::App& command) {
    command.allow_extras();
    command.add_option("--config", config_path_, "Configuration file (TOML)")->option_text("FILE");
    for (const Key& key : keys()) add_setting(command, key);
    CLI::Option* conformance = command.add_flag("--conformance");
    conformance->description("Serve /conformance/echo, for test suites");
    settings_.push_back({find_key("raw", "conformance"), conformance, true});
  }

  void add_setting(CLI::App& command, const Key& key) {
    const std::string path = key.path();
    const bool listen = path == "server.listen";
    const bool loops = path == "server.loops";
    std::string names = key.flag();
    if (listen) names = "--listen," + names;
    if (loops) names = "--loops," + names;
    CLI::Option* option = command.add_option(names);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (listen) {
      option->description("Address to listen on; may be repeated")->option_text("HOST:PORT");
    } else if (loops) {
      option->description("Event loops, 0 for one per core")->option_text("N");
    }
    settings_.push_back({&key, option, listen || loops});
  }

  // Options outside any group are left out; they would have no name in error messages either, hence
  // not before the help is written.
  std::string help() {
    for (const Setting& setting : settings_) {
      if (!setting.in_help) setting.option->group("");
    }
    return app_.help();
  }

  // What CLI11 could not place: a mistyped flag or command. Only the first is reported, as what
  // follows it may be its value.
  std::optional<std::string> first_extra() {
    for (CLI::App* command : app_.get_subcommands()) {
      const auto extras = command->remaining();
      if (extras.empty()) continue;
      const auto is_flag = [](const std::string& extra) { return extra.starts_with('-'); };
      const auto flag = std::find_if(extras.begin(), extras.end(), is_flag);
      if (flag != extras.end()) return unknown_flag(*flag, *command);
      return fmt::format("unexpected argument {}", in_quotes_short(extras.front()));
    }
    const auto extras = app_.remaining();
    if (extras.empty()) return std::nullopt;
    if (extras.front().starts_with('-')) return unknown_flag(extras.front(), app_);
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands({})) names.push_back(command->get_name());
    return fmt::format("unknown command {}{}", in_quotes_short(extras.front()),
                       did_you_mean(extras.front(), names));
  }

  static std::string unknown_flag(const std::string& argument, const CLI::App& command) {
    const std::string flag = argument.substr(0, argument.find('='));
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    std::string hint = moved(flag);
    if (hint.empty()) hint = did_you_mean(flag, names);
    // The right key without its table.
    for (const Key& key : keys()) {
      if (hint.empty() && fmt::format("--{}", key.name) == flag && command.get_name() != "") {
        hint = fmt::format("; did you mean \"{}\"?", key.flag());
      }
    }
    return fmt::format("unknown flag {}{}", in_quotes_short(flag), hint);
  }

  // Of a key of an earlier version.
  static std::string moved(string_view flag) {
    const std::size_t dot = flag.find('.');
    if (!flag.starts_with("--") || dot == flag.npos) return {};
    const auto now = moved_to(flag.substr(2, dot - 2), flag.substr(dot + 1));
    return now ? fmt::format("; moved to \"--{}\"", *now) : std::string();
  }

  static std::string did_you_mean(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<string_view> views(names.begin(), names.end());
    const auto meant = suggest(word, views);
    return meant ? fmt::format("; did you mean \"{}\"?", *meant) : std::string();
  }

  Command chosen() {
    if (version_flag_ || version_->parsed()) return print(fmt::format("anywire {}\n", kVersion));
    if (config_->parsed()) return print(markdown_ ? config_as_markdown() : config_as_toml());
    Command command;
    if (check_->parsed()) {
      command.kind = Command::Kind::kCheck;
      command.inputs.config_path = check_path_;
    } else if (serve_->parsed() || dev_->parsed()) {
      command.kind = serve_->parsed() ? Command::Kind::kServe : Command::Kind::kDev;
      if (dev_->parsed()) command.inputs.defaults = dev_config(port_);
      if (!config_path_.empty()) command.inputs.config_path = config_path_;
      command.inputs.flags = given_flags();
    } else {
      command.text = help();
    }
    return command;
  }

  std::vector<FlagValue> given_flags() const {
    std::vector<FlagValue> flags;
    for (const Setting& setting : settings_) {
      for (const std::string& value : setting.option->results()) {
        flags.push_back({setting.key->path(), value, setting.option->get_name()});
      }
    }
    return flags;
  }

  struct Setting {
    const Key* key;
    CLI::Option* option;
    bool in_help;
  };

  CLI::App app_;
  CLI::App* serve_ = nullptr;
  CLI::App* dev_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* config_ = nullptr;
  CLI::App* version_ = nullptr;
  std::vector<Setting> settings_;
  std::string config_path_;
  std::string check_path_;
  int port_ = 3001;
  bool markdown_ = false;
  bool version_flag_ = false;
};

std::string lines(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += text + '\n';
  return out;
}

}  // namespace

Command parse_command_line(std::span<const std::string> arguments,
                           std::map<std::string, std::string> environment,
                           std::function<Result<std::string>(const std::string&)> read_file) {
  Command command = Parser().parse(arguments);
  // `check FILE` answers for the file, wherever it is run.
  if (command.kind != Command::Kind::kCheck) command.inputs.environment = std::move(environment);
  command.inputs.read_file = std::move(read_file);
  return command;
}

Outcome execute(const Command& command) {
  Outcome outcome;
  if (command.kind == Command::Kind::kPrint) {
    outcome.out = command.text;
    return outcome;
  }
  if (command.kind == Command::Kind::kRefuse) {
    outcome.err = command.text;
    outcome.exit_code = kExitUsage;
    return outcome;
  }
  auto config = load(command.inputs);
  if (!config) {
    outcome.err = lines(config.error());
    outcome.exit_code = kExitUsage;
    return outcome;
  }
  // Read here, too, so that all that is wrong with schemas is said before anything is begun.
  bool valid = true;
  const auto check_schemas = [&](const Config& app) {
    const auto schemas = load_validation(app, command.inputs.read_file);
    outcome.err += lines(schemas ? schemas->hints : schemas.error());
    valid = valid && schemas.has_value();
  };
  check_schemas(*config);
  for (const Config& app : config->app_configs) check_schemas(app);
  if (!valid) {
    outcome.exit_code = kExitUsage;
  } else if (command.kind == Command::Kind::kCheck) {
    outcome.out = fmt::format("{}: ok\n", *command.inputs.config_path);
  } else {
    outcome.config = std::move(*config);
  }
  return outcome;
}

}  // namespace anywire::server
