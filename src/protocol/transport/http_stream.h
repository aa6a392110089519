// HttpStream: a Transport for clients without WebSocket: what Server-Sent Events (EventStream) and
// long-polling (LongPoll) have in common. Section 9 of docs/protocol.md.
//
// Output goes the way the client asked for; input comes as the bodies of other requests, which may
// have arrived on any loop. Messages are JSON texts and not looked into.
//
// Back-pressure is that of a WebSocket: above the high watermark the stream is congested, and input
// waits until the client has read, as it does while the session holds it; beyond the queue's limit
// the stream ends with 1013. A request whose messages wait is answered when they have been taken.
//
// Thread: the loop's. Lifetime: owns itself, through HttpStreams, until the end of the turn in
// which it left; owns its session. Limits: HttpStreamOptions; kHeldInputsMax inputs that wait.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "protocol/session.h"
#include "protocol/transport.h"
#include "protocol/transport/stream_id.h"

namespace anywire::protocol {

class HttpStreams;

// A request that waits for its answer, on whichever loop.
struct Asker {
  std::uint32_t loop = 0;
  SlotId request;

  bool operator==(const Asker&) const = default;
};

// A frame from the client: a JSON array of messages, within the body it came in.
struct StreamInput {
  BufferRef body;
  std::size_t offset = 0;
  std::size_t bytes = 0;
  std::optional<Asker> asker;  // to be told when it was taken
};

class HttpStream : public Transport {
 public:
  static constexpr std::size_t kHeldInputsMax = 8;

  ~HttpStream() override;

  const StreamId& id() const { return id_; }
  bool congested() const override { return congested_; }
  void hold_input(bool on) override;

  // Hands the session its transport. Once, first of all.
  void attach(std::unique_ptr<Session> session, const http::RequestHead& request);
  void take(StreamInput input);
  // The client asks for messages, having had those up to answer `ack`.
  virtual void poll(std::uint64_t ack, const Asker& asker) = 0;
  // Nobody waits for that answer any more.
  virtual void forget_poll(const Asker&) {}
  // The turn ends; called after `touch`.
  virtual void flush() = 0;
  // Ends without a word.
  virtual void abort() = 0;
  // Bytes of output that the client has not taken yet.
  virtual std::size_t unsent_bytes() const = 0;

  void send_text(std::string_view text) override;
  void send_binary(Bytes bytes) override;
  void send(bool text, BufferRef payload) override;
  void send_frame(const BufferRef& frame) override { enqueue(frame); }
  Encoding encoding(std::size_t) const override { return Encoding::kEvent; }

 protected:
  explicit HttpStream(HttpStreams& streams);

  // Whole event frames.
  virtual void enqueue(const BufferRef& events) = 0;

  void touch();
  // Gives the session what had to wait.
  void deliver_held();
  // The session's end. It is not called after this.
  void end_session(ws::CloseCode code);
  // The stream's end: no request finds it any more.
  void leave();
  // {"code":...,"reason":...}
  std::string close_text() const;

  HttpStreams& streams_;
  std::unique_ptr<Session> session_;  // null after its end
  bool opened_ = false;
  bool closing_ = false;  // `close` was called, or had to be
  bool congested_ = false;
  ws::CloseCode close_code_ = ws::CloseCode::kAbnormal;
  std::string close_reason_;

 private:
  bool takes_input() const {
    return opened_ && !closing_ && !congested_ && !input_held_ && !delivering_;
  }
  void deliver(StreamInput& input);

  StreamId id_;
  bool touched_ = false;
  bool input_held_ = false;  // by the session
  bool delivering_ = false;  // the session is in the middle of a message
  friend class HttpStreams;
  std::vector<StreamInput> held_;
};

}  // namespace anywire::protocol
