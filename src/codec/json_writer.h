// Writing JSON (RFC 8259) to the end of a std::string, without white space.
//
//   std::string out;
//   JsonWriter json(out);
//   json.begin_object();
//   json.key("offset").u64(7);
//   json.key("data").raw(payload);   // JSON already, taken as it is
//   json.end_object();               // {"offset":7,"data":...}
//
// The writer sets commas and colons; that begins and ends match, and that members have keys, is the
// caller's part. Nothing is escaped but what has to be: the quote, the backslash and the characters
// below U+0020. U+2028 and U+2029 stay, as JSON allows (ECMAScript does too since 2019); a page
// that pastes JSON into a script element must escape '<' itself.
//
// Thread: none of its own; a writer belongs to one caller. Lifetime: `out` outlives the writer, and
// may be appended to between complete values only; texts are read during the call. Limits: text
// must be UTF-8 - all text in the server was checked when it came in - else what is written is not
// JSON. A string grows to six times its size at most.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace anywire::codec {

class JsonWriter {
 public:
  // `out` keeps what it holds; the first value gets no comma in front.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  // Followed by the member's value.
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view text);
  JsonWriter& u64(std::uint64_t value);
  JsonWriter& i64(std::int64_t value);
  JsonWriter& number(double value);  // finite; see append_json_number
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }

  // One value that is JSON already, such as JsonValue::raw() gives.
  JsonWriter& raw(std::string_view json);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& out_;
  bool needs_comma_ = false;  // a value has been written in the container open now
};

// A quoted string.
void append_json_string(std::string& out, std::string_view text);

// Decimal digits.
void append_json_integer(std::string& out, std::uint64_t value);
void append_json_integer(std::string& out, std::int64_t value);

// The shortest text that reads back as the same double, and as a double rather than a whole number:
// 1 is written as 1.0, minus zero as -0.0. `value` is finite: JSON has no word for the others.
void append_json_number(std::string& out, double value);

}  // namespace anywire::codec
