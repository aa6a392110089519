#include "codec/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec/testing/exact.h"

namespace anywire::codec {
namespace {

using std::string_literals::operator""s;

bool accepts(std::string_view text) {
  JsonReader reader;
  return reader.read(Exact(text).view()).has_value();
}

std::string refusal(std::string_view text) {
  JsonReader reader;
  const auto value = reader.read(Exact(text).view());
  return value ? "accepted" : value.error().message;
}

TEST(JsonReader, ReadsAnEnvelope) {
  const std::string text =
      R"( { "id" : 7, "pub":{"channel":"room-1" , "data" : {"a": [1, 2 ,{}], "b":"\u00e9"} } } )";
  JsonReader reader;
  const auto message = reader.read(as_bytes(text));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind(), JsonKind::kObject);
  EXPECT_EQ(message->size(), 2U);
  EXPECT_EQ(message->find("id")->u64(), 7U);
  const auto publish = message->find("pub");
  ASSERT_TRUE(publish);
  EXPECT_EQ(publish->find("channel")->string(), "room-1");
  EXPECT_EQ(publish->find("data")->raw(), R"({"a": [1, 2 ,{}], "b":"\u00e9"})");
  EXPECT_FALSE(message->find("sub"));
}

TEST(JsonReader, ReadsSeveralMessagesOfOneFrame) {
  JsonReader reader;
  const std::string text = R"([{"id":1},{"id":2},{"id":3}])";
  const auto messages = reader.read(as_bytes(text));
  ASSERT_TRUE(messages);
  EXPECT_EQ(messages->size(), 3U);
  std::vector<std::uint64_t> ids;
  for (const JsonValue message : messages->elements()) ids.push_back(*message.find("id")->u64());
  EXPECT_THAT(ids, testing::ElementsAre(1, 2, 3));
}

TEST(JsonReader, IteratesMembersInTheSendersOrder) {
  JsonReader reader;
  const std::string text = R"({"z":[[],{}],"\u0061":{"x":{"y":1}},"":null,"m":"s"})";
  const auto object = reader.read(as_bytes(text));
  ASSERT_TRUE(object);
  std::string seen;
  for (const auto [name, value] : object->members()) {
    seen += std::string(name) + "=" + std::string(value.raw()) + ";";
  }
  EXPECT_EQ(seen, R"(z=[[],{}];a={"x":{"y":1}};=null;m="s";)");
}

TEST(JsonReader, AnswersNothingForAnotherKind) {
  struct Case {
    const char* text;
    JsonKind kind;
  };
  for (const auto [text, kind] :
       {Case{"null", JsonKind::kNull}, Case{"true", JsonKind::kBoolean},
        Case{"1", JsonKind::kNumber}, Case{"\"1\"", JsonKind::kString},
        Case{"[1]", JsonKind::kArray}, Case{"{\"a\":1}", JsonKind::kObject}}) {
    JsonReader reader;
    const auto value = reader.read(as_bytes(std::string_view(text)));
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->kind(), kind) << text;
    EXPECT_EQ(value->raw(), text);
    EXPECT_EQ(value->is_null(), kind == JsonKind::kNull) << text;
    EXPECT_EQ(value->boolean().has_value(), kind == JsonKind::kBoolean) << text;
    EXPECT_EQ(value->u64().has_value(), kind == JsonKind::kNumber) << text;
    EXPECT_EQ(value->i64().has_value(), kind == JsonKind::kNumber) << text;
    EXPECT_EQ(value->number().has_value(), kind == JsonKind::kNumber) << text;
    EXPECT_EQ(value->string().has_value(), kind == JsonKind::kString) << text;
    EXPECT_EQ(value->size(), kind >= JsonKind::kArray ? 1U : 0U) << text;
    EXPECT_EQ(value->elements().begin() == value->elements().end(), kind != JsonKind::kArray);
    EXPECT_EQ(value->members().begin() == value->members().end(), kind != JsonKind::kObject);
    EXPECT_EQ(value->find("a").has_value(), kind == JsonKind::kObject) << text;
  }
}

