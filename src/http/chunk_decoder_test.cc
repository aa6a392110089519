#include "http/chunk_decoder.h"

#include <gtest/gtest.h>

#include <string>

namespace anywire::http {
namespace {

using Status = ChunkDecoder::Status;

struct Decoded {
  Status status = Status::kNeedMore;
  int error_status = 0;
  std::size_t consumed = 0;
  std::string data;
  bool operator==(const Decoded&) const = default;
};

Decoded decode(std::string_view input, std::size_t step, std::uint64_t body_bytes_max = 1000) {
  ChunkDecoder decoder;
  decoder.reset(body_bytes_max);
  Decoded decoded;
  while (!input.empty()) {
    std::string_view piece = input.substr(0, step);
    input.remove_prefix(piece.size());
    do {
      const ChunkDecoder::Output out = decoder.feed(as_bytes(piece));
      decoded.status = out.status;
      decoded.error_status = out.error.status;
      if (out.status == Status::kError) return decoded;
      decoded.consumed += out.consumed;
      decoded.data += as_text(out.data);
      piece.remove_prefix(out.consumed);
      if (out.status == Status::kDone) return decoded;
    } while (!piece.empty());
  }
  return decoded;
}

TEST(ChunkDecoder, DecodesOneRunAtATime) {
  ChunkDecoder decoder;
  decoder.reset(100);
  const std::string input = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  const ChunkDecoder::Output first = decoder.feed(as_bytes(input));
  EXPECT_EQ(first.status, Status::kData);
  EXPECT_EQ(as_text(first.data), "abc");
  EXPECT_EQ(first.consumed, 6U);
}

TEST(ChunkDecoder, StopsAtTheEndOfTheBody) {
  const std::string body = "2\r\nab\r\n0\r\n\r\n";
  for (const std::size_t step : {1, 3, 100}) {
    const Decoded decoded = decode(body + "GET / HTTP/1.1", step);
    EXPECT_EQ(decoded.status, Status::kDone);
    EXPECT_EQ(decoded.consumed, body.size());
    EXPECT_EQ(decoded.data, "ab");
  }
}

TEST(ChunkDecoder, NoCutChangesTheVerdict) {
  const std::string inputs[] = {
      "a\r\n0123456789\r\n00\r\n\r\n", "1;x\r\na\r\n1;y=\"z\"\r\nb\r\n1;y=\"\\", "1\r\nab",
      "1\r\na\rX",
      "0\r\nContent-length: 1\r\n\r\n", "0\r\nA: b\r\nB:\r\n\r\n", "3e9\r\n", "3e8\r\n"};
  for (const std::string& input : inputs) {
    const Decoded whole = decode(input, input.size());
    for (const std::size_t step : {1, 2, 3, 4}) {
      const Decoded cut = decode(input, step);
      EXPECT_EQ(cut.data, whole.data) << input;
      EXPECT_EQ(cut.consumed, whole.status == Status::kError ? cut.consumed : whole.consumed);
      EXPECT_EQ(cut.status, whole.status) << input;
      EXPECT_EQ(cut.error_status, whole.error_status) << input;
    }
  }
}

TEST(ChunkDecoder, TakesSixteenDigitsAndNoMore) {
  EXPECT_EQ(decode("0000000000000001\r\na\r\n0\r\n\r\n", 100).data, "a");
  EXPECT_EQ(decode("00000000000000001\r\n", 100).error_status, 400);
}

TEST(ChunkDecoder, BelievesNoSizeBeyondTheLimit) {
  EXPECT_EQ(decode("4\r\nabcd\r\n0\r\n\r\n", 100, 4).status, Status::kDone);
  EXPECT_EQ(decode("5", 100, 4).error_status, 413);
  EXPECT_EQ(decode("2\r\nab\r\n3", 100, 4).error_status, 413);
  EXPECT_EQ(decode("ffffffffffffffff", 100, 4).error_status, 413);
  EXPECT_EQ(decode("0\r\n\r\n", 100, 0).status, Status::kDone);
  EXPECT_EQ(decode("1", 100, 0).error_status, 413);
}

TEST(ChunkDecoder, LimitsExtensionsAndTrailersTogether) {
  const std::size_t max = ChunkDecoder::kMetadataBytesMax;
  // Counted: the name with its end (the CR, or the colon) and the value.
  const std::string fits = "1;" + std::string(max - 1, 'x') + "\r\na\r\n0\r\n\r\n";
  EXPECT_EQ(decode(fits, 7).status, Status::kDone);
  EXPECT_EQ(decode("1;" + std::string(max, 'x') + "\r", 7).error_status, 431);
  EXPECT_EQ(decode("0\r\nA:" + std::string(max - 2, 'x') + "\r\n\r\n", 7).status, Status::kDone);
  EXPECT_EQ(decode("0\r\nA:" + std::string(max - 1, 'x'), 7).error_status, 431);
  EXPECT_EQ(decode("0\r\n" + std::string(max + 1, 'x'), 7).error_status, 431);
  std::string flood;
  for (std::size_t i = 0; i < max; ++i) flood += "1;a\r\nx\r\n";
  EXPECT_EQ(decode(flood, 1000, 1 << 20).error_status, 431);
}

TEST(ChunkDecoder, StartsAfreshAfterReset) {
  ChunkDecoder decoder;
  decoder.reset(1);
  EXPECT_EQ(decoder.feed(as_bytes("2")).status, Status::kError);
  decoder.reset(2);
  EXPECT_EQ(decoder.feed(as_bytes("2\r\nab")).status, Status::kData);
}

}  // namespace
}  // namespace anywire::http
