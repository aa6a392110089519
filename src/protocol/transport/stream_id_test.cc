#include "protocol/transport/stream_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace anywire::protocol {
namespace {

StreamId sample() {
  return {.secret = {1, 2, 3, 250, 251, 252, 253, 254, 255, 0, 7, 8, 9, 10, 11, 12},
          .loop = 0xfedcba98,
          .slot = {0x12345678, 0xffffffff}};
}

TEST(StreamId, ComesBackFromItsText) {
  const std::string text = to_text(sample());
  EXPECT_EQ(text.size(), 38u);
  EXPECT_EQ(parse_stream_id(text), sample());
  EXPECT_EQ(text.find_first_not_of(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
}

TEST(StreamId, HasOneTextOnly) {
  const std::string text = to_text(sample());
  EXPECT_FALSE(parse_stream_id(""));
  EXPECT_FALSE(parse_stream_id(text + "A"));
  EXPECT_FALSE(parse_stream_id(text.substr(1)));
  EXPECT_FALSE(parse_stream_id(std::string(38, '=')));
  EXPECT_FALSE(parse_stream_id(text.substr(0, 37) + "+"));
  EXPECT_FALSE(parse_stream_id(text.substr(0, 37) + "\xFF"));
  // Every text is refused or is the text of another id.
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    const auto id = parse_stream_id(other);
    if (id) {
      EXPECT_EQ(to_text(*id), other);
    }
    EXPECT_NE(id, sample());
  }
}

TEST(StreamId, ComparesSecretsWhole) {
  const StreamId::Secret secret = sample().secret;
  EXPECT_TRUE(same_secret(secret, secret));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    StreamId::Secret other = secret;
    other[i] ^= 0x80;
    EXPECT_FALSE(same_secret(secret, other)) << i;
  }
}

TEST(StreamId, MakesAnotherSecretEachTime) {
  std::set<StreamId::Secret> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(make_secret()).second);
}

}  // namespace
}  // namespace anywire::protocol
