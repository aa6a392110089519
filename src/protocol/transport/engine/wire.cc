#include "protocol/transport/engine/wire.h"

#include <utility>

#include "protocol/transport/engine/link.h"

namespace anywire::protocol::engine {

Wire::Wire(WireContext& context, Link& link) : link_(&link), connection_(context, *this) {
  context.wires.add(*this);
}

Wire& Wire::start(WireContext& context, Link& link, std::unique_ptr<net::Stream> stream,
                  Bytes early, ws::UpgradeAnswer answer) {
  auto* wire = new Wire(context, link);
  wire->connection_.attach(std::move(stream), std::move(answer.response), answer.deflate, early);
  return *wire;
}

void Wire::leave(ws::CloseCode code) {
  link_ = nullptr;
  connection_.hold_input(false);
  connection_.close(code, {});
}

void Wire::on_message(ws::Message& message) {
  if (link_ != nullptr) link_->take_frame(*this, message);
}

void Wire::on_writable() {
  if (link_ != nullptr) link_->on_writable(*this);
}

void Wire::on_closed(ws::CloseCode code) {
  if (Link* link = std::exchange(link_, nullptr)) link->on_wire_closed(*this, code);
  auto& context = static_cast<WireContext&>(connection_.context());
  context.wires.remove(*this);
  context.loop.defer_delete(std::unique_ptr<Wire>(this));
}

}  // namespace anywire::protocol::engine
