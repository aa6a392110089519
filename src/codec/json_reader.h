// Reading JSON messages (RFC 8259), strictly, without copying what is not looked at.
//
//   JsonReader reader;                                // one per loop, reused for every message
//   const auto message = reader.read(bytes);
//   if (!message) return refuse(message.error());     // says what is wrong
//   for (const auto [name, value] : message->members()) {
//     if (name == "id") id = value.u64();             // nothing unless it is such a number
//     if (name == "data") payload = value.raw();      // the sender's bytes, known to be JSON
//   }
//
// read() checks all of the message before it answers: whatever a JsonValue hands out, the raw text
// of a payload nobody looked into included, is JSON that every parser takes. Refused are bytes that
// are not UTF-8, a byte order mark, escapes of lone surrogates, a key that appears twice in one
// object (compared after unescaping; parsers disagree about which one counts), more than
// kJsonDepthMax levels of nesting, and anything behind the value. Numbers only have to be written
// as the grammar says: 123456789012345678901234567890 and 1e400 pass as raw text.
//
// simdjson's first stage finds the tokens and checks the encoding, as fast as the CPU allows; the
// grammar is checked here. simdjson's own second stages do not fit: "dom" refuses whole numbers
// beyond 64 bits, which JSON.stringify writes for doubles below 1e21, and gives no raw text;
// "on demand" does not look at what it skips. The first stage reads no byte beyond the end, so the
// message needs no padding and is read where it lies.
//
// Thread: a reader belongs to one thread. Lifetime: a JsonValue, the views it hands out and its
// iterators end with the next read() of the same reader, with the reader and with the message's
// bytes. Code that calls out while it still needs a value must not share its reader with what it
// calls. Limits: kJsonDepthMax levels; the message's size is the caller's to limit (at most 4 GiB).
// Memory: 4 bytes per byte of the message and 24 per value in it, kept for the next one; what a
// message larger than kJsonScratchKeptBytes left is given back when a smaller one is read. Time is
// linear, but for objects of many members: n log n.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace anywire::codec {

// Arrays and objects open at once; also the limit of everything that writes or converts payloads.
inline constexpr int kJsonDepthMax = 64;

inline constexpr std::size_t kJsonScratchKeptBytes = 64 * 1024;

enum class JsonKind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

class JsonReader;
class JsonElements;
class JsonMembers;

// One value of the message last read: a handle of 16 bytes, cheap to copy. A getter whose kind does
// not fit answers nothing, so "is it there and of the right type" is one test.
class JsonValue {
 public:
  [[nodiscard]] JsonKind kind() const;
  [[nodiscard]] bool is_null() const { return kind() == JsonKind::kNull; }

  // The value as the sender wrote it, without white space around it. A view into the message.
  [[nodiscard]] std::string_view raw() const;

  // A string with its escapes resolved: valid UTF-8, may hold NUL. A view into the message or, if
  // there were escapes, into the reader.
  [[nodiscard]] std::optional<std::string_view> string() const;

  // Whole numbers, exactly; nothing if written with a fraction or an exponent or out of range.
  // "-0" is not a whole number here: it would lose its sign.
  [[nodiscard]] std::optional<std::uint64_t> u64() const;
  [[nodiscard]] std::optional<std::int64_t> i64() const;

  // Any number as the nearest double; nothing if that is infinite, or zero though the number is
  // not.
  [[nodiscard]] std::optional<double> number() const;

  [[nodiscard]] std::optional<bool> boolean() const;

  // Elements of an array or members of an object; 0 for everything else.
  [[nodiscard]] std::size_t size() const;

  // Ranges of JsonValue and JsonMember in the sender's order; empty if the kind is another.
  [[nodiscard]] JsonElements elements() const;
  [[nodiscard]] JsonMembers members() const;

  // The member of that name; nothing if there is none or this is no object. Linear.
  [[nodiscard]] std::optional<JsonValue> find(std::string_view name) const;

 private:
  friend class JsonReader;
  friend class JsonElements;
  friend class JsonMembers;
  JsonValue(const JsonReader* reader, std::uint32_t node) : reader_(reader), node_(node) {}

  const JsonReader* reader_;
  std::uint32_t node_;
};

struct JsonMember {
  std::string_view name;  // unescaped
  JsonValue value;
};

