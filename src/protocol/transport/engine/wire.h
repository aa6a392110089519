// Wire: one WebSocket of an Engine.IO session: the session's own, or a candidate that has yet to
// prove itself by the probe.
//
// Thread: the loop's. Lifetime: owns itself, through its context's set, until the end of the turn
// in which the connection closed; knows its Link until either has ended.
#pragma once

#include <memory>

#include "base/dense_set.h"
#include "websocket/connection.h"
#include "websocket/upgrade.h"

namespace anywire::protocol::engine {

class Link;
class Wire;

// What all wires of one endpoint share. Outlives them.
struct WireContext : ws::ConnectionContext {
  DenseSet<Wire> wires;
};

class Wire final : public DenseSetMember, private ws::ConnectionHandler {
 public:
  // Takes the connection over, without answering the upgrade yet.
  static Wire& start(WireContext& context, Link& link, std::unique_ptr<net::Stream> stream,
                     Bytes early, ws::UpgradeAnswer answer);

  ws::Connection& connection() { return connection_; }
  const ws::Connection& connection() const { return connection_; }

  // The link has no more to do with it: it says goodbye by itself.
  void leave(ws::CloseCode code);

 private:
  Wire(WireContext& context, Link& link);
  void on_message(ws::Message& message) override;
  void on_writable() override;
  void on_closed(ws::CloseCode code) override;

  Link* link_;
  ws::Connection connection_;
};

}  // namespace anywire::protocol::engine