TEST(JsonReader, ReadsNumbers) {
  JsonReader reader;
  const std::string text = "[18446744073709551615,-9223372036854775808,1.5,false,1e400,-0, 0.1 ]";
  const auto array = reader.read(as_bytes(text));
  ASSERT_TRUE(array);
  const std::vector<JsonValue> values = [&] {
    std::vector<JsonValue> all;
    for (const JsonValue value : array->elements()) all.push_back(value);
    return all;
  }();
  EXPECT_EQ(values[0].u64(), 18446744073709551615U);
  EXPECT_FALSE(values[0].i64());
  EXPECT_EQ(values[1].i64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(values[1].u64());
  EXPECT_EQ(values[2].number(), 1.5);
  EXPECT_FALSE(values[2].u64());
  EXPECT_EQ(values[3].boolean(), false);
  EXPECT_FALSE(values[4].number());
  EXPECT_EQ(values[4].raw(), "1e400");
  EXPECT_FALSE(values[5].u64());
  EXPECT_TRUE(std::signbit(*values[5].number()));
  EXPECT_EQ(values[6].raw(), "0.1");
}

TEST(JsonReader, ResolvesEscapes) {
  struct Case {
    const char* text;
    std::string value;
  };
  const Case cases[] = {
      {R"("")", ""},
      {R"("plain")", "plain"},
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("\u0041b\u0063")", "Abc"},
      {R"("a\u0000b")", "a\0b"s},
      {R"("\u20AC\u20ac")", "\u20ac\u20ac"},
      {R"("\ud83d\ude00!")", "\U0001F600!"},
      {R"("\uDBFF\uDFFF")", "\U0010FFFF"},
      {R"("\\u0041")", "\\u0041"},
      {R"("\\\"")", "\\\""},
      {"\"\u20ac\U0001F600\x7f\"", "\u20ac\U0001F600\x7f"},
      {R"("\ue000\ud7ff")", "\ue000\ud7ff"},
  };
  for (const auto& [text, expected] : cases) {
    JsonReader reader;
    const auto value = reader.read(as_bytes(std::string_view(text)));
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->string(), expected) << text;
    EXPECT_EQ(value->raw(), text);
  }
}

TEST(JsonReader, KeepsUnescapedStringsApart) {
  JsonReader reader;
  const std::string text = R"({"\u0061":"1\n","b":"2\t","\u0063":["3\r","4","\u0035"]})";
  const auto value = reader.read(as_bytes(text));
  ASSERT_TRUE(value);
  EXPECT_EQ(value->find("a")->string(), "1\n");
  EXPECT_EQ(value->find("b")->string(), "2\t");
  std::string rest;
  const auto c = value->find("c");
  ASSERT_TRUE(c);
  for (const JsonValue element : c->elements()) rest += *element.string();
  EXPECT_EQ(rest, "3\r45");
}

TEST(JsonReader, AcceptsAllThatIsJson) {
  for (const char* text :
       {"null", " true ", "\t\r\nfalse\n", "0", "\"\"", "[]", "{}", "[ ]", "{ }", "[[],[]]",
        "[null,true,false,0,\"\",[],{}]", R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":2}])",
        R"(["\\","a"])", R"({"\\":"\\"})", "\"\x7f\"", R"({"a":"}"})",
        "[123456789012345678901234567890, 1E400]", "\"\u2028\"", R"({"":"" , " ":""})"}) {
    EXPECT_TRUE(accepts(text)) << text;
  }
}

TEST(JsonReader, RefusesBrokenStructure) {
  for (const char* text :
       {"", " ", "\n", "{", "}", "[", "]", ",", ":", "{]", "[}", "[1", "[1,", "[1,]", "[,1]", "[,]",
        "[1 2]", "[1,,2]", "[1:2]", "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}",
        "{,}", "{,\"a\":1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\",1}", "{\"a\"::1}", "{1:2}",
        "{null:1}", "{a:1}", "{[]:1}", "{\"a\":1}}", "[]]", "[[]", "[][]", "{}{}", "1 2",
        "null null", "[1]]", "\"a\"\"b\"", "\"a\" \"b\"", "[\"a\"\"b\"]", "{\"a\":1},", "[1],",
        "1,", ",1", "\"a", "\"", "\"a\\\"", "[\"a]", "{\"a:1}"}) {
    EXPECT_EQ(refusal(text), "the message is not JSON") << text;
  }
}

TEST(JsonReader, RefusesOtherWords) {
  for (const char* text :
       {"nul", "nulll", "Null", "TRUE", "tru", "truex", "true1", "fals", "undefined", "NaN",
        "Infinity", "-", "+1", "01", "1.", ".5", "1e", "0x1", "1a", "1\"a\"", "a", "'a'", "[tru]",
        "[1a]", "[nul,1]", "/**/1", "1//", "[1]#", "\v1", "\f1", "\xc2\xa0", "\xef\xbb\xbf{}",
        "{\"a\":nan}", "[-]", "[01]", "[1.]", "\\n", "\\\"", "[1\\]", "1\\", "[\\u0031]"}) {
    EXPECT_FALSE(accepts(text)) << text;
  }
  EXPECT_FALSE(accepts("1\0"s));
  EXPECT_FALSE(accepts("\0"s));
  EXPECT_FALSE(accepts("[1\0]"s));
  EXPECT_EQ(refusal("[tru]"), "the message holds a word or number JSON does not know");
}

