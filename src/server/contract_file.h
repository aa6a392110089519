// Contract files: from `[contract] file` and the channel rules' `schema` and `event_schemas` to the
// protocol::Validation that all loops share. docs/validation.md shows the files.
//
//   {"version": 1,
//    "channels": [{"pattern": "room:*", "message": S, "events": {"name": S}, "presence": S}],
//    "rpc": {"name": {"input": S, "output": S}}}
//
// Each S is a JSON Schema document of its own: "#" in it means S. All problems are reported at
// once, one line each, with their place in the file:
//
//   anywire.contract.json:7:21: "/channels/0/message/type" must be ...; did you mean "string"?
//
// Thread: start-up and reload only; reads files. Nothing is kept from the arguments.
// Limits: kContractChannelsMax channels; files as large as `read_file` takes.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "protocol/validation.h"
#include "server/config.h"

namespace anywire::server {

// Publications look for theirs one after the other, as they do for their channel rule.
inline constexpr std::size_t kContractChannelsMax = 256;

struct LoadedValidation {
  std::unique_ptr<const protocol::Validation> validation;  // null: nothing is to be checked
  std::vector<std::string> hints;  // what is allowed but probably not meant
};

// `read_file` is read_config_file() in production.
[[nodiscard]] std::expected<LoadedValidation, std::vector<std::string>> load_validation(
    const Config& config, const std::function<Result<std::string>(const std::string&)>& read_file);

}  // namespace anywire::server
