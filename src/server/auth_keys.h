// Auth keys: from the [auth] table and the [[keys]] to what auth/jwt.h verifies tokens with.
//
// Thread: start-up and reload only; reads files. Nothing is kept from the arguments, and no error
// holds a secret.
#pragma once

#include <functional>
#include <string>

#include "auth/jwt.h"
#include "auth/key.h"
#include "base/result.h"
#include "server/config.h"

namespace anywire::server {

// The key of `auth.hs256_secret` or its file, without an id, so that it fits tokens of any `kid`,
// and without a bound; and those of [[keys]]. An empty set when none is given: then no token is
// valid. `read_file` is read_config_file() in production.
Result<auth::KeySet> load_auth_keys(
    const Config& config, const std::function<Result<std::string>(const std::string&)>& read_file);

auth::VerifyOptions verify_options(const AuthSection& auth);

}  // namespace anywire::server
