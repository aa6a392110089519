#include "protocol/api/object_reader.h"

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace anywire::protocol::api {
namespace {


constexpr std::array<std::string_view, 6> kMembers = {"channel", "data", "count", "on",
                                                      "list",    "a/b~c"};

class ObjectReaderTest : public ::testing::Test {
 protected:
  // Of the body `json`, or of a part of it that is at `pointer`.
  ObjectReader reader(std::string_view json, std::string pointer = {}) {
    text = json;
    const auto value = reading.read(as_bytes(text));
    EXPECT_TRUE(value) << json;
    return ObjectReader(*value, kMembers, std::move(pointer));
  }
  // "CODE at PATH: text", or "none".
  static std::string fault(const ObjectReader& in) {
    if (!in.problem()) return "none";
    const Problem& problem = *in.problem();
    return std::string(name(problem.code).name) + " at " + problem.path + ": " + problem.message;
  }
  template <typename Ask>
  std::string fault_of(std::string_view json, Ask&& ask) {
    ObjectReader in = reader(json);
    ask(in);
    return fault(in);
  }

  codec::JsonReader reading;
  std::string text;
};

// ---- The object ----

TEST(PointerTo, EscapesAsJsonPointersDo) {
  EXPECT_EQ(pointer_to("", "a"), "/a");
  EXPECT_EQ(pointer_to("/list/3", "a"), "/list/3/a");
  EXPECT_EQ(pointer_to("", ""), "/");
  EXPECT_EQ(pointer_to("", "a/b~c"), "/a~1b~0c");
  EXPECT_EQ(pointer_to("", "~1"), "/~01");
  EXPECT_EQ(pointer_to("/a~1b", "c"), "/a~1b/c") << "the parent is one already";
}

TEST_F(ObjectReaderTest, IsContentWithAnObjectOfKnownMembers) {
  EXPECT_EQ(fault(reader("{}")), "none");
  EXPECT_EQ(fault(reader(R"({"channel":"a","a/b~c":1})")), "none");
}

TEST_F(ObjectReaderTest, RefusesWhatIsNoObject) {
  for (const char* json : {"[]", "null", "7", "\"channel\"", "true"}) {
    EXPECT_EQ(fault(reader(json)), "bad_request at : this must be an object") << json;
  }
  EXPECT_EQ(fault(reader("7", "/publications/3")),
            "bad_request at /publications/3: this must be an object");
}

TEST_F(ObjectReaderTest, CanBeAskedThoughThereIsNoObject) {
  ObjectReader in = reader("[1]");
  EXPECT_FALSE(in.has("channel"));
  EXPECT_EQ(in.required_text("channel", 10), "");
  EXPECT_EQ(in.number("count", 1, 5), std::nullopt);
  EXPECT_TRUE(in.boolean("on", true));
  EXPECT_FALSE(in.json("data"));
  EXPECT_FALSE(in.array("list", 5));
  EXPECT_EQ(fault(in), "bad_request at : this must be an object") << "the first fault stays";
}

TEST_F(ObjectReaderTest, RefusesAMemberThatItDoesNotKnow) {
  EXPECT_EQ(fault(reader(R"({"chanel":"a"})")),
            "bad_request at /chanel: unknown member \"chanel\"; did you mean \"channel\"?");
  EXPECT_EQ(fault(reader(R"({"data":1,"Channel":"a"})", "/x")),
            "bad_request at /x/Channel: unknown member \"Channel\"; did you mean \"channel\"?");
  EXPECT_EQ(fault(reader(R"({"something/else":1})")),
            "bad_request at /something~1else: unknown member \"something/else\"");
}

// It is somebody else's text, of any length, and may end up in a log.
TEST_F(ObjectReaderTest, RepeatsOnlyTheBeginningOfALongName) {
  const std::string exact(64, 'x');
  EXPECT_EQ(fault(reader("{\"" + exact + "\":1}")),
            "bad_request at /" + exact + ": unknown member \"" + exact + "\"");
  EXPECT_EQ(fault(reader("{\"" + exact + "y\":1}")),
            "bad_request at /" + exact + "...: unknown member \"" + exact + "...\"");
  // Not in the middle of a character: 63 letters, and one of three bytes.
  const std::string cut(63, 'x');
  EXPECT_EQ(fault(reader("{\"" + cut + "€€\":1}")),
            "bad_request at /" + cut + "...: unknown member \"" + cut + "...\"");
}

TEST(UnknownName, SaysWhatItIsANameOf) {
  const std::array<std::string_view, 2> known = {"limit", "after"};
  EXPECT_EQ(unknown_name("parameter", "limt", known).message,
            "unknown parameter \"limt\"; did you mean \"limit\"?");
  EXPECT_EQ(unknown_name("parameter", "zzz", known).message, "unknown parameter \"zzz\"");
  EXPECT_EQ(unknown_name("parameter", "zzz", known).code, Code::kBadRequest);
}

// ---- Texts ----

TEST_F(ObjectReaderTest, ReadsATextUpToItsLimitInBytes) {
  ObjectReader in = reader(R"({"channel":"a\u00e9b"})");
  EXPECT_EQ(in.text("channel", 4), "aéb");
  EXPECT_EQ(in.required_text("channel", 4), "aéb");
  EXPECT_EQ(fault(in), "none");
  EXPECT_EQ(in.text("channel", 3), "") << "é has two bytes";
  EXPECT_EQ(fault(in), "too_large at /channel: \"channel\" has at most 3 bytes");
}

TEST_F(ObjectReaderTest, TakesNoTextForAnEmptyOneUnlessItIsRequired) {
  ObjectReader in = reader(R"({"data":""})");
  EXPECT_EQ(in.text("channel", 9), "");
  EXPECT_EQ(in.text("data", 9), "");
  EXPECT_EQ(fault(in), "none");
  EXPECT_EQ(fault_of("{}", [](ObjectReader& asked) { asked.required_text("channel", 9); }),
            "bad_request at : \"channel\" is missing");
  EXPECT_EQ(fault_of(R"({"channel":""})",
                     [](ObjectReader& asked) { asked.required_text("channel", 9); }),
            "bad_request at /channel: \"channel\" is empty");
}

TEST_F(ObjectReaderTest, RefusesWhatIsNoText) {
  for (const char* json : {"7", "null", "[\"a\"]", "{}", "true"}) {
    const std::string body = std::string(R"({"channel":)") + json + "}";
    const std::string refused = "bad_request at /channel: \"channel\" must be a string";
    EXPECT_EQ(fault_of(body, [](ObjectReader& in) { in.text("channel", 9); }), refused) << json;
    EXPECT_EQ(fault_of(body, [](ObjectReader& in) { in.required_text("channel", 9); }), refused)
        << json;
  }
}

// ---- Other kinds ----

TEST_F(ObjectReaderTest, ReadsTrueAndFalseAndWhatIsSoUnsaid) {
  EXPECT_TRUE(reader(R"({"on":true})").boolean("on", false));
  EXPECT_FALSE(reader(R"({"on":false})").boolean("on", true));
  EXPECT_TRUE(reader("{}").boolean("on", true));
  EXPECT_FALSE(reader("{}").boolean("on", false));
  for (const char* json : {"1", "\"true\"", "null"}) {
    ObjectReader in = reader(std::string(R"({"on":)") + json + "}");
    EXPECT_TRUE(in.boolean("on", true));
    EXPECT_EQ(fault(in), "bad_request at /on: \"on\" must be true or false") << json;
  }
}

TEST_F(ObjectReaderTest, ReadsWholeNumbersWithinTheirBounds) {
  const auto read = [&](std::string_view json) {
    ObjectReader in = reader(R"({"count":)" + std::string(json) + "}");
    const auto number = in.number("count", 2, 1000);
    EXPECT_EQ(number.has_value(), !in.problem()) << json;
    return number ? std::to_string(*number) : fault(in);
  };
  EXPECT_EQ(read("2"), "2");
  EXPECT_EQ(read("1000"), "1000");
  const std::string refused =
      "bad_request at /count: \"count\" must be a whole number from 2 to 1000";
  for (const char* json : {"1", "0", "1001", "-3", "2.5", "2e1", "\"5\"", "null", "true",
                           "18446744073709551617"}) {
    EXPECT_EQ(read(json), refused) << json;
  }
  EXPECT_EQ(reader("{}").number("count", 2, 1000), std::nullopt);
}

TEST_F(ObjectReaderTest, HandsOutJsonAsItWasWritten) {
  ObjectReader in = reader(R"({ "data" : {"a": [1, 2.50e1 ]} , "on":null})");
  EXPECT_EQ(in.json("data"), R"({"a": [1, 2.50e1 ]})");
  EXPECT_EQ(in.json("on"), "null") << "which is a value";
  EXPECT_FALSE(in.json("list"));
  EXPECT_EQ(in.find("data")->kind(), codec::JsonKind::kObject);
  EXPECT_TRUE(in.has("on"));
}

TEST_F(ObjectReaderTest, ReadsListsThatAreNeitherEmptyNorTooLong) {
  EXPECT_EQ(reader(R"({"list":[1,2,3]})").array("list", 3)->size(), 3u);
  EXPECT_FALSE(reader("{}").array("list", 3));
  const auto refusal = [&](std::string_view json) {
    return fault_of(R"({"list":)" + std::string(json) + "}",
                    [](ObjectReader& in) { EXPECT_FALSE(in.array("list", 3)); });
  };
  const std::string shape = "bad_request at /list: \"list\" must be an array with an entry";
  for (const char* json : {"[]", "{}", "{\"0\":1}", "\"abc\"", "1", "null"}) {
    EXPECT_EQ(refusal(json), shape) << json;
  }
  EXPECT_EQ(refusal("[1,2,3,4]"), "too_large at /list: \"list\" has at most 3 entries");
}

// ---- Faults ----

TEST_F(ObjectReaderTest, KeepsTheFirstFaultAndItsPlace) {
  ObjectReader in = reader(R"({"count":0,"on":1,"a/b~c":7})", "/publications/3");
  EXPECT_EQ(in.pointer(), "/publications/3");
  in.text("a/b~c", 9);
  in.number("count", 1, 5);
  in.boolean("on", true);
  in.refuse("list", Code::kTooLarge, "too long");
  in.refuse(Problem{.code = Code::kForbidden, .message = "no"});
  EXPECT_EQ(fault(in), "bad_request at /publications/3/a~1b~0c: \"a/b~c\" must be a string");
}

TEST_F(ObjectReaderTest, TakesRefusalsOfItsCallersOwn) {
  EXPECT_EQ(fault_of("{}", [](ObjectReader& in) { in.refuse("list", Code::kTooLarge, "no"); }),
            "too_large at /list: no");
  EXPECT_EQ(fault_of("{}",
                     [](ObjectReader& in) {
                       in.refuse({.code = Code::kBadChannel, .message = "no", .path = "/x"});
                     }),
            "bad_channel at /x: no");
}

}  // namespace
}  // namespace anywire::protocol::api
