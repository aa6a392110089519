// A body of Engine.IO packets: what is read from it is what is in it, and what would be queued for
// a poll becomes the same messages as WebSocket frames.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocol/transport/engine/packet.h"
#include "protocol/transport/engine_frame.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace anywire;
  namespace engine = protocol::engine;
  const std::string_view body = as_text(Bytes(data, size));
  std::string again;
  bool broken = false;
  engine::PayloadReader reader(body);
  for (bool first = true; reader.more(); first = false) {
    const auto packet = reader.next();
    broken = !packet;
    if (broken) break;
    if (!first) again += engine::kSeparator;
    again += packet->type == engine::PacketType::kBinary
                 ? 'b'
                 : static_cast<char>('0' + static_cast<int>(packet->type));
    again += packet->data;
  }
  if (broken ? !body.starts_with(again) : again != body) std::abort();

  const BufferRef text = protocol::encode_engine_packet(true, Bytes(data, size));
  const BufferRef bytes = protocol::encode_engine_packet(false, Bytes(data, size));
  if (text->size() != size + 1) std::abort();
  if (!protocol::packets_to_frames(as_text(bytes->bytes()))) std::abort();
  protocol::packets_to_frames(body);  // whatever comes of it
  return 0;
}
