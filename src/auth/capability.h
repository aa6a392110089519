// Capability: what the bearer of a token may do, as channel patterns and the operations each of
// them grants. An operation on a channel is allowed if any pattern that takes the channel grants
// it; nothing is ever forbidden by an entry, so their order does not matter.
//
//   {"chat:*": ["subscribe", "publish"], "news": ["subscribe", "history"], "admin:*": ["*"]}
//
// "*" stands for all operations but `manage`, which reaches other people's connections and has to
// be written.
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

enum class Operation : std::uint8_t {
  kSubscribe,
  kPublish,
  kPresence,
  kHistory,
  kRpc,
  kManage,
};

inline constexpr int kOperations = 6;
inline constexpr std::size_t kCapabilityPatternsMax = 256;

// "subscribe", "publish", "presence", "history", "rpc", "manage".
std::string_view name(Operation operation);

class Operations {
 public:
  constexpr Operations() = default;
  constexpr Operations(std::initializer_list<Operation> operations) {
    for (const Operation operation : operations) bits_ |= bit(operation);
  }
  // What "*" stands for.
  static constexpr Operations all() { return from_bits(bit(Operation::kManage) - 1U); }
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
  constexpr Operations operator&(Operations other) const {
    return from_bits(unsigned{bits_} & other.bits_);
  }
  constexpr Operations without(Operations other) const {
    return from_bits(unsigned{bits_} & ~unsigned{other.bits_});
  }
  constexpr bool operator==(const Operations&) const = default;

 private:
  static constexpr std::uint8_t bit(Operation operation) {
    return static_cast<std::uint8_t>(1U << static_cast<unsigned>(operation));
  }

  std::uint8_t bits_ = 0;
};

// One operation by its name, or those that "*" stands for.
std::optional<Operations> parse_operation(std::string_view text);

class Capability {
 public:
  Capability() = default;  // nothing
  static Capability everything();   // {"*": ["*"]}
  static Capability unbounded();    // {"*": ["*", "manage"]}

  // A JSON object as above. Refused: anything else, names that are there twice, unknown operations,
  // and what `add` refuses. The text of the error is fixed and completes "must".
  static Result<Capability> parse(std::string_view json);

  // kLimit when there are too many, kInvalidArgument when the pattern is none (see Glob::parse).
  Result<void> add(std::string_view pattern, Operations operations);
  void add(const Glob& pattern, Operations operations);

  bool allows(Operation operation, std::string_view channel) const;

  // For a wildcard subscription: allowed if one pattern that grants the operation takes everything
  // `channels` takes.
  bool allows(Operation operation, const Glob& channels) const;

  // What of this the bound allows: each entry keeps the operations that some entry of the bound
  // which takes all its channels has; for the others, entries of the bound that lie within it come
  // in its place ("*" bound by "news:*" is "news:*"). Where two only overlap ("a*" and "*b") it
  // says no, and leaves out what is above kCapabilityPatternsMax entries: never too much.
  Capability within(const Capability& bound) const;

  // Adds what the other one has; what is above kCapabilityPatternsMax entries is left out.
  void add(const Capability& other);

  // With the user's id in the place of each `{sub}`. An entry that names it is left out when there
  // is no user, when the id could be taken for a pattern, and when the result is too long.
  Capability for_user(std::string_view user) const;

  bool empty() const { return packed_.empty(); }
  std::size_t bytes() const { return packed_.size(); }  // that it takes besides its own
  bool operator==(const Capability&) const = default;

 private:
  void append(Operations operations, std::string_view pattern);  // which is normal already
  // `work(Operations, pattern)` for each entry.
  template <typename Work>
  void each(Work&& work) const;
  template <typename Takes>
  bool any(Operation operation, Takes&& takes) const;

  // Of each entry: a byte of operations, a byte with the length of the pattern, the pattern.
  std::string packed_;
};

}  // namespace anywire::auth
