#include "codec/json_reader.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <span>

#include "base/assert.h"
#include "codec/json_text.h"
#include "codec/utf8.h"

namespace anywire::codec {
namespace {

enum class Fault : std::uint8_t {
  kEncoding,
  kControlCharacter,
  kSyntax,
  kEscape,
  kNumber,
  kRepeatedKey,
  kDepth,
};

std::unexpected<Error> failure(Fault fault) {
  const auto invalid = [](const char* text) { return fail(ErrorCode::kInvalidArgument, text); };
  switch (fault) {
    case Fault::kEncoding: return invalid("the message is not UTF-8");
    case Fault::kControlCharacter: return invalid("a JSON string holds a bare control character");
    case Fault::kEscape: return invalid("a JSON string holds a broken escape");
    case Fault::kNumber: return invalid("the message holds a word or number JSON does not know");
    case Fault::kRepeatedKey: return invalid("a key appears twice in one JSON object");
    case Fault::kDepth: return fail(ErrorCode::kLimit, "the JSON is nested too deeply");
    case Fault::kSyntax: break;
  }
  return invalid("the message is not JSON");
}

constexpr std::uint64_t kMessageBytesMax = 0xffff'ff00;  // positions are 32 bits wide

// The byte that cannot follow those before it.
std::size_t find_bad_utf8(Bytes text) {
  Utf8Validator validator;
  std::size_t at = 0;
  while (at < text.size() && validator.feed(text.subspan(at, 1))) ++at;
  return at;
}

// Simdjson has found one between quotes.
std::size_t find_control_character(std::string_view text) {
  bool quoted = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted && static_cast<unsigned char>(c) < 0x20) break;
    if (quoted && c == '\\') ++at;
    if (c == '"') quoted = !quoted;
  }
  return std::min(at, text.size());
}

}  // namespace

// One pass over the tokens. Every token is checked to its last byte, and the bytes between two
// tokens can only be white space, so no byte of the message escapes the grammar.
class JsonReader::Parse {
 public:
  Parse(JsonReader& reader, std::span<const std::uint32_t> tokens)
      : reader_(reader),
        text_(reader.text_),
        tokens_(tokens),
        has_escapes_(std::memchr(text_.data(), '\\', text_.size()) != nullptr) {}

  [[nodiscard]] std::optional<Fault> run() {
    if (value(0) && token_ != tokens_.size()) refuse(Fault::kSyntax);
    return fault_;
  }

 private:
  bool value(int depth);
  bool array(int depth);
  bool object(int depth);
  bool string();
  bool scalar();
  bool unescape(std::string_view content);
  bool unicode_escape(std::string_view& rest);
  bool has_repeated_key(std::uint32_t object, std::uint32_t count);
  bool has_repeated_key_among_many(std::uint32_t object);

  bool refuse(Fault fault) {
    return refuse(fault, token_ < tokens_.size() ? tokens_[token_] : text_.size());
  }
  bool refuse(Fault fault, std::size_t at) {
    fault_ = fault;
    reader_.fault_at_ = at;
    return false;
  }

  [[nodiscard]] bool at(char c) const {
    return token_ < tokens_.size() && text_[tokens_[token_]] == c;
  }

  bool take(char c) {
    if (!at(c)) return false;
    ++token_;
    return true;
  }

  // The token's bytes: up to the next token, less the white space before that.
  [[nodiscard]] std::string_view token_text() const {
    const std::size_t begin = tokens_[token_];
    std::size_t end = token_ + 1 < tokens_.size() ? tokens_[token_ + 1] : text_.size();
    while (is_json_space(text_[end - 1])) --end;  // ends at the token's first byte, which is none
    return text_.substr(begin, end - begin);
  }

  Node& add(JsonKind kind, std::size_t begin, std::size_t end) {
    Node& node = reader_.nodes_[node_++];
    node = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), node_, 0, 0, kind,
            false};
    return node;
  }

  void close(std::uint32_t index, std::uint32_t size) {
    Node& node = reader_.nodes_[index];
    node.end = tokens_[token_ - 1] + 1;
    node.next = node_;
    node.size = size;
  }

  JsonReader& reader_;
  std::string_view text_;
  std::span<const std::uint32_t> tokens_;
  bool has_escapes_;  // in any string of the message: most have none, and one search is cheaper
  std::size_t token_ = 0;
  std::uint32_t node_ = 0;
  std::optional<Fault> fault_;
};

bool JsonReader::Parse::value(int depth) {
  if (token_ == tokens_.size()) return refuse(Fault::kSyntax);
  switch (text_[tokens_[token_]]) {
    case '{': return depth < kJsonDepthMax ? object(depth) : refuse(Fault::kDepth);
    case '[': return depth < kJsonDepthMax ? array(depth) : refuse(Fault::kDepth);
    case '"': return string();
    default: return scalar();
  }
}

