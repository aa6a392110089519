#include "auth/key.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

namespace anywire::auth {
namespace {

const std::string kSecret(kSecretBytesMin, 's');

Key key(std::string id, std::string_view secret = kSecret) {
  return Key::hs256(std::move(id), secret).value();
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

// RFC 4231 4.7, the first of its cases whose key is long enough for us.
TEST(Key, SignsTheVectorOfItsStandard) {
  const Key k = key("", std::string(131, '\xaa'));
  EXPECT_EQ(hex(k.sign("Test Using Larger Than Block-Size Key - Hash Key First").value()),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Key, VerifiesItsOwnSignatureOnly) {
  const Key a = key("a"), b = key("b", std::string(40, 'x'));
  const std::string signature = a.sign("text").value();
  EXPECT_TRUE(a.verify("text", signature));
  EXPECT_TRUE(a.verify("text", signature)) << "a second time";
  EXPECT_FALSE(a.verify("texT", signature));
  EXPECT_FALSE(b.verify("text", signature));
  EXPECT_FALSE(a.verify("text", ""));
  EXPECT_FALSE(a.verify("text", signature.substr(1)));
  EXPECT_FALSE(a.verify("text", signature + '\0'));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string broken = signature;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(a.verify("text", broken)) << i;
  }
}

TEST(Key, NeedsASecretOfDecentLength) {
  EXPECT_TRUE(Key::hs256("", std::string(kSecretBytesMin, 'x')));
  EXPECT_TRUE(Key::hs256("", std::string(kSecretBytesMax, 'x')));
  EXPECT_FALSE(Key::hs256("", ""));
  EXPECT_FALSE(Key::hs256("", std::string(kSecretBytesMin - 1, 'x')));
  EXPECT_FALSE(Key::hs256("", std::string(kSecretBytesMax + 1, 'x')));
}

TEST(Key, NeedsAPlainId) {
  EXPECT_TRUE(Key::hs256("2024-11/main", kSecret));
  EXPECT_TRUE(Key::hs256(std::string(kKeyIdBytesMax, 'k'), kSecret));
  for (const std::string& id : {std::string("a\"b"), std::string("a\\b"), std::string("a\nb"),
                                std::string("\xff"), std::string(kKeyIdBytesMax + 1, 'k')}) {
    EXPECT_FALSE(Key::hs256(id, kSecret)) << id;
  }
}

TEST(Key, PutsNoSecretIntoItsErrors) {
  const std::string secret = "hunter2";
  const auto refused = Key::hs256("", secret);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message.find(secret), std::string::npos);
}

TEST(Key, SignsWithTheHashOfItsAlgorithm) {
  const std::string secret(64, 's');
  const std::size_t bytes[] = {32, 48, 64};
  for (std::size_t i = 0; i < 3; ++i) {
    const Key k = Key::symmetric("", static_cast<Algorithm>(i), secret).value();
    EXPECT_EQ(k.sign("text")->size(), bytes[i]);
    EXPECT_TRUE(k.verify("text", *k.sign("text")));
    EXPECT_TRUE(k.is_secret(secret));
    EXPECT_FALSE(k.is_secret(secret + "s"));
    EXPECT_FALSE(k.is_secret("short"));
    EXPECT_FALSE(k.is_secret(""));
  }
}

TEST(Key, HasOneOfThirteenAlgorithms) {
  EXPECT_EQ(algorithm_names().size(), static_cast<std::size_t>(kAlgorithms));
  for (int i = 0; i < kAlgorithms; ++i) {
    const auto algorithm = static_cast<Algorithm>(i);
    EXPECT_EQ(parse_algorithm(name(algorithm)), algorithm);
    EXPECT_EQ(is_symmetric(algorithm), name(algorithm).starts_with("HS"));
    EXPECT_EQ(Key::symmetric("", algorithm, kSecret).has_value(), is_symmetric(algorithm));
  }
  EXPECT_FALSE(parse_algorithm("none"));
  EXPECT_FALSE(parse_algorithm("hs256"));
}

TEST(Key, IsBoundByWhatItIsTold) {
  Key k = key("a");
  EXPECT_EQ(k.bound(), nullptr);
  Capability bound;
  ASSERT_TRUE(bound.add("a", {Operation::kRpc}));
  k.set_rights(bound, {});
  const Key copy = k;
  EXPECT_EQ(*copy.bound(), bound);
  EXPECT_TRUE(copy.grants()->empty());
}

TEST(Key, MayBeUsedBySeveralThreads) {
  const Key k = key("");
  const std::string expected = k.sign("text").value();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) EXPECT_TRUE(k.verify("text", expected));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(KeySet, FindsKeysByTheirId) {
  KeySet keys;
  EXPECT_TRUE(keys.empty());
  ASSERT_TRUE(keys.add(key("old")));
  ASSERT_TRUE(keys.add(key("")));
  ASSERT_NE(keys.find("old"), nullptr);
  EXPECT_EQ(keys.find("old")->id(), "old");
  ASSERT_NE(keys.find(""), nullptr);
  EXPECT_EQ(keys.find("new"), nullptr);
}

TEST(KeySet, RefusesAnIdTwice) {
  KeySet keys;
  ASSERT_TRUE(keys.add(key("a")));
  EXPECT_FALSE(keys.add(key("a", std::string(50, 'z'))));
  EXPECT_EQ(keys.keys().size(), 1u);
}

TEST(KeySet, MayHaveSeveralKeysWithoutAnId) {
  KeySet keys;
  ASSERT_TRUE(keys.add(key("")));
  EXPECT_TRUE(keys.add(key("", std::string(50, 'z'))));
  EXPECT_EQ(keys.keys().size(), 2u);
}

TEST(KeySet, EndsAt128Keys) {
  KeySet keys;
  for (std::size_t i = 0; i < kKeysMax; ++i) ASSERT_TRUE(keys.add(key(std::to_string(i))));
  const auto more = keys.add(key("more"));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace anywire::auth
