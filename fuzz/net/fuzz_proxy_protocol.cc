// PROXY protocol headers: the verdict may not depend on how the bytes were cut.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/assert.h"
#include "net/proxy_protocol.h"

using anywire::Bytes;
using anywire::net::Address;
using anywire::net::ProxyHeaderParser;

namespace {

struct Outcome {
  ProxyHeaderParser::Status status = ProxyHeaderParser::Status::kNeedMore;
  std::size_t consumed = 0;
  std::optional<Address> source, destination;

  bool operator==(const Outcome&) const = default;
};

Outcome parse(Bytes input, std::size_t step) {
  ProxyHeaderParser parser;
  Outcome out;
  while (!input.empty() && out.status == ProxyHeaderParser::Status::kNeedMore) {
    const std::vector<std::uint8_t> piece(input.begin(),
                                          input.begin() + static_cast<std::ptrdiff_t>(
                                                              std::min(step, input.size())));
    const ProxyHeaderParser::Output result = parser.feed(piece);
    AW_ASSERT(result.consumed <= piece.size());
    out.status = result.status;
    out.consumed += result.consumed;
    input = input.subspan(piece.size());
  }
  if (out.status == ProxyHeaderParser::Status::kError) out.consumed = 0;
  out.source = parser.source();
  out.destination = parser.destination();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const Outcome whole = parse(input, size + 1);
  AW_ASSERT(parse(input, 1) == whole);
  AW_ASSERT(parse(input, 13) == whole);
  AW_ASSERT(whole.source.has_value() == whole.destination.has_value());
  AW_ASSERT(whole.consumed <= 1024 || whole.status != ProxyHeaderParser::Status::kDone);
  return 0;
}
