#include "websocket/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace anywire::ws {
namespace {

using Wire = std::vector<std::uint8_t>;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

std::string text_of(const Wire& bytes) { return {bytes.begin(), bytes.end()}; }

Wire joined(std::initializer_list<Wire> parts) {
  Wire all;
  for (const Wire& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

struct Inflated {
  InflateStatus status;
  std::string text;
};

Inflated inflate_with(Inflater& inflater, Bytes payload, std::size_t limit = kNoLimit) {
  Wire out;
  const InflateStatus status = inflater.inflate(payload, true, limit, out);
  return {status, text_of(out)};
}

Inflated inflate_fresh(Bytes payload, std::size_t limit = kNoLimit) {
  Inflater inflater;
  return inflate_with(inflater, payload, limit);
}

// Raw deflate straight from zlib, the other side of the differential tests. `dictionary` is what
// the window holds when the data begins.
Wire zlib_deflate(std::string_view text, int flush, int window_bits = 15, int level = 6,
                  std::string_view dictionary = {}) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  if (!dictionary.empty()) {
    deflateSetDictionary(&stream, as_bytes(dictionary).data(),
                         static_cast<uInt>(dictionary.size()));
  }
  Wire out(deflateBound(&stream, text.size()) + 64);
  Wire input(text.begin(), text.end());
  stream.next_in = input.data();
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, flush);
  EXPECT_GT(stream.avail_out, 0U);
  deflateEnd(&stream);
  return {out.data(), stream.next_out};
}

Wire without_tail(Wire deflated) {
  EXPECT_GE(deflated.size(), 4U);
  deflated.erase(deflated.end() - 4, deflated.end());
  return deflated;
}

// A peer that inflates with zlib alone, keeping its window, and checks every byte is used.
class ZlibReader {
 public:
  explicit ZlibReader(int window_bits) { EXPECT_EQ(inflateInit2(&stream_, -window_bits), Z_OK); }
  ~ZlibReader() { inflateEnd(&stream_); }
  ZlibReader(const ZlibReader&) = delete;
  ZlibReader& operator=(const ZlibReader&) = delete;

  std::string read(Wire payload) {
    payload.insert(payload.end(), {0, 0, 0xFF, 0xFF});
    stream_.next_in = payload.data();
    stream_.avail_in = static_cast<uInt>(payload.size());
    std::string text;
    char step[4096];
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(step);
      stream_.avail_out = sizeof step;
      const int code = inflate(&stream_, Z_SYNC_FLUSH);
      EXPECT_TRUE(code == Z_OK || code == Z_BUF_ERROR) << code;
      text.append(step, sizeof step - stream_.avail_out);
    } while (stream_.avail_out == 0);
    EXPECT_EQ(stream_.avail_in, 0U);
    return text;
  }

 private:
  z_stream stream_{};
};

// Text that refers back to itself over all distances, so that a window too small shows.
std::vector<std::string> sample_messages(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string pool(40000, '\0');
  for (char& c : pool) c = static_cast<char>(random());
  std::vector<std::string> messages = {"", "a", "Hello", "Hello", std::string(70000, 'z'), ""};
  for (int i = 0; i < 12; ++i) {
    std::string message;
    const std::size_t size = random() % 50000;
    while (message.size() < size) {
      message += pool.substr(random() % pool.size(), 1 + random() % 300);
    }
    messages.push_back(std::move(message));
  }
  return messages;
}

TEST(Inflater, ReadsTheExamplesOfTheRfc) {
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  EXPECT_EQ(inflate_fresh(hello).text, "Hello");
  const Wire stored = {0x00, 0x05, 0x00, 0xFA, 0xFF, 'H', 'e', 'l', 'l', 'o', 0x00};
  EXPECT_EQ(inflate_fresh(stored).text, "Hello");
  const Wire final_block = {0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00};
  EXPECT_EQ(inflate_fresh(final_block).text, "Hello");
  const Wire two_blocks = {0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF,
                           0xCA, 0xC9, 0xC9, 0x07, 0x00};
  EXPECT_EQ(inflate_fresh(two_blocks).text, "Hello");

  Inflater kept;
  EXPECT_EQ(inflate_with(kept, hello).text, "Hello");
  EXPECT_EQ(inflate_with(kept, Wire{0xF2, 0x00, 0x11, 0x00, 0x00}).text, "Hello");
}

