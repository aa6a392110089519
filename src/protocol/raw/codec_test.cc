#include "protocol/raw/codec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "websocket/testing/peer.h"

namespace anywire::protocol::raw {
namespace {

using Frames = std::vector<std::string>;

broker::Publication publication(broker::PayloadKind kind, std::string_view payload) {
  broker::Publication one;
  one.channel = "c";
  one.offset = 1;
  one.kind = kind;
  one.payload = Buffer::copy_of(as_bytes(payload));
  return one;
}

Frames encoded(broker::PayloadKind kind, std::string_view payload) {
  return ws::server_frames(as_text(encode(publication(kind, payload))->bytes()));
}

TEST(RawCodec, SendsTextAndJsonAsTextAndBytesAsBinary) {
  EXPECT_EQ(encoded(broker::PayloadKind::kText, "t"), Frames{"text:t"});
  EXPECT_EQ(encoded(broker::PayloadKind::kJson, "1"), Frames{"text:1"});
  EXPECT_EQ(encoded(broker::PayloadKind::kBinary, "b"), Frames{"binary:b"});
}

TEST(RawCodec, WritesEveryLengthForm) {
  for (const std::size_t size : {0u, 125u, 126u, 65535u, 65536u}) {
    const std::string payload(size, 'p');
    const BufferRef frame = encode(publication(broker::PayloadKind::kBinary, payload));
    EXPECT_EQ(ws::server_frames(as_text(frame->bytes())), Frames{"binary:" + ws::shown(payload)});
  }
}

TEST(RawCodec, CompressesWithoutContext) {
  ws::CompressionPool pool(3);
  const std::string payload(2000, 'c');
  for (int i = 0; i < 2; ++i) {
    const BufferRef frame =
        encode_compressed(publication(broker::PayloadKind::kText, payload), pool);
    EXPECT_LT(frame->size(), 100u);
    EXPECT_EQ(ws::server_frames(as_text(frame->bytes())), Frames{"ztext:" + ws::shown(payload)});
  }
}

TEST(RawCodec, TakesTheRestOfThePathForTheChannel) {
  EXPECT_EQ(channel_of_path("/raw/room", 200).value(), "room");
  EXPECT_EQ(channel_of_path("/raw/a/b", 200).value(), "a/b");
  EXPECT_EQ(channel_of_path("/raw/gr\xC3\xBC", 200).value(), "gr\xC3\xBC");
}

TEST(RawCodec, RefusesNamesThatAreNone) {
  EXPECT_FALSE(channel_of_path("/raw/", 200));
  EXPECT_FALSE(channel_of_path("/raw/\xFF", 200));
  EXPECT_FALSE(channel_of_path("/raw/\xC3", 200));
  EXPECT_TRUE(channel_of_path("/raw/12345", 5));
  const auto too_long = channel_of_path("/raw/123456", 5);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace anywire::protocol::raw