bool JsonReader::Parse::array(int depth) {
  const std::uint32_t self = node_;
  add(JsonKind::kArray, tokens_[token_++], 0);
  std::uint32_t size = 0;
  if (!at(']')) {
    do {
      if (!value(depth + 1)) return false;
      ++size;
    } while (take(','));
  }
  if (!take(']')) return refuse(Fault::kSyntax);
  close(self, size);
  return true;
}

bool JsonReader::Parse::object(int depth) {
  const std::uint32_t self = node_;
  add(JsonKind::kObject, tokens_[token_++], 0);
  std::uint32_t size = 0;
  if (!at('}')) {
    do {
      if (!at('"')) return refuse(Fault::kSyntax);
      if (!string()) return false;
      if (!take(':')) return refuse(Fault::kSyntax);
      if (!value(depth + 1)) return false;
      ++size;
    } while (take(','));
  }
  if (!take('}')) return refuse(Fault::kSyntax);
  close(self, size);
  if (size < 2 || !has_repeated_key(self, size)) return true;
  return refuse(Fault::kRepeatedKey, reader_.nodes_[self].begin);
}

bool JsonReader::Parse::string() {
  const std::string_view token = token_text();
  if (token.size() < 2 || token.back() != '"') return refuse(Fault::kSyntax);
  const std::size_t begin = tokens_[token_++];
  Node& node = add(JsonKind::kString, begin, begin + token.size());
  const std::string_view content = token.substr(1, token.size() - 2);
  node.size = static_cast<std::uint32_t>(content.size());
  if (!has_escapes_ || !content.contains('\\')) return true;
  const std::size_t unescaped = reader_.unescaped_.size();
  if (!unescape(content)) return refuse(Fault::kEscape, begin);
  node.has_escapes = true;
  node.unescaped = static_cast<std::uint32_t>(unescaped);
  node.size = static_cast<std::uint32_t>(reader_.unescaped_.size() - unescaped);
  return true;
}

bool JsonReader::Parse::scalar() {
  const std::string_view token = token_text();
  JsonKind kind = JsonKind::kNumber;
  bool known = false;
  switch (token.front()) {
    case 'n':
      kind = JsonKind::kNull;
      known = token == "null";
      break;
    case 't':
    case 'f':
      kind = JsonKind::kBoolean;
      known = token == "true" || token == "false";
      break;
    case ',':
    case ':':
    case ']':
    case '}': return refuse(Fault::kSyntax);
    default: known = is_json_number(token);
  }
  if (!known) return refuse(Fault::kNumber);
  const std::size_t begin = tokens_[token_++];
  add(kind, begin, begin + token.size());
  return true;
}

bool JsonReader::Parse::unescape(std::string_view rest) {
  std::string& out = reader_.unescaped_;
  while (true) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    out.append(rest.substr(0, plain));
    rest.remove_prefix(plain);
    if (rest.empty()) return true;
    if (rest.size() < 2) return false;
    const char kind = rest[1];
    rest.remove_prefix(2);
    switch (kind) {
      case '"':
      case '\\':
      case '/': out += kind; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u':
        if (!unicode_escape(rest)) return false;
        break;
      default: return false;
    }
  }
}

// RFC 8259 section 7: four digits, or two escapes that are a surrogate pair. Surrogates alone are
// no characters; section 8.2 calls what receivers make of them unpredictable.
bool JsonReader::Parse::unicode_escape(std::string_view& rest) {
  const std::optional<std::uint32_t> first = read_hex4(rest);
  if (!first) return false;
  rest.remove_prefix(4);
  std::uint32_t code_point = *first;
  if (code_point >= 0xdc00 && code_point <= 0xdfff) return false;
  if (code_point >= 0xd800 && code_point <= 0xdbff) {
    if (!rest.starts_with("\\u")) return false;
    const std::optional<std::uint32_t> second = read_hex4(rest.substr(2));
    if (!second || *second < 0xdc00 || *second > 0xdfff) return false;
    rest.remove_prefix(6);
    code_point = 0x10000 + ((code_point - 0xd800) << 10) + (*second - 0xdc00);
  }
  append_utf8(reader_.unescaped_, code_point);
  return true;
}

// Few keys are compared each with each, which for the objects people send is a handful of
// comparisons of lengths; many are sorted, so that a hostile object costs no square.
bool JsonReader::Parse::has_repeated_key(std::uint32_t object, std::uint32_t count) {
  constexpr std::uint32_t kFew = 16;
  if (count > kFew) return has_repeated_key_among_many(object);
  std::array<std::uint32_t, kFew> names;
  const Node* nodes = reader_.nodes_.data();
  std::uint32_t name = object + 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    const Node& node = nodes[name];
    for (std::uint32_t j = 0; j < i; ++j) {
      const Node& other = nodes[names[j]];
      if (other.size != node.size) continue;
      if (reader_.string_of(other) == reader_.string_of(node)) return true;
    }
    names[i] = name;
    name = nodes[name + 1].next;
  }
  return false;
}