class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // Checks all of `message` and answers its value, of any kind. Several messages in one frame are
  // an array of objects to this class. The error is kLimit for nesting too deep and for a message
  // of 4 GiB, kInvalidArgument for everything else; its text is fit to be sent to the peer.
  [[nodiscard]] Result<JsonValue> read(Bytes message);

  // Where the message last refused goes wrong, in bytes from its beginning: the token that cannot
  // stand there, or the message's end if something is missing.
  [[nodiscard]] std::size_t fault_at() const { return fault_at_; }

 private:
  friend class JsonValue;
  friend class JsonElements;
  friend class JsonMembers;
  class Parse;

  // Nodes lie in the order of the text, so that a container's first child is the next node. A
  // member is two nodes: its name and its value.
  struct Node {
    std::uint32_t begin;      // of the raw text, in the message
    std::uint32_t end;
    std::uint32_t next;       // the node behind this value and all within it
    std::uint32_t size;       // of a container; of an unescaped string in bytes
    std::uint32_t unescaped;  // where an unescaped string begins in unescaped_
    JsonKind kind;
    bool has_escapes;
  };

  [[nodiscard]] std::string_view string_of(const Node& node) const;
  bool prepare(std::size_t message_bytes);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> tokens_;
  std::string_view text_;
  std::vector<Node> nodes_;
  std::string unescaped_;
  std::vector<std::string_view> names_;  // scratch for the search for repeated keys
  std::size_t fault_at_ = 0;
};

// for (JsonValue value : array.elements())
class JsonElements {
 public:
  class Iterator {
   public:
    using value_type = JsonValue;
    using difference_type = std::ptrdiff_t;
    JsonValue operator*() const { return {reader_, node_}; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return node_ == other.node_; }

   private:
    friend class JsonElements;
    Iterator(const JsonReader* reader, std::uint32_t node) : reader_(reader), node_(node) {}
    const JsonReader* reader_;
    std::uint32_t node_;
  };

  [[nodiscard]] Iterator begin() const { return {reader_, first_}; }
  [[nodiscard]] Iterator end() const { return {reader_, last_}; }

 private:
  friend class JsonValue;
  JsonElements(const JsonReader* reader, std::uint32_t first, std::uint32_t last)
      : reader_(reader), first_(first), last_(last) {}
  const JsonReader* reader_;
  std::uint32_t first_;
  std::uint32_t last_;
};

// for (const auto [name, value] : object.members())
class JsonMembers {
 public:
  class Iterator {
   public:
    using value_type = JsonMember;
    using difference_type = std::ptrdiff_t;
    JsonMember operator*() const;
    // The name as a value of its own: a string.
    JsonValue name_value() const { return {reader_, node_}; }
    Iterator& operator++();
    bool operator==(const Iterator& other) const { return node_ == other.node_; }

   private:
    friend class JsonMembers;
    Iterator(const JsonReader* reader, std::uint32_t node) : reader_(reader), node_(node) {}
    const JsonReader* reader_;
    std::uint32_t node_;
  };

  [[nodiscard]] Iterator begin() const { return {reader_, first_}; }
  [[nodiscard]] Iterator end() const { return {reader_, last_}; }

 private:
  friend class JsonValue;
  JsonMembers(const JsonReader* reader, std::uint32_t first, std::uint32_t last)
      : reader_(reader), first_(first), last_(last) {}
  const JsonReader* reader_;
  std::uint32_t first_;
  std::uint32_t last_;
};

inline std::string_view JsonReader::string_of(const Node& node) const {
  if (node.has_escapes) return {unescaped_.data() + node.unescaped, node.size};
  return {text_.data() + node.begin + 1, node.size};
}

inline JsonKind JsonValue::kind() const { return reader_->nodes_[node_].kind; }

inline JsonElements::Iterator& JsonElements::Iterator::operator++() {
  node_ = reader_->nodes_[node_].next;
  return *this;
}

inline JsonMember JsonMembers::Iterator::operator*() const {
  return {reader_->string_of(reader_->nodes_[node_]), {reader_, node_ + 1}};
}

inline JsonMembers::Iterator& JsonMembers::Iterator::operator++() {
  node_ = reader_->nodes_[node_ + 1].next;
  return *this;
}

}  // namespace anywire::codec
