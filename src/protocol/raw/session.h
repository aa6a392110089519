// RawSession: one plain WebSocket client in one channel. What it sends, all members get, itself
// included; each message is encoded once per loop and shared.
//
// Thread: the loop's. Lifetime: see protocol::Session.
#pragma once

#include <string_view>

#include "hub/hub.h"
#include "protocol/session.h"
#include "protocol/transport.h"

namespace anywire::protocol::raw {

class RawAdapter;

class RawSession final : public Session, private hub::Subscriber {
 public:
  RawSession(RawAdapter& adapter, Transport& transport, bool heartbeat)
      : adapter_(adapter), transport_(transport), heartbeat_(heartbeat) {}

  void on_attached(const http::RequestHead& request) override;
  void on_message(ws::Message& message) override;
  void on_closed(ws::CloseCode code) override;

 private:
  void on_subscribed(const hub::Joined& joined) override;
  void on_refused(hub::HubError error) override;
  bool on_delivery(hub::Delivery& delivery) override;
  void on_hold() override { transport_.hold_input(true); }
  void on_release() override { transport_.hold_input(false); }

  RawAdapter& adapter_;
  Transport& transport_;
  bool heartbeat_;       // the client speaks kHeartbeatSubprotocol
  bool greet_ = false;
};

}  // namespace anywire::protocol::raw
