// MessageAssembly: what a Connection remembers while its opening, a frame or a message is
// incomplete. Made when the first piece stays behind and freed with the last, so idle connections
// do not pay for it.
//
// Thread: the connection's loop. Limits: `message` grows with the bytes that came (doubling), at
// most to the message limit; `carry` holds at most one receive buffer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "codec/utf8.h"
#include "websocket/deflate.h"
#include "websocket/frame_parser.h"

namespace anywire::ws {

struct MessageAssembly {
  // Received but not looked at: a piece of a frame header, or what waits for the peer to read.
  BufferRef carry;

  // The frame whose payload is arriving, while `in_frame`.
  FrameHeader frame;
  std::uint64_t frame_left = 0;
  bool in_frame = false;
  std::uint8_t control_bytes = 0;
  std::array<std::uint8_t, kControlPayloadBytesMax> control{};

  // The message whose frames are arriving, while `in_message`.
  bool in_message = false;
  bool text = false;
  bool compressed = false;
  codec::Utf8Validator utf8;
  BufferRef message;                    // of an uncompressed message
  std::vector<std::uint8_t> inflated;   // of a compressed one
  // Borrowed from the loop's pool for one message, when no context is kept.
  std::unique_ptr<Inflater> inflater;

  // What `Connection::open` will say, until it does.
  std::string response;
  std::optional<DeflateParams> deflate;

  bool idle() const { return !carry && !in_frame && !in_message; }
  std::size_t message_bytes() const {
    return message ? message->size() : inflated.size();
  }
  std::uint64_t frame_done() const { return frame.payload_bytes - frame_left; }

  // Room for `more` bytes behind the message. `expected` is how long the peer says it will be:
  // believed up to 1 MiB, because untouched memory costs nothing, and no further.
  void reserve(std::size_t more, std::uint64_t expected);
};

}  // namespace anywire::ws
