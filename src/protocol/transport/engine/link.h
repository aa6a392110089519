// Link: one Engine.IO session, and the Transport of the protocol above it: which way its messages
// go is its own business.
//
// It begins with polls or with a WebSocket. A session on polls may move to a WebSocket: a candidate
// comes with its sid, says `2probe`, hears `3probe`, and takes over with `5`. Until then packets go
// by polls, and what no poll has fetched goes first on the WebSocket; a client that waits for its
// own requests before the `5`, as it has to, loses nothing and gets all in order.
//
// Every ping_interval the client is pinged; one that does not answer within ping_timeout is gone.
//
// The session is told of the end by these codes:
//
//   1000  the client said goodbye: `1`, or the Close frame of its WebSocket (then that one's code)
//   1002  the client sent what is no packet
//   1006  the connection broke, or a poll or POST was given up half-way
//   1008  a second poll or POST beside another, or a ping of the client's
//   4008  no pong in time (kNoPong)
//   else  what `close` was called with
//
// Back-pressure is that of the other transports: above the high watermark it is congested, and
// input waits; beyond the queue's limit the session ends with 1013.
//
// Thread: the loop's. Lifetime: owns itself, through its Endpoint, until the end of the turn in
// which it ended; owns its session. Limits: Options, EndpointLimits; one poll and one POST at a
// time.
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
#include "protocol/transport/engine/packet.h"
#include "protocol/transport/engine/requests.h"
#include "protocol/transport/engine/wire.h"
#include "protocol/transport/stream_id.h"
#include "reactor/timer_wheel.h"

namespace anywire::protocol::engine {

class Endpoint;

inline constexpr auto kNoPong = static_cast<ws::CloseCode>(4008);

class Link final : public Transport, private reactor::Timer {
 public:
  Link(Endpoint& endpoint, std::shared_ptr<void> lease);
  ~Link() override;

  // One of these comes first. The session is attached, and answers by `open`.
  void start_polling(PollRequest& handshake, std::unique_ptr<Session> session,
                     const http::RequestHead& head);
  void start_websocket(std::unique_ptr<net::Stream> stream, Bytes early, ws::UpgradeAnswer answer);
  void attach(std::unique_ptr<Session> session, const http::RequestHead& head);

  const StreamId& id() const { return id_; }
  const Endpoint& endpoint() const { return endpoint_; }
  bool on_websocket() const { return wire_ != nullptr; }
  bool ending() const { return closing_ || ended_; }
  bool upgrading() const { return polling_ != nullptr && polling_->candidate != nullptr; }
  bool has_post() const { return polling_ != nullptr && polling_->post != nullptr; }
  std::size_t unsent_bytes() const;

  // From the requests.
  void poll(PollRequest& request);
  void forget(PollRequest& request);
  void begin_post(PostRequest& request);
  void take_post(PostRequest& request);
  void forget(PostRequest& request);
  // A connection that wants to be the session's WebSocket; its lease is kept if it becomes that.
  void offer(std::unique_ptr<net::Stream> stream, Bytes early, ws::UpgradeAnswer answer,
             std::shared_ptr<void> lease);
  // Ends the session at once; what waits is answered.
  void fail(ws::CloseCode code);

  // From the wires.
  void take_frame(Wire& wire, ws::Message& message);
  void on_writable(Wire& wire);
  void on_wire_closed(Wire& wire, ws::CloseCode code);

  // The turn ends; called after `touch`.
  void flush();
  // Without a word.
  void abort(ws::CloseCode code = ws::CloseCode::kAbnormal);

  void open() override;
  void send_text(std::string_view text) override;
  void send_binary(Bytes bytes) override;
  void send(bool text, BufferRef payload) override;
  void send_frame(const BufferRef& frame) override;
  void hold_input(bool on) override;
  Encoding encoding(std::size_t payload_bytes) const override;
  bool congested() const override { return wire_ ? wire_->connection().congested() : congested_; }
  void close(ws::CloseCode code, std::string_view reason) override;

 private:
  // What a session has only while it is on polls.
  struct Polling final : reactor::Timer {
    explicit Polling(Link& its_link) : link(its_link) {}
    void on_timer() override { link.drop_candidate(); }

    Link& link;
    PollRequest* poll = nullptr;  // waits for packets
    PostRequest* post = nullptr;  // is being read, or waits for the session
    Wire* candidate = nullptr;
    std::shared_ptr<void> candidate_lease;
    bool probed = false;             // the candidate has had its answer
    bool handshake = false;          // the poll is the first one
    std::vector<BufferRef> queue;    // packets, as kPackets has them
    std::size_t queued_bytes = 0;
  };

  void on_timer() override;
  void heartbeat();
  std::string open_packet() const;
  bool takes_input() const {
    return opened_ && !closing_ && !ended_ && !input_held_ && !delivering_ && !congested();
  }
  void deliver(bool text, Bytes data, BufferRef owned = {});
  bool take_packet(const Packet& packet);
  void deliver_post();
  void answer_post();
  void refuse_post(http::Response response);
  void finish_polling();
  void enqueue(BufferRef packets);
  void send_packet(std::string_view packet);
  void answer_poll(std::string_view body);
  void take_probe(ws::Message& message);
  void upgrade();
  void drop_candidate();
  void touch();
  void end_session(ws::CloseCode code);
  void end(ws::CloseCode code);

  Endpoint& endpoint_;
  std::unique_ptr<Session> session_;  // null after its end
  Wire* wire_ = nullptr;              // null while on polls
  std::unique_ptr<Polling> polling_;
  std::shared_ptr<void> lease_;
  StreamId id_;
  bool touched_ = false;
  bool congested_ = false;          // of a session on polls
  bool opened_ : 1 = false;
  bool closing_ : 1 = false;        // `close` was called, or had to be
  bool ended_ : 1 = false;
  bool input_held_ : 1 = false;     // by the session
  bool delivering_ : 1 = false;     // the session is in the middle of a message
  bool awaiting_pong_ : 1 = false;
  ws::CloseCode close_code_ = ws::CloseCode::kAbnormal;
};

}  // namespace anywire::protocol::engine
