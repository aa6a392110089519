// What goes on to the application's server: whatever a client sends, the head written anew is one
// that our parser and llhttp take, for the same method and target, with the same framing, and
// without a word of a stranger about who it is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "front/forward_head.h"
#include "http/llhttp_oracle_for_test.h"
#include "http/request_parser.h"

namespace {

using namespace anywire;

std::size_t fields(const http::RequestHead& head, std::string_view name) {
  std::size_t found = 0;
  for (const http::Header& header : head.headers) {
    found += http::equals_ignore_case(header.name, name) ? 1 : 0;
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool trusted = (data[0] & 1) != 0;
  http::RequestParser parser({.body_bytes_max = http::kNoBodyLimit, .opaque_paths = true});
  if (parser.feed({data + 1, size - 1}).status != http::ParseStatus::kHead) return 0;
  const http::RequestHead& asked = parser.head();
  static const net::Address peer = net::Address::ipv4({192, 0, 2, 1}, 5);
  static const net::CidrList nobody;
  static const net::CidrList everybody =
      *net::CidrList::parse(std::vector<std::string>{"0.0.0.0/0"});
  std::string out;
  front::write_request_head(
      out, asked, {.peer = peer, .encrypted = false, .trusted = trusted ? everybody : nobody},
      "app:1");

  http::RequestParser again({.head_bytes_max = 64 * 1024,
                             .headers_max = 200,
                             .body_bytes_max = http::kNoBodyLimit,
                             .opaque_paths = true});
  const http::ParseResult result = again.feed(as_bytes(out));
  AW_ASSERT(result.status == http::ParseStatus::kHead && result.consumed == out.size());
  const http::RequestHead& sent = again.head();
  AW_ASSERT(sent.method == asked.method && sent.path == asked.path && sent.query == asked.query);
  AW_ASSERT(sent.chunked == asked.chunked && sent.content_length == asked.content_length);
  AW_ASSERT(sent.is_websocket_upgrade() == asked.is_websocket_upgrade());
  AW_ASSERT(sent.keep_alive && fields(sent, "host") == 1 && fields(sent, "te") == 0);
  AW_ASSERT(!sent.header("forwarded").empty() && !sent.header("x-forwarded-for").empty());
  if (!trusted) {
    AW_ASSERT(fields(sent, "x-forwarded-for") == 1 && fields(sent, "x-real-ip") == 0);
    AW_ASSERT(sent.header("x-forwarded-for") == "192.0.2.1");
    AW_ASSERT(fields(sent, "x-forwarded-proto") == 1 && fields(sent, "forwarded") == 1);
  }
  const http::LlhttpOracle theirs(out);
  AW_ASSERT(theirs.is_accepted && theirs.has_head);
  AW_ASSERT(theirs.method == asked.method_text && theirs.target == sent.target);
  return 0;
}
