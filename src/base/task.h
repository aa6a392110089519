// Task: a piece of work to run once, later, possibly on another loop.
#pragma once

#include <functional>

namespace anywire {

using Task = std::move_only_function<void()>;

}  // namespace anywire
