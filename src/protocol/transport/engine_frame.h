// Engine frames: one message of an Engine.IO session (protocol/transport/engine) in the forms in
// which it may wait for, and go to, a client: made once per loop and form, and shared by any number
// of Transport::send_frame.
//
//   kPackets     part of a poll's answer: `4text`, or `b` and base64. Several may be joined by 0x1e
//   kPlain       a WebSocket frame: text with the `4` in front, or the bare bytes
//   kCompressed  the same, compressed, for those who agreed on "no context takeover"
//
// Thread: any; `pool` is its loop's. Lifetime: arguments are read during the call.
#pragma once

#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"
#include "protocol/transport.h"
#include "websocket/compression_pool.h"

namespace anywire::protocol {

// A text holds no 0x1e, which JSON escapes: it would end the packet among others.
BufferRef encode_engine_message(Transport::Encoding form, bool text, Bytes payload,
                                ws::CompressionPool& pool);

// The one form that needs no pool.
BufferRef encode_engine_packet(bool text, Bytes payload);

// What kPackets holds, as WebSocket frames in the same order, uncompressed. Null for broken base64,
// which nothing here has made.
BufferRef packets_to_frames(std::string_view packets);

}  // namespace anywire::protocol
