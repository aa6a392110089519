#include "protocol/raw/known_session.h"

#include <algorithm>
#include <utility>

namespace anywire::protocol::raw {
namespace {

// The timer wheel goes as far as 12 days.
constexpr std::int64_t kSleepMsMax = 10LL * 24 * 3600 * 1000;

std::uint64_t to_ms(auth::WallTime time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.time_since_epoch().count(), 1));
}

}  // namespace

KnownSession::KnownSession(RawAdapter& adapter, Transport& transport, bool heartbeat,
                           Credentials shown, net::Address address)
    : RawSession(adapter, transport, heartbeat),
      shown_(std::move(shown)),
      address_(std::move(address)),
      slot_(adapter.known().add(*this)),
      limits_(adapter.make_limits(address_)) {}

KnownSession::~KnownSession() { end(); }

void KnownSession::on_attached(const http::RequestHead& request) {
  channel_ = take_channel(request);
  if (adapter().app() != nullptr) origin_ = request.header("origin").substr(0, 255);
  const Credentials shown = std::exchange(shown_, {});
  bearer_ = shown.any();
  Authenticator& authenticator = adapter().authenticator();
  if (!shown.any()) return on_verified(auth::Token());
  if (!shown.ticket.empty()) return on_verified(authenticator.redeem(shown.ticket));
  shown_.token = shown.token;
  authenticator.verify(shown.token, [&known = adapter().known(),
                                     slot = slot_](Authenticator::Verdict verdict) {
    KnownSession* self = known.find(slot);
    if (self != nullptr) self->on_verified(std::move(verdict));
  });
}

void KnownSession::on_verified(Authenticator::Verdict verdict) {
  if (!verdict) {
    using Code = auth::TokenErrorCode;
    const auth::TokenError& error = verdict.error();
    const Close code = error.code == Code::kExpired   ? Close::kTokenExpired
                       : error.code == Code::kRevoked ? Close::kRevoked
                                                      : Close::kTokenRefused;
    std::string reason(auth::name(error.code));
    return close(code, reason.append(": ").append(error.text));
  }
  auth::Identity& identity = verdict->identity;
  const auth::TokenStamp stamp = auth::stamp_of(*verdict);
  const std::uint64_t now = adapter().authenticator().unix_ms();
  user_ = std::move(identity.user_id);
  capability_ = std::move(identity.capability);
  named_ = std::ranges::find(identity.channels, channel_) != identity.channels.end();
  if (identity.expires_at) {
    // One that was taken only because clocks may differ is given the grace that everybody has.
    const auto grace = static_cast<std::uint64_t>(adapter().options().expiry_grace.count());
    ends_at_ms_ = std::max(to_ms(*identity.expires_at), now) + grace;
  }
  info_ = std::move(identity.info);
  join_clients(stamp);
  const std::string token = std::exchange(shown_, {}).token;
  if (adapter().app() != nullptr && adapter().app()->asks_connect()) {
    return ask_to_connect(token, stamp);
  }
  come_in();
}

void KnownSession::join_clients(const auth::TokenStamp& stamp) {
  adapter().clients().add(*this, {.address = address_,
                                  .unix_ms = adapter().authenticator().unix_ms(),
                                  .stamp = stamp});
}

void KnownSession::come_in() {
  if (!admit_user()) return;
  if (!may(auth::Operation::kSubscribe)) {
    return !bearer_ ? close(Close::kTokenNeeded, "this channel needs a token")
                    : close(Close::kNotWanted,
                            "this client may not subscribe to this channel");
  }
  watch_clock();
  if (closed()) return;
  const hub::ChannelRule& rule = adapter().hub().rules().find(channel_);
  if (rule.publish_hook) set_asks();
  if (rule.subscribe_hook) return ask_to_subscribe();
  in_ = true;
  join(channel_, may(auth::Operation::kPublish));
}

// Whether this user may connect once more; if not, the client has been told.
bool KnownSession::admit_user() {
  if (!limits_) return true;
  auto hit = limits_->connect_as(user_, adapter().loop().now());
  if (!hit) hit = limits_->count_connection();
  if (hit) close(Close::kTooManyMessages, hit->text);
  return !hit;
}

bool KnownSession::may(auth::Operation operation) const {
  const hub::ChannelRule& rule = adapter().hub().rules().find(channel_);
  if (operation == auth::Operation::kSubscribe && named_ &&
      rule.allows_protocol(RawAdapter::kName) && !is_closed_to(channel_, user_)) {
    return true;
  }
  auth::Capability all = capability_;
  for (const Grant& grant : grants_) all.add(grant.capability);
  return adapter().may(Rights(std::move(all), user_.empty()), operation, channel_, user_);
}

void KnownSession::look_at_rights() {
  set_may_publish(may(auth::Operation::kPublish));
  if (may(auth::Operation::kSubscribe)) return watch_clock();
  close(Close::kNotWanted, "this client may not subscribe to this channel any more");
  end();
}

void KnownSession::sign(broker::Draft& draft) const {
  draft.client_id = client_.text();
  draft.user_id = user_;
}

void KnownSession::watch_clock() {
  const std::uint64_t now = adapter().authenticator().unix_ms();
  if (ends_at_ms_ != 0 && now >= ends_at_ms_) {
    close(Close::kTokenExpired, "the token has expired");
    return end();
  }
  const auto over = [&](const Grant& one) { return one.expires_ms != 0 && one.expires_ms <= now; };
  if (std::erase_if(grants_, over) != 0) return look_at_rights();
  std::uint64_t soonest = ends_at_ms_ == 0 ? UINT64_MAX : ends_at_ms_;
  for (const Grant& one : grants_) {
    if (one.expires_ms != 0) soonest = std::min(soonest, one.expires_ms);
  }
  if (soonest == UINT64_MAX) return disarm();
  const auto sleep = static_cast<std::int64_t>(soonest - now);
  adapter().loop().arm(*this, Duration(std::min(sleep, kSleepMsMax)));
}

std::vector<std::string> KnownSession::channels(std::size_t most) const {
  if (!in_ || most == 0) return {};
  return {channel_};
}

void KnownSession::disconnect(std::string_view reason, bool reconnect) {
  close(reconnect ? Close::kDisconnected : Close::kNotWanted, reason);
  end();
}

void KnownSession::revoke() {
  close(Close::kRevoked, "revoked: the token has been revoked");
  end();
}

bool KnownSession::grant(const auth::Capability& capability,
                         std::optional<auth::WallTime> expires) {
  const std::uint64_t until = expires ? to_ms(*expires) : 0;
  const auto same = std::ranges::find(grants_, capability, &Grant::capability);
  if (same != grants_.end()) {
    same->expires_ms = until;
  } else if (grants_.size() >= kGrantsMax) {
    return false;
  } else {
    grants_.push_back({capability, until});
  }
  look_at_rights();
  return true;
}

bool KnownSession::withdraw(const auth::Capability* capability) {
  const auto goes = [&](const Grant& one) {
    return capability == nullptr || one.capability == *capability;
  };
  if (std::erase_if(grants_, goes) == 0) return false;
  look_at_rights();
  return true;
}

void KnownSession::on_closed(ws::CloseCode code) {
  end();
  RawSession::on_closed(code);
}

// Nobody finds it any more.
void KnownSession::end() {
  if (in_ && adapter().app() != nullptr) {
    adapter().app()->disconnected({.id = client(), .user = user_});
  }
  in_ = false;
  disarm();
  adapter().clients().remove(*this);
  adapter().known().remove(slot_);
}

}  // namespace anywire::protocol::raw
