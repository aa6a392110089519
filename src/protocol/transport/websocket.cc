#include "protocol/transport/websocket.h"

namespace anywire::protocol {

WebSocketTransport::WebSocketTransport(WebSocketContext& context) : connection_(context, *this) {
  context.transports.add(*this);
}

WebSocketTransport::~WebSocketTransport() = default;

void WebSocketTransport::send_text(std::string_view text) {
  connection_.send(ws::Opcode::kText, as_bytes(text));
}

void WebSocketTransport::send_binary(Bytes bytes) {
  connection_.send(ws::Opcode::kBinary, bytes);
}

void WebSocketTransport::send(bool text, BufferRef payload) {
  connection_.send(text ? ws::Opcode::kText : ws::Opcode::kBinary, std::move(payload));
}

Transport::Encoding WebSocketTransport::encoding(std::size_t payload_bytes) const {
  const bool compress = connection_.takes_shared_compression() &&
                        payload_bytes >= connection_.compression_bytes_min();
  return compress ? Encoding::kCompressed : Encoding::kPlain;
}

void WebSocketTransport::on_closed(ws::CloseCode code) {
  if (session_) session_->on_closed(code);
  context().transports.remove(*this);
  context().loop.defer_delete(std::unique_ptr<WebSocketTransport>(this));
}

}  // namespace anywire::protocol
