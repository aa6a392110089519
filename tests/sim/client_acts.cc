// Client: what its application does.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "codec/base64.h"
#include "sim/client.h"
#include "sim/world.h"

namespace anywire::sim {
namespace {

// Older ones might be published twice, since keys are remembered for so long only.
constexpr Duration kRepublishMax{240'000};
constexpr std::string_view kTags[] = {"a", "b", "c"};

}  // namespace

void Client::act(const Step& step) {
  calm_ = false;
  Random salt(step.salt);
  const bool talks = phase_ >= Phase::kConnecting;
  switch (step.act) {
    case Act::kPublish: return publish(step.channel, salt.next());
    case Act::kBurst:
      for (std::uint64_t i = 2 + salt.below(10); i > 0; --i) publish(step.channel, salt.next());
      return;
    case Act::kSubscribe: return want_subscription(step.channel, salt.next());
    case Act::kUnsubscribe:
      subscriptions_[step.channel].wanted = false;
      return talks ? unsubscribe(step.channel) : void();
    case Act::kEnter: return enter(step.channel, salt.next());
    case Act::kLeave:
      presences_[step.channel].wanted = false;
      presences_[step.channel].sure = false;
      return talks ? leave(step.channel) : void();
    case Act::kHistory: return talks ? ask_history(step.channel, salt.next()) : void();
    case Act::kMembers: return talks ? ask_members(step.channel) : void();
    case Act::kPing: return talks ? simple_command("ping") : void();
    case Act::kAuth: return talks ? authenticate() : void();
    case Act::kStopReading:
      if (phase_ == Phase::kAway) return;
      reading_ = false;
      link_->troubled = true;
      return;
    case Act::kRead:
      if (!reading_) heard_at_ = world_.clock().now();
      reading_ = true;
      return;
    case Act::kLose: {
      if (phase_ == Phase::kAway) return;
      link_->troubled = true;
      const std::uint64_t how = salt.below(4);
      if (how == 0) link_->reset_server();
      if (how == 1) link_->reset_client();
      if (how == 2) link_->lose();
      if (how == 3) leave_link(false);
      return;
    }
    case Act::kMove: {
      if (phase_ == Phase::kAway) return;
      if (salt.below(2) == 0) link_->lose();
      lose("moves");
      // As when a page is loaded again that has kept its cursors and nothing else.
      if (salt.below(2) == 0) forget_session();
      connect_at_ = world_.clock().now() + Duration(salt.below(3) == 0 ? salt.below(2'000) : 0);
      return;
    }
    case Act::kDepart:
      leave_link(salt.below(2) == 0);
      connect_at_ = world_.clock().now() + Duration(salt.below(25'000));
      return;
    case Act::kStallLink: {
      if (phase_ == Phase::kAway) return;
      const bool down = salt.below(2) == 0;
      const bool up = salt.below(2) == 0;
      return link_->stall(up, down);
    }
    default: return;
  }
}

void Client::forget_session() {
  secret_.clear();
  client_id_.clear();
  for (Presence& one : presences_) one.sure = !one.wanted;
}

// ---- Publishing ----

void Client::publish(std::uint32_t channel, std::uint64_t salt_of) {
  Random salt(salt_of);
  Publishing one;
  one.channel = channel;
  Message& message = one.message;
  const std::uint64_t number = ++published_;
  std::string text = fmt::format("c{}.{} ", index_, number);
  const std::uint64_t pad = salt.below(6) == 0 ? 300 + salt.below(2500) : salt.below(40);
  text.append(pad, static_cast<char>('a' + salt.below(26)));
  message.kind = static_cast<broker::PayloadKind>(salt.below(3));
  // The way from JSON to MessagePack, by which its commands go, cannot say "binary".
  if (plan_.msgpack && message.kind == broker::PayloadKind::kBinary) {
    message.kind = broker::PayloadKind::kText;
  }
  message.payload = message.kind == broker::PayloadKind::kJson
                        ? fmt::format(R"({{"n":{},"t":["{}",null]}})", number, text)
                        : text;
  if (salt.below(2) == 0) message.event = fmt::format("say{}", salt.below(3));
  if (salt.below(2) == 0) message.tag = kTags[salt.below(3)];
  if (salt.below(3) == 0) message.key = fmt::format("k{}", salt.below(3));
  const std::uint64_t how = salt.below(8);
  if (how < 5) one.key = fmt::format("c{}-{}", index_, number);
  // Without a key it is sent once, if at all; without an id nobody answers.
  if (one.key.empty() && phase_ < Phase::kConnecting) return;
  publishings_.emplace(number, std::move(one));
  if (phase_ >= Phase::kConnecting) send_publish(number);
  if (how == 7) publishings_.erase(number);
}

void Client::send_publish(std::uint64_t number) {
  Publishing& one = publishings_.at(number);
  const Message& message = one.message;
  if (one.sends++ == 0) one.first_sent = world_.clock().now();
  one.waiting = true;
  // Every so many without a key go without an id, too.
  const bool asks = !one.key.empty() || number % 3 != 0;
  std::string command = R"({"type":"publish")";
  if (asks) {
    command += fmt::format(
        R"(,"id":{})",
        wait_for({.type = "publish", .channel = one.channel, .publishing = number}));
  }
  command += fmt::format(R"(,"channel":"{}")", world_.scenario().channels[one.channel].name);
  switch (message.kind) {
    case broker::PayloadKind::kJson: command += ",\"data\":" + message.payload; break;
    case broker::PayloadKind::kText: command += ",\"text\":\"" + message.payload + "\""; break;
    case broker::PayloadKind::kBinary:
      command += ",\"binary\":\"" + codec::base64_encode(as_bytes(message.payload)) + "\"";
      break;
  }
  if (!message.event.empty()) command += fmt::format(R"(,"event":"{}")", message.event);
  if (!message.tag.empty()) command += fmt::format(R"(,"tags":{{"t":"{}"}})", message.tag);
  if (!message.key.empty()) command += fmt::format(R"(,"conflationKey":"{}")", message.key);
  if (!one.key.empty()) command += fmt::format(R"(,"idempotencyKey":"{}")", one.key);
  say(command + "}");
  if (!asks) publishings_.erase(number);
}

// The same again, for who does not know what became of it.
void Client::resend_publishes() {
  const TimePoint now = world_.clock().now();
  std::erase_if(publishings_, [&](const auto& entry) {
    const Publishing& one = entry.second;
    return !one.waiting && one.sends > 0 && now - one.first_sent > kRepublishMax;
  });
  std::vector<std::uint64_t> due;
  for (const auto& [number, one] : publishings_) {
    if (!one.waiting && now >= one.retry_at) due.push_back(number);
  }
  for (const std::uint64_t number : due) send_publish(number);
}

// ---- Subscriptions ----

void Client::want_subscription(std::uint32_t channel, std::uint64_t salt_of) {
  Random salt(salt_of);
  Subscription& one = subscriptions_[channel];
  if (one.state != Subscription::State::kOff || one.wanted) return;
  one.wanted = true;
  one.own = salt.below(3) != 0;
  one.presence = salt.below(2) == 0;
  one.filter.clear();
  if (salt.below(3) == 0) {
    for (std::uint64_t i = 1 + salt.below(2); i > 0; --i) {
      one.filter.emplace_back(kTags[salt.below(3)]);
    }
  }
  if (salt.below(3) == 0) one.cursor.reset();
  if (phase_ < Phase::kConnecting) return;
  // One draw to a statement: with two in an expression the compiler chooses their order.
  const std::uint64_t rewinds = salt.below(2);
  const auto rewind = static_cast<std::uint32_t>(rewinds * salt.below(8));
  subscribe(channel, one.cursor ? 0 : rewind);
}

void Client::subscribe(std::uint32_t channel, std::uint32_t rewind) {
  Subscription& one = subscriptions_[channel];
  one.state = Subscription::State::kAsked;
  one.since = one.cursor.has_value();
  one.list.begin();
  std::string command = fmt::format(R"({{"type":"subscribe","id":{},"channel":"{}")",
                                    wait_for({.type = "subscribe", .channel = channel}),
                                    world_.scenario().channels[channel].name);
  if (one.cursor) {
    command += fmt::format(R"(,"since":{{"epoch":"{}","offset":{}}})",
                           protocol::native::epoch_text(one.cursor->epoch), one.cursor->offset);
  } else if (rewind > 0) {
    command += fmt::format(R"(,"rewind":{})", rewind);
  }
  if (one.presence) command += R"(,"presence":true)";
  if (!one.own) command += R"(,"own":false)";
  if (!one.filter.empty()) {
    std::string values;
    for (const std::string& value : one.filter) {
      values += (values.empty() ? "\"" : ",\"") + value + "\"";
    }
    command += fmt::format(R"(,"filter":{{"t":[{}]}})", values);
  }
  say(command + "}");
}

void Client::subscribe_pattern() {
  say(fmt::format(R"({{"type":"subscribe","id":{},"pattern":"room:*"}})",
                  wait_for({.type = "pattern"})));
}

void Client::unsubscribe(std::uint32_t channel) {
  Subscription& one = subscriptions_[channel];
  using State = Subscription::State;
  if (one.state != State::kOn && one.state != State::kAsked) return;
  one.state = State::kLeaving;
  say(fmt::format(R"({{"type":"unsubscribe","id":{},"channel":"{}"}})",
                  wait_for({.type = "unsubscribe", .channel = channel}),
                  world_.scenario().channels[channel].name));
}

void Client::return_to_channels() {
  if (plan_.watcher) subscribe_pattern();
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    if (subscriptions_[i].wanted) subscribe(i, 0);
  }
}

// ---- Presence ----

void Client::enter(std::uint32_t channel, std::uint64_t salt) {
  Presence& one = presences_[channel];
  one.wanted = true;
  one.sure = false;
  one.info = fmt::format(R"({{"mood":{}}})", salt % 100);
  if (phase_ >= Phase::kConnecting) send_enter(channel);
}

void Client::send_enter(std::uint32_t channel) {
  Presence& one = presences_[channel];
  ++one.waiting;
  say(fmt::format(R"({{"type":"enter","id":{},"channel":"{}","info":{}}})",
                  wait_for({.type = "enter", .channel = channel}),
                  world_.scenario().channels[channel].name, one.info));
}

void Client::leave(std::uint32_t channel) {
  ++presences_[channel].waiting;
  say(fmt::format(R"({{"type":"leave","id":{},"channel":"{}"}})",
                  wait_for({.type = "leave", .channel = channel}),
                  world_.scenario().channels[channel].name));
}

void Client::ask_members(std::uint32_t channel) {
  Subscription& one = subscriptions_[channel];
  one.members_at.reset();
  const std::string& after = one.list.after();
  say(fmt::format(R"({{"type":"members","id":{},"channel":"{}","limit":2{}}})",
                  wait_for({.type = "members", .channel = channel}),
                  world_.scenario().channels[channel].name,
                  after.empty() ? "" : fmt::format(R"(,"after":"{}")", after)));
}

// ---- Questions ----

void Client::ask_history(std::uint32_t channel, std::uint64_t salt_of) {
  Random salt(salt_of);
  Pending pending{.type = "history", .channel = channel};
  broker::HistoryQuery& query = pending.query;
  query.limit = 1 + salt.below(20);
  const bool backward = salt.below(2) == 0;
  if (backward) query.order = broker::HistoryQuery::Order::kBackward;
  if (salt.below(2) == 0) query.after = salt.below(30);
  if (salt.below(2) == 0) query.before = salt.below(60);
  std::string command = fmt::format(R"({{"type":"history","id":{},"channel":"{}","limit":{})",
                                    wait_for(pending), world_.scenario().channels[channel].name,
                                    query.limit);
  if (backward) command += R"(,"order":"backward")";
  if (query.after) command += fmt::format(R"(,"after":{})", *query.after);
  if (query.before) command += fmt::format(R"(,"before":{})", *query.before);
  say(command + "}");
}

void Client::simple_command(std::string_view type) {
  say(fmt::format(R"({{"type":"{}","id":{}}})", type, wait_for({.type = type})));
}

void Client::authenticate() {
  token_.clear();
  const std::string text = token();
  if (text.empty()) return;
  say(fmt::format(R"({{"type":"auth","id":{},"token":"{}"}})", wait_for({.type = "auth"}), text));
}

}  // namespace anywire::sim
