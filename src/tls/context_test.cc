#include "tls/context.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "tls/testing.h"

namespace anywire::tls {
namespace {

using testing::Identity;
using testing::ScratchDirectory;

class ContextTest : public ::testing::Test {
 protected:
  std::string good_certificate() { return directory.write("cert.pem", identity.certificate_pem); }
  std::string good_key() { return directory.write("key.pem", identity.key_pem); }

  // The Error of a load that must fail.
  std::string refusal(const std::string& certificate_file, const std::string& key_file) {
    const auto loaded =
        Context::load({.certificate_file = certificate_file, .key_file = key_file});
    EXPECT_FALSE(loaded.has_value());
    return loaded ? "" : loaded.error().message;
  }

  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  ScratchDirectory directory;
  Identity identity = Identity::make("localhost");
};

TEST_F(ContextTest, LoadsACertificateAndItsKey) {
  const auto loaded =
      Context::load({.certificate_file = good_certificate(), .key_file = good_key()});
  ASSERT_TRUE(loaded.has_value());
  EXPECT_NE((*loaded)->native(), nullptr);
}

TEST_F(ContextTest, LoadsAChainAndIgnoresOtherPartsOfTheFile) {
  const Identity issuer = Identity::make("issuer");
  const std::string file = directory.write(
      "chain.pem", identity.certificate_pem + issuer.certificate_pem + identity.key_pem);
  // One file may hold both, as some tools write it.
  const auto loaded = Context::load({.certificate_file = file, .key_file = file});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message;
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs((*loaded)->native(), &chain);
  EXPECT_EQ(sk_X509_num(chain), 1);
}

TEST_F(ContextTest, NamesAMissingFile) {
  const std::string missing = directory.file("nowhere.pem");
  EXPECT_EQ(refusal(missing, good_key()),
            "cannot read the certificate file " + missing + ": No such file or directory");
  EXPECT_EQ(refusal(good_certificate(), missing),
            "cannot read the key file " + missing + ": No such file or directory");
}

TEST_F(ContextTest, NamesAnUnreadableFile) {
  const std::string folder = directory.file(".");
  EXPECT_EQ(refusal(folder, good_key()),
            "cannot read the certificate file " + folder + ": Is a directory");
}

TEST_F(ContextTest, SaysWhichFileIsNotGiven) {
  EXPECT_EQ(refusal("", good_key()), "no certificate file given");
  EXPECT_EQ(refusal(good_certificate(), ""), "no key file given");
}

TEST_F(ContextTest, RefusesFilesThatAreNotPem) {
  for (const std::string text : {"", "hello", "-----BEGIN CERTIFICATE-----\nAAAA\n", "\x30\x82"}) {
    const std::string bad = directory.write("bad.pem", text);
    const std::string certificate = refusal(bad, good_key());
    EXPECT_TRUE(contains(certificate, bad)) << certificate;
    EXPECT_TRUE(contains(certificate, "no PEM certificate")) << certificate;
    const std::string key = refusal(good_certificate(), bad);
    EXPECT_TRUE(contains(key, bad)) << key;
    EXPECT_TRUE(contains(key, "no PEM private key")) << key;
  }
}

TEST_F(ContextTest, RefusesADamagedChain) {
  std::string second = Identity::make("issuer").certificate_pem;
  second.resize(second.size() / 2);
  const std::string file = directory.write("chain.pem", identity.certificate_pem + second);
  const std::string error = refusal(file, good_key());
  EXPECT_TRUE(contains(error, file)) << error;
  EXPECT_TRUE(contains(error, "after the first one")) << error;
}

TEST_F(ContextTest, RefusesAKeyOfAnotherCertificateAndNamesBoth) {
  const std::string other = directory.write("other.pem", Identity::make("other").key_pem);
  const std::string error = refusal(good_certificate(), other);
  EXPECT_TRUE(contains(error, other)) << error;
  EXPECT_TRUE(contains(error, "cert.pem")) << error;
  EXPECT_TRUE(contains(error, "does not belong")) << error;
}

TEST_F(ContextTest, NeverAsksForAPassphrase) {
  const std::string locked = directory.write("locked.pem", identity.encrypted_key_pem);
  const std::string error = refusal(good_certificate(), locked);
  EXPECT_TRUE(contains(error, locked)) << error;
  EXPECT_TRUE(contains(error, "passphrase")) << error;
}

TEST_F(ContextTest, RefusesAFileOverOneMebibyte) {
  const std::string big = directory.write("big.pem", std::string(1024 * 1024 + 1, '\n'));
  EXPECT_TRUE(contains(refusal(big, good_key()), "larger than 1 MiB"));
}

TEST_F(ContextTest, DoesNotWaitForANamedPipe) {
  const std::string pipe = directory.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(refusal(pipe, good_key()), "the certificate file " + pipe + " is not a regular file");
}

TEST_F(ContextTest, ErrorsLeaveOpenSslsQueueEmpty) {
  refusal(directory.write("bad.pem", "hello"), good_key());
  refusal(good_certificate(), directory.write("bad.pem", "hello"));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST(ContextHolder, AFailedReloadChangesNothing) {
  ContextHolder holder(testing::make_context("first"));
  const Context* before = holder.current().get();
  if (auto next = Context::load({.certificate_file = "/nowhere", .key_file = "/nowhere"})) {
    holder.replace(*next);
  }
  EXPECT_EQ(holder.current().get(), before);
}

TEST(ContextHolder, GivesTheNewestAndLetsTheOldGoWhenUnused) {
  std::weak_ptr<const Context> old;
  ContextHolder holder(testing::make_context("first"));
  old = holder.current();
  {
    const auto user = holder.current();
    holder.replace(testing::make_context("second"));
    EXPECT_FALSE(old.expired());
    EXPECT_NE(holder.current(), user);
  }
  EXPECT_TRUE(old.expired());
}

}  // namespace
}  // namespace anywire::tls
