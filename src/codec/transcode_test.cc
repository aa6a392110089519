#include "codec/transcode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "codec/msgpack.h"

namespace anywire::codec {
namespace {

using std::string_literals::operator""s;

// In memory of exactly its size, so that a sanitizer sees each step beyond it.
template <typename Convert>
std::optional<std::string> exactly(std::string_view text, Convert convert) {
  const auto bytes = std::make_unique<std::uint8_t[]>(text.size());
  std::copy(text.begin(), text.end(), bytes.get());
  return convert(Bytes(bytes.get(), text.size()));
}

std::optional<std::string> to_msgpack(std::string_view json) {
  return exactly(json, json_to_msgpack);
}

std::optional<std::string> to_json(std::string_view msgpack) {
  return exactly(msgpack, msgpack_to_json);
}

std::string back(std::string_view json) {
  const auto msgpack = to_msgpack(json);
  return msgpack ? to_json(*msgpack).value_or("refused") : "refused at once";
}

TEST(Transcode, GivesBackWhatJsonAndMessagePackCanSay) {
  for (const char* json :
       {"null", "true", "false", "0", "-1", "\"\"", "[]", "{}", "0.1", "-0.0", "1.0", "1e+300",
        "18446744073709551615", "-9223372036854775808", "9007199254740993", "-9007199254740993",
        R"("\u0000\n\"\\ / € 😀")", "[1,[2,[3,[]]]]", R"({"a":{"b":[{"c":null}]},"":"","d":0.5})",
        R"({"z":1,"a":2,"m":3})", "[123456.0,5e-324,1.7976931348623157e+308]", "\"\x7f\u2028\""}) {
    EXPECT_EQ(back(json), json);
  }
}

TEST(Transcode, BringsJsonIntoOneForm) {
  struct Case {
    const char* json;
    const char* back;
  };
  for (const auto [json, expected] :
       {Case{" [ 1 , 2 ] ", "[1,2]"}, Case{R"({ "a" : "b" })", R"({"a":"b"})"},
        Case{R"("\u0041\/\u00e9")", "\"A/é\""}, Case{R"("\ud83d\ude00")", "\"😀\""},
        Case{"1E3", "1000.0"}, Case{"1.50", "1.5"}, Case{"-0", "-0.0"}, Case{"0e5", "0.0"},
        Case{"10.0", "10.0"}, Case{"0.30000000000000004", "0.30000000000000004"},
        Case{"0.300000000000000040000001", "0.30000000000000004"}}) {
    EXPECT_EQ(back(json), expected) << json;
    EXPECT_EQ(back(expected), expected) << json;
  }
}

// Doubles from 2^64 to 10^21 are written as whole numbers by JSON.stringify.
TEST(Transcode, MakesDoublesOfWholeNumbersBeyond64Bits) {
  EXPECT_EQ(back("18446744073709551616"), "1.8446744073709552e+19");
  EXPECT_EQ(back("123456789012345680000"), "1.2345678901234568e+20");
  EXPECT_EQ(back("-9223372036854775809"), "-9.223372036854776e+18");
}

TEST(Transcode, RefusesNumbersBeyondDoubles) {
  for (const char* json : {"1e400", "-1e400", "[1,2,{\"a\":1e309}]", "1e-400"}) {
    EXPECT_FALSE(to_msgpack(json)) << json;
  }
  EXPECT_FALSE(to_msgpack(std::string(400, '9')));
}

TEST(Transcode, LeavesTheOutputAloneWhenItRefuses) {
  JsonReader reader;
  const std::string json = R"(["text",1e400])";
  const auto value = reader.read(as_bytes(json));
  ASSERT_TRUE(value);
  std::string out = "kept";
  EXPECT_FALSE(append_msgpack(out, *value));
  EXPECT_EQ(out, "kept");
  EXPECT_TRUE(append_msgpack(out, *value->elements().begin()));
  EXPECT_EQ(out, "kept\xa4text");
}

TEST(Transcode, RefusesWhatIsNotJson) {
  for (const char* json : {"", " ", "[", "[1,]", "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\xff\"",
                           "nan", "1 2", "01"}) {
    EXPECT_FALSE(to_msgpack(json)) << json;
  }
}

TEST(Transcode, ReadsEveryFormOfMessagePack) {
  struct Case {
    std::string msgpack;
    const char* json;
  };
  const Case cases[] = {
      {"\xc0", "null"},
      {"\xc3", "true"},
      {"\xcc\x05", "5"},
      {"\xcd\x00\x05"s, "5"},
      {"\xce\x00\x00\x00\x05"s, "5"},
      {"\xcf\x00\x00\x00\x00\x00\x00\x00\x05"s, "5"},
      {"\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "18446744073709551615"},
      {"\xd0\xff", "-1"},
      {"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"s, "-9223372036854775808"},
      {"\xca\x3f\x80\x00\x00"s, "1.0"},
      {"\xca\x3d\xcc\xcc\xcd", "0.10000000149011612"},
      {"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a", "0.1"},
      {"\xd9\x01\x22"s, R"("\"")"},
      {"\xdb\x00\x00\x00\x01\x61"s, R"("a")"},
      {"\xdc\x00\x02\x01\x02"s, "[1,2]"},
      {"\xdd\x00\x00\x00\x00"s, "[]"},
      {"\xde\x00\x01\xa1\x61\x01"s, R"({"a":1})"},
      {"\xdf\x00\x00\x00\x01\xda\x00\x01\x61\xd2\x00\x00\x00\x01"s, R"({"a":1})"},
  };
  for (const auto& [msgpack, json] : cases) EXPECT_EQ(to_json(msgpack), json);
}

TEST(Transcode, RefusesWhatJsonCannotSay) {
  for (const std::string& msgpack :
       {"\xc4\x01\x61"s, "\xc5\x00\x00"s, "\xc6\x00\x00\x00\x00"s,   // bin
        "\xd4\x05\x01"s, "\xc7\x00\x05"s, "\xd6\xff\x01\x02\x03\x04"s,  // ext, timestamp
        "\xca\x7f\x80\x00\x00"s, "\xca\xff\x80\x00\x00"s, "\xca\x7f\xc0\x00\x00"s,
        "\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"s, "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"s,
        "\x81\x01\x01"s, "\x81\xc0\x01"s, "\x81\x90\x01"s, "\x81\xc4\x01\x61\x01"s,  // keys
        "\xa1\xff"s, "\xa3\xed\xa0\x80"s, "\x81\xa1\xff\x01"s, "\xc1"s}) {
    EXPECT_FALSE(to_json(msgpack));
    EXPECT_FALSE(to_json("\x91" + msgpack));
    EXPECT_FALSE(to_json("\x81\xa1k" + msgpack));
  }
}

TEST(Transcode, RefusesRepeatedKeys) {
  EXPECT_FALSE(to_json("\x82\xa1\x61\x01\xa1\x61\x02"));
  EXPECT_FALSE(to_json("\x82\xa1\x61\x01\xd9\x01\x61\x02"));
  EXPECT_FALSE(to_json("\x91\x81\xa1x\x83\xa1\x61\x01\xa1\x62\x01\xa1\x61\x02"));
  EXPECT_EQ(to_json("\x82\xa1\x61\x81\xa1\x61\x01\xa1\x62\x81\xa1\x61\x02"),
            R"({"a":{"a":1},"b":{"a":2}})");
}

TEST(Transcode, RefusesBytesBehindTheValue) {
  EXPECT_FALSE(to_json(""));
  EXPECT_FALSE(to_json("\xc0\xc0"));
  EXPECT_FALSE(to_json("\x90\x01"));
}

TEST(Transcode, RefusesEveryTruncation) {
  const std::string json =
      R"({"id":300,"list":[1.5,-70000,true,null,{"k":"v\n"},[]],"text":"€ uro",)"
      R"("big":9007199254740993})";
  const auto msgpack = to_msgpack(json);
  ASSERT_TRUE(msgpack);
  EXPECT_EQ(to_json(*msgpack), json);
  for (std::size_t size = 0; size < msgpack->size(); ++size) {
    EXPECT_FALSE(to_json(std::string_view(*msgpack).substr(0, size))) << size;
  }
  for (std::size_t size = 0; size < json.size(); ++size) {
    EXPECT_FALSE(to_msgpack(std::string_view(json).substr(0, size))) << size;
  }
}

TEST(Transcode, LimitsDepthOnBothSides) {
  const auto arrays = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(back(arrays(kJsonDepthMax)), arrays(kJsonDepthMax));
  EXPECT_FALSE(to_msgpack(arrays(kJsonDepthMax + 1)));
  EXPECT_TRUE(to_json(std::string(kJsonDepthMax - 1, '\x91') + "\x90"));
  EXPECT_FALSE(to_json(std::string(kJsonDepthMax, '\x91') + "\x90"));
  EXPECT_FALSE(to_json(std::string(1'000'000, '\x91') + "\xc0"));
  std::string maps;
  for (int i = 0; i < kJsonDepthMax; ++i) maps += "\x81\xa0";
  EXPECT_TRUE(to_json(maps + "\xc0"));
  EXPECT_FALSE(to_json(maps + "\x80"));
}

TEST(Transcode, BelievesNoClaimedLength) {
  for (const std::string& claim : {"\xdd\xff\xff\xff\xff"s, "\xdf\xff\xff\xff\xff"s,
                                   "\xdb\xff\xff\xff\xff"s, "\x91\xdd\xff\xff\xff\xff"s}) {
    EXPECT_FALSE(to_json(claim));
    EXPECT_FALSE(to_json(claim + std::string(100, '\xc0')));
  }
}

TEST(Transcode, KeepsTheOrderOfManyMembers) {
  std::string json = "{";
  for (int i = 999; i >= 0; --i) {
    json += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  }
  json.back() = '}';
  EXPECT_EQ(back(json), json);
}

}  // namespace
}  // namespace anywire::codec
