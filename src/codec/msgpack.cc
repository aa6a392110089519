#include "codec/msgpack.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/assert.h"
#include "codec/utf8.h"

namespace anywire::codec {
namespace {

using enum MsgpackKind;
constexpr std::uint8_t kNeverUsed = 0xc1;
constexpr std::uint8_t kFirstUnsigned = 0xcc;
constexpr std::uint8_t kFirstSigned = 0xd0;
constexpr std::uint8_t kFirstFixedExtension = 0xd4;

// What a first byte says.
struct Form {
  MsgpackKind kind = kInteger;
  bool is_known = true;
  std::uint8_t head_bytes = 1;
  std::uint8_t length_bytes = 0;  // of a length or count behind the first byte
  std::uint8_t size = 0;          // the length or count if the first byte holds it
};

constexpr Form with_length(MsgpackKind kind, std::uint8_t bytes) {
  const auto head = static_cast<std::uint8_t>(1 + bytes + (kind == kExtension ? 1 : 0));
  return {.kind = kind, .head_bytes = head, .length_bytes = bytes};
}

constexpr Form with_number(MsgpackKind kind, std::uint8_t bytes) {
  return {.kind = kind, .head_bytes = static_cast<std::uint8_t>(1 + bytes)};
}

constexpr std::array<Form, 256> kForms = [] {
  std::array<Form, 256> forms{};
  // 00 to 7f and e0 to ff are integers of one byte. Said in so many words because g++ 12 forgets
  // the member initialisers of elements that nobody assigns.
  for (Form& form : forms) form = Form{.kind = kInteger};
  for (std::uint8_t i = 0; i < 16; ++i) {
    forms[0x80U + i] = {.kind = kMap, .size = i};
    forms[0x90U + i] = {.kind = kArray, .size = i};
  }
  for (std::uint8_t i = 0; i < 32; ++i) forms[0xa0U + i] = {.kind = kString, .size = i};
  forms[0xc0] = {.kind = kNil};
  forms[kNeverUsed] = {.is_known = false};
  forms[0xc2] = forms[0xc3] = {.kind = kBoolean};
  for (std::uint8_t i = 0; i < 3; ++i) {
    const auto bytes = static_cast<std::uint8_t>(1 << i);
    forms[0xc4U + i] = with_length(kBinary, bytes);
    forms[0xc7U + i] = with_length(kExtension, bytes);
    forms[0xd9U + i] = with_length(kString, bytes);
  }
  forms[0xca] = with_number(kFloat, 4);
  forms[0xcb] = with_number(kFloat, 8);
  for (std::uint8_t i = 0; i < 4; ++i) {
    const auto bytes = static_cast<std::uint8_t>(1 << i);
    forms[kFirstUnsigned + i] = forms[kFirstSigned + i] = with_number(kInteger, bytes);
  }
  for (std::uint8_t i = 0; i < 5; ++i) {
    const auto bytes = static_cast<std::uint8_t>(1 << i);
    forms[kFirstFixedExtension + i] = {.kind = kExtension, .head_bytes = 2, .size = bytes};
  }
  for (std::uint8_t i = 0; i < 2; ++i) {
    const auto bytes = static_cast<std::uint8_t>(2 << i);
    forms[0xdcU + i] = with_length(kArray, bytes);
    forms[0xdeU + i] = with_length(kMap, bytes);
  }
  return forms;
}();

template <std::size_t kBytes>
std::uint64_t load(const std::uint8_t* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kBytes; ++i) value = value << 8 | at[i];
  return value;
}

// `bytes` is 1, 2, 4 or 8, and they are there.
std::uint64_t big_endian(const std::uint8_t* at, std::size_t bytes) {
  switch (bytes) {
    case 1: return *at;
    case 2: return load<2>(at);
    case 4: return load<4>(at);
    default: return load<8>(at);
  }
}

constexpr std::uint64_t values_in(MsgpackKind kind, std::uint32_t count) {
  return std::uint64_t{count} * (kind == kMap ? 2 : 1);
}

// Most strings are short and ASCII, which is seen here before simdjson's check has begun.
bool is_text(Bytes bytes) {
  constexpr std::size_t kShort = 64;
  if (bytes.size() > kShort) return is_valid_utf8(bytes);
  std::uint8_t all = 0;
  for (const std::uint8_t byte : bytes) all |= byte;
  return all < 0x80 || is_valid_utf8(bytes);
}

constexpr bool is_container(MsgpackKind kind) { return kind == kArray || kind == kMap; }

}  // namespace

std::optional<MsgpackKind> MsgpackReader::peek() const {
  if (at_end() || input_[at_] == kNeverUsed) return std::nullopt;
  return kForms[input_[at_]].kind;
}

