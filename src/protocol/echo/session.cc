#include "protocol/echo/session.h"

#include "codec/ecma_json.h"

namespace anywire::protocol::echo {

void MirrorSession::on_message(ws::Message& message) {
  if (message.owned) {
    transport_.send(message.text, std::move(message.owned));
  } else if (message.text) {
    transport_.send_text(as_text(message.data));
  } else {
    transport_.send_binary(message.data);
  }
}

void EchoSession::on_attached(const http::RequestHead&) {
  transport_.open();
  transport_.send_text(R"({"hello":"world"})");
}

void EchoSession::on_message(ws::Message& message) {
  const auto value = codec::reserialize(message.data);
  transport_.send_text(value ? "{\"echo\":" + *value + "}" : std::string("invalid json"));
}

}  // namespace anywire::protocol::echo
