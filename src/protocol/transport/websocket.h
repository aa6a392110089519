// WebSocketTransport: a Transport over one WebSocket connection.
//
// Thread: the loop's. Lifetime: owns itself through its context's set, from `start` until the end
// of the turn in which the connection closed.
#pragma once

#include <memory>
#include <string>

#include "base/dense_set.h"
#include "protocol/session.h"
#include "protocol/transport.h"
#include "websocket/connection.h"
#include "websocket/upgrade.h"

namespace anywire::protocol {

class WebSocketTransport;

// What all WebSocket transports of one loop share. Outlives them.
struct WebSocketContext : ws::ConnectionContext {
  DenseSet<WebSocketTransport> transports;
};

class WebSocketTransport final : public Transport,
                                 public DenseSetMember,
                                 private ws::ConnectionHandler {
 public:
  // `make` is called with the new transport and must return its session.
  template <typename Make>
  static void start(WebSocketContext& context, std::unique_ptr<net::Stream> stream, Bytes early,
                    ws::UpgradeAnswer answer, const http::RequestHead& request, Make&& make) {
    auto* transport = new WebSocketTransport(context);
    transport->connection_.attach(std::move(stream), std::move(answer.response), answer.deflate,
                                  early);
    transport->session_ = make(*transport, answer.subprotocol);
    transport->session_->on_attached(request);
  }

  ~WebSocketTransport() override;

  void open() override { connection_.open(); }
  void send_text(std::string_view text) override;
  void send_binary(Bytes bytes) override;
  void send(bool text, BufferRef payload) override;
  void send_frame(const BufferRef& frame) override { connection_.send_frame(frame); }
  Encoding encoding(std::size_t payload_bytes) const override;
  void hold_input(bool on) override { connection_.hold_input(on); }
  bool congested() const override { return connection_.congested(); }
  void close(ws::CloseCode code, std::string_view reason) override {
    connection_.close(code, reason);
  }
  // Without a closing handshake: for a drain that has run out of time, or a peer that reads too
  // slowly to get to a Close frame.
  void abort(ws::CloseCode code = ws::CloseCode::kAbnormal) { connection_.abort(code); }
  // Bytes of output that the kernel has not taken yet.
  std::size_t unsent_bytes() const { return connection_.queued_bytes(); }

 private:
  explicit WebSocketTransport(WebSocketContext& context);
  WebSocketContext& context() const {
    return static_cast<WebSocketContext&>(connection_.context());
  }
  void on_message(ws::Message& message) override { session_->on_message(message); }
  void on_writable() override { session_->on_writable(); }
  void on_closed(ws::CloseCode code) override;

  std::unique_ptr<Session> session_;
  ws::Connection connection_;
};

}  // namespace anywire::protocol
