// Session: what one protocol knows of one client. Made by its Adapter, owned by the Transport.
//
// Thread: the transport's loop. Lifetime: from the upgrade until after `on_closed`; destroyed with
// the transport at the end of that turn. No callback may destroy it.
#pragma once

#include "http/request.h"
#include "websocket/connection.h"

namespace anywire::protocol {

class Session {
 public:
  virtual ~Session() = default;

  // The transport has its peer but has not answered it. Call Transport::open, now or later, to
  // complete the upgrade; what must be in place before the peer may speak goes in between.
  // `request` is valid until this returns.
  virtual void on_attached(const http::RequestHead& request) = 0;
  // Only after `open`. `message` is valid until this returns.
  virtual void on_message(ws::Message& message) = 0;
  // The peer has caught up after having been slow.
  virtual void on_writable() {}
  // The end; the transport takes no more output. Also called when the peer left before `open`.
  virtual void on_closed(ws::CloseCode code) = 0;
};

}  // namespace anywire::protocol