std::optional<MsgpackReader::Head> MsgpackReader::head() const {
  if (at_end()) return std::nullopt;
  const Form& form = kForms[input_[at_]];
  if (!form.is_known || input_.size() - at_ < form.head_bytes) return std::nullopt;
  Head head{.kind = form.kind, .bytes = form.head_bytes, .size = form.size};
  if (form.length_bytes != 0) {
    const std::uint64_t length = big_endian(input_.data() + at_ + 1, form.length_bytes);
    head.size = static_cast<std::uint32_t>(length);
  }
  return head;
}

std::optional<MsgpackReader::Head> MsgpackReader::head_of(MsgpackKind kind) const {
  if (peek() != kind) return std::nullopt;
  return head();
}

std::size_t MsgpackReader::bytes_behind(const Head& head) const {
  return input_.size() - at_ - head.bytes;
}

bool MsgpackReader::read_nil() {
  if (peek() != kNil) return false;
  ++at_;
  return true;
}

std::optional<bool> MsgpackReader::read_boolean() {
  if (peek() != kBoolean) return std::nullopt;
  return input_[at_++] == 0xc3;
}

// The value under the cursor, which stays.
std::optional<MsgpackReader::Integer> MsgpackReader::integer() const {
  const std::optional<Head> head = head_of(kInteger);
  if (!head) return std::nullopt;
  const std::uint8_t first = input_[at_];
  const bool is_signed = first >= kFirstSigned;  // the negative fixint among them
  const std::size_t width = head->bytes == 1 ? 1 : head->bytes - 1;
  const std::uint64_t bits = big_endian(input_.data() + at_ + head->bytes - width, width);
  if (!is_signed) return Integer{.head_bytes = head->bytes, .bits = bits};
  const std::size_t unused = 64 - 8 * width;
  const std::int64_t value = static_cast<std::int64_t>(bits << unused) >> unused;
  return Integer{value < 0, head->bytes, static_cast<std::uint64_t>(value)};
}

std::optional<std::uint64_t> MsgpackReader::read_u64() {
  const std::optional<Integer> value = integer();
  if (!value || value->is_negative) return std::nullopt;
  at_ += value->head_bytes;
  return value->bits;
}

std::optional<std::int64_t> MsgpackReader::read_i64() {
  const std::optional<Integer> value = integer();
  const auto result = value ? static_cast<std::int64_t>(value->bits) : 0;
  if (!value || (result < 0) != value->is_negative) return std::nullopt;
  at_ += value->head_bytes;
  return result;
}

