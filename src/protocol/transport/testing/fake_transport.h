// FakeTransport: a Transport that writes down what its session does. Only tests include it.
//
// Thread: one. Lifetime: outlives the session under test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/request.h"
#include "protocol/transport.h"
#include "websocket/connection.h"

namespace anywire::protocol {

class FakeTransport final : public Transport {
 public:
  void open() override { log.push_back("open"); }
  void send_text(std::string_view text) override { log.push_back("text:" + std::string(text)); }
  void send_binary(Bytes bytes) override {
    log.push_back("binary:" + std::string(as_text(bytes)));
  }
  void send(bool text, BufferRef payload) override {
    log.push_back((text ? "buffer text:" : "buffer binary:") +
                  std::string(as_text(payload->bytes())));
  }
  void send_frame(const BufferRef& frame) override {
    frames.push_back(frame);
    log.push_back("frame");
  }
  Encoding encoding(std::size_t) const override { return wants; }
  void hold_input(bool on) override { log.push_back(on ? "hold" : "release"); }
  bool congested() const override { return full; }
  void close(ws::CloseCode code, std::string_view reason) override {
    log.push_back("close:" + std::to_string(static_cast<unsigned>(code)) + ":" +
                  std::string(reason));
  }

  std::vector<std::string> log;
  std::vector<BufferRef> frames;
  Encoding wants = Encoding::kPlain;
  bool full = false;
};

inline ws::Message message_of(std::string_view data, bool text = true) {
  return {.text = text, .data = as_bytes(data), .owned = {}};
}

inline http::RequestHead request_for(std::string_view path) {
  http::RequestHead head;
  head.method_text = "GET";
  head.path = head.raw_path = head.target = path;
  return head;
}

}  // namespace anywire::protocol
