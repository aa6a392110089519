// RawSession: one plain WebSocket client in one channel. What it sends, all members get, itself
// included; each message is encoded once per loop and shared. This one is anonymous; KnownSession
// adds who it is.
//
// Thread: the loop's. Lifetime: see protocol::Session.
#pragma once

#include <string_view>

#include "hub/hub.h"
#include "protocol/limits.h"
#include "protocol/raw/names.h"
#include "protocol/session.h"
#include "protocol/transport.h"

namespace anywire::protocol::raw {

class RawAdapter;

class RawSession : public Session, private hub::Subscriber {
 public:
  RawSession(RawAdapter& adapter, Transport& transport, bool heartbeat)
      : adapter_(adapter), transport_(transport), heartbeat_(heartbeat) {}

  void on_attached(const http::RequestHead& request) override;
  void on_message(ws::Message& message) override;
  void on_closed(ws::CloseCode code) override;

 protected:
  // The channel that the request is about; greets, if it is the root's.
  std::string_view take_channel(const http::RequestHead& request);
  // The upgrade is answered once the subscription is in force, so that a client that is connected
  // misses nothing.
  void join(std::string_view channel, bool may_publish);
  void set_may_publish(bool may) { may_publish_ = may; }
  // Hands what the client publishes to `ask` from now on.
  void set_asks() { asks_ = true; }
  Transport& transport() const { return transport_; }
  bool closed() const { return closed_; }
  std::string_view channel() const;
  // Completes the upgrade if need be: a close code says more than a failed handshake.
  void close(Close code, std::string_view reason);
  void leave();

  RawAdapter& adapter() const { return adapter_; }

 private:
  // Writes down who it is from.
  virtual void sign(broker::Draft&) const {}
  // Null: none.
  virtual SessionLimits* limits() const { return nullptr; }
  // Whether so many bytes are within them; if not, the client has been told.
  bool admit(std::size_t bytes);
  // The application has the say about this one.
  virtual void ask(broker::Draft&&) {}

  void on_subscribed(const hub::Joined& joined) override;
  void on_refused(hub::HubError error) override;
  bool on_delivery(hub::Delivery& delivery) override;
  // Whether schemas let it pass; if not, the client has been told.
  bool admit(broker::Draft& draft);
  void on_hold() override { transport_.hold_input(true); }
  void on_release() override { transport_.hold_input(false); }

  RawAdapter& adapter_;
  Transport& transport_;
  bool heartbeat_ : 1;            // the client speaks kHeartbeatSubprotocol
  bool greet_ : 1 = false;
  bool open_ : 1 = false;         // the upgrade is answered
  bool closed_ : 1 = false;       // by us
  bool may_publish_ : 1 = false;
  bool asks_ : 1 = false;
};

}  // namespace anywire::protocol::raw
