#include "codec/json_writer.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "base/bytes.h"
#include "codec/json_reader.h"

namespace anywire::codec {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string printed(double value) {
  std::string out;
  append_json_number(out, value);
  return out;
}

TEST(JsonWriter, WritesAnEnvelope) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("channel").string("room-1");
  json.key("offset").u64(7).key("delta").i64(-7);
  json.key("data").raw(R"({"a": 1})");
  json.key("list").begin_array().end_array();
  json.key("flags").begin_array().boolean(true).boolean(false).null().number(0.5).end_array();
  json.key("none").begin_object().end_object();
  json.end_object();
  EXPECT_EQ(out, R"({"channel":"room-1","offset":7,"delta":-7,"data":{"a": 1},"list":[],)"
                 R"("flags":[true,false,null,0.5],"none":{}})");
}

TEST(JsonWriter, SetsCommasInEveryPosition) {
  std::string out = "kept";
  JsonWriter json(out);
  json.begin_array().begin_array().end_array().begin_array().u64(1).end_array();
  json.begin_object().end_object().begin_object().key("a").begin_array().end_array();
  json.key("b").null().end_object().string("s").raw("1").end_array();
  EXPECT_EQ(out, R"(kept[[],[1],{},{"a":[],"b":null},"s",1])");
}

TEST(JsonWriter, WritesAnySingleValue) {
  const auto written = [](auto write) {
    std::string out;
    JsonWriter json(out);
    write(json);
    return out;
  };
  EXPECT_EQ(written([](JsonWriter& json) { json.null(); }), "null");
  EXPECT_EQ(written([](JsonWriter& json) { json.string(""); }), "\"\"");
  EXPECT_EQ(written([](JsonWriter& json) { json.number(1); }), "1.0");
  EXPECT_EQ(written([](JsonWriter& json) { json.begin_object().end_object(); }), "{}");
}

TEST(JsonWriter, EscapesOnlyWhatHasToBe) {
  EXPECT_EQ(json_string("plain / 'text' <b> \x7f"), "\"plain / 'text' <b> \x7f\"");
  EXPECT_EQ(json_string("\"\\\b\f\n\r\t"), R"("\"\\\b\f\n\r\t")");
  EXPECT_EQ(json_string(std::string_view("\0\x01\x0b\x1f", 4)), R"("\u0000\u0001\u000b\u001f")");
  EXPECT_EQ(json_string("\u2028\u2029\u00e9\U0001F600"), "\"\u2028\u2029\u00e9\U0001F600\"");
}

// The scan goes by eight bytes, so each byte value stands at each place of strings of each length
// around that size.
TEST(JsonWriter, FindsEveryByteToEscapeAtEveryPlace) {
  for (std::size_t size = 1; size <= 25; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 0x80; ++c) {
        std::string text(size, 'a');
        text[at] = static_cast<char>(c);
        std::string expected = "\"" + text.substr(0, at);
        const bool special = c < 0x20 || c == '"' || c == '\\';
        if (special) {
          const std::string alone = json_string(std::string(1, static_cast<char>(c)));
          expected += alone.substr(1, alone.size() - 2) + text.substr(at + 1);
        } else {
          expected += text.substr(at);
        }
        ASSERT_EQ(json_string(text), expected + "\"") << size << " " << at << " " << c;
      }
    }
  }
}

TEST(JsonWriter, CopiesBytesAboveAsciiAtEveryPlace) {
  for (int c = 0x80; c < 0x100; ++c) {
    for (std::size_t at = 0; at < 16; ++at) {
      std::string text(16, '\xff');
      text[at] = static_cast<char>(c);
      ASSERT_EQ(json_string(text), "\"" + text + "\"");
    }
  }
}

TEST(JsonWriter, WritesStringsThatReadBack) {
  std::mt19937 random(1);
  JsonReader reader;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t i = random() % 40; i > 0; --i) text += static_cast<char>(random() % 0x80);
    if (round % 3 == 0) text += "\u20ac";
    const std::string json = json_string(text);
    const auto value = reader.read(as_bytes(json));
    ASSERT_TRUE(value) << json;
    ASSERT_EQ(value->string(), text);
  }
}

TEST(JsonWriter, WritesIntegers) {
  const auto printed_integer = [](auto value) {
    std::string out;
    append_json_integer(out, value);
    return out;
  };
  EXPECT_EQ(printed_integer(std::uint64_t{0}), "0");
  EXPECT_EQ(printed_integer(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(printed_integer(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(printed_integer(std::int64_t{-1}), "-1");
}

TEST(JsonWriter, WritesDoublesThatStayDoubles) {
  EXPECT_EQ(printed(0), "0.0");
  EXPECT_EQ(printed(-0.0), "-0.0");
  EXPECT_EQ(printed(1), "1.0");
  EXPECT_EQ(printed(-1.5), "-1.5");
  EXPECT_EQ(printed(0.1), "0.1");
  EXPECT_EQ(printed(1e21), "1e+21");
  EXPECT_EQ(printed(1e-7), "1e-07");
  EXPECT_EQ(printed(100000), "1e+05");
  EXPECT_EQ(printed(123456), "123456.0");
  EXPECT_EQ(printed(9007199254740991), "9007199254740991.0");
  EXPECT_EQ(printed(9007199254740992), "9.007199254740992e+15");
  EXPECT_EQ(printed(-123456789012345680000.0), "-1.2345678901234568e+20");
  EXPECT_EQ(printed(5e-324), "5e-324");
  EXPECT_EQ(printed(1.7976931348623157e308), "1.7976931348623157e+308");
}

TEST(JsonWriter, WritesDoublesThatReadBackExactly) {
  std::mt19937_64 random(2);
  JsonReader reader;
  for (int round = 0; round < 20'000; ++round) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const std::string json = printed(value);
    const auto read = reader.read(as_bytes(json));
    ASSERT_TRUE(read) << json;
    ASSERT_EQ(read->number(), value) << json;
    ASSERT_FALSE(read->i64()) << json;
    ASSERT_LE(json.size(), 24U) << json;
  }
}

TEST(JsonWriterDeathTest, HasNoWordForInfinity) {
  EXPECT_DEATH(printed(std::numeric_limits<double>::infinity()), "isfinite");
  EXPECT_DEATH(printed(std::numeric_limits<double>::quiet_NaN()), "isfinite");
}

}  // namespace
}  // namespace anywire::codec
