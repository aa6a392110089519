// Client: what the server tells it, and whether that is true.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "codec/base64.h"
#include "sim/client.h"
#include "sim/world.h"

namespace anywire::sim {
namespace {

// After an answer that says "later".
constexpr Duration kRetryDelay{700};

std::string_view answer_type(std::string_view command) {
  if (command == "connect") return "connected";
  if (command == "subscribe" || command == "pattern") return "subscribed";
  if (command == "publish") return "published";
  if (command == "ping") return "pong";
  if (command == "history" || command == "members") return command;
  return "ok";
}

std::optional<std::string> payload_of(const Told& told) {
  if (told.has("data")) return std::string(told.raw("data"));
  if (told.has("text")) return std::string(told.text("text"));
  const auto bytes = codec::base64_decode(told.text("binary"));
  if (!told.has("binary") || !bytes) return std::nullopt;
  return *bytes;
}

}  // namespace

std::optional<std::uint32_t> Client::channel_in(const Told& told) {
  const std::string_view channel = told.text("channel");
  const auto& plans = world_.scenario().channels;
  const auto found = std::ranges::find(plans, channel, &ChannelPlan::name);
  if (found == plans.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - plans.begin());
}

void Client::handle(const Told& told) {
  const std::optional<std::uint64_t> id = told.number("id");
  if (!id || *id == 0) return handle_push(told);
  const auto found = pending_.find(*id);
  if (found == pending_.end()) {
    return world_.record().violate(Check::kReply, "an answer nobody waits for: {}", told.shown());
  }
  const Pending pending = found->second;
  pending_.erase(found);
  if (told.type() == "error") return handle_error(told, pending);
  if (told.type() != answer_type(pending.type)) {
    return world_.record().violate(Check::kReply, "{} is answered {}", pending.type, told.shown());
  }
  handle_reply(told, pending);
}

void Client::handle_reply(const Told& told, const Pending& pending) {
  const std::string_view type = pending.type;
  if (type == "connect") return on_connected(told);
  if (type == "subscribe") return on_subscribed(told, pending);
  if (type == "publish") return on_published(told, pending);
  if (type == "history") return on_history(told, pending);
  if (type == "members") return on_members(told, pending);
  if (type == "auth") connection_token_ends_ms_ = told.number_or_0("expires");
  if (type == "unsubscribe") {
    Subscription& one = subscriptions_[pending.channel];
    one.state = Subscription::State::kOff;
    one.list.begin();
    if (std::exchange(one.in_force, false)) leave_to_pattern(pending.channel);
  }
  if (type == "enter" || type == "leave") {
    Presence& one = presences_[pending.channel];
    one.sure = --one.waiting == 0;
  }
  if (type == "pattern") {
    pattern_on_ = true;
    pattern_skipped_ = pattern_missed_ = 0;
    for (std::uint32_t i = 0; i < pattern_next_.size(); ++i) {
      pattern_next_[i] = world_.truth().ordered_count(world_.scenario().channels[i].name);
      pattern_seen_[i] = 0;
    }
  }
}

void Client::handle_error(const Told& told, const Pending& pending) {
  const std::string_view code = told.text("code");
  const std::string_view type = pending.type;
  const bool later = code == "unavailable" || code == "overloaded";
  const ChannelPlan& channel = world_.scenario().channels[pending.channel];
  bool fits = later && world_.scenario().store.failing && told.flag("retry") &&
              (type == "subscribe" || type == "publish" || type == "history");
  // Pages are not sent to who has not read those before; whether it has, the server knows.
  const bool unread = code == "overloaded" && told.flag("retry");
  Subscription& subscription = subscriptions_[pending.channel];
  const TimePoint retry_at = world_.clock().now() + kRetryDelay;
  if (type == "subscribe") {
    // Left while it was being made; the answer to `unsubscribe` follows.
    const bool left = code == "not_subscribed" &&
                      subscription.state == Subscription::State::kLeaving;
    fits = fits || left;
    if (!left && subscription.state == Subscription::State::kAsked) {
      subscription.state = Subscription::State::kOff;
      subscription.retry_at = retry_at;
    }
  } else if (type == "unsubscribe") {
    // It could not be made, and that was said when this was on its way.
    fits = code == "not_subscribed" && world_.scenario().store.failing;
    subscription.state = Subscription::State::kOff;
  } else if (type == "publish") {
    const auto found = publishings_.find(pending.publishing);
    if (found != publishings_.end()) {
      found->second.waiting = false;
      found->second.retry_at = retry_at;
      if (found->second.key.empty()) publishings_.erase(found);
    }
  } else if (type == "history") {
    fits = fits || unread || (code == "no_history" && channel.rule.history_messages == 0);
  } else if (type == "members") {
    fits = unread;
    // Another question may be under way, whose answer is as good.
    const bool last = std::ranges::none_of(pending_, [&](const auto& other) {
      return other.second.type == "members" && other.second.channel == pending.channel;
    });
    if (last && subscription.list.asking()) subscription.members_at = retry_at;
  } else if (type == "leave") {
    fits = code == "not_present";
    Presence& one = presences_[pending.channel];
    one.sure = --one.waiting == 0;
  }
  if (!fits) {
    world_.record().violate(Check::kReply, "{} on {} is answered {}", type, channel.name,
                            told.shown());
  }
}

void Client::on_connected(const Told& told) {
  if (phase_ != Phase::kConnecting) {
    return world_.record().violate(Check::kProtocol, "connected when it was");
  }
  phase_ = Phase::kConnected;
  failures_ = 0;
  const bool resumed = told.flag("resumed");
  if (resumed != (told.text("client") == client_id_)) {
    world_.record().violate(Check::kProtocol, "c{} was {}: {}", index_, client_id_, told.shown());
  }
  if (told.text("user") != plan_.user) {
    world_.record().violate(Check::kProtocol, "c{} is {}: {}", index_, plan_.user, told.shown());
  }
  client_id_ = told.text("client");
  secret_ = told.text("session");
  for (Presence& one : presences_) {
    // Under another name it is nowhere.
    if (!resumed && one.waiting == 0) one.sure = !one.wanted;
  }
}

// ---- Subscriptions ----

void Client::on_subscribed(const Told& told, const Pending& pending) {
  Subscription& one = subscriptions_[pending.channel];
  if (one.state == Subscription::State::kAsked) one.state = Subscription::State::kOn;
  const broker::Position position = told.position();
  const std::string& name = world_.scenario().channels[pending.channel].name;
  Record& record = world_.record();
  const bool recovered = told.flag("recovered");
  const std::optional<Told> gap = told.object("gap");
  if (told.has("recovered") != one.since || (one.since && recovered == gap.has_value())) {
    record.violate(Check::kProtocol, "after {}since: {}", one.since ? "" : "no ", told.shown());
  }
  if (!world_.truth().knows_epoch(name, position.epoch)) {
    record.violate(Check::kOrder, "nobody knows this epoch: {}", told.shown());
  }
  if (told.number_or_0("top") < position.offset) {
    record.violate(Check::kProtocol, "begins behind its end: {}", told.shown());
  }
  if (one.since && recovered && position != *one.cursor) {
    record.violate(Check::kGap, "c{} had {} of {} and is told {}", index_, one.cursor->offset,
                   name, told.shown());
  }
  if (one.since && gap) check_gap(pending.channel, *gap, *one.cursor, position);
  one.cursor = position;
  one.in_force = true;
  // Up to there it was the pattern's.
  if (pattern_on_) skip_by_pattern(pending.channel, world_.truth().index_behind(name, position));
}

// The first message between these two that the client should have got.
std::optional<std::uint64_t> Client::first_owed(std::uint32_t channel, std::uint64_t from,
                                                std::uint64_t to) const {
  const Subscription& one = subscriptions_[channel];
  const ChannelPlan& plan = world_.scenario().channels[channel];
  const std::uint64_t epoch = one.cursor->epoch;
  for (std::uint64_t offset = from; offset <= to; ++offset) {
    const Message* message = world_.truth().find(plan.name, epoch, offset);
    if (message == nullptr) return offset;
    const bool covered = plan.rule.conflate && world_.truth().conflated(plan.name, epoch, offset);
    if (wants(one, *message) && !covered) return offset;
  }
  return std::nullopt;
}

// What `gap` says is lost, between the cursor and the next one.
void Client::check_gap(std::uint32_t channel, const Told& gap, const broker::Position& cursor,
                       const broker::Position& next) {
  const ChannelPlan& plan = world_.scenario().channels[channel];
  const std::string_view reason = gap.text("reason");
  const std::uint64_t from = gap.number_or_0("from");
  const std::uint64_t to = gap.number_or_0("to");
  Record& record = world_.record();
  // What it does not want is left out without a word until then.
  const std::optional<std::uint64_t> owed = first_owed(channel, cursor.offset + 1, from - 1);
  if (from <= cursor.offset || owed) {
    record.violate(Check::kGap, "c{} had {} of {}: {}", index_, cursor.offset, plan.name,
                   gap.shown());
  }
  if (reason == "epoch") {
    if (to != 0 || next.epoch == cursor.epoch) {
      record.violate(Check::kGap, "c{}: no other epoch of {}: {}", index_, plan.name, gap.shown());
    }
    return;
  }
  if (next.epoch != cursor.epoch || to != next.offset || to < from) {
    return record.violate(Check::kGap, "c{} goes on at {} of {}: {}", index_, next.offset,
                          plan.name, gap.shown());
  }
  using hub::SlowConsumer;
  const SlowConsumer policy = plan.rule.slow_consumer;
  if (reason == "slow") {
    if (policy == SlowConsumer::kLatest || policy == SlowConsumer::kDrop) return;
    return record.violate(Check::kGap, "{} does not leave out: {}", plan.name, gap.shown());
  }
  // Where nothing is kept everything is gone at once.
  if (reason == "evicted" && plan.rule.history_messages == 0) return;
  const bool there = world_.store_has(plan.name, cursor.epoch, to).value_or(false);
  if (reason != "evicted" || there || plan.keeps_all) {
    record.violate(Check::kGap, "c{}: history of {} has it: {}", index_, plan.name, gap.shown());
  }
}

// ---- Publishing and history ----

void Client::on_published(const Told& told, const Pending& pending) {
  const auto found = publishings_.find(pending.publishing);
  if (found == publishings_.end()) return;
  const Publishing one = std::move(found->second);
  publishings_.erase(found);
  const std::string& name = world_.scenario().channels[pending.channel].name;
  const broker::Position position = told.position();
  const Message* message = world_.truth().find(name, position.epoch, position.offset);
  Record& record = world_.record();
  if (message == nullptr || message->payload != one.message.payload) {
    return record.violate(Check::kPublish, "c{}: {} of {} is not there: {}", index_,
                          one.message.payload.substr(0, 24), name, told.shown());
  }
  const bool duplicate = told.flag("duplicate");
  if (duplicate && one.sends < 2) {
    record.violate(Check::kPublish, "c{} sent it once: {}", index_, told.shown());
  }
  if (duplicate) return;
  broker::Position& last = last_published_[pending.channel];
  const bool once = one.sends == 1;
  if (once && last.epoch == position.epoch && position.offset <= last.offset) {
    record.violate(Check::kOrder, "c{} published {} of {} after {}", index_, position.offset, name,
                   last.offset);
  }
  if (once) last = position;
}

void Client::on_history(const Told& told, const Pending& pending) {
  const std::string& name = world_.scenario().channels[pending.channel].name;
  const std::uint64_t epoch = protocol::native::parse_epoch(told.text("epoch"));
  const bool backward = pending.query.order == broker::HistoryQuery::Order::kBackward;
  const std::uint64_t oldest = told.number_or_0("oldest");
  const std::uint64_t top = told.number_or_0("top");
  Record& record = world_.record();
  std::uint64_t last = 0;
  std::size_t count = 0;
  told.each("messages", [&](const Told& one) {
    const std::uint64_t offset = one.number_or_0("offset");
    const Message* message = world_.truth().find(name, epoch, offset);
    if (message == nullptr || !same(one, *message)) {
      record.violate(Check::kOrder, "history of {} has {}", name, one.shown());
    }
    const bool follows = count == 0 || offset == (backward ? last - 1 : last + 1);
    const bool within = offset >= oldest && offset <= top &&
                        (!pending.query.after || offset > *pending.query.after) &&
                        (!pending.query.before || offset < *pending.query.before);
    if (!follows || !within) {
      record.violate(Check::kGap, "history of {} has {} behind {}: {}", name, offset, last,
                     told.shown().substr(0, 200));
    }
    last = offset;
    ++count;
  });
  const std::uint64_t low = std::max(oldest, pending.query.after.value_or(0) + 1);
  const std::uint64_t high = std::min(top, pending.query.before.value_or(top + 1) - 1);
  const bool some = pending.query.before != 0u && low <= high;
  if (some && (count == 0 || (!told.flag("more") && last != (backward ? low : high)))) {
    record.violate(Check::kGap, "history of {} ends at {}: {}", name, last,
                   told.shown().substr(0, 200));
  }
}

void Client::on_members(const Told& told, const Pending& pending) {
  PresenceList& list = subscriptions_[pending.channel].list;
  if (!list.asking()) return;
  if (list.take_page(told, world_.record())) ask_members(pending.channel);
}

// ---- Pushes ----

void Client::handle_push(const Told& told) {
  const std::string_view type = told.type();
  if (type == "message") return on_message(told);
  if (type == "expiring") {
    return calm_ || world_.dice().below(3) != 0 ? authenticate() : void();
  }
  if (type == "gap" && told.has("pattern")) {
    pattern_missed_ += told.number_or_0("missed");
    return;
  }
  const std::optional<std::uint32_t> channel = channel_in(told);
  if (type == "error") {
    // Of a publish without an id.
    const bool fits = world_.scenario().store.failing && told.flag("retry");
    if (!fits) world_.record().violate(Check::kReply, "nobody asked: {}", told.shown());
    return;
  }
  if (!channel || subscriptions_[*channel].state == Subscription::State::kOff) {
    return world_.record().violate(Check::kOrder, "c{} has not asked for {}", index_, told.shown());
  }
  if (type == "advance") return on_advance(told, *channel);
  if (type == "gap") return on_gap(told, *channel);
  if (type == "presence") return on_presence(told, *channel);
  world_.record().violate(Check::kProtocol, "c{} hears {}", index_, told.shown());
}

bool Client::wants(const Subscription& one, const Message& message) const {
  if (!one.own && message.client == client_id_) return false;
  return one.filter.empty() || std::ranges::find(one.filter, message.tag) != one.filter.end();
}

bool Client::same(const Told& told, const Message& message) const {
  const std::optional<std::string> payload = payload_of(told);
  const std::optional<Told> tags = told.object("tags");
  constexpr std::array<std::string_view, 3> kMembers = {"data", "text", "binary"};
  return payload == message.payload && told.has(kMembers[static_cast<std::size_t>(message.kind)]) &&
         told.text("event") == message.event && told.text("client") == message.client &&
         told.text("user") == message.user && (tags ? tags->text("t") : "") == message.tag;
}

void Client::on_message(const Told& told) {
  const std::optional<std::uint32_t> channel = channel_in(told);
  Record& record = world_.record();
  if (!channel) return record.violate(Check::kOrder, "of no channel: {}", told.shown());
  Subscription& one = subscriptions_[*channel];
  if (!one.in_force && pattern_on_) return on_pattern_message(told, *channel);
  const std::string& name = world_.scenario().channels[*channel].name;
  if (!one.in_force) {
    return record.violate(Check::kOrder, "c{} has no subscription yet: {}", index_, told.shown());
  }
  const std::uint64_t offset = told.number_or_0("offset");
  if (offset <= one.cursor->offset) {
    return record.violate(Check::kDuplicate, "c{} has {} of {}: {}", index_, one.cursor->offset,
                          name, told.shown().substr(0, 200));
  }
  if (offset != one.cursor->offset + 1) {
    return record.violate(Check::kGap, "c{} has {} of {} and gets {}", index_, one.cursor->offset,
                          name, told.shown().substr(0, 200));
  }
  one.cursor->offset = offset;
  const Message* message = world_.truth().find(name, one.cursor->epoch, offset);
  if (message == nullptr || !same(told, *message)) {
    return record.violate(Check::kOrder, "c{} gets {}, not what {} has there ({})", index_,
                          told.shown().substr(0, 200), name,
                          message == nullptr ? "nothing" : message->payload.substr(0, 40));
  }
  if (!wants(one, *message)) {
    record.violate(Check::kOrder, "c{} does not want {}", index_, told.shown().substr(0, 200));
  }
}

void Client::on_advance(const Told& told, std::uint32_t channel) {
  Subscription& one = subscriptions_[channel];
  const ChannelPlan& plan = world_.scenario().channels[channel];
  const std::uint64_t to = told.number_or_0("offset");
  if (!one.cursor || to <= one.cursor->offset) {
    return world_.record().violate(Check::kProtocol, "c{} does not advance: {}", index_,
                                   told.shown());
  }
  if (const auto owed = first_owed(channel, one.cursor->offset + 1, to)) {
    return world_.record().violate(Check::kGap, "c{} was owed {} of {}: {}", index_, *owed,
                                   plan.name, told.shown());
  }
  one.cursor->offset = to;
}

void Client::on_gap(const Told& told, std::uint32_t channel) {
  Subscription& one = subscriptions_[channel];
  if (!one.cursor) return world_.record().violate(Check::kProtocol, "{}", told.shown());
  check_gap(channel, told, *one.cursor, told.position());
  one.cursor = told.position();
}

void Client::on_presence(const Told& told, std::uint32_t channel) {
  Subscription& one = subscriptions_[channel];
  if (!one.presence) {
    return world_.record().violate(Check::kPresence, "c{} has not asked for {}", index_,
                                   told.shown());
  }
  if (one.list.take_push(told, world_.record())) ask_members(channel);
}

// No cursor: the payload says which one it is.
void Client::on_pattern_message(const Told& told, std::uint32_t channel) {
  const std::string& name = world_.scenario().channels[channel].name;
  const std::string payload = payload_of(told).value_or("");
  Record& record = world_.record();
  if (world_.truth().count(payload) == 0) {
    return record.violate(Check::kOrder, "nobody published {}", told.shown().substr(0, 200));
  }
  const std::size_t index = world_.truth().index_of(payload);
  const Message* message = world_.truth().by_index(name, index);
  if (message == nullptr || !same(told, *message) ||
      message->offset != told.number_or_0("offset")) {
    return record.violate(Check::kOrder, "w{} gets {}", index_, told.shown().substr(0, 200));
  }
  if (index < pattern_seen_[channel]) {
    record.violate(Check::kDuplicate, "w{} was behind it: {}", index_,
                   told.shown().substr(0, 200));
  }
  pattern_seen_[channel] = index + 1;
  skip_by_pattern(channel, index);
  pattern_next_[channel] = std::max(pattern_next_[channel], index + 1);
}

// What lies before that number and has not come is missed.
void Client::skip_by_pattern(std::uint32_t channel, std::size_t behind) {
  const std::string& name = world_.scenario().channels[channel].name;
  for (std::size_t& next = pattern_next_[channel]; next < behind; ++next) {
    if (world_.truth().by_index(name, next)->handed) ++pattern_skipped_;
  }
}

// From here on the channel is the pattern's again. What is under way is it already.
void Client::leave_to_pattern(std::uint32_t channel) {
  const std::string& name = world_.scenario().channels[channel].name;
  const std::size_t had = world_.truth().index_behind(name, *subscriptions_[channel].cursor);
  pattern_seen_[channel] = std::max(pattern_seen_[channel], had);
  pattern_next_[channel] = std::max(pattern_next_[channel], world_.truth().ordered_count(name));
}

// ---- At rest ----

bool Client::present_in(std::uint32_t channel) const {
  return phase_ == Phase::kConnected && presences_[channel].wanted;
}

void Client::check_at_rest() {
  Record& record = world_.record();
  if (!at_rest()) {
    std::string waits;
    for (const auto& [id, pending] : pending_) waits += fmt::format(" {}:{}", id, pending.type);
    return record.violate(Check::kReply, "c{} does not come to rest; unanswered:{}", index_, waits);
  }
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    const Subscription& one = subscriptions_[i];
    if (one.state != Subscription::State::kOn) continue;
    const std::string& name = world_.scenario().channels[i].name;
    const broker::Position top = world_.truth().top(name);
    if (*one.cursor != top) {
      record.violate(Check::kGap, "c{} stands at {}+{} of {}, whose end is {}+{}", index_,
                     one.cursor->epoch, one.cursor->offset, name, top.epoch, top.offset);
    }
    if (!one.presence) continue;
    if (!one.list.known() || one.list.members() != world_.members_of(i)) {
      std::string members;
      for (const auto& [client, member] : one.list.members()) members += " " + client;
      record.violate(Check::kPresence, "c{} sees in {}:{}", index_, name, members);
    }
  }
  if (plan_.watcher) check_pattern_at_rest();
}

void Client::check_pattern_at_rest() {
  std::uint64_t skipped = pattern_skipped_;
  for (std::uint32_t i = 0; i < pattern_next_.size(); ++i) {
    if (subscriptions_[i].in_force) continue;
    const std::string& name = world_.scenario().channels[i].name;
    for (std::size_t at = pattern_next_[i]; at < world_.truth().ordered_count(name); ++at) {
      if (world_.truth().by_index(name, at)->handed) ++skipped;
    }
  }
  if (skipped > pattern_missed_) {
    world_.record().violate(Check::kGap, "w{} has missed {} and was told of {}", index_, skipped,
                            pattern_missed_);
  }
}

}  // namespace anywire::sim