TEST(JsonReader, RefusesBrokenStrings) {
  for (const char* text :
       {R"("\a")", R"("\x41")", R"("\u")", R"("\u12")", R"("\u123")", R"("\u123g")", R"("\U0041")",
        R"("\u 123")", R"("\u+123")", R"("\'")", R"("\0")"}) {
    EXPECT_EQ(refusal(text), "a JSON string holds a broken escape") << text;
  }
  for (int c = 0; c < 0x20; ++c) {
    const std::string text = std::string("[\"a") + static_cast<char>(c) + "\"]";
    EXPECT_EQ(refusal(text), "a JSON string holds a bare control character") << c;
  }
}

TEST(JsonReader, RefusesLoneSurrogates) {
  for (const char* text :
       {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")", R"("\ud800\ud800")",
        R"("\udc00\ud800")", R"("\ud800\u0041")", R"("\ud800\udbff")", R"("\ud800\ue000")",
        R"("\ud800\u")", R"("\ud800\udc0")", R"("\udfff")", R"("\ud83d\\ude00")"}) {
    EXPECT_EQ(refusal(text), "a JSON string holds a broken escape") << text;
    EXPECT_FALSE(accepts("{" + std::string(text) + ":1}")) << text;
    EXPECT_FALSE(accepts("[[[" + std::string(text) + "]]]")) << text;
  }
}

TEST(JsonReader, RefusesBytesThatAreNotUtf8) {
  for (const char* bytes : {"\x80", "\xc0\xaf", "\xc3", "\xe2\x82", "\xed\xa0\x80",
                            "\xf4\x90\x80\x80", "\xff", "\xf8\x88\x80\x80\x80", "\xe0\x80\x80"}) {
    EXPECT_EQ(refusal("\"" + std::string(bytes) + "\""), "the message is not UTF-8");
    EXPECT_EQ(refusal("{\"" + std::string(bytes) + "\":1}"), "the message is not UTF-8");
    EXPECT_FALSE(accepts("[1]" + std::string(bytes)));
  }
}

TEST(JsonReader, RefusesRepeatedKeysAtEveryLevel) {
  for (const char* text :
       {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":3})", R"({"a":1,"\u0061":2})",
        R"({"":1,"":2})", R"([{"x":{"y":1,"z":2,"y":3}}])", R"({"a\n":1,"a\u000A":2})",
        R"({"\u00e9":1,"é":2})"}) {
    EXPECT_EQ(refusal(text), "a key appears twice in one JSON object") << text;
  }
  EXPECT_TRUE(accepts(R"({"a":1,"A":2,"a ":3,"":4,"aa":5})"));
  EXPECT_TRUE(accepts(R"({"a":{"a":[{"a":1},{"a":1}]}})"));
}

TEST(JsonReader, RefusesRepeatedKeysInObjectsOfAnySize) {
  for (const int count : {2, 15, 16, 17, 18, 100, 1000}) {
    std::string members;
    for (int i = 0; i < count; ++i) {
      members += "\"key" + std::to_string(i) + "\":{\"key0\":0},";
    }
    EXPECT_TRUE(accepts("{" + members + "\"last\":0}")) << count;
    for (const int twice : {0, count / 2, count - 1}) {
      const std::string last = "\"key" + std::to_string(twice) + "\":0}";
      EXPECT_FALSE(accepts("{" + members + last)) << count << " " << twice;
    }
  }
}

TEST(JsonReader, LimitsDepth) {
  const auto nested = [](int depth, const std::string& open, const std::string& close) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "1";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_TRUE(accepts(nested(kJsonDepthMax, "[", "]")));
  EXPECT_TRUE(accepts(nested(kJsonDepthMax, "{\"a\":", "}")));
  JsonReader reader;
  for (const auto& text : {nested(kJsonDepthMax + 1, "[", "]"),
                           nested(kJsonDepthMax + 1, "{\"a\":", "}"), std::string(100'000, '['),
                           nested(kJsonDepthMax, "[", "]").replace(kJsonDepthMax, 1, "{}")}) {
    const auto value = reader.read(as_bytes(text));
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, ErrorCode::kLimit);
  }
  EXPECT_TRUE(accepts("[" + nested(kJsonDepthMax - 1, "[", "]") + ",[[]]]"));
}

TEST(JsonReader, RefusesEveryTruncation) {
  const std::string text =
      R"({"id":12,"list":[1.5e3,true,null,{"k":"v\n\ud83d\ude00"},[]],"text":"€ uro","o":{}})";
  ASSERT_TRUE(accepts(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(accepts(std::string_view(text).substr(0, size))) << size;
  }
}

// Every single byte replaced by every other: never a crash, and what is accepted can be walked.
TEST(JsonReader, SurvivesEveryChangedByte) {
  const std::string text = R"({"a":[1,-2.5e3,"x\u00e9\n"],"b":{"c":null},"d":true})";
  JsonReader reader;
  int accepted = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      std::string changed = text;
      changed[at] = static_cast<char>(c);
      const Exact message(changed);
      const auto value = reader.read(message.view());
      if (!value) continue;
      ++accepted;
      for (const auto [name, member] : value->members()) {
        EXPECT_TRUE(accepts(member.raw())) << changed;
      }
    }
  }
  EXPECT_GT(accepted, 500);
}

TEST(JsonReader, GivesRawTextThatIsJsonAtEveryLevel) {
  const std::string text = R"([ {"a" : [ 1 , {"b":"c\\"} ] , "d" : "]}" } , 2.50 , "\"" , [ ] ])";
  JsonReader reader;
  const auto value = reader.read(as_bytes(text));
  ASSERT_TRUE(value);
  std::vector<std::string_view> raws;
  for (const JsonValue element : value->elements()) raws.push_back(element.raw());
  EXPECT_THAT(raws, testing::ElementsAre(R"({"a" : [ 1 , {"b":"c\\"} ] , "d" : "]}" })", "2.50",
                                         R"("\"")", "[ ]"));
  EXPECT_EQ(value->elements().begin().operator*().find("a")->raw(), R"([ 1 , {"b":"c\\"} ])");
}