bool JsonReader::Parse::has_repeated_key_among_many(std::uint32_t object) {
  std::vector<std::string_view>& names = reader_.names_;
  names.clear();
  for (const auto [name, value] : JsonValue(&reader_, object).members()) names.push_back(name);
  std::sort(names.begin(), names.end(), [](std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  });
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

JsonReader::JsonReader() = default;
JsonReader::~JsonReader() = default;

// Makes room for the tokens of a message, and gives back what a far larger one has left.
bool JsonReader::prepare(std::size_t message_bytes) {
  constexpr std::size_t kLeast = 4096;
  const bool oversized = tokens_ && tokens_->capacity() > 2 * kJsonScratchKeptBytes &&
                         message_bytes <= kJsonScratchKeptBytes;
  if (oversized) {
    tokens_.reset();
    nodes_ = {};
    unescaped_ = {};
    names_ = {};
  }
  unescaped_.clear();
  if (tokens_ && tokens_->capacity() > message_bytes) return true;
  const std::size_t least = std::max(message_bytes + 1, kLeast);
  const std::size_t capacity = std::min<std::size_t>(std::bit_ceil(least), kMessageBytesMax + 1);
  constexpr std::size_t kDepthUnused = 1;  // nesting is the second stage's business, and ours
  return simdjson::get_active_implementation()->create_dom_parser_implementation(
             capacity, kDepthUnused, tokens_) == simdjson::SUCCESS;
}

Result<JsonValue> JsonReader::read(Bytes message) {
  if (message.size() > kMessageBytesMax) return fail(ErrorCode::kLimit, "the message is too large");
  AW_ASSERT(prepare(message.size()));  // only for want of memory
  text_ = as_text(message);
  fault_at_ = 0;
  if (message.empty()) return failure(Fault::kSyntax);
  switch (tokens_->stage1(message.data(), message.size(), simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS: break;
    case simdjson::UTF8_ERROR:
      fault_at_ = find_bad_utf8(message);
      return failure(Fault::kEncoding);
    case simdjson::UNESCAPED_CHARS:
      fault_at_ = find_control_character(text_);
      return failure(Fault::kControlCharacter);
    default:
      fault_at_ = message.size();  // a string without an end
      return failure(Fault::kSyntax);
  }
  const std::span tokens(tokens_->structural_indexes.get(), tokens_->n_structural_indexes);
  // Every value takes a token at least, hence no growing within the pass.
  if (nodes_.size() < tokens.size()) nodes_.resize(tokens.size());
  if (const auto fault = Parse(*this, tokens).run()) return failure(*fault);
  return JsonValue(this, 0);
}

std::string_view JsonValue::raw() const {
  const JsonReader::Node& node = reader_->nodes_[node_];
  return reader_->text_.substr(node.begin, node.end - node.begin);
}

std::optional<std::string_view> JsonValue::string() const {
  if (kind() != JsonKind::kString) return std::nullopt;
  return reader_->string_of(reader_->nodes_[node_]);
}

std::optional<std::uint64_t> JsonValue::u64() const {
  if (kind() != JsonKind::kNumber) return std::nullopt;
  return json_u64(raw());
}

std::optional<std::int64_t> JsonValue::i64() const {
  if (kind() != JsonKind::kNumber) return std::nullopt;
  return json_i64(raw());
}

std::optional<double> JsonValue::number() const {
  if (kind() != JsonKind::kNumber) return std::nullopt;
  return json_double(raw());
}

std::optional<bool> JsonValue::boolean() const {
  if (kind() != JsonKind::kBoolean) return std::nullopt;
  return raw().front() == 't';
}

std::size_t JsonValue::size() const {
  const JsonReader::Node& node = reader_->nodes_[node_];
  return node.kind >= JsonKind::kArray ? node.size : 0;
}

JsonElements JsonValue::elements() const {
  const JsonReader::Node& node = reader_->nodes_[node_];
  if (node.kind != JsonKind::kArray) return {reader_, node_, node_};
  return {reader_, node_ + 1, node.next};
}

JsonMembers JsonValue::members() const {
  const JsonReader::Node& node = reader_->nodes_[node_];
  if (node.kind != JsonKind::kObject) return {reader_, node_, node_};
  return {reader_, node_ + 1, node.next};
}

std::optional<JsonValue> JsonValue::find(std::string_view name) const {
  for (const auto [key, value] : members()) {
    if (key == name) return value;
  }
  return std::nullopt;
}

}  // namespace anywire::codec
