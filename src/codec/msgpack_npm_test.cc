// Our MessagePack against @msgpack/msgpack, which browsers use, by the file that
// testdata/make_msgpack.mjs has made with it.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "codec/json_reader.h"
#include "codec/msgpack.h"
#include "codec/transcode.h"

namespace anywire::codec {
namespace {

std::string from_hex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  }
  return out;
}

class MsgpackNpm : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(ANYWIRE_SOURCE_DIR "/src/codec/testdata/msgpack.json", std::ios::binary);
    text_.assign(std::istreambuf_iterator<char>(file), {});
    const auto read = reader_.read(as_bytes(text_));
    ASSERT_TRUE(read) << read.error().message;
    data_ = *read;
  }

  static std::string text_of(JsonValue item, std::string_view name) {
    const auto member = item.find(name);
    return member ? std::string(*member->string()) : std::string();
  }

  std::string text_;
  JsonReader reader_;
  std::optional<JsonValue> data_;
};

// What our writer makes of a case; for long ones all but the body, which is one unit repeated.
std::string written(const std::string& type, const std::string& value, std::uint64_t length) {
  std::string out;
  MsgpackWriter writer(out);
  const std::string body(length, 'a');
  const auto count = static_cast<std::uint32_t>(length);
  if (type == "integer" && value[0] == '-') writer.i64(std::strtoll(value.c_str(), nullptr, 10));
  if (type == "integer" && value[0] != '-') writer.u64(std::strtoull(value.c_str(), nullptr, 10));
  if (type == "number") writer.number(std::strtod(value.c_str(), nullptr));
  if (type == "nil") writer.nil();
  if (type == "true" || type == "false") writer.boolean(type == "true");
  if (type == "string") writer.string(body);
  if (type == "binary") writer.binary(as_bytes(body));
  if (type == "extension") writer.extension(5, as_bytes(body));
  if (type == "array") writer.begin_array(count);
  if (type == "map") writer.begin_map(count);
  if (type == "string" || type == "binary" || type == "extension") out.resize(out.size() - length);
  return out;
}

TEST_F(MsgpackNpm, WritesTheSameBytes) {
  int checked = 0;
  const auto values = data_->find("values");
  ASSERT_TRUE(values);
  for (const JsonValue item : values->elements()) {
    const std::string type = text_of(item, "type");
    if (type == "timestamp") continue;
    const auto length = item.find("length");
    const std::string expected = from_hex(text_of(item, length ? "head" : "bytes"));
    EXPECT_EQ(written(type, text_of(item, "value"), length ? *length->u64() : 0), expected)
        << item.raw();
    ++checked;
  }
  EXPECT_GT(checked, 100);
}

TEST_F(MsgpackNpm, ReadsTheSameValues) {
  const auto values = data_->find("values");
  ASSERT_TRUE(values);
  for (const JsonValue item : values->elements()) {
    const std::string type = text_of(item, "type");
    const std::string value = text_of(item, "value");
    if (item.find("length")) continue;
    const std::string bytes = from_hex(text_of(item, "bytes"));
    MsgpackReader in(as_bytes(bytes));
    if (type == "integer" && value[0] == '-') {
      EXPECT_EQ(in.read_i64(), std::strtoll(value.c_str(), nullptr, 10)) << value;
    } else if (type == "integer") {
      EXPECT_EQ(in.read_u64(), std::strtoull(value.c_str(), nullptr, 10)) << value;
    } else if (type == "number") {
      EXPECT_EQ(in.read_number(), std::strtod(value.c_str(), nullptr)) << value;
    } else if (type == "timestamp") {
      EXPECT_EQ(in.read_extension()->type, -1);
    } else {
      EXPECT_TRUE(in.skip()) << type;
    }
    EXPECT_TRUE(in.at_end()) << item.raw();
  }
}

TEST_F(MsgpackNpm, ReadsTheSameHeads) {
  const auto values = data_->find("values");
  ASSERT_TRUE(values);
  for (const JsonValue item : values->elements()) {
    const auto length = item.find("length");
    if (!length) continue;
    const std::string type = text_of(item, "type");
    const std::string body(*length->u64() * 2, 'a');
    const std::string bytes = from_hex(text_of(item, "head")) + body;
    MsgpackReader in(as_bytes(bytes));
    std::optional<std::uint64_t> size;
    if (type == "string") size = in.read_string()->size();
    if (type == "binary") size = in.read_binary()->size();
    if (type == "extension") size = in.read_extension()->data.size();
    if (type == "array") size = in.read_array();
    if (type == "map") size = in.read_map();
    EXPECT_EQ(size, length->u64()) << item.raw();
  }
}

TEST_F(MsgpackNpm, ConvertsDocumentsTheSameWay) {
  const auto documents = data_->find("documents");
  ASSERT_TRUE(documents);
  EXPECT_GT(documents->size(), 5U);
  for (const JsonValue item : documents->elements()) {
    const std::string json = text_of(item, "json");
    const std::string bytes = from_hex(text_of(item, "bytes"));
    EXPECT_EQ(json_to_msgpack(as_bytes(json)), bytes) << json;
    EXPECT_EQ(msgpack_to_json(as_bytes(bytes)), json);
  }
}

}  // namespace
}  // namespace anywire::codec
