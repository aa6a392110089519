// NativeSession: subscriptions, and what comes of them.
#include <algorithm>
#include <utility>

#include "protocol/native/encoder.h"
#include "protocol/native/session.h"
#include "protocol/transport/event_frame.h"

namespace anywire::protocol::native {
namespace {

std::string_view verb(auth::Operation operation) {
  switch (operation) {
    case auth::Operation::kSubscribe: return "subscribe to";
    case auth::Operation::kPublish: return "publish to";
    case auth::Operation::kPresence: return "see who is in, or enter,";
    case auth::Operation::kHistory: return "read the history of";
    case auth::Operation::kRpc: return "call";
    case auth::Operation::kManage: return "manage clients of";
  }
  return "use";
}

}  // namespace

Refusal forbidden(auth::Operation operation, std::string_view channel) {
  std::string text = "this client may not ";
  text.append(verb(operation)).append(" \"").append(channel).append("\"");
  return {ErrorCode::kForbidden, std::move(text)};
}

std::optional<Refusal> NativeSession::may(auth::Operation operation, std::string_view channel,
                                          const hub::ChannelRule& rule) const {
  if (rights_->permit(rule, operation, channel, NativeAdapter::kName, user())) {
    return std::nullopt;
  }
  return forbidden(operation, channel);
}

// The token's word is enough, or the application's, where the channel's rule lets this protocol in.
bool NativeSession::named_by_token(std::string_view channel) const {
  const auto has = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, channel) != names.end();
  };
  return extras_ && (has(extras_->token_channels) || has(extras_->given_channels));
}

std::optional<Refusal> NativeSession::may_subscribe(std::string_view channel,
                                                    const hub::ChannelRule& rule) const {
  if (named_by_token(channel) && rule.allows_protocol(NativeAdapter::kName) &&
      !is_closed_to(channel, user())) {
    return std::nullopt;
  }
  return may(auth::Operation::kSubscribe, channel, rule);
}

std::optional<Refusal> NativeSession::may_see_occupancy(const hub::ChannelRule& rule) const {
  if (rule.occupancy) return std::nullopt;
  return Refusal{ErrorCode::kNoOccupancy, "the channel does not tell how many listen"};
}

// ---- The list of seats ----

Seat* NativeSession::find(std::string_view channel) const {
  Seat* seat = seats_.get();
  while (seat != nullptr && seat->channel() != channel) seat = seat->next.get();
  return seat;
}

std::optional<Refusal> NativeSession::no_place() const {
  if (places_ < adapter_.options().channels_max) return std::nullopt;
  return Refusal{ErrorCode::kTooManyChannels, "this connection has as many channels as it may"};
}

Seat& NativeSession::seat_for(std::string_view channel) {
  if (Seat* seat = find(channel)) return *seat;
  std::unique_ptr<Seat> seat = Seat::make(*this, channel);
  seat->next = std::move(seats_);
  seats_ = std::move(seat);
  ++places_;
  return *seats_;
}

void NativeSession::drop_if_empty(Seat& seat) {
  if (seat.listens() || seat.present || state_ == State::kEnded) return;
  std::unique_ptr<Seat>* at = &seats_;
  while (at->get() != &seat) at = &(*at)->next;
  std::unique_ptr<Seat> gone = std::move(*at);
  --places_;
  *at = std::move(gone->next);
  adapter_.loop().defer_delete(std::move(gone));
}

void NativeSession::leave_subscription(Seat& seat) {
  if (extras_) std::erase_if(extras_->asked, [&](const Asked& one) { return one.seat == &seat; });
  adapter_.hub().unsubscribe(seat);
  if (seat.occupancy) adapter_.occupancy().remove(seat.channel(), ref_);
  if (seat.selection && seat.selection->delta) adapter_.delta_bases().remove(seat.channel());
  seat.joining = seat.in_force = seat.since = false;
  seat.by_token = seat.presence = seat.occupancy = false;
  seat.selection.reset();
}

// All at once, at the end. What the hub calls may be in the midst of one of them.
void NativeSession::drop_channels() {
  while (seats_) {
    std::unique_ptr<Seat> seat = std::move(seats_);
    seats_ = std::move(seat->next);
    leave_subscription(*seat);
    adapter_.loop().defer_delete(std::move(seat));
  }
  if (extras_) {
    for (std::unique_ptr<PatternSeat>& seat : extras_->patterns) {
      adapter_.hub().unsubscribe(*seat);
      adapter_.loop().defer_delete(std::move(seat));
    }
    extras_->patterns.clear();
  }
  places_ = 0;
}

