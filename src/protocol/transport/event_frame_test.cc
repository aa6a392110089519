#include "protocol/transport/event_frame.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anywire::protocol {
namespace {

using ::testing::ElementsAre;

std::string encoded(std::string_view json) {
  return std::string(as_text(encode_event(json)->bytes()));
}

std::vector<std::string> decoded(std::string_view events) {
  std::vector<std::string> all;
  while (!events.empty()) all.emplace_back(next_event(events));
  return all;
}

TEST(EventFrame, IsOneLineOfData) {
  EXPECT_EQ(encoded(R"({"a":1})"), "data: {\"a\":1}\n\n");
  EXPECT_EQ(encoded("\"\xE2\x80\xA8\""), "data: \"\xE2\x80\xA8\"\n\n")
      << "U+2028 ends no line here";
}

TEST(EventFrame, KeepsLineBreaksBetweenTokensFromEndingTheLine) {
  EXPECT_EQ(encoded("{\r\n\t\"a\":\n1}\n\n"), "data: {  \t\"a\": 1}  \n\n");
  EXPECT_EQ(encoded("[1,\n\nevent: close\ndata: {}]"), "data: [1,  event: close data: {}]\n\n");
}

TEST(EventFrame, GivesBackWhatWentIn) {
  EXPECT_THAT(decoded(encoded("[1]")), ElementsAre("[1]"));
  EXPECT_THAT(decoded(encoded("[1]") + encoded("\"data: \"") + encoded("3")),
              ElementsAre("[1]", "\"data: \"", "3"));
  EXPECT_THAT(decoded(encoded("{\n}")), ElementsAre("{ }"));
}

}  // namespace
}  // namespace anywire::protocol
