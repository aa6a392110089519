#include "websocket/compression_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "websocket/testing/peer.h"

namespace anywire::ws {
namespace {

using Frames = std::vector<std::string>;

TEST(CompressionPool, LendsInflatersThatRememberNothing) {
  CompressionPool pool(3);
  Deflater client({.keep_context = true});
  const std::string text(300, 'q');
  const std::string first = deflated(client, text);
  const std::string second = deflated(client, text);
  std::unique_ptr<Inflater> inflater = pool.take_inflater();
  std::vector<std::uint8_t> out;
  ASSERT_EQ(inflater->inflate(as_bytes(first), true, 1000, out), InflateStatus::kOk);
  const Inflater* const same = inflater.get();
  pool.give_back(std::move(inflater));
  inflater = pool.take_inflater();
  EXPECT_EQ(inflater.get(), same) << "kept for the next";
  out.clear();
  EXPECT_EQ(inflater->inflate(as_bytes(second), true, 1000, out), InflateStatus::kInvalid);
}

TEST(CompressionPool, LendsAFailedInflaterAgain) {
  CompressionPool pool(3);
  std::unique_ptr<Inflater> inflater = pool.take_inflater();
  std::vector<std::uint8_t> out;
  ASSERT_NE(inflater->inflate(as_bytes("\x07garbage"), true, 1000, out), InflateStatus::kOk);
  pool.give_back(std::move(inflater));
  Deflater client({.keep_context = false});
  out.clear();
  EXPECT_EQ(pool.take_inflater()->inflate(as_bytes(deflated(client, "fine")), true, 1000, out),
            InflateStatus::kOk);
  EXPECT_EQ(as_text(out), "fine");
}

TEST(CompressionPool, LendsAsManyAsAreAskedFor) {
  CompressionPool pool(3);
  std::vector<std::unique_ptr<Inflater>> lent;
  for (int i = 0; i < 20; ++i) lent.push_back(pool.take_inflater());
  for (auto& inflater : lent) {
    ASSERT_NE(inflater, nullptr);
    pool.give_back(std::move(inflater));
  }
}

TEST(CompressionPool, EncodesSharedFramesAnybodyCanReadAlone) {
  CompressionPool pool(3);
  const std::string text(500, 's');
  for (const std::uint8_t bits : {9, 12, 15}) {
    const BufferRef one = pool.encode_shared(Opcode::kText, as_bytes(text), bits);
    const BufferRef two = pool.encode_shared(Opcode::kText, as_bytes(text), bits);
    EXPECT_EQ(as_text(one->bytes()), as_text(two->bytes())) << "no context between them";
    EXPECT_EQ(server_frames(as_text(two->bytes())), Frames{"ztext:" + shown(text)});
  }
}

TEST(CompressionPool, KeepsContextForADeflaterOfItsOwn) {
  CompressionPool pool(3);
  const auto deflater = pool.make_deflater(15);
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(i * 7919);
  const BufferRef one = pool.encode(*deflater, Opcode::kBinary, as_bytes(text));
  const BufferRef two = pool.encode(*deflater, Opcode::kBinary, as_bytes(text));
  EXPECT_LT(two->size(), one->size() / 2);
  EXPECT_EQ(server_frames(std::string(as_text(one->bytes())).append(as_text(two->bytes())), false),
            (Frames{"zbinary:" + shown(text), "zbinary:" + shown(text)}));
}

TEST(CompressionPool, EncodesEmptyAndHugeMessages) {
  CompressionPool pool(3);
  EXPECT_EQ(server_frames(as_text(pool.encode_shared(Opcode::kText, {})->bytes())),
            Frames{"ztext:"});
  std::string noise(3 * 1024 * 1024, ' ');
  std::uint32_t state = 5;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  const BufferRef frame = pool.encode_shared(Opcode::kBinary, as_bytes(noise));
  EXPECT_EQ(server_frames(as_text(frame->bytes())), Frames{"zbinary:" + shown(noise)});
}

}  // namespace
}  // namespace anywire::ws