// ---- Commands ----

void NativeSession::run(std::uint64_t id, const Subscribe& subscribe) {
  if (subscribe.pattern) return subscribe_pattern(id, subscribe);
  if (subscribe.token) return subscribe_with_token(id, subscribe);
  const std::string_view channel = subscribe.channel;
  Seat* there = find(channel);
  if (const auto refusal = may_subscribe(subscribe, there)) {
    return send_error(id, *refusal, channel);
  }
  if (there != nullptr && there->listens()) leave_subscription(*there);
  Seat& seat = seat_for(channel);
  seat.joining = true;
  seat.since = subscribe.since.has_value();
  seat.presence = subscribe.presence;
  seat.occupancy = subscribe.occupancy;
  if (!subscribe.own || !subscribe.filter.empty()) {
    seat.selection = std::make_unique<Selection>(subscribe.filter, subscribe.own);
  } else if (subscribe.delta && adapter_.hub().rules().find(channel).delta) {
    // Who does not get every message could not build upon them.
    seat.selection = std::make_unique<Selection>();
    seat.selection->delta = true;
    adapter_.delta_bases().add(channel);
  }
  wait(id, &seat);
  const hub::SubscribeOptions wanted{.since = subscribe.since,
                                     .rewind = subscribe.rewind,
                                     .presence = subscribe.presence};
  if (adapter_.hub().rules().find(channel).subscribe_hook) return ask_to_subscribe(seat, wanted);
  adapter_.hub().subscribe(channel, seat, wanted);
}

std::optional<Refusal> NativeSession::may_subscribe(const Subscribe& subscribe,
                                                    const Seat* there) const {
  const std::string_view channel = subscribe.channel;
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  // What the token has begun, a command may begin anew as it wants it.
  if (there != nullptr && there->listens() && !there->by_token) {
    return Refusal{ErrorCode::kAlreadySubscribed, "the channel is subscribed to already"};
  }
  std::optional<Refusal> refusal = may_subscribe(channel, rule);
  if (!refusal && there == nullptr) refusal = no_place();
  if (!refusal && subscribe.presence) refusal = may_be_present(channel);
  if (!refusal && subscribe.occupancy) refusal = may_see_occupancy(rule);
  return refusal;
}

void NativeSession::run(std::uint64_t id, const Unsubscribe& unsubscribe) {
  if (unsubscribe.pattern) return unsubscribe_pattern(id, unsubscribe);
  Seat* seat = find(unsubscribe.channel);
  if (seat == nullptr || !seat->listens()) {
    return send_error(id, {ErrorCode::kNotSubscribed, "the channel is not subscribed to"},
                      unsubscribe.channel);
  }
  if (const std::uint64_t waiting = end_wait(*seat)) {
    send_error(waiting, {ErrorCode::kNotSubscribed, "unsubscribed before it was in force"},
               unsubscribe.channel);
  }
  leave_subscription(*seat);
  drop_if_empty(*seat);
  send(encode_ok(format_, id));
}

void NativeSession::subscribe_by_token() {
  if (state_ != State::kConnected || !extras_) return;
  // What is sent may end the session.
  std::vector<std::string> channels = extras_->token_channels;
  channels.insert(channels.end(), extras_->given_channels.begin(), extras_->given_channels.end());
  for (const std::string& channel : channels) {
    if (state_ != State::kConnected) return;
    const Seat* there = find(channel);
    if (there != nullptr && there->listens()) continue;
    std::optional<Refusal> refusal =
        may_subscribe(channel, adapter_.hub().rules().find(channel));
    if (!refusal && there == nullptr) refusal = no_place();
    if (refusal) {
      send(encode_unsubscribed(format_, channel, false, *refusal));
      continue;
    }
    if (!adapter_.hub().rules().find(channel).subscribe_hook || given(channel)) {
      subscribe_unasked(channel);
      continue;
    }
    Seat& seat = seat_for(channel);
    seat.joining = seat.by_token = true;
    ask_to_subscribe(seat, {});
  }
}

// By the server's own doing, about which nobody is asked.
bool NativeSession::given(std::string_view channel) const {
  return std::ranges::find(extras_->given_channels, channel) != extras_->given_channels.end();
}

void NativeSession::subscribe_unasked(std::string_view channel) {
  Seat& seat = seat_for(channel);
  seat.joining = seat.by_token = true;
  adapter_.hub().subscribe(channel, seat);
}

