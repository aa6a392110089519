// Client: one WebSocket connection of the generator, as little of a client as the tests need.
//
// Thread: the engine's. Lifetime: owned by a Fleet or a scenario; may be destroyed outside its own
// callbacks only. Limits: a response head of at most kHeadBytesMax bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine.h"
#include "frame_reader.h"
#include "frame_template.h"
#include "net/tcp_stream.h"

namespace anywire::bench {

class Client;

class ClientHandler {
 public:
  virtual void on_open(Client& client) = 0;
  // A data message of the test; pings and what belongs to the dialect are dealt with before.
  virtual void on_message(Client& client, const Message& message) = 0;
  // The connection has come to its end, orderly if both Close frames went over the wire.
  virtual void on_closed(Client& client, bool orderly) = 0;

 protected:
  ~ClientHandler() = default;
};

class Client final : private net::StreamHandler, private FrameSink {
 public:
  Client(Engine& engine, ClientHandler& handler, std::uint32_t id);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Begins; `on_open` or `on_closed` follows. `source` numbers the socket (Engine::open_socket).
  Result<void> connect(std::uint32_t source);
  // For an open client.
  void send(FrameTemplate& frame, std::uint32_t number) { frame.send(*stream_, id_, number); }
  void send_text(std::string_view text);
  // While off, what the server sends stays in the kernel, and soon with the server.
  void set_reading(bool on) { stream_->set_reading(on); }
  // Sends a Close frame and waits for the peer's; `on_closed` follows.
  void close();

  std::uint32_t id() const { return id_; }
  bool is_open() const { return phase_ == Phase::kOpen; }
  bool compression_agreed() const { return compression_agreed_; }

  // For the scenario: the number expected next, and when things were sent.
  std::uint32_t expected = 0;
  std::uint32_t sent = 0;

 private:
  static constexpr std::size_t kHeadBytesMax = 16 * 1024;
  enum class Phase : std::uint8_t { kIdle, kUpgrading, kDialect, kOpen, kClosing, kClosed };

  void on_readable() override;
  void on_drained() override {}
  void on_closed() override { finish(false); }
  bool on_frame(const Message& message) override;

  bool take_head(Bytes& input);
  bool accept_head(std::string_view head);
  void opened();
  void send_frame(ws::Opcode opcode, Bytes payload);
  void finish(bool orderly);
  void fail(std::string_view why);

  Engine& engine_;
  ClientHandler& handler_;
  std::unique_ptr<net::TcpStream> stream_;
  std::string head_;
  FrameReader reader_;
  std::uint32_t id_;
  Phase phase_ = Phase::kIdle;
  bool compression_agreed_ = false;
  bool got_close_ = false;
};

}  // namespace anywire::bench
