// Descriptor limit: how many files and sockets this process may have open.
//
// Every connection is a descriptor, and the soft limit a shell hands out (often 1024) is a default
// for programs that use select(); a server may raise it to the hard limit by itself.
//
// Thread: start-up.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace anywire {

// Raises the soft limit to the hard one and returns what is in force then. A refusal to raise it is
// not an error, the lower limit is simply returned. Never more than INT32_MAX, an "unlimited" limit
// included.
Result<std::uint64_t> raise_fd_limit();

}  // namespace anywire
