// Clients that subscribe and publish, and what they should hear. Only tests include it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "protocol/native/testing/native_fixture.h"

namespace anywire::protocol::native {

class ChannelsTest : public NativeTest {
 protected:
  void subscribe(TestClient& client, std::string_view channel, std::string_view more = "") {
    client.say(R"({"type":"subscribe","id":2,"channel":")" + std::string(channel) + "\"" +
               std::string(more) + "}");
    settle();
    EXPECT_THAT(client.heard(),
                ::testing::ElementsAre(::testing::HasSubstr(R"({"type":"subscribed","id":2)")));
  }
  void publish(TestClient& client, std::string_view channel, std::string_view text,
               std::string_view more = "") {
    client.say(R"({"type":"publish","channel":")" + std::string(channel) + R"(","text":")" +
               std::string(text) + "\"" + std::string(more) + "}");
    settle();
  }
  static std::string since(std::string_view epoch, int offset) {
    return R"(,"since":{"epoch":")" + std::string(epoch) + R"(","offset":)" +
           std::to_string(offset) + "}";
  }
  static auto message(std::string_view channel, int offset, std::string_view text) {
    using ::testing::HasSubstr;
    using ::testing::StartsWith;
    return ::testing::AllOf(StartsWith(R"({"type":"message","channel":")" + std::string(channel) +
                                       R"(","offset":)" + std::to_string(offset) + ","),
                            HasSubstr(R"("text":")" + std::string(text) + R"("})"));
  }
  static std::string advance(std::string_view channel, int offset) {
    return R"({"type":"advance","channel":")" + std::string(channel) + R"(","offset":)" +
           std::to_string(offset) + "}";
  }
};

}  // namespace anywire::protocol::native
