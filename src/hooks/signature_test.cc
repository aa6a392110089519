// The expected values are from
//   printf '%s' TIMESTAMP.BODY | openssl dgst -sha256 -hmac SECRET
#include "hooks/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace anywire::hooks {
namespace {

using ::testing::MatchesRegex;

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

std::string signature(std::uint64_t unix_s, std::string_view body,
                      std::string_view secret = kSecret) {
  const auto signer = Signer::create(secret);
  EXPECT_TRUE(signer);
  return signer->sign(unix_s, body);
}

struct Vector {
  std::uint64_t unix_s;
  std::string_view body;
  std::string_view hex;
};

TEST(Signer, SignsAsOthersDo) {
  using namespace std::literals;
  for (const Vector& one : {
           Vector{1'767'225'600, R"({"type":"connect"})",
                  "211c70ea28bf232f148343fcecc144b53bb04bea5f1f5cc82c3f4be807682b02"},
           Vector{1'767'225'600, "",
                  "21051a998f94e402de95439fb70bb50cf7457a943f628bcd6523f0e14c16343f"},
           Vector{0, "{}", "28149897a17e69da5a520fc9ca2983c684b4feef55948fc07a5d59141b85ea10"},
           Vector{UINT64_MAX, "{}",
                  "3972701a6f1b8df1b22800516bce829691b46529755edd6262d57171819243fc"},
           Vector{1'767'225'600, R"({"text":"Grüße 👋"})",
                  "d53fd1b8090a80ad9dbf9b7f013cf471f3260cc376b478fa997046257cb4fd75"},
           Vector{1'767'225'600, "a\0b"sv,
                  "9b6f40bab80ebf10063f0ce3dcb2d2db03a2958d83a74292cff8219e90f57e7d"},
       }) {
    EXPECT_EQ(signature(one.unix_s, one.body), "v1=" + std::string(one.hex)) << one.body;
  }
}

TEST(Signer, SignsBodiesOfAnyLength) {
  EXPECT_EQ(signature(1'767'225'600, std::string(1'000'000, 'x')),
            "v1=a0ecc807bc695377f54e1dc73c5565fc7daff820c7b234a28c315253ece0af80");
}

// A secret of a block of the hash goes in as it is, and a longer one is hashed first.
TEST(Signer, TakesSecretsOfAnyLength) {
  EXPECT_EQ(signature(1'767'225'600, "{}", std::string(64, 'k')),
            "v1=054376fa5e68e633e94d4a31ca3133a6a43f79de9df1f5415a6b405c561fe4a4");
  EXPECT_EQ(signature(1'767'225'600, "{}", std::string(100, 'k')),
            "v1=737be46cac74c4333abab01fba23c09d0e0d6bcc4a6b90eedeca0f0fc5663640");
}

TEST(Signer, NamesItsVersionAndWritesSmallLetters) {
  EXPECT_THAT(signature(1, "body"), MatchesRegex("v1=[0-9a-f]{64}"));
}

TEST(Signer, EachPartCounts) {
  const std::string one = signature(1, "body");
  EXPECT_NE(one, signature(2, "body"));
  EXPECT_NE(one, signature(1, "bodY"));
  EXPECT_NE(one, signature(1, "body", "another secret, that nobody else has"));
}

// The dot between them stands where no digit can be taken for the other's.
TEST(Signer, ATimestampCannotBorrowFromTheBody) {
  EXPECT_EQ(signature(1, "2.3"),
            "v1=34b2586f6a6f3f1af60b02967a95e66a02d9bf531cd948a0840a81bcccb25cda");
  EXPECT_EQ(signature(12, "3"),
            "v1=cbf8970ad6bb3b4e883c0cf833197df8dd170801b4b2fbda3bce500824414648");
}

TEST(Signer, ServesAgainAndAgain) {
  const auto signer = Signer::create(kSecret);
  ASSERT_TRUE(signer);
  const std::string first = signer->sign(1, "a");
  EXPECT_NE(first, signer->sign(1, "b"));
  EXPECT_EQ(first, signer->sign(1, "a")) << "nothing is left of what it signed before";
}

TEST(Signer, MovesWithItsSecret) {
  auto made = Signer::create(kSecret);
  ASSERT_TRUE(made);
  const std::string before = made->sign(1, "a");
  const Signer moved = *std::move(made);
  EXPECT_EQ(moved.sign(1, "a"), before);
}

}  // namespace
}  // namespace anywire::hooks
