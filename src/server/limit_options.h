// From [limits] to what protocol/limits.h works with.
//
// A pure function. Thread: any.
#pragma once

#include "protocol/limits.h"
#include "server/config.h"

namespace anywire::server {

protocol::LimitOptions limit_options(const LimitsSection& section);

}  // namespace anywire::server
