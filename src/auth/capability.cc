#include "auth/capability.h"

#include <array>

#include "base/assert.h"

namespace anywire::auth {
namespace {

constexpr std::array<std::string_view, kOperations> kNames{"subscribe", "publish", "presence",
                                                           "history", "rpc"};
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
  const std::string& text = pattern.pattern();
  AW_ASSERT(text.size() <= kGlobBytesMax);
  packed_ += static_cast<char>(operations.bits());
  packed_ += static_cast<char>(text.size());
  packed_ += text;
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
