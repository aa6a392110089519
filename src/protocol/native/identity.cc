// NativeSession: who it speaks for: connecting, tokens, and how long they last.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "protocol/native/encoder.h"
#include "protocol/native/session.h"

namespace anywire::protocol::native {
namespace {

// Clients are told so long before their token ends.
constexpr std::int64_t kWarningMs = 30'000;
// The timer wheel goes as far as 12 days.
constexpr std::int64_t kSleepMsMax = 10LL * 24 * 3600 * 1000;

std::string complaint(const auth::TokenError& error) {
  return std::string(auth::name(error.code)) + ": " + std::string(error.text);
}

std::uint64_t to_ms(auth::WallTime time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.time_since_epoch().count(), 1));
}

}  // namespace

// Of all the places where a credential may be, the first that has one counts.
void NativeSession::run(std::uint64_t id, const Connect& connect) {
  log::debug("native client connects", {{"agent", connect.agent}});
  disarm();
  state_ = State::kConnecting;
  Extras& more = extras();
  const Credentials shown = std::exchange(more.shown, {});
  more.connect_id = id;
  more.connect_session = connect.session;
  if (!connect.token && !shown.ticket.empty()) {
    return on_verified(adapter_.authenticator().redeem(shown.ticket));
  }
  more.connect_token = connect.token.value_or(shown.token);
  if (connect.token || !shown.token.empty()) {
    // What comes of it may be the end of the Extras.
    const std::string token = more.connect_token;
    return adapter_.authenticator().verify(
        token, later([](NativeSession& self, Authenticator::Verdict verdict) {
          self.on_verified(std::move(verdict));
        }));
  }
  if (!adapter_.options().anonymous) {
    return close(Close::kTokenNeeded,
                 shown.cookie_ignored
                     ? "connect needs a token: a cookie counts only from an Origin that "
                       "http.allowed_origins names"
                     : "connect needs a token");
  }
  identify(auth::Token(), auth::TokenStamp());
}

void NativeSession::on_verified(Authenticator::Verdict verdict) {
  if (state_ != State::kConnecting) return;
  if (!verdict) return refuse_token(verdict.error());
  const auth::TokenStamp stamp = auth::stamp_of(*verdict);
  identify(*std::move(verdict), stamp);
}

// From here on a revocation finds it.
void NativeSession::identify(auth::Token token, const auth::TokenStamp& stamp) {
  take_identity(std::move(token.identity));
  adapter_.clients().add(*this, {.address = extras_->address,
                                 .unix_ms = adapter_.wall().unix_ms(),
                                 .stamp = stamp});
  const net::Address address = std::exchange(extras_->address, {});
  if (!admit_user()) return;
  const AppHook* app = adapter_.app();
  if (app != nullptr && app->asks_connect()) return ask_to_connect(address, stamp);
  begin();
}

// Everybody agrees that it may connect.
void NativeSession::begin() {
  const std::string session = std::exchange(extras_->connect_session, {});
  extras_->connect_token.clear();
  if (session.empty()) return finish_connect(std::nullopt);
  adapter_.sessions().claim(
      {adapter_.loop().index(), ref_}, session, user(),
      [&adapter = adapter_, ref = ref_](std::optional<Estate> estate) {
        LiveSession* found = adapter.table().find(ref);
        if (found != nullptr) {
          static_cast<NativeSession&>(*found).finish_connect(std::move(estate));
        } else if (estate) {
          abandon(adapter, *estate);
        }
        return found != nullptr;
      });
}

// Another token helps in any case, but only with an expired one there is nothing wrong.
void NativeSession::refuse_token(const auth::TokenError& error) {
  using Code = auth::TokenErrorCode;
  const Close code = error.code == Code::kExpired   ? Close::kTokenExpired
                     : error.code == Code::kRevoked ? Close::kRevoked
                                                    : Close::kTokenRefused;
  close(code, complaint(error));
}

