// NativeSession: its life, who it speaks for, what it takes in and what it sends.
#include "protocol/native/session.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "protocol/close_reason.h"
#include "protocol/native/encoder.h"

namespace anywire::protocol::native {

NativeSession::~NativeSession() {
  // The transport may go without a word when the server does.
  while (seats_) seats_ = std::move(seats_->next);
  if (state_ == State::kEnded) return;
  adapter_.end_limits(ref_.slot);
  adapter_.clients().remove(*this);
  adapter_.table().remove(ref_);
}

void NativeSession::show(Credentials credentials, const net::Address& address) {
  extras().shown = std::move(credentials);
  extras().address = address;
}

void NativeSession::on_attached(const http::RequestHead& request) {
  if (adapter_.app() != nullptr) extras().origin = request.header("origin").substr(0, 255);
  ref_ = adapter_.table().add(*this);
  adapter_.begin_limits(ref_.slot, extras_ ? extras_->address : net::Address());
  adapter_.loop().arm(*this, adapter_.options().connect_timeout);
  transport_.open();
}

void NativeSession::on_message(ws::Message& message) {
  if (state_ == State::kEnded) return;
  if (message.text != (format_ == Format::kJson)) {
    return close(Close::kProtocolBroken, format_ == Format::kJson
                                             ? "this subprotocol has text frames only"
                                             : "this subprotocol has binary frames only");
  }
  if (state_ == State::kConnecting) return hold(message.data, 0);
  // Who goes on has had the answer to `connect`.
  if (unproven_) adapter_.table().confirm(ref_);
  unproven_ = false;
  process(message.data, 0);
}

void NativeSession::on_writable() {
  for (Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (seat->in_force) adapter_.hub().resume(*seat);
  }
  if (!extras_) return;
  for (std::size_t i = 0; extras_ && i < extras_->patterns.size(); ++i) {
    PatternSeat& seat = *extras_->patterns[i];
    seat.stalled = false;
    adapter_.hub().resume(seat);
  }
}

void NativeSession::on_closed(ws::CloseCode) { end(true); }

// ---- Input ----

void NativeSession::process(Bytes frame, std::size_t done) {
  reading_ = true;
  read(frame, done);
  reading_ = false;
  if (joins_token_channels_) subscribe_by_token();
  joins_token_channels_ = false;
}

void NativeSession::read(Bytes frame, std::size_t done) {
  CommandReader& reader = adapter_.reader();
  if (const auto broken = reader.open(format_, frame)) {
    return close(Close::kProtocolBroken, *broken);
  }
  std::size_t count = 0;
  while (const std::optional<Incoming> incoming = reader.next()) {
    if (++count <= done) continue;
    if (state_ == State::kConnecting) return hold(frame, count - 1);
    if (admit_rate(*incoming)) handle(*incoming);
    if (state_ == State::kEnded) return;
  }
}

// Commands that come before the answer to `connect` are handled after it.
void NativeSession::hold(Bytes frame, std::size_t done) {
  Extras& more = extras();
  more.held_bytes += frame.size();
  if (more.held.size() >= adapter_.options().codec.messages_max ||
      more.held_bytes > 2 * adapter_.options().message_bytes_max) {
    return close(Close::kTooManyMessages, "too much was sent before the answer to connect");
  }
  more.held.push_back({std::string(as_text(frame)), done});
}

void NativeSession::release_held() {
  if (!extras_) return;
  const std::vector<Held> held = std::exchange(extras_->held, {});
  extras_->held_bytes = 0;
  drop_extras();
  for (const Held& one : held) {
    if (state_ == State::kEnded) return;
    process(as_bytes(one.frame), one.done);
  }
}

void NativeSession::handle(const Incoming& incoming) {
  if (!admit(incoming)) return;
  std::visit([&](const auto& command) { run(incoming.id, command); }, *incoming.command);
}

bool NativeSession::admit(const Incoming& incoming) {
  std::optional<Refusal> refusal;
  if (!incoming.command) {
    refusal = incoming.command.error();
  } else if (std::holds_alternative<Connect>(*incoming.command) != (state_ == State::kNew)) {
    refusal = state_ == State::kNew
                  ? Refusal{ErrorCode::kNotConnected, "the first command must be \"connect\""}
                  : Refusal{ErrorCode::kAlreadyConnected, "this connection has connected already"};
  } else if (extras_ && incoming.id != 0) {
    const std::vector<Pending>& pending = extras_->pending;
    if (std::ranges::find(pending, incoming.id, &Pending::id) != pending.end()) {
      refusal = {ErrorCode::kIdInUse, "a command with this id still waits for its answer"};
    } else if (pending.size() >= adapter_.options().pending_max) {
      refusal = {ErrorCode::kTooManyPending, "too many commands wait for their answer"};
    }
  }
  if (refusal) send_error(incoming.id, *refusal, incoming.channel);
  return !refusal;
}

// ---- The end ----

void NativeSession::close(Close code, std::string_view reason) {
  transport_.close(static_cast<ws::CloseCode>(code), cut_close_reason(reason));
  end(true);
}

// Everything but the object itself. `keep`: the client may come back for it.
void NativeSession::end(bool keep) {
  if (state_ == State::kEnded) return;
  disarm();
  adapter_.end_limits(ref_.slot);
  adapter_.clients().remove(*this);
  if (adapter_.app() != nullptr && state_ == State::kConnected) {
    adapter_.app()->disconnected({.id = client(), .user = user()});
  }
  if (keep && state_ == State::kConnected) {
    Estate left = estate();
    vanish();
    adapter_.table().detach(ref_, std::move(left), adapter_.options().session_window);
  } else {
    adapter_.table().remove(ref_);
  }
  state_ = State::kEnded;
  drop_channels();
  extras_.reset();
}

std::optional<Estate> NativeSession::hand_over() {
  if (state_ != State::kConnected) return std::nullopt;
  Estate left = estate();
  // The table frees the place itself.
  adapter_.end_limits(ref_.slot);
  adapter_.clients().remove(*this);
  state_ = State::kEnded;
  disarm();
  transport_.close(static_cast<ws::CloseCode>(Close::kTakenOver),
                   "another connection has taken this session over");
  drop_channels();
  extras_.reset();
  return left;
}

Estate NativeSession::estate() const {
  Estate left{ClientId::of(client()), std::string(user()), std::string(token_info()), {}, {}, {}};
  if (extras_) {
    left.grants = extras_->grants;
    left.given_channels = extras_->given_channels;
  }
  for (const Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (!seat->present) continue;
    left.presences.push_back({std::string(seat->channel()),
                              seat->info ? std::optional(*seat->info) : std::nullopt});
  }
  return left;
}

// ---- Output ----

void NativeSession::send(std::string_view message) {
  if (format_ == Format::kJson) return transport_.send_text(message);
  transport_.send_binary(as_bytes(message));
}

void NativeSession::send_error(std::uint64_t id, const Refusal& refusal,
                               std::string_view channel) {
  send(encode_error(format_, id, refusal, channel));
}

void NativeSession::reply(std::uint64_t id, std::string_view message) {
  end_wait(id);
  send(message);
}

void NativeSession::reply_error(std::uint64_t id, const Refusal& refusal,
                                std::string_view channel) {
  end_wait(id);
  send_error(id, refusal, channel);
}

void NativeSession::wait(std::uint64_t id, const Seat* seat) {
  if (id != 0 || seat != nullptr) extras().pending.push_back({id, seat});
}

void NativeSession::end_wait(std::uint64_t id) {
  if (!extras_) return;
  std::erase_if(extras_->pending, [&](const Pending& one) { return one.id == id; });
  drop_extras();
}

std::uint64_t NativeSession::end_wait(const Seat& seat) {
  if (!extras_) return 0;
  std::vector<Pending>& pending = extras_->pending;
  const auto found = std::ranges::find(pending, &seat, &Pending::seat);
  if (found == pending.end()) return 0;
  const std::uint64_t id = found->id;
  pending.erase(found);
  drop_extras();
  return id;
}

NativeSession::Extras& NativeSession::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

void NativeSession::drop_extras() {
  if (extras_ && extras_->empty() && state_ != State::kConnecting) extras_.reset();
}

}  // namespace anywire::protocol::native
