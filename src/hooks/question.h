// What the customer's application is asked and told, as the JSON bodies of requests. docs/hooks.md
// has the members' meaning; what is empty is left out.
//
// Pure functions. Thread: any. Lifetime: arguments are read during the call. Limits: none of their
// own; a binary payload grows by a third, text by at most six times.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/app_hook.h"

namespace anywire::hooks {

// `id` is the delivery's.
std::string encode(std::string_view id, const protocol::ConnectQuestion& question);
std::string encode(std::string_view id, const protocol::SubscribeQuestion& question);
std::string encode(std::string_view id, const protocol::PublishQuestion& question);
std::string encode(std::string_view id, const protocol::RpcQuestion& question);

// Something that has happened.
struct Event {
  enum class Type : std::uint8_t { kOccupied, kVacated, kJoin, kLeave, kDisconnected };
  Type type = Type::kOccupied;
  std::string channel;  // none of kDisconnected
  std::string client;   // none of kOccupied and kVacated, as is the user
  std::string user;
  std::uint64_t time_ms = 0;  // Unix time
};

// `lost` is how many could not be told since the last time.
std::string encode(std::string_view id, std::span<const Event> events, std::uint64_t lost);

}  // namespace anywire::hooks