// A token that was taken only because clocks may differ ends now, so that who has it is given the
// grace that everybody has.
void NativeSession::take_identity(auth::Identity identity) {
  set_rights(adapter_.rights().share(identity.capability, identity.anonymous()));
  me_ = me(client(), identity.user_id, identity.info);
  expires_at_ms_ = 0;
  if (identity.expires_at) {
    expires_at_ms_ = std::max(to_ms(*identity.expires_at), adapter_.wall().unix_ms());
  }
  warned_ = false;
  if (!identity.channels.empty() || extras_) {
    extras().token_channels = std::move(identity.channels);
    drop_extras();
  }
}

hub::MemberPtr NativeSession::me(std::string_view client, std::string_view user,
                                 std::string_view info) const {
  return hub::Member::make({.client_id = client,
                            .user_id = user,
                            .info = info,
                            .loop = adapter_.loop().index()});
}

void NativeSession::finish_connect(std::optional<Estate> estate) {
  if (!admit_connection()) return estate ? abandon(adapter_, *estate) : void();
  const NativeOptions& options = adapter_.options();
  state_ = State::kConnected;
  const ClientId client = estate ? estate->client : ClientId::random();
  me_ = me(client.text(), user(), token_info());
  adapter_.clients().named(*this);
  unproven_ = estate.has_value();
  const std::string secret = adapter_.sessions().seal(adapter_.loop().index(), ref_);
  const auto ms = [](Duration time) { return static_cast<std::uint64_t>(time.count()); };
  send(encode(format_, Connected{.id = extras_->connect_id,
                                 .client = client.text(),
                                 .session = secret,
                                 .resumed = estate.has_value(),
                                 .user = user(),
                                 .expires_ms = expires_ms(),
                                 .ping_ms = ms(options.ping),
                                 .session_window_ms = ms(options.session_window),
                                 .message_bytes_max = options.message_bytes_max,
                                 .server = options.server}));
  if (estate) inherit(*estate);
  watch_clock(false);
  release_held();
  // What the client asks for in the frame of `connect` comes first: it may name positions.
  joins_token_channels_ = reading_;
  if (!reading_) subscribe_by_token();
  do_connect_actions();
}

// What others have given to the session stays, then it goes back to where it was present.
void NativeSession::inherit(Estate& estate) {
  if (!estate.grants.empty() || !estate.given_channels.empty()) {
    extras().given_channels = std::move(estate.given_channels);
    extras().grants = std::move(estate.grants);
    extras().token_rights = rights_;
    drop_expired_grants();
  }
  return_to(estate);
}

void NativeSession::run(std::uint64_t id, const Auth& auth) {
  wait(id);
  adapter_.authenticator().verify(
      auth.token, later([id](NativeSession& self, Authenticator::Verdict verdict) {
        if (self.state_ == State::kConnected) self.take_token(id, std::move(verdict));
      }));
}

void NativeSession::take_token(std::uint64_t id, Authenticator::Verdict verdict) {
  if (!verdict) return reply_error(id, {ErrorCode::kUnauthorized, complaint(verdict.error())});
  if (verdict->identity.user_id != user()) {
    return reply_error(id, {ErrorCode::kUserMismatch, "the token is another user's"});
  }
  adapter_.clients().restamp(*this, auth::stamp_of(*verdict));
  take_identity(std::move(verdict->identity));
  reply(id, encode_ok(format_, id, expires_ms()));
  drop_forbidden();
  subscribe_by_token();
  watch_clock(false);
}

std::optional<std::uint64_t> NativeSession::expires_ms() const {
  if (expires_at_ms_ == 0) return std::nullopt;
  return expires_at_ms_;
}

