// From [app] to what hooks::App wants.
//
// Thread: at start-up, where reading a file may take its time. Pure but for `read_file`.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hooks/app.h"
#include "server/config.h"

namespace anywire::server {

// What the keys of [app] take.
bool is_hook_url(std::string_view text);
bool is_hook_name(std::string_view text);

// Nothing when no application is configured. The error names the key that is at fault.
Result<std::optional<hooks::AppOptions>> app_options(
    const Config& config,
    const std::function<Result<std::string>(const std::string&)>& read_file);

// What contradicts itself, one sentence each; see validate().
void check_app(const Config& config, std::vector<std::string>& problems);

}  // namespace anywire::server
