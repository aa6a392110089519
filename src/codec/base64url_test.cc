#include "codec/base64url.h"

#include <gtest/gtest.h>

namespace anywire::codec {
namespace {

TEST(Base64Url, EncodesWithoutPaddingInItsOwnAlphabet) {
  // RFC 4648 section 10, without the padding.
  EXPECT_EQ(base64url_encode(as_bytes("")), "");
  EXPECT_EQ(base64url_encode(as_bytes("f")), "Zg");
  EXPECT_EQ(base64url_encode(as_bytes("fo")), "Zm8");
  EXPECT_EQ(base64url_encode(as_bytes("foo")), "Zm9v");
  EXPECT_EQ(base64url_encode(as_bytes("\xfb\xff\xfe")), "-__-");
}

// RFC 7515 appendix C.
TEST(Base64Url, EncodesTheExampleOfItsStandard) {
  EXPECT_EQ(base64url_encode(as_bytes("\x03\xec\xff\xe0\xc1")), "A-z_4ME");
  EXPECT_EQ(base64url_decode("A-z_4ME"), "\x03\xec\xff\xe0\xc1");
}

TEST(Base64Url, ReadsBackWhatItWrites) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(base64url_decode(base64url_encode(as_bytes(bytes))), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64Url, RefusesEverythingButTheOneSpelling) {
  for (const char* text : {"Z", "Zg==", "Zg=", "Zm8=", "+_-_", "-/-_", "Zg\n", " Zg", "Zm 8", "Zh",
                           "Zm9", "Zm9vZ", "Zm9v.", "\xc3\xa9\xc3\xa9"}) {
    EXPECT_FALSE(base64url_decode(text)) << text;
  }
  EXPECT_FALSE(base64url_decode(std::string_view("Zm\0v", 4)));
}

}  // namespace
}  // namespace anywire::codec
