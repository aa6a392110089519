// Shows a header to the parser prefix by prefix: a verdict must never change as more bytes come,
// and an accepted header must be exactly what the writer writes. Nine bytes choose the rules, the
// rest is the wire. The same bytes are also read as a Close payload and written back.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "websocket/frame_parser.h"
#include "websocket/frame_writer.h"

namespace {

using namespace anywire;
using namespace anywire::ws;

void check(bool condition) {
  if (!condition) std::abort();
}

void expect_written_alike(Bytes wire, const HeaderResult& result) {
  const FrameHeader& header = result.header;
  std::array<std::uint8_t, kHeaderBytesMax> out;
  const std::size_t size =
      header.masked ? write_masked_header(out.data(), header.opcode, header.fin, header.rsv1,
                                          header.payload_bytes, header.mask_key)
                    : write_header(out.data(), header.opcode, header.fin, header.rsv1,
                                   header.payload_bytes);
  check(size == result.header_bytes && std::equal(out.data(), out.data() + size, wire.begin()));
}

void read_close(Bytes payload) {
  const auto closed = parse_close(payload);
  if (!closed) return;
  std::array<std::uint8_t, kCloseFrameBytesMax> out;
  const std::size_t size =
      encode_close(out.data(), static_cast<CloseCode>(closed->code), closed->reason);
  check(size <= out.size());
  if (payload.size() <= kControlPayloadBytesMax) {
    check(std::ranges::equal(Bytes(out).first(size).subspan(2), payload));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 9) return 0;
  HeaderRules rules{.expect_mask = (data[0] & 1) != 0,
                    .allow_rsv1 = (data[0] & 2) != 0,
                    .in_fragmented_message = (data[0] & 4) != 0};
  std::memcpy(&rules.payload_bytes_max, data + 1, 8);
  const Bytes wire(data + 9, size - 9);

  HeaderStatus settled = HeaderStatus::kNeedMore;
  for (std::size_t seen = 0; seen <= std::min(wire.size(), kHeaderBytesMax + 1); ++seen) {
    const std::vector<std::uint8_t> prefix(wire.begin(),
                                           wire.begin() + static_cast<std::ptrdiff_t>(seen));
    const HeaderResult result = parse_header(prefix, rules);
    if (settled == HeaderStatus::kNeedMore) {
      settled = result.status;
      if (settled == HeaderStatus::kOk) check(result.header_bytes == seen);
      if (settled == HeaderStatus::kNeedMore) check(result.header_bytes > seen);
    }
    check(result.status == settled);
    if (settled == HeaderStatus::kOk) {
      expect_written_alike(wire, result);
      check(is_control(result.header.opcode) ||
            result.header.payload_bytes <= rules.payload_bytes_max);
    }
  }
  read_close(wire);
  return 0;
}
