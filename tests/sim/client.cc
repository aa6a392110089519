// Client: its connection, from the upgrade to the end, and the frames on it.
#include "sim/client.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "protocol/native/testing/client_codec.h"
#include "sim/world.h"
#include "websocket/testing/peer.h"

namespace anywire::sim {
namespace {

constexpr Duration kPatience{10'000};  // for the answer to `connect`, and after a ping
constexpr Duration kSilence{5'000};    // what the server says in `ping`
constexpr std::size_t kInflatedMax = std::size_t{1} << 24;
// A token with less than this left is not used any more.
constexpr std::uint64_t kTokenMarginMs = 3'000;

}  // namespace

Client::Client(World& world, std::uint32_t index, const ClientPlan& plan)
    : world_(world),
      index_(index),
      plan_(plan),
      subscriptions_(world.scenario().channels.size()),
      presences_(subscriptions_.size()),
      last_published_(subscriptions_.size()),
      pattern_next_(subscriptions_.size()),
      pattern_seen_(subscriptions_.size()) {}

// ---- The link ----

void Client::connect() {
  link_ = world_.open_link();
  phase_ = Phase::kUpgrading;
  phase_since_ = heard_at_ = world_.clock().now();
  reading_ = true;
  closed_ = false;
  input_.clear();
  world_.record().note("c{} connects by link {} to loop {}", index_, link_->id,
                       link_->loop_index());
  link_->send(fmt::format(
      "GET /anywire HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Protocol: anywire.v1.{}\r\n{}\r\n",
      plan_.msgpack ? "msgpack" : "json",
      plan_.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : ""));
}

std::string Client::token() {
  if (plan_.user.empty() && plan_.token_life.count() == 0) return {};
  const std::uint64_t now_ms = world_.wall().unix_ms();
  const bool fresh = token_ends_ms_ == 0 || now_ms + kTokenMarginMs < token_ends_ms_;
  if (!token_.empty() && fresh) return token_;
  std::string claims = R"({"capability":{"*":["*"]})";
  if (!plan_.user.empty()) claims += fmt::format(R"(,"sub":"{}")", plan_.user);
  if (plan_.token_life.count() > 0) {
    token_ends_ms_ = now_ms + static_cast<std::uint64_t>(plan_.token_life.count());
    claims += fmt::format(R"(,"exp":{}.{:03})", token_ends_ms_ / 1000, token_ends_ms_ % 1000);
  }
  return token_ = world_.sign(claims + "}");
}

// What is not known any more: whether commands under way were carried out.
void Client::lose(std::string_view why) {
  if (phase_ == Phase::kAway) return;
  world_.record().note("c{} has lost link {}: {}", index_, link_->id, why);
  phase_ = Phase::kAway;
  lost_at_ = world_.clock().now();
  link_.reset();
  saying_.clear();
  pending_.clear();
  ping_sent_ = false;
  pattern_on_ = false;
  for (Subscription& one : subscriptions_) {
    one.state = Subscription::State::kOff;
    one.in_force = false;
    one.retry_at = {};
    one.list.begin();
  }
  for (Presence& one : presences_) {
    if (one.waiting > 0) one.sure = false;
    one.waiting = 0;
  }
  std::erase_if(publishings_, [](const auto& one) { return one.second.key.empty(); });
  for (auto& [number, one] : publishings_) one.waiting = false;
  std::ranges::fill(last_published_, broker::Position());
  // Section 6: a random time below a limit that doubles.
  const std::uint32_t limit = 250u << std::min(failures_, 3u);
  ++failures_;
  connect_at_ = world_.clock().now() + Duration(world_.dice().below(limit));
}

void Client::leave_link(bool polite) {
  if (phase_ == Phase::kAway) return;
  link_->close(polite);
  lose(polite ? "leaves" : "leaves without a word");
}

void Client::on_end() {
  // What ends without a Close frame needs a reason: trouble on the way, or a reader too slow.
  const bool slow = link_->queued_most + 1024 > world_.queue_bytes_max();
  if (!closed_ && !link_->troubled && !slow) {
    world_.record().violate(Check::kEnd, "link {} of c{} ended for no reason", link_->id, index_);
  }
  link_->close(true);
  lose("its end has come");
}

void Client::on_close_frame(std::uint16_t code, std::string_view reason) {
  world_.record().note("c{} is told to close: {} {}", index_, code, reason);
  closed_ = true;
  const std::uint64_t now_ms = world_.wall().unix_ms();
  const std::uint64_t ends_ms = connection_token_ends_ms_;
  const bool expired = ends_ms != 0 && now_ms >= ends_ms;
  const bool late = world_.clock().now() - link_->opened_at() >= kPatience;
  // A `connect` that was given up may arrive behind the one that came after it.
  const bool overtaken = code == 4409 && presented_before_;
  const bool fits = (code == 4452 && expired) || (code == 4500 && late) || overtaken;
  if (!fits) {
    world_.record().violate(Check::kEnd, "c{} is closed with {} {}", index_, code, reason);
  }
  if (expired) token_.clear();
  link_->send(ws::client_close(code));
  link_->close(true);
  lose("closed");
}

// ---- Frames ----

void Client::take_bytes() {
  const std::string bytes = link_->receive();
  input_ += bytes;
  if (!bytes.empty()) {
    heard_at_ = world_.clock().now();
    ping_sent_ = false;
  }
  if (phase_ == Phase::kUpgrading && !take_head()) return;
  while (phase_ != Phase::kAway && take_frame()) {
  }
}

bool Client::take_head() {
  const std::size_t end = input_.find("\r\n\r\n");
  if (end == input_.npos) return false;
  if (!input_.starts_with("HTTP/1.1 101 ")) {
    const bool late = world_.clock().now() - link_->opened_at() >= kPatience;
    if (late && input_.starts_with("HTTP/1.1 408 ")) {
      closed_ = true;
      leave_link(true);
      return false;
    }
    world_.record().violate(Check::kProtocol, "the upgrade is answered {}", input_.substr(0, end));
    return false;
  }
  input_.erase(0, end + 4);
  phase_ = Phase::kConnecting;
  phase_since_ = world_.clock().now();
  std::string command = R"({"type":"connect","id":)" +
                        std::to_string(wait_for({.type = "connect"}));
  if (const std::string text = token(); !text.empty()) {
    command += fmt::format(R"(,"token":"{}")", text);
  }
  connection_token_ends_ms_ = token_ends_ms_;
  presented_before_ = !secret_.empty() && presented_ == secret_;
  presented_ = secret_;
  if (!secret_.empty()) command += fmt::format(R"(,"session":"{}")", secret_);
  say(command + "}");
  return_to_channels();
  flush();
  return true;
}

bool Client::take_frame() {
  const ws::HeaderResult parsed = ws::parse_header(
      as_bytes(input_),
      {.expect_mask = false, .allow_rsv1 = plan_.deflate, .payload_bytes_max = kInflatedMax});
  if (parsed.status == ws::HeaderStatus::kNeedMore) return false;
  if (parsed.status != ws::HeaderStatus::kOk || !parsed.header.fin) {
    world_.record().violate(Check::kProtocol, "a frame that is none on link {}", link_->id);
    return false;
  }
  const auto bytes = static_cast<std::size_t>(parsed.header.payload_bytes);
  if (input_.size() - parsed.header_bytes < bytes) return false;
  std::string payload = input_.substr(parsed.header_bytes, bytes);
  input_.erase(0, parsed.header_bytes + bytes);
  if (parsed.header.rsv1) {
    std::vector<std::uint8_t> inflated;
    const auto status = inflater_.inflate(as_bytes(payload), true, kInflatedMax, inflated);
    if (status != ws::InflateStatus::kOk) {
      world_.record().violate(Check::kProtocol, "link {} brings bad deflate data", link_->id);
      return false;
    }
    inflater_.reset();
    payload = as_text(inflated);
  }
  switch (parsed.header.opcode) {
    case ws::Opcode::kPing: link_->send(ws::client_frame(ws::Opcode::kPong, payload)); return true;
    case ws::Opcode::kClose: {
      const auto close = ws::parse_close(as_bytes(payload));
      on_close_frame(close ? close->code : 0, close ? close->reason : "");
      return false;
    }
    case ws::Opcode::kText:
    case ws::Opcode::kBinary: {
      if ((parsed.header.opcode == ws::Opcode::kBinary) != plan_.msgpack) {
        world_.record().violate(Check::kProtocol, "a frame of the wrong kind");
      }
      const auto format =
          plan_.msgpack ? protocol::native::Format::kMsgpack : protocol::native::Format::kJson;
      take_text(plan_.msgpack ? protocol::native::shown(format, payload) : payload);
      return true;
    }
    default: return true;
  }
}

void Client::take_text(std::string text) {
  std::string epoch;
  const auto opened = reader_.read(as_bytes(text));
  if (!opened) return world_.record().violate(Check::kProtocol, "not JSON: {}", text);
  if (const auto channel = channel_in(Told(*opened)); channel) {
    const Subscription& one = subscriptions_[*channel];
    if (one.in_force) epoch = protocol::native::epoch_text(one.cursor->epoch);
  }
  for (const std::string& one : world_.tamper().instead_of(std::move(text), epoch)) {
    if (phase_ == Phase::kAway) return;
    const auto value = reader_.read(as_bytes(one));
    const bool dull = one.starts_with(R"({"type":"pong")");
    if (!dull) world_.record().note("c{} hears {}", index_, one.substr(0, 300));
    handle(Told(*value));
  }
  if (phase_ == Phase::kConnected && world_.tamper().strikes(Fault::kWrongClose)) {
    on_close_frame(4444, "planted");
  }
  if (phase_ == Phase::kConnected && world_.tamper().strikes(Fault::kSilentEnd)) {
    link_->reset_client();
  }
}

std::uint64_t Client::wait_for(Pending pending) {
  pending.asked_at = world_.clock().now();
  pending_.emplace(++last_id_, pending);
  return last_id_;
}

void Client::say(std::string command) {
  const bool dull = command.starts_with(R"({"type":"ping")");
  if (!dull) world_.record().note("c{} says {}", index_, command.substr(0, 200));
  saying_.push_back(std::move(command));
}

// In one frame or several. Who resumes sends one frame before the answer, section 7.
void Client::flush() {
  if (saying_.empty() || phase_ < Phase::kConnecting) return;
  const bool resumes = phase_ == Phase::kConnecting && !presented_.empty();
  if (resumes && !saying_.front().starts_with(R"({"type":"connect")")) return;
  const auto format =
      plan_.msgpack ? protocol::native::Format::kMsgpack : protocol::native::Format::kJson;
  const auto opcode = plan_.msgpack ? ws::Opcode::kBinary : ws::Opcode::kText;
  const std::vector<std::string> commands = std::exchange(saying_, {});
  std::string bytes;
  const bool one_frame = resumes || (commands.size() <= 64 && world_.dice().below(2) == 0);
  if (commands.size() > 1 && one_frame) {
    std::string all;
    for (const std::string& one : commands) all += (all.empty() ? "[" : ",") + one;
    bytes = ws::client_frame(opcode, protocol::native::to_frame(format, all + "]"));
  } else {
    for (const std::string& one : commands) {
      bytes += ws::client_frame(opcode, protocol::native::to_frame(format, one));
    }
  }
  link_->send(bytes);
}

// ---- Time ----

void Client::poll() {
  if (phase_ != Phase::kAway && reading_) {
    take_bytes();
    if (phase_ != Phase::kAway && link_->ended()) on_end();
  }
  look_at_time();
  flush();
}

void Client::look_at_time() {
  const TimePoint now = world_.clock().now();
  if (phase_ == Phase::kAway) {
    if (!gone_ && now >= connect_at_) connect();
    return;
  }
  if (phase_ != Phase::kConnected) {
    if (now - phase_since_ >= kPatience && reading_) {
      link_->troubled = true;
      leave_link(false);
    }
    return;
  }
  if (!reading_) return;
  if (now - heard_at_ >= kSilence + kPatience) return leave_link(false);
  if (now - heard_at_ >= kSilence && !std::exchange(ping_sent_, true)) simple_command("ping");
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    Subscription& one = subscriptions_[i];
    if (one.wanted && one.state == Subscription::State::kOff && now >= one.retry_at) {
      subscribe(i, 0);
    }
    if (!one.list.asking()) one.members_at.reset();
    if (one.members_at && now >= *one.members_at) ask_members(i);
    Presence& presence = presences_[i];
    if (presence.sure || presence.waiting > 0) continue;
    presence.wanted ? send_enter(i) : leave(i);
  }
  resend_publishes();
}

void Client::calm() {
  if (phase_ != Phase::kAway && !reading_) heard_at_ = world_.clock().now();
  calm_ = true;
  reading_ = true;
  failures_ = 0;
  connect_at_ = std::min(connect_at_, world_.clock().now());
}

void Client::depart_for_good() {
  gone_ = true;
  leave_link(world_.dice().below(2) == 0);
}

bool Client::at_rest() const {
  if (phase_ != Phase::kConnected || !pending_.empty() || !saying_.empty()) return false;
  if (!publishings_.empty()) return false;
  for (const Subscription& one : subscriptions_) {
    const auto due = one.wanted ? Subscription::State::kOn : Subscription::State::kOff;
    if (one.state != due || one.list.asking()) return false;
    if (one.wanted && one.presence && !one.list.known()) return false;
  }
  return std::ranges::all_of(presences_, &Presence::sure) && (!plan_.watcher || pattern_on_);
}

}  // namespace anywire::sim
