// Vocabulary of the tests of this folder: a throw-away certificate and a TLS client without I/O.
// Only tests include it.
//
// Thread: one per object. Lifetime: an Identity's files vanish with it.
#pragma once

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/context.h"

namespace anywire::tls::testing {

// A directory that is removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "anywire-tls-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  std::string file(std::string_view name) const { return (path_ / name).string(); }
  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

// A P-256 key and a certificate signed with it, as PEM text.
struct Identity {
  std::string certificate_pem;
  std::string key_pem;
  std::string encrypted_key_pem;

  static Identity make(const char* common_name) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600 * 24);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    Identity made;
    made.certificate_pem = text_of([&](BIO* bio) { PEM_write_bio_X509(bio, cert); });
    made.key_pem = text_of([&](BIO* bio) {
      PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    made.encrypted_key_pem = text_of([&](BIO* bio) {
      char passphrase[] = "secret";
      PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), nullptr, 0, nullptr, passphrase);
    });
    X509_free(cert);
    EVP_PKEY_free(key);
    return made;
  }

  template <typename Write>
  static std::string text_of(Write&& write) {
    BIO* bio = BIO_new(BIO_s_mem());
    write(bio);
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }
};

inline std::shared_ptr<const Context> make_context(const char* common_name,
                                                   MinVersion min_version = MinVersion::kTls12) {
  const ScratchDirectory directory;
  const Identity identity = Identity::make(common_name);
  auto loaded = Context::load({.certificate_file = directory.write("c", identity.certificate_pem),
                               .key_file = directory.write("k", identity.key_pem),
                               .min_version = min_version});
  EXPECT_TRUE(loaded.has_value());
  return *loaded;
}

inline const std::shared_ptr<const Context>& shared_context() {
  static const std::shared_ptr<const Context> context = make_context("localhost");
  return context;
}

struct ClientOptions {
  int version = 0;  // TLS1_2_VERSION and so on; 0 = whatever the server prefers
  std::vector<std::string> alpn;
};

// What a TLS client does, with bytes going in and out by hand.
class Client {
 public:
  explicit Client(const ClientOptions& options = {}) : ctx_(SSL_CTX_new(TLS_client_method())) {
    if (options.version != 0) {
      // Level 0 is what OpenSSL 3 demands for anything before TLS 1.2.
      if (options.version < TLS1_2_VERSION) SSL_CTX_set_security_level(ctx_, 0);
      SSL_CTX_set_min_proto_version(ctx_, options.version);
      SSL_CTX_set_max_proto_version(ctx_, options.version);
    }
    ssl_ = SSL_new(ctx_);
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in_, -1);
    SSL_set_bio(ssl_, in_, out_);
    SSL_set_connect_state(ssl_);
    std::string list;
    for (const std::string& name : options.alpn) {
      list += static_cast<char>(name.size());
      list += name;
    }
    if (!list.empty()) {
      SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(list.data()),
                          static_cast<unsigned>(list.size()));
    }
  }
  ~Client() {
    SSL_free(ssl_);
    SSL_CTX_free(ctx_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Takes ciphertext, goes on with the handshake, and collects plaintext.
  void feed(std::string_view ciphertext) {
    if (!ciphertext.empty()) BIO_write(in_, ciphertext.data(), static_cast<int>(ciphertext.size()));
    ERR_clear_error();
    if (!established()) {
      note(SSL_do_handshake(ssl_));
      if (!established()) return;
    }
    char buffer[16 * 1024];
    int n = 0;
    while ((n = SSL_read(ssl_, buffer, sizeof buffer)) > 0) {
      received.append(buffer, static_cast<std::size_t>(n));
      ++records;
    }
    note(n);
  }
  std::string take() {
    std::string out(BIO_ctrl_pending(out_), '\0');
    if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
    return out;
  }
  std::string encrypt(std::string_view plaintext) {
    ERR_clear_error();
    EXPECT_GT(SSL_write(ssl_, plaintext.data(), static_cast<int>(plaintext.size())), 0);
    return take();
  }
  std::string close_notify() {
    SSL_shutdown(ssl_);
    return take();
  }

  bool established() const { return SSL_is_init_finished(ssl_) == 1; }
  bool peer_closed() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  std::string version() const { return SSL_get_version(ssl_); }
  std::string cipher() const { return SSL_get_cipher_name(ssl_); }
  std::string alpn() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string peer_name() const {
    X509* cert = SSL_get1_peer_certificate(ssl_);
    if (cert == nullptr) return {};
    char name[128] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, sizeof name);
    X509_free(cert);
    return name;
  }
  SSL* native() { return ssl_; }

  std::string received;
  int records = 0;      // SSL_read calls that answered, which is records up to 16 KiB
  std::string problem;  // OpenSSL's reason of the first failure

 private:
  void note(int result) {
    if (result > 0 || !problem.empty()) return;
    const int kind = SSL_get_error(ssl_, result);
    if (kind != SSL_ERROR_SSL && kind != SSL_ERROR_SYSCALL) return;
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    problem = reason != nullptr ? reason : "broken";
  }

  SSL_CTX* ctx_;
  SSL* ssl_;
  BIO* in_;
  BIO* out_;
};

}  // namespace anywire::tls::testing
