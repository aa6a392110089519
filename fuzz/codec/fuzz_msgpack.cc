// Any bytes into MsgpackReader: its walk agrees with a plain recursive reading of the
// specification, and what it reads comes back from MsgpackWriter with the same meaning and in no
// more bytes.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/assert.h"
#include "codec/msgpack.h"
#include "codec/utf8.h"

namespace {

using namespace anywire;
using codec::MsgpackKind;
using codec::MsgpackReader;
using codec::MsgpackText;
using codec::MsgpackWriter;

// The length in bytes of the value at the front, strings' encoding checked; nothing if there is no
// whole one.
class Plain {
 public:
  explicit Plain(Bytes input) : rest_(input), size_(input.size()) {}

  std::optional<std::size_t> value_bytes() {
    if (!value(0)) return std::nullopt;
    return size_ - rest_.size();
  }

 private:
  std::optional<std::uint64_t> number(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i) value = value * 256 + rest_[i];
    rest_ = rest_.subspan(bytes);
    return value;
  }

  bool body(std::optional<std::uint64_t> bytes, bool is_text) {
    if (!bytes || *bytes > rest_.size()) return false;
    if (is_text && !codec::is_valid_utf8(rest_.first(*bytes))) return false;
    rest_ = rest_.subspan(*bytes);
    return true;
  }

  bool extension(std::optional<std::uint64_t> bytes) { return bytes && body(*bytes + 1, false); }

  bool values(std::optional<std::uint64_t> count, int each, int depth) {
    if (!count || depth == codec::kMsgpackDepthMax) return false;
    for (std::uint64_t i = 0; i < *count * static_cast<unsigned>(each); ++i) {
      if (!value(depth + 1)) return false;
    }
    return true;
  }

  bool value(int depth) {
    const auto first = number(1);
    if (!first) return false;
    if (*first <= 0x7f || *first >= 0xe0) return true;
    if (*first <= 0x8f) return values(*first & 15, 2, depth);
    if (*first <= 0x9f) return values(*first & 15, 1, depth);
    if (*first <= 0xbf) return body(*first & 31, true);
    switch (*first) {
      case 0xc0:
      case 0xc2:
      case 0xc3: return true;
      case 0xc4: return body(number(1), false);
      case 0xc5: return body(number(2), false);
      case 0xc6: return body(number(4), false);
      case 0xc7: return extension(number(1));
      case 0xc8: return extension(number(2));
      case 0xc9: return extension(number(4));
      case 0xca: return body(4, false);
      case 0xcb: return body(8, false);
      case 0xcc:
      case 0xd0: return body(1, false);
      case 0xcd:
      case 0xd1: return body(2, false);
      case 0xce:
      case 0xd2: return body(4, false);
      case 0xcf:
      case 0xd3: return body(8, false);
      case 0xd4: return extension(1);
      case 0xd5: return extension(2);
      case 0xd6: return extension(4);
      case 0xd7: return extension(8);
      case 0xd8: return extension(16);
      case 0xd9: return body(number(1), true);
      case 0xda: return body(number(2), true);
      case 0xdb: return body(number(4), true);
      case 0xdc: return values(number(2), 1, depth);
      case 0xdd: return values(number(4), 1, depth);
      case 0xde: return values(number(2), 2, depth);
      case 0xdf: return values(number(4), 2, depth);
      default: return false;
    }
  }

  Bytes rest_;
  std::size_t size_;
};

// Reads one value by the typed reads and writes it again.
void copy(MsgpackReader& in, MsgpackWriter& out) {
  const auto kind = in.peek();
  AW_ASSERT(kind);
  switch (*kind) {
    case MsgpackKind::kNil:
      AW_ASSERT(in.read_nil());
      out.nil();
      return;
    case MsgpackKind::kBoolean: out.boolean(in.read_boolean().value()); return;
    case MsgpackKind::kInteger:
      if (const auto whole = in.read_u64()) out.u64(*whole);
      else out.i64(in.read_i64().value());
      return;
    case MsgpackKind::kFloat: out.number(in.read_number().value()); return;
    case MsgpackKind::kString: out.string(in.read_string().value()); return;
    case MsgpackKind::kBinary: out.binary(in.read_binary().value()); return;
    case MsgpackKind::kExtension: {
      const auto extension = in.read_extension().value();
      out.extension(extension.type, extension.data);
      return;
    }
    case MsgpackKind::kArray: {
      const std::uint32_t count = in.read_array().value();
      out.begin_array(count);
      for (std::uint32_t i = 0; i < count; ++i) copy(in, out);
      return;
    }
    case MsgpackKind::kMap: {
      const std::uint32_t count = in.read_map().value();
      out.begin_map(count);
      for (std::uint32_t i = 0; i < 2 * count; ++i) copy(in, out);
      return;
    }
  }
}

// A NaN in four bytes is written in eight.
bool holds_nan(MsgpackReader in) {
  while (!in.at_end()) {
    if (in.read_array() || in.read_map()) continue;
    MsgpackReader at = in;
    if (const auto number = at.read_number(); number && std::isnan(*number)) return true;
    AW_ASSERT(in.skip());
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  MsgpackReader reader(input);
  const auto raw = reader.read_raw();
  const auto expected = Plain(input).value_bytes();
  AW_ASSERT(raw.has_value() == expected.has_value());
  AW_ASSERT(reader.position() == expected.value_or(0));

  MsgpackReader lenient(input);
  const bool any = lenient.skip(MsgpackText::kAnyBytes);
  AW_ASSERT(any || !raw);
  if (!raw) return 0;
  AW_ASSERT(lenient.position() == reader.position());
  AW_ASSERT(raw->size() == *expected && raw->data() == data);

  // The value ends there and no earlier.
  for (const std::size_t less : {std::size_t{1}, raw->size() / 2, raw->size()}) {
    AW_ASSERT(less == 0 || !MsgpackReader(raw->first(raw->size() - less)).read_raw());
  }

  std::string once;
  MsgpackWriter writer(once);
  MsgpackReader again(*raw);
  copy(again, writer);
  AW_ASSERT(again.at_end());
  AW_ASSERT(once.size() <= raw->size() || holds_nan(MsgpackReader(*raw)));
  std::string twice;
  MsgpackWriter rewriter(twice);
  MsgpackReader shortest(as_bytes(once));
  copy(shortest, rewriter);
  AW_ASSERT(shortest.at_end() && twice == once);
  return 0;
}
