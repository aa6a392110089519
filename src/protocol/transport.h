// Transport: how a session's messages reach its peer. Knows no protocol.
//
// Thread: the loop that accepted the peer. Lifetime: owns its session; see Session.
#pragma once

#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"
#include "websocket/close_code.h"

namespace anywire::protocol {

class Transport {
 public:
  virtual ~Transport() = default;

  // Completes the upgrade: the peer learns that it is connected.
  virtual void open() = 0;

  virtual void send_text(std::string_view text) = 0;
  virtual void send_binary(Bytes bytes) = 0;
  // Sends bytes that already have a buffer without copying them, if they are many.
  virtual void send(bool text, BufferRef payload) = 0;
  // Sends a frame in this transport's own encoding, shared with other receivers.
  virtual void send_frame(const BufferRef& frame) = 0;

  // While held, no message of the peer's is handed to the session, and none is read once the one
  // under way is.
  virtual void hold_input(bool on) = 0;

  // Which of the frames that `send_frame` takes this peer wants.
  enum class Encoding { kPlain, kCompressed };
  virtual Encoding encoding(std::size_t payload_bytes) const = 0;

  virtual void close(ws::CloseCode code, std::string_view reason) = 0;
};

}  // namespace anywire::protocol