// After a new token: what that one neither allows nor asks for.
void NativeSession::drop_forbidden() {
  std::vector<std::pair<Seat*, Refusal>> dropped;
  for (Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (!seat->listens()) continue;
    const std::string_view channel = seat->channel();
    auto refusal = may_subscribe(channel, adapter_.hub().rules().find(channel));
    if (!refusal && seat->presence) refusal = may_be_present(channel);
    if (refusal) dropped.emplace_back(seat, *std::move(refusal));
  }
  for (const auto& [seat, refusal] : dropped) {
    leave_subscription(*seat);
    unsubscribed(*seat, refusal);
  }
  leave_forbidden();
  drop_forbidden_patterns();
}

// ---- What the hub says ----

void NativeSession::on_subscribed(Seat& seat, const hub::Joined& joined) {
  seat.joining = false;
  seat.in_force = true;
  if (seat.selection) seat.selection->told = seat.selection->seen = joined.position.offset;
  Subscribed subscribed;
  subscribed.id = end_wait(seat);
  subscribed.channel = seat.channel();
  subscribed.since = seat.since;
  subscribed.delta = seat.selection && seat.selection->delta;
  subscribed.joined = joined;
  send(encode(format_, subscribed));
  if (seat.occupancy) adapter_.occupancy().add(seat.channel(), ref_);
}

void NativeSession::on_refused(Seat& seat, hub::HubError error) {
  leave_subscription(seat);
  unsubscribed(seat, refusal_of(error));
}

// Tells the client that there is no subscription: as the answer if it waits for one.
void NativeSession::unsubscribed(Seat& seat, const Refusal& refusal) {
  if (const std::uint64_t id = end_wait(seat)) {
    send_error(id, refusal, seat.channel());
  } else {
    send(encode_unsubscribed(format_, seat.channel(), false, refusal));
  }
  drop_if_empty(seat);
}

bool NativeSession::deliver(Seat& seat, hub::Delivery& delivery) {
  if (seat.selection && seat.selection->delta) {
    deliver_deltas(seat, delivery);
  } else if (seat.selection) {
    deliver_selected(seat, delivery);
  } else {
    transport_.send_frame(frames_of(delivery));
  }
  return !transport_.congested();
}

bool NativeSession::wants(const Filter& filter, bool own,
                          const broker::Publication& publication) const {
  if (!own && publication.client_id == client()) return false;
  return filter.matches(publication.tags);
}

void NativeSession::deliver_selected(Seat& seat, hub::Delivery& delivery) {
  Selection& selection = *seat.selection;
  for (std::size_t i = 0; i < delivery.publications().size(); ++i) {
    const broker::Publication& publication = *delivery.publications()[i];
    if (wants(selection.filter, selection.own, publication)) {
      if (selection.told + 1 != publication.offset) {
        send(encode_advance(format_, seat.channel(), publication.offset - 1));
      }
      transport_.send_frame(frame_of(delivery, i));
      selection.told = publication.offset;
    }
    selection.seen = publication.offset;
  }
  advance(seat);
}

// Moves the client's cursor over what was left out: in a while, unless that is very much.
void NativeSession::advance(Seat& seat) {
  Selection& selection = *seat.selection;
  if (selection.seen == selection.told) return;
  if (selection.seen - selection.told >= NativeAdapter::kAdvanceLagMax) {
    selection.told = selection.seen;
    send(encode_advance(format_, seat.channel(), selection.seen));
  } else if (!lagging_) {
    lagging_ = true;
    adapter_.advance_later(ref_);
  }
}

void NativeSession::send_advances() {
  lagging_ = false;
  for (Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (!seat->selection || seat->selection->seen == seat->selection->told) continue;
    seat->selection->told = seat->selection->seen;
    send(encode_advance(format_, seat->channel(), seat->selection->seen));
  }
}

void NativeSession::on_gap(Seat& seat, const hub::Gap& gap) {
  if (seat.selection && seat.selection->delta) seat.selection->begun = false;
  if (gap.reason == hub::Gap::Reason::kConflated) {
    if (seat.selection && !seat.selection->delta) {
      seat.selection->seen = gap.position.offset;
      return advance(seat);
    }
    return send(encode_advance(format_, seat.channel(), gap.position.offset));
  }
  if (seat.selection) seat.selection->told = seat.selection->seen = gap.position.offset;
  send(encode_gap(format_, seat.channel(), gap));
}

// ---- Frames, made once per loop and form ----

