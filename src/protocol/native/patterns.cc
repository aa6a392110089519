// NativeSession: wildcard subscriptions.
//
// A channel that is subscribed to by its name, too, is left to that subscription: its messages come
// once, and in the order its cursor needs.
#include <algorithm>
#include <utility>

#include "protocol/native/encoder.h"
#include "protocol/native/pattern_seat.h"
#include "protocol/native/session.h"

namespace anywire::protocol::native {

void PatternSeat::on_subscribed() { session_.on_subscribed(*this); }
bool PatternSeat::on_delivery(hub::Delivery& delivery) { return session_.deliver(*this, delivery); }
void PatternSeat::on_missed(std::uint64_t messages) { session_.on_missed(*this, messages); }

void NativeSession::subscribe_pattern(std::uint64_t id, const Subscribe& subscribe) {
  const std::string_view text = subscribe.channel;
  Result<auth::Glob> glob = auth::Glob::parse(text);
  std::optional<Refusal> refusal;
  if (!glob) {
    refusal = {ErrorCode::kBadChannel, "this is not a pattern"};
  } else if (find_pattern(glob->pattern()) != nullptr) {
    refusal = {ErrorCode::kAlreadySubscribed, "the pattern is subscribed to already"};
  } else if (!may_listen(*glob)) {
    refusal = forbidden(auth::Operation::kSubscribe, text);
  } else if (extras_ && extras_->patterns.size() >= adapter_.options().patterns_max) {
    refusal = {ErrorCode::kTooManyChannels, "this connection has as many patterns as it may"};
  } else {
    refusal = no_place();
  }
  if (refusal) return send_error(id, *refusal);
  auto seat = std::make_unique<PatternSeat>(*this, *glob, subscribe, id);
  PatternSeat& added = *seat;
  extras().patterns.push_back(std::move(seat));
  ++places_;
  wait(id);
  adapter_.hub().subscribe(added.glob, added);
}

bool NativeSession::may_listen(const auth::Glob& glob) const {
  const hub::ChannelRule& rule = adapter_.hub().rules().find(glob.pattern());
  return rights_->permit(rule, auth::Operation::kSubscribe, glob, NativeAdapter::kName);
}

PatternSeat* NativeSession::find_pattern(std::string_view pattern) const {
  if (!extras_) return nullptr;
  for (const std::unique_ptr<PatternSeat>& seat : extras_->patterns) {
    if (seat->glob.pattern() == pattern) return seat.get();
  }
  return nullptr;
}

void NativeSession::unsubscribe_pattern(std::uint64_t id, const Unsubscribe& unsubscribe) {
  const Result<auth::Glob> glob = auth::Glob::parse(unsubscribe.channel);
  PatternSeat* seat = glob ? find_pattern(glob->pattern()) : nullptr;
  if (seat == nullptr) {
    return send_error(id, {ErrorCode::kNotSubscribed, "the pattern is not subscribed to"});
  }
  if (const std::uint64_t waiting = std::exchange(seat->reply_id, 0)) {
    reply_error(waiting, {ErrorCode::kNotSubscribed, "unsubscribed before it was in force"});
  }
  drop(*seat);
  send(encode_ok(format_, id));
}

void NativeSession::drop(PatternSeat& seat) {
  adapter_.hub().unsubscribe(seat);
  auto& patterns = extras_->patterns;
  const auto at = std::ranges::find(patterns, &seat, [](const auto& one) { return one.get(); });
  adapter_.loop().defer_delete(std::move(*at));
  patterns.erase(at);
  --places_;
  drop_extras();
}

void NativeSession::drop_forbidden_patterns() {
  if (!extras_) return;
  std::vector<PatternSeat*> dropped;
  for (const std::unique_ptr<PatternSeat>& seat : extras_->patterns) {
    if (!may_listen(seat->glob)) dropped.push_back(seat.get());
  }
  for (PatternSeat* seat : dropped) {
    const std::string pattern = seat->glob.pattern();
    const Refusal refusal = forbidden(auth::Operation::kSubscribe, pattern);
    const std::uint64_t waiting = std::exchange(seat->reply_id, 0);
    drop(*seat);
    if (waiting != 0) {
      reply_error(waiting, refusal);
    } else {
      send(encode_unsubscribed(format_, pattern, true, refusal));
    }
  }
}

void NativeSession::on_subscribed(PatternSeat& seat) {
  const std::uint64_t id = std::exchange(seat.reply_id, 0);
  Subscribed subscribed;
  subscribed.id = id;
  subscribed.channel = seat.glob.pattern();
  subscribed.pattern = true;
  reply(id, encode(format_, subscribed));
}

// The hub calls for each pattern in turn. The first of them that can take more speaks for all of
// them, so that the client gets a message once and a channel's messages in their order.
bool NativeSession::deliver(PatternSeat& seat, hub::Delivery& delivery) {
  const std::string_view channel = delivery.publications().front()->channel;
  const Seat* named = find(channel);
  const bool twice = named != nullptr && named->in_force;
  // The rule of this channel may be stricter than the pattern's.
  const auto& rules = adapter_.hub().rules();
  const hub::ChannelRule& rule = rules.find(channel);
  const bool closed = rule.subscribe_hook || ((rules.size() > 1 || is_reserved(channel)) &&
                                              may_subscribe(channel, rule));
  if (!twice && !closed) {
    const bool alone = extras_->patterns.size() == 1;
    if (alone && seat.own && seat.filter.empty()) {
      transport_.send_frame(frames_of(delivery));
    } else {
      for (std::size_t i = 0; i < delivery.publications().size(); ++i) {
        const broker::Publication& publication = *delivery.publications()[i];
        if (alone ? !wants(seat.filter, seat.own, publication)
                  : !take_first(publication) || !pattern_wants(publication)) {
          continue;
        }
        transport_.send_frame(frame_of(delivery, i));
      }
    }
  }
  seat.stalled = transport_.congested();
  return !seat.stalled;
}

// Whether no pattern has seen it yet.
bool NativeSession::take_first(const broker::Publication& publication) {
  Taken& taken = extras_->taken;
  if (taken[0].epoch != publication.epoch) std::swap(taken[0], taken[1]);
  if (taken[0].epoch != publication.epoch) taken[0] = {publication.epoch, 0};
  if (publication.offset <= taken[0].offset) return false;
  taken[0].offset = publication.offset;
  return true;
}

bool NativeSession::pattern_wants(const broker::Publication& publication) const {
  return std::ranges::any_of(extras_->patterns, [&](const std::unique_ptr<PatternSeat>& one) {
    return one->reply_id == 0 && !one->stalled && one->glob.matches(publication.channel) &&
           wants(one->filter, one->own, publication);
  });
}

void NativeSession::on_missed(PatternSeat& seat, std::uint64_t messages) {
  send(encode_missed(format_, seat.glob.pattern(), messages));
}

}  // namespace anywire::protocol::native
