// Scenario: everything a seed decides before its run begins: the server, its channels and clients,
// how bad network and store are, and the steps. A step has numbers of its own, so that the others
// stay what they are when one is left out: that is how a failure is made small.
//
// Thread: plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "hub/rules.h"

namespace anywire::sim {

// What somebody breaks on purpose, to see it caught.
enum class Fault : std::uint8_t {
  kNone,
  kDropMessage,      // a frame vanishes inside a live link
  kRepeatMessage,    // a frame comes twice
  kChangeContent,    // one receiver gets other bytes
  kSwapMessages,     // the store hands two publications to one loop in another order
  kFalseAdvance,     // a message becomes "nothing for you"
  kFalseGap,         // a message becomes "history has it no more"
  kLoseReply,        // a command is never answered
  kRepeatReply,      // a command is answered twice
  kAckNothing,       // a publish is acknowledged that nobody ordered
  kForgetKey,        // idempotency keys are not looked at
  kLoseLeave,        // one who left stays in somebody's list
  kWrongClose,       // a connection is closed with a code nobody has heard of
  kSilentEnd,        // a connection ends for no reason
  kLeakSubscriber,   // somebody stays in the hub when all have gone
  kLeakHistory,      // the store keeps what nobody may read any more
};

inline constexpr std::size_t kFaults = 16;

enum class Act : std::uint8_t {
  kTurn,         // loops turn, packets move
  kWait,         // time passes
  kPublish,
  kBurst,        // many publishes in one frame
  kSubscribe,
  kUnsubscribe,
  kEnter,
  kLeave,
  kHistory,
  kMembers,
  kPing,
  kAuth,
  kStopReading,
  kRead,
  kLose,         // the link breaks; who hears of it depends
  kMove,         // the client connects anew, perhaps before anyone knows that the old link is dead
  kDepart,       // the client goes, and comes back some time
  kStallLink,    // one direction stands still for a while
  kStore,        // the store fails, or works again
  kClear,        // a stream begins anew
  kQuiet,        // everything is let come to rest and is compared
};

struct Step {
  Act act = Act::kTurn;
  std::uint32_t client = 0;
  std::uint32_t channel = 0;
  std::uint64_t salt = 0;
};

struct ChannelPlan {
  std::string name;
  hub::ChannelRule rule;
  // History is large and lives long: nothing of it is ever lost but with its epoch.
  bool keeps_all = false;
};

struct ClientPlan {
  bool msgpack = false;
  std::string user;       // empty: anonymous
  bool watcher = false;   // has a wildcard subscription, too
  bool deflate = false;   // takes compressed frames
  Duration token_life{0};  // 0: its tokens do not end
};

struct NetworkPlan {
  std::uint32_t delay_max_ms = 0;
  std::uint32_t pieces_max = 1;        // a write is cut into so many packets
  std::size_t socket_bytes = 64 * 1024;  // in flight and unread
};

struct StorePlan {
  bool late = false;     // answers come later, as from a disk
  bool failing = false;  // sometimes not at all, and then it is not known what was done
  bool clears = false;   // streams begin anew now and then
  std::size_t history_bytes_max = 64 * 1024 * 1024;
};

struct Scenario {
  std::uint64_t seed = 0;
  std::uint32_t loops = 1;
  std::vector<ChannelPlan> channels;
  std::vector<ClientPlan> clients;
  NetworkPlan network;
  StorePlan store;
  Duration session_window{0};
  std::vector<Step> steps;
};

Scenario scenario_of(std::uint64_t seed);
std::string_view name(Act act);
std::string_view name(Fault fault);
// One line for a person.
std::string describe(const Scenario& scenario);

}  // namespace anywire::sim
