#include "sim/scenario.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/random.h"

namespace anywire::sim {
namespace {

struct Weight {
  Act act;
  std::uint32_t weight;
};

constexpr Weight kWeights[] = {
    {Act::kTurn, 120},       {Act::kWait, 60},  {Act::kPublish, 160}, {Act::kBurst, 50},
    {Act::kSubscribe, 70},   {Act::kUnsubscribe, 30}, {Act::kEnter, 40}, {Act::kLeave, 20},
    {Act::kHistory, 25},     {Act::kMembers, 10}, {Act::kPing, 5},      {Act::kAuth, 10},
    {Act::kStopReading, 30}, {Act::kRead, 40},  {Act::kLose, 40},     {Act::kMove, 50},
    {Act::kDepart, 12},      {Act::kStallLink, 25}, {Act::kStore, 30},  {Act::kClear, 12},
    {Act::kQuiet, 2},
};

Act random_act(Random& random) {
  std::uint32_t all = 0;
  for (const Weight& one : kWeights) all += one.weight;
  auto at = static_cast<std::uint32_t>(random.below(all));
  for (const Weight& one : kWeights) {
    if (at < one.weight) return one.act;
    at -= one.weight;
  }
  return Act::kTurn;
}

// The kinds of channels there are, by what a slow or late reader gets of them.
ChannelPlan channel_of(std::uint32_t index, Random& random) {
  using hub::SlowConsumer;
  ChannelPlan plan;
  plan.name = fmt::format("room:{}", index);
  hub::ChannelRule& rule = plan.rule;
  rule.pattern = *auth::Glob::parse(plan.name);
  rule.subscribe = rule.publish = rule.history_access = rule.presence_access =
      hub::Access::kAnyone;
  rule.presence = true;
  rule.presence_grace = Duration(random.below(4) == 0 ? 0 : 500 + random.below(8000));
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      rule.history_messages = 5000;
      rule.slow_consumer = SlowConsumer::kRecover;
      plan.keeps_all = true;
      break;
    case 3:
      rule.history_messages = static_cast<int>(2 + random.below(12));
      rule.slow_consumer = SlowConsumer::kRecover;
      break;
    case 4:
      rule.history_messages = 50;
      rule.slow_consumer = SlowConsumer::kLatest;
      break;
    case 5:
      rule.history_messages = random.below(2) == 0 ? 0 : 100;
      rule.slow_consumer = SlowConsumer::kDrop;
      break;
    case 6: rule.slow_consumer = SlowConsumer::kDisconnect; break;
    default:
      rule.history_messages = 5000;
      rule.slow_consumer = SlowConsumer::kDisconnect;
      plan.keeps_all = true;
      break;
  }
  if (random.below(4) == 0) rule.flush_window = Duration(1 + random.below(5));
  rule.conflate = random.below(5) == 0;
  return plan;
}

NetworkPlan network_of(Random& random) {
  NetworkPlan plan;
  constexpr std::array<std::uint32_t, 4> kDelays = {0, 3, 40, 800};
  plan.delay_max_ms = kDelays[random.below(kDelays.size())];
  plan.pieces_max = random.below(2) == 0 ? 1 : 4;
  constexpr std::array<std::size_t, 3> kSockets = {256, 4096, 64 * 1024};
  plan.socket_bytes = kSockets[random.below(kSockets.size())];
  // Else a ping's answer takes longer than the server waits for it.
  if (plan.delay_max_ms > 100) plan.socket_bytes = std::max<std::size_t>(plan.socket_bytes, 4096);
  return plan;
}

StorePlan store_of(Random& random) {
  StorePlan plan;
  plan.late = random.below(3) == 0;
  plan.failing = random.below(4) == 0;
  plan.clears = random.below(4) == 0;
  if (random.below(6) == 0) plan.history_bytes_max = 8 * 1024;
  return plan;
}

}  // namespace

Scenario scenario_of(std::uint64_t seed) {
  Random random(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.loops = static_cast<std::uint32_t>(1 + random.below(4));
  const std::uint64_t channels = 1 + random.below(3);
  for (std::uint32_t i = 0; i < channels; ++i) scenario.channels.push_back(channel_of(i, random));
  const std::uint64_t clients = 2 + random.below(4);
  for (std::uint32_t i = 0; i < clients; ++i) {
    ClientPlan plan;
    plan.msgpack = random.below(2) == 0;
    if (random.below(4) != 0) plan.user = fmt::format("user{}", random.below(clients));
    plan.watcher = random.below(5) == 0;
    plan.deflate = random.below(3) == 0;
    if (random.below(5) == 0) plan.token_life = Duration(8'000 + random.below(60'000));
    scenario.clients.push_back(plan);
  }
  scenario.network = network_of(random);
  scenario.store = store_of(random);
  if (scenario.store.history_bytes_max < 1024 * 1024) {
    for (ChannelPlan& one : scenario.channels) one.keeps_all = false;
  }
  scenario.session_window = Duration(random.below(5) == 0 ? 0 : 2'000 + random.below(20'000));
  const std::uint64_t steps = 30 + random.below(100);
  for (std::uint64_t i = 0; i < steps; ++i) {
    scenario.steps.push_back({.act = random_act(random),
                              .client = static_cast<std::uint32_t>(random.below(clients)),
                              .channel = static_cast<std::uint32_t>(random.below(channels)),
                              .salt = random.next()});
  }
  return scenario;
}

std::string_view name(Act act) {
  constexpr std::string_view kNames[] = {
      "turn",    "wait", "publish", "burst", "subscribe",    "unsubscribe", "enter",
      "leave",   "history", "members", "ping", "auth",       "stop reading", "read",
      "lose",    "move", "depart",  "stall link", "store",   "clear",       "quiet"};
  return kNames[static_cast<std::size_t>(act)];
}

std::string_view name(Fault fault) {
  constexpr std::string_view kNames[] = {
      "none",         "drop message", "repeat message", "change content",  "swap messages",
      "false advance", "false gap",   "lose reply",     "repeat reply",    "ack nothing",
      "forget key",   "lose leave",   "wrong close",    "silent end",      "leak subscriber",
      "leak history"};
  return kNames[static_cast<std::size_t>(fault)];
}

std::string describe(const Scenario& scenario) {
  std::string text = fmt::format(
      "seed {}: {} loops, {} clients, delay {} ms, {} pieces, socket {}, store{}{}{} {} KiB, "
      "window {} ms",
      scenario.seed, scenario.loops, scenario.clients.size(), scenario.network.delay_max_ms,
      scenario.network.pieces_max, scenario.network.socket_bytes,
      scenario.store.late ? " late" : "", scenario.store.failing ? " failing" : "",
      scenario.store.clears ? " clears" : "", scenario.store.history_bytes_max / 1024,
      scenario.session_window.count());
  constexpr std::string_view kPolicies[] = {"auto", "recover", "latest", "drop", "disconnect"};
  for (const ChannelPlan& one : scenario.channels) {
    text += fmt::format("; {} history {} {}{}{} grace {}", one.name, one.rule.history_messages,
                        kPolicies[static_cast<std::size_t>(one.rule.slow_consumer)],
                        one.rule.conflate ? " conflate" : "",
                        one.rule.flush_window.count() > 0 ? " window" : "",
                        one.rule.presence_grace.count());
  }
  return text;
}

}  // namespace anywire::sim
