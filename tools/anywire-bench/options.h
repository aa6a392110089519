// What the command line asks for.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace anywire::bench {

enum class Scenario { kEcho, kFanout, kIdle, kConnect };

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
  std::size_t depth = 1;        // echo: requests in flight per connection
  std::size_t outstanding = 1;  // fanout: messages per burst
  bool compressed = false;      // fanout: ask for permessage-deflate
  std::size_t total = 20'000;   // connect: cycles
  std::size_t concurrency = 64; // connect: at a time
  std::chrono::milliseconds duration{3000};
  std::chrono::milliseconds warmup{1000};
  std::chrono::milliseconds settle{10'000};  // idle: from the last close to the last look
};

}  // namespace anywire::bench
