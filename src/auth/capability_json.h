// Capabilities as JSON: {"pattern": ["operation", ...], ...}, within a token and by itself. For
// this folder only; others use Capability::parse.
//
// Thread: any; a pure function. Limits: those of Capability.
#pragma once

#include <simdjson.h>

#include "auth/capability.h"
#include "base/result.h"

namespace anywire::auth {

// The error's text is fixed and completes "capability must".
Result<Capability> read_capability(simdjson::dom::element value);

}  // namespace anywire::auth
