// Any bytes as JSON and as MessagePack: what converts comes back, stays the same from then on, and
// means the same to JSON.parse.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/assert.h"
#include "codec/ecma_json.h"
#include "codec/json_reader.h"
#include "codec/msgpack.h"
#include "codec/transcode.h"

namespace {

using namespace anywire;

constexpr std::size_t kJsonGrowthMax = 8;  // as transcode.h has it
constexpr std::size_t kMsgpackGrowthMax = 3;

void as_json(Bytes input) {
  const auto msgpack = codec::json_to_msgpack(input);
  if (!msgpack) return;
  AW_ASSERT(msgpack->size() <= kMsgpackGrowthMax * input.size());
  codec::MsgpackReader walk(as_bytes(*msgpack));
  AW_ASSERT(walk.skip() && walk.at_end());
  const auto json = codec::msgpack_to_json(as_bytes(*msgpack));
  AW_ASSERT(json);
  AW_ASSERT(codec::json_to_msgpack(as_bytes(*json)) == msgpack);
  const auto meant = codec::reserialize(input, codec::kJsonDepthMax);
  AW_ASSERT(meant && codec::reserialize(as_bytes(*json), codec::kJsonDepthMax) == meant);
}

void as_msgpack(Bytes input) {
  const auto json = codec::msgpack_to_json(input);
  if (!json) return;
  AW_ASSERT(json->size() <= kJsonGrowthMax * input.size());
  codec::MsgpackReader walk(input);
  AW_ASSERT(walk.skip() && walk.at_end());
  codec::JsonReader reader;
  AW_ASSERT(reader.read(as_bytes(*json)));
  const auto shortest = codec::json_to_msgpack(as_bytes(*json));
  AW_ASSERT(shortest && shortest->size() <= input.size());
  AW_ASSERT(codec::msgpack_to_json(as_bytes(*shortest)) == json);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  as_json({data, size});
  as_msgpack({data, size});
  return 0;
}
