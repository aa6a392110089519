// What a file is, by the end of its name: the types a built web application consists of. Everything
// else is application/octet-stream, which browsers save and do not run.
//
// Thread: pure functions.
#pragma once

#include <string_view>

namespace anywire::front {

struct ContentType {
  std::string_view type;  // with its charset, where it is text
  bool compressible;      // worth a look for a file with ".br" or ".gz" behind its name
};

// `path` may have folders in front.
ContentType content_type(std::string_view path);

}  // namespace anywire::front