TEST(Inflater, ReadsWhatZlibWritesAtEverySplit) {
  const std::string text = "to be, or not to be, that is the question; or is it not to be?";
  for (const int level : {0, 1, 6, 9}) {
    const Wire payload = without_tail(zlib_deflate(text, Z_SYNC_FLUSH, 15, level));
    for (std::size_t split = 0; split <= payload.size(); ++split) {
      Inflater inflater;
      Wire out;
      ASSERT_EQ(inflater.inflate(Bytes(payload).first(split), false, kNoLimit, out),
                InflateStatus::kOk);
      ASSERT_EQ(inflater.inflate(Bytes(payload).subspan(split), true, kNoLimit, out),
                InflateStatus::kOk);
      ASSERT_EQ(text_of(out), text);
    }
  }
}

TEST(Inflater, RefusesEveryMessageThatIsCutShort) {
  const std::string text = "to be, or not to be, that is the question; or is it not to be?";
  std::string varied;
  for (int i = 0; i < 400; ++i) varied += static_cast<char>('a' + i * i % 23);
  for (const std::string& message : {text, varied}) {
    for (const int level : {0, 1, 6, 9}) {
      const Wire payload = without_tail(zlib_deflate(message, Z_SYNC_FLUSH, 15, level));
      // The first byte of a stored block alone, 00, is a whole message: the empty one.
      for (std::size_t size = level == 0 ? 2 : 1; size < payload.size(); ++size) {
        EXPECT_EQ(inflate_fresh(Bytes(payload).first(size)).status, InflateStatus::kInvalid)
            << "level " << level << " cut to " << size;
      }
    }
  }
}