std::optional<double> MsgpackReader::read_number() {
  if (const std::optional<Integer> value = integer()) {
    at_ += value->head_bytes;
    if (value->is_negative) return static_cast<double>(static_cast<std::int64_t>(value->bits));
    return static_cast<double>(value->bits);
  }
  const std::optional<Head> head = head_of(kFloat);
  if (!head) return std::nullopt;
  const std::uint64_t bits = big_endian(input_.data() + at_ + 1, head->bytes - 1);
  at_ += head->bytes;
  if (head->bytes == 5) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

std::optional<Bytes> MsgpackReader::take_body(const std::optional<Head>& head) {
  if (!head || head->size > bytes_behind(*head)) return std::nullopt;
  const Bytes body = input_.subspan(at_ + head->bytes, head->size);
  at_ += head->bytes + body.size();
  return body;
}

std::optional<std::string_view> MsgpackReader::read_string(MsgpackText text) {
  const std::size_t start = at_;
  const std::optional<Bytes> body = take_body(head_of(kString));
  if (!body) return std::nullopt;
  if (text == MsgpackText::kUtf8 && !is_text(*body)) {
    at_ = start;
    return std::nullopt;
  }
  return as_text(*body);
}

std::optional<Bytes> MsgpackReader::read_binary() { return take_body(head_of(kBinary)); }

std::optional<MsgpackExtension> MsgpackReader::read_extension() {
  const std::optional<Bytes> body = take_body(head_of(kExtension));
  if (!body) return std::nullopt;
  // The type is the last byte of every extension's head.
  return MsgpackExtension{static_cast<std::int8_t>(input_[at_ - body->size() - 1]), *body};
}

std::optional<std::uint32_t> MsgpackReader::take_count(MsgpackKind kind) {
  const std::optional<Head> head = head_of(kind);
  if (!head || values_in(kind, head->size) > bytes_behind(*head)) return std::nullopt;
  at_ += head->bytes;
  return head->size;
}

std::optional<std::uint32_t> MsgpackReader::read_array() { return take_count(kArray); }

std::optional<std::uint32_t> MsgpackReader::read_map() { return take_count(kMap); }

std::optional<Bytes> MsgpackReader::read_raw(MsgpackText text) {
  const std::size_t start = at_;
  if (!walk(text)) {
    at_ = start;
    return std::nullopt;
  }
  return input_.subspan(start, at_ - start);
}

// Moves the cursor behind the next value. Without recursion: for each open container the number of
// values it still lacks.
bool MsgpackReader::walk(MsgpackText text) {
  std::array<std::uint64_t, kMsgpackDepthMax> missing;
  std::size_t depth = 0;
  while (true) {
    const std::optional<Head> head = this->head();
    if (!head) return false;
    if (is_container(head->kind)) {
      const std::uint64_t values = values_in(head->kind, head->size);
      if (depth == missing.size() || values > bytes_behind(*head)) return false;
      missing[depth++] = values;
      at_ += head->bytes;
    } else {
      const std::optional<Bytes> body = take_body(head);
      if (!body) return false;
      const bool is_checked = head->kind == kString && text == MsgpackText::kUtf8;
      if (is_checked && !is_text(*body)) return false;
    }
    while (depth > 0 && missing[depth - 1] == 0) --depth;
    if (depth == 0) return true;
    --missing[depth - 1];
  }
}

void MsgpackWriter::put(std::uint64_t value, std::size_t bytes) {
  std::array<char, 8> field;
  for (std::size_t i = 0; i < bytes; ++i) {
    field[i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
  }
  out_.append(field.data(), bytes);
}

void MsgpackWriter::put_head(std::uint8_t first, std::uint64_t value, std::size_t bytes) {
  out_ += static_cast<char>(first);
  put(value, bytes);
}

MsgpackWriter& MsgpackWriter::nil() {
  put(0xc0, 1);
  return *this;
}

MsgpackWriter& MsgpackWriter::boolean(bool value) {
  put(value ? 0xc3 : 0xc2, 1);
  return *this;
}

MsgpackWriter& MsgpackWriter::u64(std::uint64_t value) {
  if (value < 0x80) {
    put(value, 1);
  } else if (value <= 0xff) {
    put_head(0xcc, value, 1);
  } else if (value <= 0xffff) {
    put_head(0xcd, value, 2);
  } else if (value <= 0xffff'ffff) {
    put_head(0xce, value, 4);
  } else {
    put_head(0xcf, value, 8);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::i64(std::int64_t value) {
  if (value >= 0) return u64(static_cast<std::uint64_t>(value));
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) {
    put(bits, 1);
  } else if (value >= std::numeric_limits<std::int8_t>::min()) {
    put_head(0xd0, bits, 1);
  } else if (value >= std::numeric_limits<std::int16_t>::min()) {
    put_head(0xd1, bits, 2);
  } else if (value >= std::numeric_limits<std::int32_t>::min()) {
    put_head(0xd2, bits, 4);
  } else {
    put_head(0xd3, bits, 8);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::number(double value) {
  // A finite double beyond the range of floats must not be converted at all.
  const bool in_range =
      !(std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) ||
      std::isinf(value);
  const float single = in_range ? static_cast<float>(value) : 0;
  if (static_cast<double>(single) == value) {
    put_head(0xca, std::bit_cast<std::uint32_t>(single), 4);
  } else {
    put_head(0xcb, std::bit_cast<std::uint64_t>(value), 8);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::string(std::string_view text) {
  AW_ASSERT(text.size() <= 0xffff'ffff);
  if (text.size() < 32) {
    put(0xa0 | text.size(), 1);
  } else if (text.size() <= 0xff) {
    put_head(0xd9, text.size(), 1);
  } else if (text.size() <= 0xffff) {
    put_head(0xda, text.size(), 2);
  } else {
    put_head(0xdb, text.size(), 4);
  }
  out_ += text;
  return *this;
}

MsgpackWriter& MsgpackWriter::binary(Bytes bytes) {
  AW_ASSERT(bytes.size() <= 0xffff'ffff);
  if (bytes.size() <= 0xff) {
    put_head(0xc4, bytes.size(), 1);
  } else if (bytes.size() <= 0xffff) {
    put_head(0xc5, bytes.size(), 2);
  } else {
    put_head(0xc6, bytes.size(), 4);
  }
  return raw(bytes);
}

MsgpackWriter& MsgpackWriter::extension(std::int8_t type, Bytes data) {
  const std::size_t size = data.size();
  AW_ASSERT(size <= 0xffff'ffff);
  if (size <= 16 && std::has_single_bit(size)) {
    put(kFirstFixedExtension + static_cast<std::uint64_t>(std::countr_zero(size)), 1);
  } else if (size <= 0xff) {
    put_head(0xc7, size, 1);
  } else if (size <= 0xffff) {
    put_head(0xc8, size, 2);
  } else {
    put_head(0xc9, size, 4);
  }
  put(static_cast<std::uint8_t>(type), 1);
  return raw(data);
}

MsgpackWriter& MsgpackWriter::begin_array(std::uint32_t count) {
  if (count < 16) {
    put(0x90 | count, 1);
  } else if (count <= 0xffff) {
    put_head(0xdc, count, 2);
  } else {
    put_head(0xdd, count, 4);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::begin_map(std::uint32_t count) {
  if (count < 16) {
    put(0x80 | count, 1);
  } else if (count <= 0xffff) {
    put_head(0xde, count, 2);
  } else {
    put_head(0xdf, count, 4);
  }
  return *this;
}

MsgpackWriter& MsgpackWriter::raw(Bytes value) {
  out_ += as_text(value);
  return *this;
}

}  // namespace anywire::codec
