#include "net/cidr.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace anywire::net {
namespace {

constexpr std::uint8_t kMappedBits = 96;  // of ::ffff:0:0/96

// `bits` of `byte` from the top.
std::uint8_t top_bits(std::uint8_t byte, unsigned bits) {
  return static_cast<std::uint8_t>(byte & ~(0xffU >> bits));
}

bool is_zero_behind(std::span<const std::uint8_t> bytes, unsigned prefix_bits) {
  for (std::size_t i = prefix_bits / 8; i < bytes.size(); ++i) {
    const unsigned kept = i == prefix_bits / 8 ? prefix_bits % 8 : 0;
    if (bytes[i] != top_bits(bytes[i], kept)) return false;
  }
  return true;
}

std::unexpected<Error> bad_block(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("\"{}\" is not an address block: {}", text.substr(0, 128), why));
}

}  // namespace

Result<Cidr> Cidr::parse(std::string_view text) {
  Cidr cidr;
  if (text == "unix") {
    cidr.base_ = *Address::unix_path("");
    return cidr;
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  Result<Address> base = Address::parse_ip(text.substr(0, slash));
  if (!base) return bad_block(text, "expected ADDRESS, ADDRESS/BITS or unix");
  if (base->scope_id() != 0) return bad_block(text, "a block has no zone");
  const unsigned bits_max = static_cast<unsigned>(base->ip_bytes().size() * 8);
  unsigned bits = bits_max;
  if (slash != text.size()) {
    const std::string_view number = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), bits);
    const bool has_leading_zero = number.size() > 1 && number.front() == '0';
    if (error != std::errc{} || end != number.data() + number.size() || has_leading_zero ||
        bits > bits_max) {
      return bad_block(text, fmt::format("the prefix is a number from 0 to {}", bits_max));
    }
  }
  if (!is_zero_behind(base->ip_bytes(), bits)) {
    return bad_block(text, "bits behind the prefix are set");
  }
  cidr.base_ = bits >= kMappedBits ? base->unmapped() : *base;
  if (cidr.base_.family() != base->family()) bits -= kMappedBits;
  cidr.prefix_bits_ = static_cast<std::uint8_t>(bits);
  return cidr;
}

bool Cidr::contains(const Address& address) const {
  const Address plain = address.unmapped();
  if (plain.family() != base_.family()) return false;
  const std::span<const std::uint8_t> bytes = plain.ip_bytes();
  const std::span<const std::uint8_t> block = base_.ip_bytes();
  const std::size_t whole = prefix_bits_ / 8;
  if (!std::equal(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(whole),
                  bytes.begin())) {
    return false;
  }
  const unsigned rest = prefix_bits_ % 8;
  return rest == 0 || top_bits(bytes[whole], rest) == block[whole];
}

std::string Cidr::to_string() const {
  if (base_.family() == Family::kUnix) return "unix";
  return fmt::format("{}/{}", base_.host(), prefix_bits_);
}

Result<CidrList> CidrList::parse(std::span<const std::string> entries) {
  CidrList list;
  for (const std::string& entry : entries) {
    Result<Cidr> block = Cidr::parse(entry);
    if (!block) return std::unexpected(std::move(block.error()));
    list.blocks_.push_back(*std::move(block));
  }
  return list;
}

bool CidrList::contains(const Address& address) const {
  return std::any_of(blocks_.begin(), blocks_.end(),
                     [&](const Cidr& block) { return block.contains(address); });
}

}  // namespace anywire::net