// `due` says that the time waited for has come. Warns half a minute before the token's end, or
// halfway if that is later; ends it when the grace is over, too; and drops grants that have had
// their time.
void NativeSession::watch_clock(bool due) {
  if (state_ != State::kConnected) return;
  std::int64_t sleep = until_grant_ends();
  if (sleep <= 0) {
    drop_expired_grants();
    if (state_ != State::kConnected) return;
    drop_forbidden();
    if (state_ != State::kConnected) return;
    sleep = until_grant_ends();
  }
  if (expires_at_ms_ != 0) {
    const auto left = static_cast<std::int64_t>(expires_at_ms_ - adapter_.wall().unix_ms());
    const std::int64_t until_end = left + adapter_.options().expiry_grace.count();
    if (until_end <= 0) return close(Close::kTokenExpired, "the token has expired");
    if (due && !warned_ && left <= kWarningMs) {
      warned_ = true;
      send(encode_expiring(format_, expires_at_ms_));
    }
    const std::int64_t until_warning = std::max<std::int64_t>({left - kWarningMs, left / 2, 0});
    sleep = std::min(sleep, warned_ ? until_end : until_warning);
  }
  if (sleep == kForever) return disarm();
  adapter_.loop().arm(*this, Duration(std::clamp<std::int64_t>(sleep, 0, kSleepMsMax)));
}

void NativeSession::on_timer() {
  if (state_ == State::kNew) return close(Close::kNoConnect, "no connect came in time");
  watch_clock(true);
}

// ---- Grants, beside the token ----

// The token's own; what has been granted besides stays.
void NativeSession::set_rights(RightsPtr rights) {
  if (!extras_ || extras_->grants.empty()) {
    rights_ = std::move(rights);
    return;
  }
  extras_->token_rights = std::move(rights);
  join_rights();
}

void NativeSession::join_rights() {
  Extras& more = *extras_;
  if (more.grants.empty()) {
    rights_ = std::exchange(more.token_rights, nullptr);
    return;
  }
  auth::Capability all = more.token_rights->capability();
  for (const Grant& grant : more.grants) all.add(grant.capability);
  rights_ = adapter_.rights().share(std::move(all), user().empty());
}

bool NativeSession::grant(const auth::Capability& capability,
                          std::optional<auth::WallTime> expires) {
  if (state_ != State::kConnected) return false;
  Extras& more = extras();
  const std::uint64_t until = expires ? to_ms(*expires) : 0;
  // The same once more is another time for it.
  const auto same = std::ranges::find(more.grants, capability, &Grant::capability);
  if (same != more.grants.end()) {
    same->expires_ms = until;
  } else if (more.grants.size() >= kGrantsMax) {
    return false;
  } else {
    if (more.grants.empty()) more.token_rights = rights_;
    more.grants.push_back({capability, until});
  }
  join_rights();
  watch_clock(false);
  return true;
}

bool NativeSession::withdraw(const auth::Capability* capability) {
  if (state_ != State::kConnected || !extras_) return false;
  const auto goes = [&](const Grant& one) {
    return capability == nullptr || one.capability == *capability;
  };
  if (std::erase_if(extras_->grants, goes) == 0) return false;
  join_rights();
  drop_extras();
  drop_forbidden();
  watch_clock(false);
  return true;
}

void NativeSession::drop_expired_grants() {
  if (!extras_) return;
  const std::uint64_t now = adapter_.wall().unix_ms();
  std::erase_if(extras_->grants, [&](const Grant& one) {
    return one.expires_ms != 0 && one.expires_ms <= now;
  });
  if (extras_->token_rights) join_rights();
  drop_extras();
}

// In milliseconds; kForever if none does.
std::int64_t NativeSession::until_grant_ends() const {
  std::int64_t soonest = kForever;
  if (!extras_) return soonest;
  const std::uint64_t now = adapter_.wall().unix_ms();
  for (const Grant& one : extras_->grants) {
    if (one.expires_ms == 0) continue;
    soonest = std::min(soonest, static_cast<std::int64_t>(one.expires_ms - now));
  }
  return soonest;
}

