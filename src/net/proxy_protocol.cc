#include "net/proxy_protocol.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

namespace anywire::net {
namespace {

constexpr std::string_view kV1Start = "PROXY ";
constexpr std::string_view kV2Signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kV1BytesMax = 107;
constexpr std::size_t kV2HeaderBytes = 16;
constexpr std::size_t kUnixPathBytes = 108;

std::uint16_t read_u16(Bytes bytes) {
  return static_cast<std::uint16_t>(bytes[0] << 8 | bytes[1]);
}

// One word of a version 1 line: up to the next space, which must be there unless it is the last.
std::optional<std::string_view> take_word(std::string_view& line, bool is_last) {
  const std::size_t space = line.find(' ');
  if (is_last != (space == std::string_view::npos)) return std::nullopt;
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(is_last ? line.size() : space + 1);
  if (word.empty()) return std::nullopt;
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view word) {
  if (word.size() > 1 && word.front() == '0') return std::nullopt;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return port;
}

std::optional<Address> parse_v1_address(std::string_view word, std::string_view port_word,
                                        Family family) {
  const auto port = parse_port(port_word);
  // parse_ip also takes brackets and zones, which this protocol does not have.
  if (!port || word.find_first_of("[%") != std::string_view::npos) return std::nullopt;
  Result<Address> address = Address::parse_ip(word);
  if (!address || address->family() != family) return std::nullopt;
  address->set_port(*port);
  return *std::move(address);
}

template <typename Array>
Array read_array(Bytes bytes) {
  Array array;
  std::copy_n(bytes.begin(), array.size(), array.begin());
  return array;
}

// A path of a fixed field: up to its padding. An abstract name begins with NUL.
std::optional<Address> read_unix(Bytes field) {
  const std::string_view text = as_text(field);
  const std::size_t end = text.find('\0', text.front() == '\0' ? 1 : 0);
  std::string_view path = text.substr(0, end);
  if (path == std::string_view("\0", 1)) path = {};
  Result<Address> address = Address::unix_path(path);
  if (!address) return std::nullopt;
  return *std::move(address);
}

// Type, length, value, again and again, ending exactly at the end.
bool are_tlvs(Bytes bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < 3) return false;
    const std::size_t size = std::size_t{3} + read_u16(bytes.subspan(1));
    if (size > bytes.size()) return false;
    bytes = bytes.subspan(size);
  }
  return true;
}

}  // namespace

ProxyHeaderParser::Output ProxyHeaderParser::feed(Bytes input) {
  if (buffer_.empty()) {
    const Verdict verdict = judge(input);
    if (verdict.status == Status::kDone) return {Status::kDone, verdict.size};
    if (verdict.status == Status::kNeedMore) buffer_ = as_text(input);
    return {verdict.status, verdict.status == Status::kNeedMore ? input.size() : 0};
  }
  // Never take more than the longest header, so that the connection's own data stays outside.
  const std::size_t before = buffer_.size();
  const std::size_t room = std::max(kV1BytesMax, limits_.header_bytes_max) - before;
  buffer_ += as_text(input).substr(0, room);
  const Verdict verdict = judge(as_bytes(buffer_));
  if (verdict.status == Status::kError) return {Status::kError, 0};
  if (verdict.status == Status::kDone) return {Status::kDone, verdict.size - before};
  return {Status::kNeedMore, input.size()};
}

ProxyHeaderParser::Verdict ProxyHeaderParser::judge(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  if (text.starts_with(kV1Start.substr(0, text.size()))) {
    return text.size() < kV1Start.size() ? Verdict{} : judge_v1(text);
  }
  if (text.starts_with(kV2Signature.substr(0, text.size()))) {
    return text.size() < kV2HeaderBytes ? Verdict{} : judge_v2(bytes);
  }
  return refuse("the connection does not begin with a PROXY header");
}

