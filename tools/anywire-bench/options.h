// What the command line asks for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace anywire::bench {

enum class Scenario { kEcho, kFanout, kIdle, kConnect, kStalled, kStorm, kPublish, kHttpPublish };

// On which of the server's loops the members of a fan-out are; their publisher is on the one that
// owns the channel.
enum class Placement { kAny, kSame, kCross, kSpread };

struct Options {
  Scenario scenario = Scenario::kEcho;
  std::string url;
  std::string name;             // label of the server in the output
  int pid = 0;                  // server to watch; 0 = none
  std::string dialect = "plain";
  bool json = false;
  bool text = false;            // text frames instead of binary ones
  bool plain_send = false;      // never io_uring, in the generator
  std::size_t size = 20;        // payload bytes, 16 at least
  std::size_t connections = 100;
  std::size_t depth = 1;        // echo, publish: requests in flight per connection
  std::size_t outstanding = 1;  // fanout: messages per burst
  bool compressed = false;      // fanout: ask for permessage-deflate
  std::size_t total = 20'000;   // connect: cycles
  std::size_t concurrency = 64; // connect: at a time
  std::string secret;           // native: signs the clients' tokens
  std::string channel = "room:bench";  // native
  bool presence = false;        // native: clients enter the channel, too
  bool anonymous = false;       // connect, native: without a token
  std::optional<std::uint16_t> application;  // publish: answer the hooks on this port
  Placement placement = Placement::kAny;  // fanout, native
  std::size_t messages = 50;    // storm: published while everybody is away
  std::size_t readers = 16;     // stalled: those who go on reading
  bool stagger = false;         // stalled: they stop one after the other, until the end
  std::size_t wake = 100;       // stalled: so many read again in the end
  std::size_t bytes = 64 << 20; // stalled: payload published
  std::size_t kept = 64 << 20;  // stalled: payload the channel's history can hold
  std::chrono::milliseconds duration{3000};
  std::chrono::milliseconds warmup{1000};
  std::chrono::milliseconds settle{10'000};  // idle: from the last close to the last look
  std::chrono::milliseconds patience{5000};  // publish: for the last answers
};

}  // namespace anywire::bench
