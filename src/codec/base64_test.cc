#include "codec/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace anywire::codec {
namespace {

struct Vector {
  std::string_view plain;
  std::string_view encoded;
};

// RFC 4648 section 10, and one that uses the last two digits.
const Vector kVectors[] = {
    {"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},
    {"foo", "Zm9v"},  {"foob", "Zm9vYg=="},  {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"}, {"\xFB\xFF\xBF", "+/+/"},
};

TEST(Base64, EncodesTheVectorsOfTheRfc) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(base64_encode(as_bytes(vector.plain)), vector.encoded);
    EXPECT_EQ(base64_encoded_bytes(vector.plain.size()), vector.encoded.size());
  }
}

TEST(Base64, DecodesTheVectorsOfTheRfc) {
  for (const Vector& vector : kVectors) {
    const Result<std::string> decoded = base64_decode(vector.encoded);
    ASSERT_TRUE(decoded) << vector.encoded;
    EXPECT_EQ(*decoded, vector.plain);
  }
}

TEST(Base64, ReturnsWhatItEncodedForEveryLength) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string plain(size, '\0');
    for (char& c : plain) c = static_cast<char>(random());
    EXPECT_EQ(base64_decode(base64_encode(as_bytes(plain))), plain);
  }
}

TEST(Base64, WritesNothingBehindTheEncoding) {
  char out[9] = "########";
  base64_encode_to(as_bytes("f"), out);
  EXPECT_STREQ(out, "Zg==####");
}

TEST(Base64, RefusesWhatIsNotTheOneEncoding) {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zg===", "=", "==", "===", "====", "Z===", "Zg==Zg==", "Zg==\n", " Zg==",
        "Zm9v\n", "Zm-_", "Zm9*", "Z=g=", "=Zg=", "Zh==", "Zm9=", "Zm8\xFF"}) {
    const Result<std::string> decoded = base64_decode(text);
    ASSERT_FALSE(decoded) << text;
    EXPECT_EQ(decoded.error().code, ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace anywire::codec
