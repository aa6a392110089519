#include "http/request.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::http {
namespace {

TEST(Request, ComparesNamesWithoutCase) {
  EXPECT_TRUE(equals_ignore_case("Sec-WebSocket-Key", "sec-websocket-KEY"));
  EXPECT_TRUE(equals_ignore_case("", ""));
  EXPECT_FALSE(equals_ignore_case("a", "ab"));
  // Only letters have two cases: '[' and '{', '@' and '`' differ by the same bit.
  EXPECT_FALSE(equals_ignore_case("[", "{"));
  EXPECT_FALSE(equals_ignore_case("@", "`"));
  EXPECT_FALSE(equals_ignore_case("\xc0", "\xe0"));
}

TEST(Request, TrimsSpacesAndTabsOnly) {
  EXPECT_EQ(trim_whitespace(" \t a b\t "), "a b");
  EXPECT_EQ(trim_whitespace(" \t "), "");
  EXPECT_EQ(trim_whitespace("\va\r"), "\va\r");
}

TEST(Request, TakesListsApart) {
  std::string_view rest = "a , b,,\tc d,";
  EXPECT_EQ(next_list_member(rest), "a");
  EXPECT_EQ(next_list_member(rest), "b");
  EXPECT_EQ(next_list_member(rest), "");
  EXPECT_EQ(next_list_member(rest), "c d");
  EXPECT_TRUE(rest.empty());
}

TEST(Request, FindsWholeTokensInLists) {
  EXPECT_TRUE(list_has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(list_has_token("upgrade", "upgrade"));
  EXPECT_TRUE(list_has_token(",,upgrade\t,", "upgrade"));
  EXPECT_FALSE(list_has_token("upgrades, xupgrade, up grade", "upgrade"));
  EXPECT_FALSE(list_has_token("", "upgrade"));
  EXPECT_FALSE(list_has_token("upgrade;q=1", "upgrade"));
}

TEST(Request, KnowsTokensAndFieldValues) {
  EXPECT_TRUE(is_token("chat.v1+json"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a,b"));
  EXPECT_FALSE(is_token("a\r\nb"));
  EXPECT_FALSE(is_token("\xc3\xa9"));
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value("a\tb \xff"));
  EXPECT_FALSE(is_field_value("a\rb"));
  EXPECT_FALSE(is_field_value("a\nb"));
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_field_value("\x7f"));
}

TEST(RequestHead, FindsTheFirstOfSeveralHeaders) {
  RequestHead head;
  head.headers = {{"A", "1"}, {"a", "2"}, {"B", ""}};
  EXPECT_EQ(head.header("a"), "1");
  EXPECT_NE(head.find("b"), nullptr);
  EXPECT_EQ(head.find("c"), nullptr);
  EXPECT_EQ(head.header("c"), "");
}

TEST(RequestHead, ReadsSeveralLinesAsOneList) {
  RequestHead head;
  head.headers = {{"Connection", "keep-alive"}, {"X", "upgrade"}, {"connection", "Upgrade"}};
  EXPECT_TRUE(head.has_token("Connection", "upgrade"));
  EXPECT_FALSE(head.has_token("Connection", "close"));
  EXPECT_FALSE(head.has_token("Upgrade", "upgrade"));
}

TEST(RequestHead, ForgetsEverythingButItsMemory) {
  RequestHead head;
  head.headers.assign(20, {"A", "1"});
  head.chunked = true;
  head.path = "/x";
  head.clear();
  EXPECT_TRUE(head.headers.empty());
  EXPECT_GE(head.headers.capacity(), 20U);
  EXPECT_FALSE(head.has_body());
  EXPECT_TRUE(head.path.empty());
}

}  // namespace
}  // namespace anywire::http
