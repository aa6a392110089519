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

  // While held, no message of the peer is handed to the session, and none is read once the one
  // under way is. What is handed over on release may come inside the call.
  virtual void hold_input(bool on) = 0;

  // Which of the frames that `send_frame` takes this peer wants. A frame is made once per loop and
  // form, and shared; frames of one form may be sent back to back in one buffer.
  //
  //   kPlain, kCompressed  WebSocket frames: ws::encode_frame, CompressionPool::encode_shared
  //   kEvent               encode_event(json) of protocol/transport/event_frame.h, for Server-Sent
  //                        Events and long-polling alike. Only sessions that speak JSON meet it: on
  //                        these transports a message is one JSON text, nothing else can be sent
  //
  //   kPackets             encode_engine_message of protocol/transport/engine_frame.h, for the
  //                        answers of Engine.IO polls. On such a Route kPlain and kCompressed are
  //                        frames of that function, too
  //
  // The answer may differ from message to message in what is compressed, but never between kEvent
  // and the others. kPackets becomes kPlain or kCompressed once, when its client goes on by
  // WebSocket; what was sent before that is converted.
  enum class Encoding { kPlain, kCompressed, kEvent, kPackets };
  virtual Encoding encoding(std::size_t payload_bytes) const = 0;

  // More is unsent than should be: whoever can wait for Session::on_writable, should. What is sent
  // all the same is taken until the transport ends the peer for it.
  virtual bool congested() const = 0;

  virtual void close(ws::CloseCode code, std::string_view reason) = 0;
};

}  // namespace anywire::protocol
