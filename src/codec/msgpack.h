// MessagePack (the specification at github.com/msgpack/msgpack, spec.md): a reader that walks over
// bytes where they lie, and a writer.
//
//   MsgpackReader in(bytes);
//   const auto count = in.read_map();
//   for (std::uint32_t i = 0; count && i < *count; ++i) {
//     const auto name = in.read_string();             // checked as UTF-8
//     if (!name) return refuse();
//     if (*name == "id") id = in.read_u64();
//     else if (*name == "data") payload = in.read_raw();  // any value, checked, as it was sent
//     else if (!in.skip()) return refuse();
//   }
//   if (!in.at_end()) return refuse();
//
// Every read answers nothing, and leaves the cursor where it was, if the next value is of another
// type or its bytes are not all there. Both are final for a whole message, so the caller need not
// tell them apart; peek() tells the type beforehand.
//
// A claimed length is believed only as far as bytes are there: a string is its bytes, a map of n
// members needs 2n more bytes, and nothing is allocated at all. The reader accepts every form the
// specification has for a value, the shortest or not; the writer always chooses the shortest (a NaN
// alone keeps eight bytes). Own rather than msgpack-c because an envelope is read once per message
// on the hot path, and payloads are sliced rather than built as objects.
//
// Thread: a reader or writer belongs to one caller. Lifetime: what a reader hands out are views
// into its input. Limits: read_raw() and skip() walk kMsgpackDepthMax levels; nesting that the
// caller walks itself is the caller's to limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace anywire::codec {

// Arrays and maps open at once; the same as JSON's, since payloads cross from one to the other.
inline constexpr int kMsgpackDepthMax = 64;

// kInteger covers the positive and negative families, kFloat both sizes.
enum class MsgpackKind : std::uint8_t {
  kNil,
  kBoolean,
  kInteger,
  kFloat,
  kString,
  kBinary,
  kArray,
  kMap,
  kExtension,
};

// An application's own type (0 to 127) or one of the specification's (-1 is the timestamp).
struct MsgpackExtension {
  std::int8_t type = 0;
  Bytes data;
};

enum class MsgpackText : std::uint8_t { kAnyBytes, kUtf8 };

class MsgpackReader {
 public:
  explicit MsgpackReader(Bytes input) : input_(input) {}

  [[nodiscard]] bool at_end() const { return at_ == input_.size(); }
  [[nodiscard]] std::size_t position() const { return at_; }

  // By the first byte alone; nothing at the end and for 0xc1, which the specification never uses.
  [[nodiscard]] std::optional<MsgpackKind> peek() const;

  [[nodiscard]] bool read_nil();
  [[nodiscard]] std::optional<bool> read_boolean();

  // Integers of any family that fit the type asked for.
  [[nodiscard]] std::optional<std::uint64_t> read_u64();
  [[nodiscard]] std::optional<std::int64_t> read_i64();

  // Floats exactly, NaN and infinities among them; integers as the nearest double, since senders
  // that know only doubles write 1.0 as an integer.
  [[nodiscard]] std::optional<double> read_number();

  [[nodiscard]] std::optional<std::string_view> read_string(MsgpackText text = MsgpackText::kUtf8);
  [[nodiscard]] std::optional<Bytes> read_binary();
  [[nodiscard]] std::optional<MsgpackExtension> read_extension();

  // The number of elements, or of members, that follow. At least that many values' first bytes are
  // there, so a loop up to it ends soon even if each of them is refused.
  [[nodiscard]] std::optional<std::uint32_t> read_array();
  [[nodiscard]] std::optional<std::uint32_t> read_map();

  // The next value with all within it, whatever it is: well-formed, complete, at most
  // kMsgpackDepthMax deep and, if asked for, with every string (keys too) in UTF-8.
  [[nodiscard]] std::optional<Bytes> read_raw(MsgpackText text = MsgpackText::kUtf8);
  [[nodiscard]] bool skip(MsgpackText text = MsgpackText::kUtf8) {
    return read_raw(text).has_value();
  }

 private:
  // What stands before a value's body, or is all of it: nil, booleans and numbers have no body.
  struct Head {
    MsgpackKind kind = MsgpackKind::kNil;
    std::uint32_t bytes = 1;  // of the head
    std::uint32_t size = 0;   // bytes of the body, or how many elements or members follow
  };

  struct Integer {
    bool is_negative = false;
    std::uint32_t head_bytes = 1;
    std::uint64_t bits = 0;  // two's complement
  };

  [[nodiscard]] std::optional<Head> head() const;
  [[nodiscard]] std::optional<Head> head_of(MsgpackKind kind) const;
  [[nodiscard]] std::optional<Integer> integer() const;
  [[nodiscard]] std::size_t bytes_behind(const Head& head) const;
  [[nodiscard]] std::optional<Bytes> take_body(const std::optional<Head>& head);
  [[nodiscard]] std::optional<std::uint32_t> take_count(MsgpackKind kind);
  bool walk(MsgpackText text);

  Bytes input_;
  std::size_t at_ = 0;
};

// Appends to a string; the shortest form of everything, a double as four bytes when they hold it
// exactly. Counts are promises: so many values, or pairs of key and value, must follow.
class MsgpackWriter {
 public:
  // `out` outlives the writer.
  explicit MsgpackWriter(std::string& out) : out_(out) {}

  MsgpackWriter& nil();
  MsgpackWriter& boolean(bool value);
  MsgpackWriter& u64(std::uint64_t value);
  MsgpackWriter& i64(std::int64_t value);
  MsgpackWriter& number(double value);
  MsgpackWriter& string(std::string_view text);  // UTF-8; below 4 GiB, as all bodies
  MsgpackWriter& binary(Bytes bytes);
  MsgpackWriter& extension(std::int8_t type, Bytes data);
  MsgpackWriter& begin_array(std::uint32_t count);
  MsgpackWriter& begin_map(std::uint32_t count);

  // One value that is MessagePack already, such as read_raw() gives.
  MsgpackWriter& raw(Bytes value);

 private:
  void put(std::uint64_t value, std::size_t bytes);
  void put_head(std::uint8_t first, std::uint64_t value, std::size_t bytes);

  std::string& out_;
};

}  // namespace anywire::codec