// A token that comes with `subscribe` counts for that channel and nothing else. What it says of it
// is written with the channel's name, so a name that could be read as a pattern is refused.
void NativeSession::subscribe_with_token(std::uint64_t id, const Subscribe& subscribe) {
  const auto verdict = adapter_.authenticator().verify_now(*subscribe.token);
  const std::string_view channel = subscribe.channel;
  if (!verdict) {
    return send_error(id, {ErrorCode::kUnauthorized, complaint(verdict.error())}, channel);
  }
  const auth::Identity& identity = verdict->identity;
  if (!identity.anonymous() && identity.user_id != user()) {
    return send_error(id, {ErrorCode::kUserMismatch, "the token is another user's"}, channel);
  }
  auth::Operations operations;
  for (const auth::Operation one :
       {auth::Operation::kSubscribe, auth::Operation::kPublish, auth::Operation::kPresence,
        auth::Operation::kHistory}) {
    if (identity.capability.allows(one, channel)) operations = operations | auth::Operations{one};
  }
  if (std::ranges::find(identity.channels, channel) != identity.channels.end()) {
    operations = operations | auth::Operations{auth::Operation::kSubscribe};
  }
  auth::Capability capability;
  if (operations.empty() || auth::has_wildcard(channel) || !capability.add(channel, operations)) {
    return send_error(id, forbidden(auth::Operation::kSubscribe, channel), channel);
  }
  std::optional<auth::WallTime> expires = identity.expires_at;
  if (expires) *expires += adapter_.options().expiry_grace;
  if (!grant(capability, expires)) {
    const Refusal full{ErrorCode::kTooManyChannels, "this connection has as many grants as it may"};
    return send_error(id, full, channel);
  }
  Subscribe granted = subscribe;
  granted.token.reset();
  run(id, granted);
}

// ---- What others do to it ----

std::vector<std::string> NativeSession::channels(std::size_t most) const {
  std::vector<std::string> all;
  for (const Seat* seat = seats_.get(); seat != nullptr && all.size() < most;
       seat = seat->next.get()) {
    if (seat->listens()) all.emplace_back(seat->channel());
  }
  if (!extras_) return all;
  for (const auto& seat : extras_->patterns) {
    if (all.size() == most) break;
    all.push_back(seat->glob.pattern());
  }
  return all;
}

void NativeSession::disconnect(std::string_view reason, bool reconnect) {
  if (state_ == State::kEnded) return;
  close(reconnect ? Close::kDisconnected : Close::kNotWanted, reason);
}

void NativeSession::revoke() {
  if (state_ == State::kEnded) return;
  close(Close::kRevoked, "revoked: the token has been revoked");
}

// As if its token had named the channel, until the server takes it back.
bool NativeSession::subscribe(std::string_view channel) {
  if (state_ != State::kConnected) return false;
  const Seat* there = find(channel);
  if (there != nullptr && there->listens()) return false;
  std::vector<std::string>& given = extras().given_channels;
  const bool known = std::ranges::find(given, channel) != given.end();
  if (!known) given.emplace_back(channel);
  const auto refusal = may_subscribe(channel, adapter_.hub().rules().find(channel));
  if (refusal || given.size() > adapter_.options().channels_max ||
      (there == nullptr && no_place())) {
    if (!known) given.pop_back();
    drop_extras();
    return false;
  }
  subscribe_unasked(channel);
  return true;
}

bool NativeSession::unsubscribe(std::string_view channel) {
  if (state_ != State::kConnected) return false;
  if (extras_) std::erase(extras_->given_channels, channel);
  Seat* seat = find(channel);
  drop_extras();
  if (seat == nullptr || !seat->listens()) return false;
  leave_subscription(*seat);
  unsubscribed(*seat, {ErrorCode::kForbidden, "the application has ended this subscription"});
  return true;
}

}  // namespace anywire::protocol::native
