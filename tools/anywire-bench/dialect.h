// Dialect: what a server wants around a payload and before the first one.
//
// Plain WebSocket servers want nothing. Socket.IO v4 over its WebSocket transport (Engine.IO
// protocol 4) opens with three text messages, wraps each event as 42["m","..."], and pings with
// the text 2, to be answered with 3. In anywire.v1 each client greets in its own words: native.h.
//
// Thread: any; pure data and functions.
#pragma once

#include <optional>
#include <string_view>

namespace anywire::bench {

struct Dialect {
  std::string_view name;
  std::string_view prefix;  // of every payload
  std::string_view suffix;
  bool socketio = false;
  bool text = false;             // messages have to be text frames
  std::string_view subprotocol;  // to be agreed on, if not empty
};

inline constexpr Dialect kPlainDialect{.name = "plain"};
inline constexpr Dialect kSocketIoDialect{.name = "socketio",
                                          .prefix = R"(42["m",")",
                                          .suffix = R"("])",
                                          .socketio = true,
                                          .text = true};
// What is around its payloads depends on the channel: Native::dialect.
inline constexpr std::string_view kNativeDialectName = "native";

// The native one is none of these.
std::optional<Dialect> find_dialect(std::string_view name);

// A message that belongs to the dialect and not to the test.
struct DialectStep {
  bool consumed = false;
  bool opened = false;      // the connection is ready for use now
  std::string_view answer;  // to be sent back, if not empty
};
DialectStep dialect_step(const Dialect& dialect, std::string_view message);

}  // namespace anywire::bench
