// NativeSession: its life, who it speaks for, what it takes in and what it sends.
#include "protocol/native/session.h"

#include <algorithm>
#include <utility>

#include "auth/jwt.h"
#include "base/log.h"
#include "protocol/native/encoder.h"

namespace anywire::protocol::native {
namespace {

constexpr std::string_view kBearer = "Bearer ";
// RFC 6455 5.5: what a Close frame can carry besides its code.
constexpr std::size_t kReasonBytesMax = 123;
// Clients are told so long before their token ends.
constexpr std::int64_t kWarningMs = 30'000;
// The timer wheel goes as far as 12 days.
constexpr std::int64_t kSleepMsMax = 10LL * 24 * 3600 * 1000;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view bearer_token(const http::RequestHead& request) {
  const std::string_view value = request.header("authorization");
  if (!equal_ignoring_case(value.substr(0, kBearer.size()), kBearer)) return {};
  return value.substr(kBearer.size());
}

std::string complaint(const auth::TokenError& error) {
  return std::string(auth::name(error.code)) + ": " + std::string(error.text);
}

}  // namespace

NativeSession::~NativeSession() {
  // The transport may go without a word when the server does.
  while (seats_) seats_ = std::move(seats_->next);
  if (state_ != State::kEnded) adapter_.table().remove(ref_);
}

void NativeSession::on_attached(const http::RequestHead& request) {
  ref_ = adapter_.table().add(*this);
  const std::string_view token = bearer_token(request);
  if (!token.empty()) extras().bearer = token.substr(0, auth::kTokenBytesMax + 1);
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
  process(message.data, 0);
}

void NativeSession::on_writable() {
  for (Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (seat->in_force) adapter_.hub().resume(*seat);
  }
  if (!extras_) return;
  for (std::size_t i = 0; extras_ && i < extras_->patterns.size(); ++i) {
    adapter_.hub().resume(*extras_->patterns[i]);
  }
}

void NativeSession::on_closed(ws::CloseCode) { end(true); }

// ---- Input ----

void NativeSession::process(Bytes frame, std::size_t done) {
  CommandReader& reader = adapter_.reader();
  if (const auto broken = reader.open(format_, frame)) {
    return close(Close::kProtocolBroken, *broken);
  }
  std::size_t count = 0;
  while (const std::optional<Incoming> incoming = reader.next()) {
    if (++count <= done) continue;
    if (state_ == State::kConnecting) return hold(frame, count - 1);
    handle(*incoming);
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

// ---- Connecting and tokens ----

void NativeSession::run(std::uint64_t id, const Connect& connect) {
  const std::string bearer = extras_ ? std::exchange(extras_->bearer, {}) : std::string();
  const std::string_view token = connect.token.value_or(bearer);
  auth::Identity identity;
  if (connect.token || !bearer.empty()) {
    auto verified = adapter_.verify(token);
    if (!verified) return close(Close::kTokenRefused, complaint(verified.error()));
    identity = std::move(verified->identity);
  } else if (!adapter_.options().anonymous) {
    return close(Close::kTokenNeeded, "connect needs a token");
  }
  log::debug("native client connects", {{"agent", connect.agent}, {"user", identity.user_id}});
  disarm();
  state_ = State::kConnecting;
  take_identity(identity);
  extras().connect_id = id;
  extras().token_channels = std::move(identity.channels);
  if (connect.session.empty()) return finish_connect(std::nullopt);
  adapter_.sessions().claim(
      adapter_.loop().index(), connect.session, user(),
      [&adapter = adapter_, ref = ref_](std::optional<Estate> estate) {
        if (LiveSession* session = adapter.table().find(ref)) {
          static_cast<NativeSession&>(*session).finish_connect(std::move(estate));
        } else if (estate) {
          abandon(adapter, *estate);
        }
      });
}

void NativeSession::take_identity(const auth::Identity& identity) {
  rights_ = adapter_.rights().share(identity.capability, identity.anonymous());
  who_ = PackedTexts(identity.user_id, identity.info);
  expires_at_ms_ = 0;
  if (identity.expires_at) {
    const auto ms = identity.expires_at->time_since_epoch().count();
    expires_at_ms_ = static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 1));
  }
  warned_ = false;
}

void NativeSession::finish_connect(std::optional<Estate> estate) {
  const NativeOptions& options = adapter_.options();
  state_ = State::kConnected;
  client_ = estate ? estate->client : ClientId::random();
  const std::string secret = adapter_.sessions().seal(adapter_.loop().index(), ref_);
  const auto ms = [](Duration time) { return static_cast<std::uint64_t>(time.count()); };
  send(encode(format_, Connected{.id = extras_->connect_id,
                                 .client = client_.text(),
                                 .session = secret,
                                 .resumed = estate.has_value(),
                                 .user = user(),
                                 .expires_ms = expires_ms(),
                                 .ping_ms = ms(options.ping),
                                 .session_window_ms = ms(options.session_window),
                                 .message_bytes_max = options.message_bytes_max,
                                 .server = options.server}));
  const std::vector<std::string> channels = std::exchange(extras_->token_channels, {});
  if (estate) return_to(*estate);
  subscribe_by_token(channels);
  watch_clock(false);
  release_held();
}

void NativeSession::run(std::uint64_t id, const Auth& auth) {
  auto verified = adapter_.verify(auth.token);
  if (!verified) {
    return send_error(id, {ErrorCode::kUnauthorized, complaint(verified.error())});
  }
  const auth::Identity& identity = verified->identity;
  if (identity.user_id != user()) {
    return send_error(id, {ErrorCode::kUserMismatch, "the token is another user's"});
  }
  take_identity(identity);
  send(encode_ok(format_, id, expires_ms()));
  drop_forbidden(identity.channels);
  subscribe_by_token(identity.channels);
  watch_clock(false);
}

std::optional<std::uint64_t> NativeSession::expires_ms() const {
  if (expires_at_ms_ == 0) return std::nullopt;
  return expires_at_ms_;
}

// `due` says that the time waited for has come. Warns half a minute before the token's end, or
// halfway if that is later; ends it when the clocks' tolerance is used up, too.
void NativeSession::watch_clock(bool due) {
  if (state_ != State::kConnected) return;
  if (expires_at_ms_ == 0) return disarm();
  const auto left = static_cast<std::int64_t>(expires_at_ms_ - adapter_.wall().unix_ms());
  const std::int64_t until_end = left + adapter_.token_leeway().count();
  if (until_end <= 0) return close(Close::kTokenExpired, "the token has expired");
  if (due && !warned_ && left <= kWarningMs) {
    warned_ = true;
    send(encode_expiring(format_, expires_at_ms_));
  }
  const std::int64_t until_warning = std::max<std::int64_t>({left - kWarningMs, left / 2, 0});
  const std::int64_t sleep = warned_ ? until_end : until_warning;
  adapter_.loop().arm(*this, Duration(std::min(sleep, kSleepMsMax)));
}

void NativeSession::on_timer() {
  if (state_ == State::kNew) return close(Close::kNoConnect, "no connect came in time");
  watch_clock(true);
}

// ---- The end ----

void NativeSession::close(Close code, std::string_view reason) {
  transport_.close(static_cast<ws::CloseCode>(code), reason.substr(0, kReasonBytesMax));
  end(true);
}

// Everything but the object itself. `keep`: the client may come back for it.
void NativeSession::end(bool keep) {
  if (state_ == State::kEnded) return;
  disarm();
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

Estate NativeSession::hand_over() {
  Estate left = estate();
  // The table frees the place itself.
  state_ = State::kEnded;
  disarm();
  transport_.close(static_cast<ws::CloseCode>(Close::kTakenOver),
                   "another connection has taken this session over");
  drop_channels();
  extras_.reset();
  return left;
}

Estate NativeSession::estate() const {
  Estate left{client_, std::string(user()), std::string(token_info()), {}};
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
