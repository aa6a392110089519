// The target of a request line and the value of Host, taken apart and judged. Used by
// RequestParser; pure functions, any thread, views point into the arguments.
#pragma once

#include <string_view>
#include <vector>

#include "http/request.h"

namespace anywire::http {

struct TargetParts {
  std::string_view raw_path;
  std::string_view query;
  std::string_view host;  // only of an absolute target
  bool is_https = false;  // an absolute target of that scheme
};

// Splits a target in origin form, absolute form (http or https) or, for OPTIONS, asterisk form
// (RFC 9112 section 3.2). False for any other form, and for a byte a target must not hold:
// controls, space, '#' and everything outside ASCII.
bool split_target(std::string_view target, Method method, TargetParts& parts);

// Decodes the escapes of a path that begins with '/', once, and removes "." and ".." segments
// (RFC 3986 section 5.2.4); empty segments stay. Answers with a view of `raw` when nothing had to
// change, otherwise of `scratch`; a null view (data() == nullptr) when the path is refused: a
// broken escape, ".." above the root, a control byte or slash in encoded form, or a backslash in
// any form, all of which other software on the way may have read differently.
std::string_view normalize_path(std::string_view raw, std::vector<char>& scratch);

// Whether an encoded slash or backslash is all that normalize_path refuses in `raw`: then it names
// something, if only to who does not decode the path before it takes it apart.
bool is_opaque_path(std::string_view raw);

// A host with an optional port, as Host carries it (RFC 9110 section 7.2): a name of letters,
// digits, '-', '.' and '_', an IPv4 address or an IPv6 address in brackets, then at most ":" and a
// port from 0 to 65535. Narrower than RFC 3986, which allows sub-delims, escapes and an empty port:
// no client sends those, and a ',' or '%' in a host only helps to confuse two readers.
bool is_host(std::string_view text);

}  // namespace anywire::http
