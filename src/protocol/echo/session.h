// The two sessions of EchoAdapter. Thread and lifetime: see protocol::Session.
#pragma once

#include "protocol/session.h"
#include "protocol/transport.h"

namespace anywire::protocol::echo {

// Every message back, text as text and binary as binary.
class MirrorSession final : public Session {
 public:
  explicit MirrorSession(Transport& transport) : transport_(transport) {}
  void on_attached(const http::RequestHead&) override { transport_.open(); }
  void on_message(ws::Message& message) override;
  void on_closed(ws::CloseCode) override {}

 private:
  Transport& transport_;
};

// What `JSON.stringify({ echo: JSON.parse(message) })` gives, whatever kind of frame it came in.
class EchoSession final : public Session {
 public:
  explicit EchoSession(Transport& transport) : transport_(transport) {}
  void on_attached(const http::RequestHead&) override;
  void on_message(ws::Message& message) override;
  void on_closed(ws::CloseCode) override {}

 private:
  Transport& transport_;
};

}  // namespace anywire::protocol::echo
