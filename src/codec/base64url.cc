#include "codec/base64url.h"

#include "codec/base64.h"

namespace anywire::codec {

std::string base64url_encode(Bytes input) {
  std::string out = base64_encode(input);
  while (out.ends_with('=')) out.pop_back();
  for (char& c : out) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  return out;
}

Result<std::string> base64url_decode(std::string_view text) {
  if (text.size() % 4 == 1) {
    return fail(ErrorCode::kInvalidArgument, "base64url text of an impossible length");
  }
  std::string standard;
  standard.reserve(text.size() + 2);
  for (const char c : text) {
    if (c == '+' || c == '/' || c == '=') {
      return fail(ErrorCode::kInvalidArgument, "base64url text leaves its alphabet");
    }
    standard.push_back(c == '-' ? '+' : c == '_' ? '/' : c);
  }
  while (standard.size() % 4 != 0) standard.push_back('=');
  return base64_decode(standard);
}

}  // namespace anywire::codec
