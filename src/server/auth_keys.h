// Auth keys: from the [auth] table to what auth/jwt.h verifies tokens with.
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

// The key of `hs256_secret` or of `hs256_secret_file`, without an id, so that it fits tokens of any
// `kid`. An empty set when neither is given: then no token is valid. `read_file` is
// read_config_file() in production.
Result<auth::KeySet> load_auth_keys(
    const AuthSection& auth,
    const std::function<Result<std::string>(const std::string&)>& read_file);

auth::VerifyOptions verify_options(const AuthSection& auth);

}  // namespace anywire::server