namespace {

enum Variant : std::size_t {
  kJsonPlain = kFirstVariant,
  kJsonCompressed,
  kJsonEvent,
  kMsgpackPlain,
  kMsgpackCompressed,
  kPerWay,
};

// In which way messages are told. Of differences there are two, by whether the receiver has the
// message before the first.
enum class Way : std::size_t { kWhole, kDeltas, kDeltasFromWhole };
constexpr std::size_t kWays = 3;
static_assert(kFirstVariant + kWays * (kPerWay - kFirstVariant) <= hub::Delivery::kVariantsMax);

std::size_t variant_of(Way way, std::size_t variant) {
  return variant + static_cast<std::size_t>(way) * (kPerWay - kFirstVariant);
}

Variant variant_of(Format format, Transport::Encoding encoding) {
  const bool json = format == Format::kJson;
  switch (encoding) {
    case Transport::Encoding::kPlain: return json ? kJsonPlain : kMsgpackPlain;
    case Transport::Encoding::kCompressed: return json ? kJsonCompressed : kMsgpackCompressed;
    case Transport::Encoding::kEvent: return kJsonEvent;
    case Transport::Encoding::kPackets: break;  // not on a Route of this protocol
  }
  return kJsonPlain;
}

}  // namespace

// All peers of a loop that take compressed frames draw the line at the same size, so what one of
// them encodes suits the others.
BufferRef NativeSession::encode_frame(const std::string& message,
                                      std::size_t payload_bytes) const {
  switch (transport_.encoding(payload_bytes)) {
    case Transport::Encoding::kPlain: return frame(format_, message);
    case Transport::Encoding::kCompressed:
      return compressed_frame(format_, message, adapter_.compression());
    case Transport::Encoding::kEvent: return encode_event(message);
    case Transport::Encoding::kPackets: break;  // not on a Route of this protocol
  }
  return frame(format_, message);
}

const BufferRef& NativeSession::frames_of(hub::Delivery& delivery) {
  const auto variant = variant_of(format_, transport_.encoding(delivery.payload_bytes_max()));
  return delivery.frame(variant, [this](const broker::Publication& publication) {
    return encode_frame(encode_message(format_, publication), publication.payload->size());
  });
}

void NativeSession::deliver_deltas(Seat& seat, hub::Delivery& delivery) {
  Selection& selection = *seat.selection;
  const auto publications = delivery.publications();
  broker::PublicationPtr base = adapter_.delta_bases().before(publications);
  const bool has_base = selection.begun && selection.told + 1 == publications.front()->offset;
  const auto form = variant_of(format_, transport_.encoding(delivery.payload_bytes_max()));
  const broker::Publication* before = has_base ? base.get() : nullptr;
  const std::size_t variant = variant_of(has_base ? Way::kDeltas : Way::kDeltasFromWhole, form);
  transport_.send_frame(delivery.frame(variant, [&](const broker::Publication& publication) {
    const broker::Publication* last = std::exchange(before, &publication);
    const bool follows = last != nullptr && last->offset + 1 == publication.offset;
    return encode_frame(encode_delta(format_, publication, follows ? last : nullptr),
                        publication.payload->size());
  }));
  selection.begun = true;
  selection.told = selection.seen = publications.back()->offset;
}

const BufferRef& NativeSession::frame_of(hub::Delivery& delivery, std::size_t index) {
  const auto variant = variant_of(format_, transport_.encoding(delivery.payload_bytes_max()));
  return delivery.frame_of(index, variant, [this](const broker::Publication& publication) {
    return encode_frame(encode_message(format_, publication), publication.payload->size());
  });
}

void NativeSession::on_occupancy(OccupancyNews& news) {
  const bool presence = adapter_.hub().rules().find(news.channel()).presence;
  const auto variant = variant_of(format_, transport_.encoding(0));
  transport_.send_frame(news.frame(variant, [&] {
    return encode_frame(
        encode_occupancy(format_, 0, news.channel(), news.occupancy(), presence), 0);
  }));
}

void NativeSession::on_presence(Seat& seat, hub::PresenceDelivery& delivery) {
  const std::size_t bytes = delivery.diff().bytes();
  const auto variant = variant_of(format_, transport_.encoding(bytes));
  transport_.send_frame(delivery.frame(variant, [&](const hub::PresenceDiff& diff) {
    return encode_frame(encode_presence(format_, seat.channel(), diff), bytes);
  }));
}

}  // namespace anywire::protocol::native
