#include "auth/capability.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace anywire::auth {
namespace {

constexpr std::array<std::string_view, kOperations> kNames{"subscribe", "publish", "presence",
                                                           "history",   "rpc",     "manage"};
constexpr std::string_view kSubject = "{sub}";
constexpr std::size_t kHead = 2;  // bytes before the pattern

std::size_t length_at(std::string_view packed, std::size_t at) {
  return static_cast<unsigned char>(packed[at + 1]);
}

std::size_t count(std::string_view packed) {
  std::size_t entries = 0;
  for (std::size_t at = 0; at < packed.size(); at += kHead + length_at(packed, at)) ++entries;
  return entries;
}

}  // namespace

std::string_view name(Operation operation) { return kNames[static_cast<std::size_t>(operation)]; }

std::optional<Operations> parse_operation(std::string_view text) {
  if (text == "*") return Operations::all();
  for (unsigned i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == text) return Operations{static_cast<Operation>(i)};
  }
  return std::nullopt;
}

Capability Capability::everything() {
  Capability capability;
  capability.add(Glob(), Operations::all());
  return capability;
}

Capability Capability::unbounded() {
  Capability capability;
  capability.add(Glob(), Operations::all() | Operations{Operation::kManage});
  return capability;
}

Result<void> Capability::add(std::string_view pattern, Operations operations) {
  if (count(packed_) >= kCapabilityPatternsMax) {
    return fail(ErrorCode::kLimit, "a capability has at most 256 patterns");
  }
  const Result<Glob> glob = Glob::parse(pattern);
  if (!glob) return std::unexpected(glob.error());
  add(*glob, operations);
  return {};
}

void Capability::add(const Glob& pattern, Operations operations) {
  append(operations, pattern.pattern());
}

void Capability::append(Operations operations, std::string_view pattern) {
  AW_ASSERT(pattern.size() <= kGlobBytesMax);
  packed_ += static_cast<char>(operations.bits());
  packed_ += static_cast<char>(pattern.size());
  packed_ += pattern;
}

template <typename Work>
void Capability::each(Work&& work) const {
  const std::string_view packed(packed_);
  for (std::size_t at = 0; at < packed.size();) {
    const std::size_t length = length_at(packed, at);
    work(Operations::from_bits(static_cast<unsigned char>(packed[at])),
         packed.substr(at + kHead, length));
    at += kHead + length;
  }
}

template <typename Takes>
bool Capability::any(Operation operation, Takes&& takes) const {
  const std::string_view packed(packed_);
  for (std::size_t at = 0; at < packed.size();) {
    const std::size_t length = length_at(packed, at);
    const auto granted = Operations::from_bits(static_cast<unsigned char>(packed[at]));
    if (granted.has(operation) && takes(packed.substr(at + kHead, length))) return true;
    at += kHead + length;
  }
  return false;
}

Capability Capability::within(const Capability& bound) const {
  Capability cut;
  std::size_t entries = 0;
  const auto append = [&](Operations operations, std::string_view pattern) {
    if (operations.empty() || entries == kCapabilityPatternsMax) return;
    cut.append(operations, pattern);
    ++entries;
  };
  each([&](Operations operations, std::string_view pattern) {
    Operations allowed;
    bound.each([&](Operations most, std::string_view bounds) {
      if (glob_covers(bounds, pattern)) allowed = allowed | most;
    });
    append(operations & allowed, pattern);
    // What is allowed for a part of these channels only.
    const Operations missing = operations.without(allowed);
    if (missing.empty()) return;
    bound.each([&](Operations most, std::string_view bounds) {
      if (glob_covers(pattern, bounds)) append(missing & most, bounds);
    });
  });
  return cut;
}

void Capability::add(const Capability& other) {
  std::size_t entries = count(packed_);
  // `other` may be this one.
  const std::string theirs = other.packed_;
  for (std::size_t at = 0; at < theirs.size() && entries < kCapabilityPatternsMax; ++entries) {
    const std::size_t bytes = kHead + length_at(theirs, at);
    packed_.append(theirs, at, bytes);
    at += bytes;
  }
}

Capability Capability::for_user(std::string_view user) const {
  const bool usable = !user.empty() && user.find_first_of("*?") == user.npos;
  Capability theirs;
  each([&](Operations operations, std::string_view pattern) {
    if (pattern.find(kSubject) == pattern.npos) return theirs.append(operations, pattern);
    if (!usable) return;
    std::string filled;
    for (std::size_t at = 0; at < pattern.size();) {
      const std::size_t found = std::min(pattern.find(kSubject, at), pattern.size());
      filled += pattern.substr(at, found - at);
      if (found != pattern.size()) filled += user;
      at = found + kSubject.size();
    }
    if (const Result<Glob> glob = Glob::parse(filled)) theirs.add(*glob, operations);
  });
  return theirs;
}

bool Capability::allows(Operation operation, std::string_view channel) const {
  return any(operation,
             [&](std::string_view pattern) { return glob_matches(pattern, channel); });
}

bool Capability::allows(Operation operation, const Glob& channels) const {
  return any(operation, [&](std::string_view pattern) {
    return glob_covers(pattern, channels.pattern());
  });
}

}  // namespace anywire::auth
