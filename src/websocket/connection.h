// Connection: the server side of one WebSocket (RFC 6455, RFC 7692) on any net::Stream.
//
// It reads and checks frames, answers pings, notices dead peers, keeps the closing handshake, and
// holds back reading while the peer does not read. Whole messages go to the handler; where a
// message came in one piece the handler sees it inside the loop's receive buffer, without a copy.
//
// Thread: the loop's. Lifetime: the handler owns the connection and destroys it through
// Loop::defer_delete once `on_closed` has been called, never inside another callback.
// Limits: ConnectionOptions; an idle connection holds no buffers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "net/stream.h"
#include "reactor/loop.h"
#include "websocket/close_code.h"
#include "websocket/deflate.h"
#include "websocket/frame_parser.h"

namespace anywire::ws {

class CompressionPool;
struct MessageAssembly;

struct ConnectionOptions {
  std::size_t message_bytes_max = 1024 * 1024;   // whole message, after decompression
  Duration idle_timeout{0};                      // without a message; 0 = never
  Duration ping_interval{25'000};                // silence before a ping; 0 = never
  Duration ping_timeout{20'000};                 // for any sign of life after a ping
  Duration close_timeout{5'000};                 // for the closing handshake
  std::size_t high_watermark_bytes = 256 * 1024;  // unsent output that pauses reading
  std::size_t queue_bytes_max = 2 * 1024 * 1024;  // unsent output that ends the connection
  std::size_t compression_bytes_min = 256;        // shorter messages are sent plain
};

// What all connections of one loop share. Outlives them.
struct ConnectionContext {
  reactor::Loop& loop;
  ConnectionOptions options;
  CompressionPool& compression;
};

// A whole message as the peer sent it, unmasked, decompressed and, if text, checked to be UTF-8.
// `data` is valid until the handler returns. `owned` is set when the bytes already have a buffer of
// their own; the handler may keep it instead of copying.
struct Message {
  bool text;
  Bytes data;
  BufferRef owned;
};

class ConnectionHandler {
 public:
  virtual void on_message(Message& message) = 0;
  // Output that had passed the high watermark has left; the peer reads again.
  virtual void on_writable() = 0;
  // The end: `code` is what the peer's Close frame said, what we closed with, or 1006.
  virtual void on_closed(CloseCode code) = 0;

 protected:
  ~ConnectionHandler() = default;
};

class Connection final : private net::StreamHandler, private reactor::Timer {
 public:
  Connection(ConnectionContext& context, ConnectionHandler& handler);
  ~Connection() override;

  // Takes the stream over and keeps what the opening needs: the 101 response, what was negotiated
  // in it, and `early`, the bytes that came right behind the request.
  void attach(std::unique_ptr<net::Stream> stream, std::string response,
              std::optional<DeflateParams> deflate, Bytes early);
  // Sends the response and begins to talk.
  void open();

  // Sends one message. Nothing happens once closing has begun.
  void send(Opcode opcode, Bytes payload);
  void send(Opcode opcode, BufferRef payload);
  // While held, no further message is given to the handler, and soon nothing is read any more: for
  // an owner who cannot keep up. The peer is not taken for dead meanwhile. May be called inside
  // `on_message`; letting go may call it. Closing lets go.
  void hold_input(bool on);

  // Sends a frame made by `encode_frame` or CompressionPool::encode_shared; the bytes are shared.
  void send_frame(BufferRef frame);

  // Starts the closing handshake; on_closed follows within close_timeout. A peer whose upgrade is
  // not answered yet gets the answer and, right behind it, the Close frame.
  void close(CloseCode code, std::string_view reason);
  // Drops the connection without a word; on_closed(code) follows at once.
  void abort(CloseCode code = CloseCode::kAbnormal) { end(code); }

  bool is_open() const { return state_ == State::kOpen; }
  // Output is above the high watermark; on_writable follows when it has left.
  bool congested() const { return throttled_; }
  std::size_t queued_bytes() const { return stream_ ? stream_->queued_bytes() : 0; }
  // True when frames of CompressionPool::encode_shared may be sent here.
  bool takes_shared_compression() const {
    return deflate_ && params_.server_no_context_takeover &&
           params_.server_max_window_bits == kWindowBitsMax;
  }
  std::size_t compression_bytes_min() const { return context_.options.compression_bytes_min; }
  ConnectionContext& context() const { return context_; }

 private:
  enum class State : std::uint8_t {
    kOpening,  // attached; the request is not answered yet
    kOpen,
    kClosing,  // our Close is sent, the peer's awaited
    kEnding,   // both sent, or the peer failed: waiting for the TCP connection to end
    kClosed,
  };

  struct KeptContexts {
    std::unique_ptr<Inflater> inflater;
    std::unique_ptr<Deflater> deflater;
  };

  void on_readable() override;
  void on_drained() override;
  void on_closed() override;
  void on_timer() override;

  // Input, in connection_input.cc.
  std::size_t read_into_scratch();
  std::size_t read_into_message();
  std::size_t read_some(MutableBytes room);
  void take_input(MutableBytes input);
  std::size_t process(MutableBytes input);
  void take_payload(const FrameHeader& header, MutableBytes payload);
  void begin_frame(const FrameHeader& header);
  std::size_t continue_frame(MutableBytes input);
  void add_to_message(Bytes part);
  void end_frame();
  void deliver_whole(bool text, MutableBytes payload);
  void deliver_assembled();
  bool inflate(Bytes part, bool message_ends);
  void take_control(Opcode opcode, Bytes payload);
  void take_close(Bytes payload);
  void discard_input();
  MessageAssembly& assembly();
  KeptContexts& kept();
  HeaderRules rules() const;
  bool receiving() const { return state_ == State::kOpen || state_ == State::kClosing; }
  bool input_waits() const { return throttled_ || held_; }

  // Output, life and death.
  void answer_upgrade();
  bool deflate_and_send(Opcode opcode, Bytes payload);
  void after_write();
  void resume_input();
  void fail(CloseCode code, std::string_view reason);
  void send_close(CloseCode code, std::string_view reason);
  void end(CloseCode code);
  void arm_liveness();
  void check_liveness();

  State state_ = State::kOpening;
  bool deflate_ : 1 = false;
  bool held_ : 1 = false;           // the owner cannot keep up; input waits
  bool throttled_ : 1 = false;      // output above the high watermark; input waits
  bool reading_off_ : 1 = false;    // the stream was told to stop reading
  bool ping_sent_ : 1 = false;
  bool input_ends_ : 1 = false;     // the message being delivered is the last that was read
  CloseCode close_code_ = CloseCode::kAbnormal;
  DeflateParams params_;
  std::uint32_t last_input_ms_ = 0;
  std::uint32_t last_message_ms_ = 0;
  ConnectionContext& context_;
  ConnectionHandler& handler_;
  std::unique_ptr<net::Stream> stream_;
  // Present only while a frame or message is incomplete.
  std::unique_ptr<MessageAssembly> assembly_;
  // Present only with context take-over.
  std::unique_ptr<KeptContexts> kept_;
  // The stream's progress at the last liveness check, while throttled: another one now means that
  // the peer reads.
  std::uint64_t progress_seen_ = 0;
};

// One plain frame, header included, ready for any number of `send_frame`s.
BufferRef encode_frame(Opcode opcode, Bytes payload);

}  // namespace anywire::ws