TEST(JsonReader, TellsWhereAMessageGoesWrong) {
  JsonReader reader;
  const auto fault_in = [&](std::string_view text) {
    EXPECT_FALSE(reader.read(Exact(text).view())) << text;
    return reader.fault_at();
  };
  EXPECT_EQ(fault_in(""), 0U);
  EXPECT_EQ(fault_in("  "), 2U);
  EXPECT_EQ(fault_in("[1 2]"), 3U);
  EXPECT_EQ(fault_in(R"({"a":1,})"), 7U);
  EXPECT_EQ(fault_in(R"({"a":tru})"), 5U);
  EXPECT_EQ(fault_in(R"({"a":"\x"})"), 5U);
  EXPECT_EQ(fault_in(R"([{"a":1,"a":2}])"), 1U);
  EXPECT_EQ(fault_in("[1,2"), 4U);
  EXPECT_EQ(fault_in(R"(["ab)"), 4U);
  EXPECT_EQ(fault_in("[1,\"\xff\"]"), 4U);
  EXPECT_EQ(fault_in("[\"\\\"\", \"a\nb\"]"), 9U);
  EXPECT_EQ(fault_in("[1] 2"), 4U);
  EXPECT_TRUE(reader.read(as_bytes("[]")));
}

TEST(JsonReader, IsReusable) {
  JsonReader reader;
  const std::string large = "[" + std::string(300'000, ' ') + "\"\\n\"" +
                            [] {
                              std::string more;
                              for (int i = 0; i < 50'000; ++i) more += ",{\"a\":\"\\t\"}";
                              return more;
                            }() +
                            "]";
  for (int round = 0; round < 3; ++round) {
    for (const std::size_t size : {1U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 70'000U}) {
      const std::string text = "\"" + std::string(size, 'x') + "\"";
      const auto value = reader.read(as_bytes(text));
      ASSERT_TRUE(value) << size;
      EXPECT_EQ(value->string()->size(), size);
    }
    EXPECT_FALSE(reader.read(as_bytes("[1")));
    const auto value = reader.read(as_bytes(large));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->size(), 50'001U);
  }
}

// The message ends where memory ends and begins where it begins, under each of simdjson's
// implementations this machine can run: none may look beyond it.
TEST(JsonReader, ReadsNoByteOutsideTheMessage) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* mapped = mmap(nullptr, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  auto* middle = static_cast<std::uint8_t*>(mapped) + page;
  ASSERT_EQ(mprotect(middle, page, PROT_READ | PROT_WRITE), 0);

  const auto* usual = simdjson::get_active_implementation().operator->();
  int tried = 0;
  for (const auto* implementation : simdjson::get_available_implementations()) {
    if (!implementation->supported_by_runtime_system()) continue;
    ++tried;
    simdjson::get_active_implementation() = implementation;
    JsonReader reader;
    for (std::size_t size = 2; size < 300; ++size) {
      for (const char* start : {"\"", "1", "[", "\"\\", "\"\xe2", " "}) {
        std::string text = start + std::string(size, *start == '1' ? '1' : 'x');
        if (*start == '"' && start[1] == '\0') text.back() = '"';
        for (std::uint8_t* place : {middle, middle + page - text.size()}) {
          std::memcpy(place, text.data(), text.size());
          const bool valid = (*start == '"' && start[1] == '\0') || *start == '1';
          ASSERT_EQ(reader.read({place, text.size()}).has_value(), valid) << text;
        }
      }
    }
  }
  simdjson::get_active_implementation() = usual;
  EXPECT_GE(tried, 1);
  munmap(mapped, 3 * page);
}

}  // namespace
}  // namespace anywire::codec
