// Rules: what a channel is like, decided by the first pattern that takes its name. The operator
// writes an ordered list; behind it always stands one rule for everything else.
//
//   rules.find("chat:eu").history_messages
//
// Whoever keeps a `const ChannelRule&` keeps the Rules, too; a reload makes new ones.
//
// Thread: const once built, and read by every loop. Lifetime: references live as long as the Rules.
// Limits: kRulesMax rules; a lookup tries each pattern once (auth/glob.h), so look a channel up
// when it is made, not for each message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "auth/glob.h"
#include "auth/identity.h"
#include "base/time.h"

namespace anywire::hub {

inline constexpr std::size_t kRulesMax = 256;

// Who may do a thing on a channel.
enum class Access : std::uint8_t {
  kAnyone,      // anonymous connections too
  kUsers,       // whoever has a user id
  kCapability,  // whose capability grants the operation on this channel
};

// What happens to a subscriber that reads slower than the channel speaks.
enum class SlowConsumer : std::uint8_t {
  kAuto,        // in configurations only: recover with history, disconnect without
  kRecover,     // it continues from the channel's history when it has caught up
  kLatest,      // it gets the newest message and is told of the gap
  kDrop,        // it misses messages and is told of the gap
  kDisconnect,  // its connection is closed
};

// Comments say the unit and the range; server/config_rules.cc checks them.
struct ChannelRule {
  auth::Glob pattern;

  int history_messages = 0;                     // 0 (none)..1,000,000
  std::size_t history_bytes_max = 1024 * 1024;  // of the messages kept, 1 KiB..1 GiB
  Duration history_ttl{3'600'000};              // 0 (no limit by age)..365 days
  bool durable = false;                         // on disk before a publish is acknowledged

  bool presence = false;
  Duration presence_grace{10'000};  // from losing a member to telling the others, 0..10 min
  bool occupancy = false;           // tell subscribers how many there are
  int members_max = 10'000;         // with presence, 1..1,000,000

  Access subscribe = Access::kCapability;
  Access publish = Access::kCapability;
  Access history_access = Access::kCapability;
  Access presence_access = Access::kCapability;

  SlowConsumer slow_consumer = SlowConsumer::kAuto;  // never kAuto out of Rules
  Duration flush_window{0};           // wait so long for more to send along, 0..5 ms
  bool conflate = false;              // of messages with the same key only the newest waits
  bool delta = false;                 // differences to the message before, to who asks for them
  std::size_t message_bytes_max = 0;  // payload; 0: the connection's limit
  std::vector<std::string> protocols;  // by the adapters' names; empty: all of them
  bool subscribe_hook = false;        // the customer's application is asked about each subscription
  bool publish_hook = false;          // and about each message
  std::string schema;         // file: what every message's data must look like; empty: anything
  std::string event_schemas;  // file: the same by event; others are refused
  std::size_t index = 0;      // its place among the Rules, which set it

  bool allows_protocol(std::string_view protocol) const;
};

// Whether the rule lets this identity do this on a channel it applies to. An rpc asks for an
// effect, as a publication does, and goes by `publish`; with kCapability each operation needs its
// own grant.
bool permits(const ChannelRule& rule, auth::Operation operation, const auth::Identity& identity,
             std::string_view channel);

// The same for a wildcard subscription: the capability must take every name `channels` takes. The
// channels themselves may have other rules, so permits() is to be asked for each one that turns up.
bool permits(const ChannelRule& rule, auth::Operation operation, const auth::Identity& identity,
             const auth::Glob& channels);

class Rules {
 public:
  // `ordered` has at most kRulesMax rules; `fallback` takes what they leave, whatever its pattern.
  explicit Rules(std::vector<ChannelRule> ordered = {}, ChannelRule fallback = {});

  const ChannelRule& find(std::string_view channel) const;

  std::size_t size() const { return rules_.size(); }  // the last one included

 private:
  std::vector<ChannelRule> rules_;  // the last one takes everything
};

}  // namespace anywire::hub