TEST(Inflater, RefusesWhatDoesNotEndWhereTheTailBelongs) {
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  struct Case {
    std::string_view name;
    Wire payload;
  };
  const Case cases[] = {
      {"reserved block type", {0x07}},
      {"tail left in place", joined({hello, {0x00, 0x00, 0xFF, 0xFF}})},
      {"half of the tail left in place", joined({hello, {0x00, 0x00}})},
      {"stored block whose data would be the tail", {0x00, 0x04, 0x00, 0xFB, 0xFF}},
      {"stored block one byte short", {0x00, 0x02, 0x00, 0xFD, 0xFF, 'a'}},
      {"stored block with wrong check", {0x00, 0x01, 0x00, 0x00, 0x00, 'a', 0x00}},
      {"final block without the next block's header", {0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}},
      {"distance before the beginning", {0xF2, 0x00, 0x11, 0x00, 0x00}},
      {"zlib wrapper", {0x78, 0x9C, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(inflate_fresh(test.payload).status, InflateStatus::kInvalid) << test.name;
  }
}

TEST(Inflater, GivesNoRoomToOutputThatOnlyTheTailProduces) {
  Inflater inflater;
  Wire out;
  EXPECT_EQ(inflater.inflate(Wire{0x00, 0x04, 0x00, 0xFB, 0xFF}, true, kNoLimit, out),
            InflateStatus::kInvalid);
  EXPECT_EQ(out.size(), 0U);
  EXPECT_EQ(out.capacity(), 0U);
}

TEST(Inflater, TakesAnEmptyPayloadForTheEmptyMessage) {
  Inflater inflater;
  EXPECT_EQ(inflate_with(inflater, Wire{0x00}).status, InflateStatus::kOk);
  EXPECT_EQ(inflate_with(inflater, {}).status, InflateStatus::kOk);
  EXPECT_EQ(inflate_with(inflater, {}).text, "");
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  EXPECT_EQ(inflate_with(inflater, hello).text, "Hello");
}

TEST(Inflater, TakesAnEmptyLastFragment) {
  Inflater inflater;
  Wire out;
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  EXPECT_EQ(inflater.inflate(hello, false, kNoLimit, out), InflateStatus::kOk);
  EXPECT_EQ(inflater.inflate({}, false, kNoLimit, out), InflateStatus::kOk);
  EXPECT_EQ(inflater.inflate({}, true, kNoLimit, out), InflateStatus::kOk);
  EXPECT_EQ(text_of(out), "Hello");
}

TEST(Inflater, KeepsTheWindowAcrossFinalBlocks) {
  const std::string first = "a sentence that is worth referring to, and ";
  const std::string second = "a sentence that is worth referring to";
  const Wire first_block = zlib_deflate(first, Z_FINISH);
  const Wire second_block = zlib_deflate(second, Z_FINISH, 15, 6, first);
  ASSERT_LT(second_block.size(), 12U) << "does not refer back";

  const Wire message = joined({first_block, second_block, {0x00}});
  EXPECT_EQ(inflate_fresh(message).text, first + second);

  Inflater kept;
  EXPECT_EQ(inflate_with(kept, joined({first_block, {0x00}})).text, first);
  EXPECT_EQ(inflate_with(kept, joined({second_block, {0x00}})).text, second);
}

TEST(Inflater, AcceptsAMessageWhoseEmptyLastBlockIsFinal) {
  Inflater inflater;
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  EXPECT_EQ(inflate_with(inflater, Wire{0x01}).status, InflateStatus::kOk);
  EXPECT_EQ(inflate_with(inflater, hello).text, "Hello");
}

TEST(Inflater, ReadsAMillionFinalBlocksInLinearTime) {
  Wire message;
  for (int i = 0; i < 1'000'000; ++i) message.insert(message.end(), {0x03, 0x00});
  message.push_back(0x00);
  EXPECT_EQ(inflate_fresh(message).status, InflateStatus::kOk);
}

TEST(Inflater, RefusesABombWithoutGrowingBeyondTheLimit) {
  constexpr std::size_t kLimit = 1'000'000;
  const Wire bomb = without_tail(zlib_deflate(std::string(64 << 20, '\0'), Z_SYNC_FLUSH, 15, 9));
  ASSERT_LT(bomb.size(), 100'000U);
  Inflater inflater;
  Wire out;
  EXPECT_EQ(inflater.inflate(bomb, true, kLimit, out), InflateStatus::kTooBig);
  EXPECT_LE(out.size(), kLimit);
  EXPECT_LE(out.capacity(), kLimit);
}

TEST(Inflater, RefusesABombSpreadOverFragments) {
  constexpr std::size_t kLimit = 1'000'000;
  const Wire bomb = without_tail(zlib_deflate(std::string(4 << 20, '\0'), Z_SYNC_FLUSH, 15, 9));
  Inflater inflater;
  Wire out;
  InflateStatus status = InflateStatus::kOk;
  for (std::size_t at = 0; at < bomb.size() && status == InflateStatus::kOk; ++at) {
    status = inflater.inflate(Bytes(bomb).subspan(at, 1), false, kLimit, out);
    ASSERT_LE(out.capacity(), kLimit);
  }
  EXPECT_EQ(status, InflateStatus::kTooBig);
}

TEST(Inflater, AcceptsAMessageOfExactlyTheLimitAndNoByteMore) {
  for (const std::size_t size : {1, 100, 16383, 16384, 16385, 65536}) {
    const Wire payload = without_tail(zlib_deflate(std::string(size, 'x'), Z_SYNC_FLUSH));
    EXPECT_EQ(inflate_fresh(payload, size).status, InflateStatus::kOk);
    EXPECT_EQ(inflate_fresh(payload, size - 1).status, InflateStatus::kTooBig);
  }
  EXPECT_EQ(inflate_fresh(Wire{0x00}, 0).status, InflateStatus::kOk);
}

TEST(Inflater, CountsWhatTheMessageAlreadyHolds) {
  Inflater inflater;
  Wire out(96, 'x');
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  EXPECT_EQ(inflater.inflate(hello, true, 100, out), InflateStatus::kTooBig);
  inflater.reset();
  EXPECT_EQ(inflater.inflate(hello, true, 101, out), InflateStatus::kOk);
  EXPECT_EQ(out.size(), 101U);
}

TEST(Inflater, RepeatsItsFailureUntilReset) {
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  Inflater inflater;
  EXPECT_EQ(inflate_with(inflater, Wire{0x07}).status, InflateStatus::kInvalid);
  EXPECT_EQ(inflate_with(inflater, hello).status, InflateStatus::kInvalid);
  inflater.reset();
  EXPECT_EQ(inflate_with(inflater, hello).text, "Hello");
}

TEST(Inflater, ForgetsTheWindowOnReset) {
  Inflater inflater;
  EXPECT_EQ(inflate_with(inflater, Wire{0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}).text, "Hello");
  inflater.reset();
  EXPECT_EQ(inflate_with(inflater, Wire{0xF2, 0x00, 0x11, 0x00, 0x00}).status,
            InflateStatus::kInvalid);
}

TEST(Inflater, RefusesDistancesBeyondTheAgreedWindow) {
  std::mt19937 random(3);
  std::string text(3000, '\0');
  for (char& c : text) c = static_cast<char>(random());
  text += text;
  const Wire payload = without_tail(zlib_deflate(text, Z_SYNC_FLUSH, 15));
  for (int bits = 8; bits <= 15; ++bits) {
    Inflater inflater(static_cast<std::uint8_t>(bits));
    const InflateStatus expected = bits < 12 ? InflateStatus::kInvalid : InflateStatus::kOk;
    // In pieces, since distances within one call's output are not limited by the window.
    Wire out;
    InflateStatus status = InflateStatus::kOk;
    for (std::size_t at = 0; at < payload.size() && status == InflateStatus::kOk; at += 100) {
      const Bytes rest = Bytes(payload).subspan(at);
      const Bytes piece = rest.first(std::min<std::size_t>(100, rest.size()));
      status = inflater.inflate(piece, piece.size() == rest.size(), kNoLimit, out);
    }
    EXPECT_EQ(status, expected) << bits;
  }
}

TEST(Deflater, WritesTheExamplesOfTheRfc) {
  Deflater deflater({});
  Wire first;
  Wire second;
  EXPECT_TRUE(deflater.deflate(as_bytes("Hello"), first));
  EXPECT_TRUE(deflater.deflate(as_bytes("Hello"), second));
  EXPECT_EQ(first, (Wire{0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}));
  EXPECT_EQ(second, (Wire{0xF2, 0x00, 0x11, 0x00, 0x00}));
}

TEST(Deflater, WritesTheEmptyMessageAsOneZeroByteHoweverOften) {
  Deflater deflater({});
  ZlibReader reader(15);
  for (int i = 0; i < 3; ++i) {
    Wire out;
    EXPECT_TRUE(deflater.deflate({}, out));
    EXPECT_EQ(out, Wire{0x00});
    EXPECT_EQ(reader.read(out), "");
  }
}

TEST(Deflater, AppendsBehindWhatIsThere) {
  Deflater deflater({});
  Wire out = {1, 2, 3};
  EXPECT_TRUE(deflater.deflate(as_bytes("Hello"), out));
  EXPECT_EQ(out, (Wire{1, 2, 3, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}));
}

TEST(Deflater, IsReadByZlibWithEveryWindowAndContext) {
  const std::vector<std::string> messages = sample_messages(1);
  for (int bits = 9; bits <= 15; ++bits) {
    for (const bool keep : {true, false}) {
      Deflater deflater({.level = bits % 9 + 1,
                         .window_bits = static_cast<std::uint8_t>(bits),
                         .keep_context = keep});
      ZlibReader kept(bits);
      for (const std::string& message : messages) {
        Wire payload;
        ASSERT_TRUE(deflater.deflate(as_bytes(message), payload));
        if (keep) {
          ASSERT_EQ(kept.read(payload), message);
        } else {
          ASSERT_EQ(ZlibReader(bits).read(payload), message);
        }
      }
    }
  }
}

TEST(Deflater, IsReadByOurInflaterWithEveryWindowContextAndPieceSize) {
  const std::vector<std::string> messages = sample_messages(2);
  for (int bits = 9; bits <= 15; ++bits) {
    for (const bool keep : {true, false}) {
      Deflater deflater({.window_bits = static_cast<std::uint8_t>(bits), .keep_context = keep});
      Inflater inflater(static_cast<std::uint8_t>(bits));
      const std::size_t piece_bytes = static_cast<std::size_t>(bits) * 97;
      for (const std::string& message : messages) {
        Wire payload;
        ASSERT_TRUE(deflater.deflate(as_bytes(message), payload));
        Wire out;
        Bytes rest = payload;
        while (!rest.empty()) {
          const Bytes piece = rest.first(std::min(piece_bytes, rest.size()));
          rest = rest.subspan(piece.size());
          ASSERT_EQ(inflater.inflate(piece, rest.empty(), message.size(), out), InflateStatus::kOk);
        }
        ASSERT_EQ(text_of(out), message);
        if (!keep) inflater.reset();
      }
    }
  }
}

TEST(Deflater, WithoutContextWritesTheSamePayloadEachTime) {
  Deflater deflater({.keep_context = false});
  Wire first;
  Wire second;
  EXPECT_TRUE(deflater.deflate(as_bytes("Hello"), first));
  EXPECT_TRUE(deflater.deflate(as_bytes("Hello"), second));
  EXPECT_EQ(first, second);
}

TEST(Deflater, SurvivesOutputThatFillsItsStepsExactly) {
  // Data that does not compress is stored, so the output's size follows the input's byte by byte
  // and some of these sizes end on the edge of the deflater's steps of 16 KiB.
  std::mt19937 random(5);
  std::string noise(33000, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  for (const std::size_t edge : {16384, 32768}) {
    for (std::size_t size = edge - 60; size <= edge + 20; ++size) {
      const std::string_view message = std::string_view(noise).substr(0, size);
      Deflater deflater({.level = 1});
      Wire payload;
      ASSERT_TRUE(deflater.deflate(as_bytes(message), payload));
      ASSERT_EQ(ZlibReader(15).read(payload), message);
    }
  }
}

TEST(SharedDeflate, GivesAFreshInflaterEachTime) {
  SharedDeflate shared;
  const Wire hello = {0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
  EXPECT_EQ(inflate_with(shared.inflater(), hello).text, "Hello");
  EXPECT_EQ(inflate_with(shared.inflater(), Wire{0xF2, 0x00, 0x11, 0x00, 0x00}).status,
            InflateStatus::kInvalid);
  EXPECT_EQ(inflate_with(shared.inflater(), hello).text, "Hello");
}

TEST(SharedDeflate, KeepsNoContextAndOneDeflaterPerWindow) {
  SharedDeflate shared(1);
  const std::vector<std::string> messages = sample_messages(4);
  for (int bits = 9; bits <= 15; ++bits) {
    const auto window_bits = static_cast<std::uint8_t>(bits);
    EXPECT_EQ(&shared.deflater(window_bits), &shared.deflater(window_bits));
    for (const std::string& message : messages) {
      Wire payload;
      ASSERT_TRUE(shared.deflater(window_bits).deflate(as_bytes(message), payload));
      ASSERT_EQ(ZlibReader(bits).read(payload), message);
    }
  }
}

TEST(DeflaterDeathTest, RefusesAWindowZlibCannotKeep) {
  EXPECT_DEATH(Deflater({.window_bits = 8}), "kDeflateWindowBitsMin");
}

}  // namespace
}  // namespace anywire::ws
