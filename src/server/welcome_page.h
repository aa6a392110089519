// The page `anywire dev` shows at http://localhost:3001/: a chat between browser tabs over the
// channel at "/", in one file and without any library.
#pragma once

#include <string_view>

namespace anywire::server {

extern const std::string_view kWelcomePage;

}  // namespace anywire::server
