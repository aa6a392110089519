// Compressed answers, and who takes them.
#include "protocol/transport/engine/gzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace anywire::protocol::engine {
namespace {

std::string gunzip(std::string_view packed) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0;
  out.resize(whole ? stream.total_out : 0);
  inflateEnd(&stream);
  return out;
}

TEST(Gzip, GivesBackWhatItWasGivenAgainAndAgain) {
  Gzip gzip;
  for (const std::size_t size : {1u, 1000u, 500'000u, 10u}) {
    const std::string text(size, 'q');
    std::string packed;
    ASSERT_TRUE(gzip.compress(text, packed));
    EXPECT_EQ(gunzip(packed), text);
  }
}

TEST(TakesGzip, ReadsTheList) {
  for (const char* yes : {"gzip", "gzip, deflate", "br;q=1, GZIP;q=0.5", " gzip ;x", "gzip;q=1"}) {
    EXPECT_TRUE(takes_gzip(yes)) << yes;
  }
  for (const char* no : {"", "deflate", "gzip;q=0", "gzip; q=0.000", "*", "xgzip"}) {
    EXPECT_FALSE(takes_gzip(no)) << no;
  }
}

}  // namespace
}  // namespace anywire::protocol::engine