ProxyHeaderParser::Verdict ProxyHeaderParser::judge_v1(std::string_view text) {
  const std::string_view within = text.substr(0, kV1BytesMax);
  const std::size_t end = within.find('\n');
  if (end == std::string_view::npos) {
    if (text.size() < kV1BytesMax) return {};
    return refuse("a PROXY line is longer than 107 bytes");
  }
  if (within[end - 1] != '\r') return refuse("a PROXY line does not end in CRLF");
  if (!parse_v1(within.substr(0, end - 1))) return refuse("a PROXY line is malformed");
  return {Status::kDone, end + 1};
}

bool ProxyHeaderParser::parse_v1(std::string_view line) {
  line.remove_prefix(kV1Start.size());
  // What follows UNKNOWN is to be ignored, whatever it is.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return true;
  const auto protocol = take_word(line, false);
  if (protocol != "TCP4" && protocol != "TCP6") return false;
  const Family family = protocol == "TCP4" ? Family::kIpv4 : Family::kIpv6;
  const auto source = take_word(line, false);
  const auto destination = take_word(line, false);
  const auto source_port = take_word(line, false);
  const auto destination_port = take_word(line, true);
  if (!source || !destination || !source_port || !destination_port) return false;
  std::optional<Address> from = parse_v1_address(*source, *source_port, family);
  std::optional<Address> to = parse_v1_address(*destination, *destination_port, family);
  if (!from || !to) return false;
  source_ = std::move(from);
  destination_ = std::move(to);
  return true;
}

ProxyHeaderParser::Verdict ProxyHeaderParser::judge_v2(Bytes bytes) {
  const std::uint8_t version = bytes[12] >> 4;
  const std::uint8_t command = bytes[12] & 0x0f;
  if (version != 2 || command > 1) return refuse("an unknown PROXY version or command");
  const std::size_t size = kV2HeaderBytes + read_u16(bytes.subspan(14));
  if (size > limits_.header_bytes_max) return refuse("a PROXY header is too long");
  if (bytes.size() < size) return {};
  // LOCAL: whatever addresses follow are to be discarded.
  const bool is_local = command == 0;
  if (!is_local && !parse_v2(bytes[13], bytes.subspan(kV2HeaderBytes, size - kV2HeaderBytes))) {
    return refuse("a PROXY header is malformed");
  }
  return {Status::kDone, size};
}

// `family` holds the address family above and the transport below; only streams arrive here.
bool ProxyHeaderParser::parse_v2(std::uint8_t family, Bytes body) {
  std::size_t used = 0;
  switch (family) {
    case 0x00:  // AF_UNSPEC: what follows is to be ignored
      return true;
    case 0x11: {
      used = 12;
      if (body.size() < used) return false;
      source_ = Address::ipv4(read_array<Address::Ipv4Bytes>(body), read_u16(body.subspan(8)));
      destination_ = Address::ipv4(read_array<Address::Ipv4Bytes>(body.subspan(4)),
                                   read_u16(body.subspan(10)));
      break;
    }
    case 0x21: {
      used = 36;
      if (body.size() < used) return false;
      source_ = Address::ipv6(read_array<Address::Ipv6Bytes>(body), read_u16(body.subspan(32)));
      destination_ = Address::ipv6(read_array<Address::Ipv6Bytes>(body.subspan(16)),
                                   read_u16(body.subspan(34)));
      break;
    }
    case 0x31: {
      used = 2 * kUnixPathBytes;
      if (body.size() < used) return false;
      source_ = read_unix(body.first(kUnixPathBytes));
      destination_ = read_unix(body.subspan(kUnixPathBytes, kUnixPathBytes));
      if (!source_ || !destination_) return false;
      break;
    }
    default:
      return false;
  }
  return are_tlvs(body.subspan(used));
}

ProxyHeaderParser::Verdict ProxyHeaderParser::refuse(const char* why) {
  source_.reset();
  destination_.reset();
  error_ = why;
  return {Status::kError, 0};
}

}  // namespace anywire::net
