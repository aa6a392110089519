// Capability: what the bearer of a token may do, as channel patterns and the operations each of
// them grants. An operation on a channel is allowed if any pattern that takes the channel grants
// it; nothing is ever forbidden by an entry, so their order does not matter.
//
//   {"chat:*": ["subscribe", "publish"], "news": ["subscribe", "history"], "admin:*": ["*"]}
//
// Thread: any; a value, built once per token and then only read.
// Lifetime: owns everything; views are read during the call.
// Limits: kCapabilityPatternsMax patterns of at most kGlobBytesMax bytes. Kept packed in one
// allocation (none up to 15 bytes), because every connection carries one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "auth/glob.h"
#include "base/result.h"

namespace anywire::auth {

enum class Operation : std::uint8_t { kSubscribe, kPublish, kPresence, kHistory, kRpc };

inline constexpr int kOperations = 5;
inline constexpr std::size_t kCapabilityPatternsMax = 256;

// "subscribe", "publish", "presence", "history", "rpc".
std::string_view name(Operation operation);

class Operations {
 public:
  constexpr Operations() = default;
  constexpr Operations(std::initializer_list<Operation> operations) {
    for (const Operation operation : operations) bits_ |= bit(operation);
  }
  static constexpr Operations all() { return from_bits((1U << kOperations) - 1); }
  static constexpr Operations from_bits(unsigned bits) {
    Operations operations;
    operations.bits_ = static_cast<std::uint8_t>(bits & ((1U << kOperations) - 1));
    return operations;
  }

  constexpr bool has(Operation operation) const { return (bits_ & bit(operation)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint8_t bits() const { return bits_; }
  constexpr Operations operator|(Operations other) const {
    return from_bits(unsigned{bits_} | other.bits_);
  }
  constexpr bool operator==(const Operations&) const = default;

 private:
  static constexpr std::uint8_t bit(Operation operation) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(operation));
  }

  std::uint8_t bits_ = 0;
};

// One operation by its name, or all of them for "*".
std::optional<Operations> parse_operation(std::string_view text);

class Capability {
 public:
  Capability() = default;  // nothing
  static Capability everything();

  // kLimit when there are too many, kInvalidArgument when the pattern is none (see Glob::parse).
  Result<void> add(std::string_view pattern, Operations operations);
  void add(const Glob& pattern, Operations operations);

  bool allows(Operation operation, std::string_view channel) const;

  // For a wildcard subscription: allowed if one pattern that grants the operation takes everything
  // `channels` takes.
  bool allows(Operation operation, const Glob& channels) const;

  bool empty() const { return packed_.empty(); }
  bool operator==(const Capability&) const = default;

 private:
  template <typename Takes>
  bool any(Operation operation, Takes&& takes) const;

  // Of each entry: a byte of operations, a byte with the length of the pattern, the pattern.
  std::string packed_;
};

}  // namespace anywire::auth
