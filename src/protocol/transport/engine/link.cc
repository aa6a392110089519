#include "protocol/transport/engine/link.h"

#include <utility>

#include "codec/base64.h"
#include "codec/json_writer.h"
#include "protocol/transport/engine/endpoint.h"
#include "protocol/transport/engine_frame.h"

namespace anywire::protocol::engine {
namespace {

// How long a client has to come for the farewell.
constexpr Duration kFarewellTimeout{30'000};

}  // namespace

Link::Link(Endpoint& endpoint, std::shared_ptr<void> lease)
    : endpoint_(endpoint), lease_(std::move(lease)), id_(endpoint.add(*this)) {}

Link::~Link() = default;

void Link::attach(std::unique_ptr<Session> session, const http::RequestHead& head) {
  endpoint_.loop().arm(*this, endpoint_.options().connect_timeout);
  session_ = std::move(session);
  session_->on_attached(head);
}

void Link::start_websocket(std::unique_ptr<net::Stream> stream, Bytes early,
                           ws::UpgradeAnswer answer) {
  wire_ = &Wire::start(endpoint_.wires(), *this, std::move(stream), early, std::move(answer));
}

// The five members that clients know.
std::string Link::open_packet() const {
  const Options& options = endpoint_.options();
  const auto milliseconds = [](Duration time) { return static_cast<std::uint64_t>(time.count()); };
  std::string packet = "0";
  codec::JsonWriter json(packet);
  json.begin_object();
  json.key("sid").string(to_text(id_));
  json.key("upgrades").begin_array();
  if (wire_ == nullptr && options.websocket && options.upgrades) json.string("websocket");
  json.end_array();
  json.key("pingInterval").u64(milliseconds(options.ping_interval));
  json.key("pingTimeout").u64(milliseconds(options.ping_timeout));
  json.key("maxPayload").u64(options.max_payload);
  json.end_object();
  return packet;
}

void Link::open() {
  if (opened_ || closing_ || ended_) return;
  opened_ = true;
  if (wire_ != nullptr) wire_->connection().open();
  // What came right behind the upgrade may have ended it.
  if (ended_) return;
  send_packet(open_packet());
  endpoint_.loop().arm(*this, endpoint_.options().ping_interval);
}

void Link::send_text(std::string_view text) {
  if (wire_ == nullptr && text.find(kSeparator) != text.npos) {
    // It would come out as two packets.
    return close(ws::CloseCode::kUnsupportedData, "not to be said over polls");
  }
  send_frame(encode_engine_message(encoding(text.size()), true, as_bytes(text), endpoint_.pool()));
}

void Link::send_binary(Bytes bytes) {
  send_frame(encode_engine_message(encoding(bytes.size()), false, bytes, endpoint_.pool()));
}

void Link::send(bool text, BufferRef payload) {
  text ? send_text(as_text(payload->bytes())) : send_binary(payload->bytes());
}

void Link::send_frame(const BufferRef& frame) {
  if (!opened_ || closing_ || ended_) return;
  wire_ != nullptr ? wire_->connection().send_frame(frame) : enqueue(frame);
}

void Link::send_packet(std::string_view packet) {
  if (wire_ != nullptr) {
    wire_->connection().send_frame(ws::encode_frame(ws::Opcode::kText, as_bytes(packet)));
  } else {
    enqueue(Buffer::copy_of(as_bytes(packet)));
  }
}

Transport::Encoding Link::encoding(std::size_t payload_bytes) const {
  if (wire_ == nullptr) return Encoding::kPackets;
  const ws::Connection& connection = wire_->connection();
  const bool compress = connection.takes_shared_compression() &&
                        payload_bytes >= connection.compression_bytes_min();
  return compress ? Encoding::kCompressed : Encoding::kPlain;
}

void Link::hold_input(bool on) {
  input_held_ = on;
  // What came by a POST goes first.
  if (wire_ != nullptr) wire_->connection().hold_input(on || polling_ != nullptr);
  if (!on) deliver_post();
}

std::size_t Link::unsent_bytes() const {
  if (wire_ != nullptr) return wire_->connection().queued_bytes();
  return polling_ ? polling_->queued_bytes : 0;
}

void Link::deliver(bool text, Bytes data, BufferRef owned) {
  if (!session_ || closing_) return;
  ws::Message message{.text = text, .data = data, .owned = std::move(owned)};
  delivering_ = true;
  session_->on_message(message);
  delivering_ = false;
}

// False when that was the end of the session.
bool Link::take_packet(const Packet& packet) {
  switch (packet.type) {
    case PacketType::kMessage:
      deliver(true, as_bytes(packet.data));
      return !ended_;
    case PacketType::kBinary: {
      const auto bytes = codec::base64_decode(packet.data);
      if (!bytes) break;
      deliver(false, as_bytes(*bytes));
      return !ended_;
    }
    case PacketType::kPong:
      awaiting_pong_ = false;
      if (!closing_) endpoint_.loop().arm(*this, endpoint_.options().ping_interval);
      return true;
    case PacketType::kClose:
      end(closing_ ? close_code_ : ws::CloseCode::kNormal);
      return false;
    case PacketType::kPing:
      fail(ws::CloseCode::kPolicyViolation);
      return false;
    case PacketType::kOpen:
    case PacketType::kUpgrade:
    case PacketType::kNoop:
      return true;
  }
  fail(ws::CloseCode::kProtocolError);
  return false;
}

void Link::take_frame(Wire& wire, ws::Message& message) {
  if (&wire != wire_) return take_probe(message);
  if (!message.text) return deliver(false, message.data, std::move(message.owned));
  const auto packet = parse_packet(as_text(message.data), false);
  if (!packet) return fail(ws::CloseCode::kProtocolError);
  take_packet(*packet);
}

void Link::on_writable(Wire& wire) {
  if (&wire == wire_ && session_ && !closing_) session_->on_writable();
}

void Link::on_wire_closed(Wire& wire, ws::CloseCode code) {
  if (&wire == wire_) {
    wire_ = nullptr;
    return end(closing_ ? close_code_ : code);
  }
  if (!polling_ || polling_->candidate != &wire) return;
  polling_->candidate = nullptr;
  drop_candidate();
}

void Link::on_timer() {
  if (closing_) {
    const bool waits = session_ != nullptr && polling_ && !polling_->queue.empty();
    end_session(close_code_);
    return waits ? endpoint_.loop().arm(*this, kFarewellTimeout) : end(close_code_);
  }
  // The protocol above has not made up its mind.
  if (!opened_) return fail(ws::CloseCode::kTryAgainLater);
  heartbeat();
}

void Link::heartbeat() {
  const Options& options = endpoint_.options();
  if (!awaiting_pong_) {
    awaiting_pong_ = true;
    send_packet("2");
  } else {
    // Its pong may wait behind what we do not read, or our ping behind what it reads slowly; that
    // it reads at all is for the connection to watch.
    const bool waits = wire_ != nullptr ? input_held_ || polling_ || wire_->connection().congested()
                                        : has_post() && input_held_;
    if (!waits) return fail(kNoPong);
  }
  // A slow reader may have been ended by that.
  if (!closing_ && !ended_) endpoint_.loop().arm(*this, options.ping_timeout);
}

void Link::close(ws::CloseCode code, std::string_view reason) {
  if (closing_ || ended_) return;
  close_code_ = code;
  if (wire_ != nullptr) {
    closing_ = true;
    // As the reference does: its clients have no use for a code, and a drain's is worth one.
    const bool plain = code == ws::CloseCode::kNormal;
    wire_->connection().close(plain ? ws::CloseCode::kNoStatus : code, plain ? "" : reason);
    return;
  }
  drop_candidate();
  if (opened_) {
    polling_->queue.push_back(Buffer::copy_of(as_bytes(std::string_view("1"))));
    touch();
  } else if (polling_->poll != nullptr) {
    PollRequest* const poll = std::exchange(polling_->poll, nullptr);
    poll->link_ = nullptr;
    poll->respond(error_response(403, 4, reason.empty() ? "Forbidden" : reason));
  }
  closing_ = true;
  endpoint_.loop().arm(*this, Duration::zero());
}

void Link::touch() {
  if (!std::exchange(touched_, true)) endpoint_.flush_later(*this);
}

void Link::fail(ws::CloseCode code) { end(closing_ ? close_code_ : code); }

void Link::abort(ws::CloseCode code) {
  if (wire_ == nullptr) return fail(code);
  closing_ = true;
  close_code_ = code;
  wire_->connection().abort(code);
}

void Link::end_session(ws::CloseCode code) {
  if (!session_) return;
  std::unique_ptr<Session> session = std::move(session_);
  session->on_closed(code);
  endpoint_.loop().defer_delete(std::move(session));
}

void Link::end(ws::CloseCode code) {
  if (ended_) return;
  ended_ = true;
  disarm();
  drop_candidate();
  if (polling_) {
    if (polling_->poll != nullptr) {
      // The client that has said goodbye gets its poll back; others learn of the end.
      answer_poll(code == ws::CloseCode::kNormal && !closing_ ? "6" : "1");
    }
    if (code == ws::CloseCode::kNormal) {
      answer_post();
    } else {
      refuse_post(error_response(400, 1, kUnknownSession));
    }
  }
  if (Wire* wire = std::exchange(wire_, nullptr)) {
    const bool plain = code == ws::CloseCode::kNormal || code == ws::CloseCode::kNoStatus ||
                       code == ws::CloseCode::kAbnormal;
    wire->leave(plain ? ws::CloseCode::kNoStatus : code);
  }
  end_session(code);
  endpoint_.remove(*this);
  endpoint_.loop().defer_delete(std::unique_ptr<Link>(this));
}

}  // namespace anywire::protocol::engine
