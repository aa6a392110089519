#include "tls/context.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/assert.h"

namespace anywire::tls {
namespace {

constexpr std::size_t kFileBytesMax = 1024 * 1024;

// RFC 9325 section 4.2. TLS 1.3 has nothing but AEAD and needs no list.
constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

constexpr std::string_view kHttp11 = "http/1.1";

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

// A file's text, wiped from memory when done with: it may be a private key.
class SecretText {
 public:
  SecretText() = default;
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) {}
  SecretText& operator=(SecretText&&) = delete;
  ~SecretText() { OPENSSL_cleanse(text_.data(), text_.size()); }
  std::string& text() { return text_; }

 private:
  std::string text_;
};

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown reason";
}

std::unexpected<Error> file_error(const char* what, const std::string& path, int number) {
  return fail(ErrorCode::kIo, fmt::format("cannot read the {} file {}: {}", what, path,
                                          std::strerror(number)), number);
}

Result<SecretText> read_file(const char* what, const std::string& path) {
  if (path.empty()) return fail(ErrorCode::kInvalidArgument, fmt::format("no {} file given", what));
  std::error_code problem;
  const std::filesystem::file_status facts = std::filesystem::status(path, problem);
  if (problem) return file_error(what, path, problem.value());
  if (std::filesystem::is_directory(facts)) return file_error(what, path, EISDIR);
  // A named pipe would hold up the start until somebody writes to it.
  if (!std::filesystem::is_regular_file(facts)) {
    return fail(ErrorCode::kIo, fmt::format("the {} file {} is not a regular file", what, path));
  }
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return file_error(what, path, errno);
  // No buffer of stdio's and no growing of ours: neither leaves a copy of a key behind.
  std::setvbuf(file, nullptr, _IONBF, 0);
  SecretText out;
  // One byte more than allowed shows a file that is too long.
  out.text().resize(kFileBytesMax + 1);
  const std::size_t used = std::fread(out.text().data(), 1, out.text().size(), file);
  const int number = std::ferror(file) != 0 ? errno : 0;
  std::fclose(file);
  if (number != 0) return file_error(what, path, number);
  if (used > kFileBytesMax) {
    return fail(ErrorCode::kLimit, fmt::format("the {} file {} is larger than 1 MiB", what, path));
  }
  out.text().resize(used);
  return out;
}

BioPtr reader_of(const std::string& text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  AW_ASSERT(bio != nullptr);
  return bio;
}

// Stands in for OpenSSL's default, which would ask on the terminal.
int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<void> use_certificates(SSL_CTX* ctx, const std::string& path) {
  auto file = read_file("certificate", path);
  if (!file) return std::unexpected(file.error());
  const BioPtr bio = reader_of(file->text());
  bool asked = false;
  const auto bad = [&path](const std::string& why) {
    return fail(ErrorCode::kTls,
                fmt::format("the certificate file {} is not usable: {}", path, why));
  };
  const CertificatePtr leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, refuse_passphrase, &asked));
  if (!leaf) {
    ERR_clear_error();
    return bad("it holds no PEM certificate that can be read");
  }
  if (SSL_CTX_use_certificate(ctx, leaf.get()) != 1) return bad(last_reason());
  while (true) {
    CertificatePtr next(PEM_read_bio_X509(bio.get(), nullptr, refuse_passphrase, &asked));
    if (!next) break;
    if (SSL_CTX_add0_chain_cert(ctx, next.get()) != 1) return bad(last_reason());
    static_cast<void>(next.release());  // the context owns it now
  }
  // "No start line" is how the end of the file looks; all else is a damaged chain.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end) return bad("a certificate after the first one cannot be read");
  ERR_clear_error();
  return {};
}

Result<void> use_key(SSL_CTX* ctx, const ContextOptions& options) {
  auto file = read_file("key", options.key_file);
  if (!file) return std::unexpected(file.error());
  const BioPtr bio = reader_of(file->text());
  bool asked = false;
  const auto bad = [&options](const std::string& why) {
    return fail(ErrorCode::kTls,
                fmt::format("the key file {} is not usable: {}", options.key_file, why));
  };
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, &asked));
  if (!key) {
    ERR_clear_error();
    return bad(asked ? "it is encrypted with a passphrase; store it without one"
                     : "it holds no PEM private key that can be read");
  }
  if (SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
    ERR_clear_error();
    return bad(fmt::format("it does not belong to the certificate in {}",
                           options.certificate_file));
  }
  return {};
}

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size,
                const unsigned char* offered, unsigned int offered_size, void*) {
  // A list of names, each after a byte with its length; OpenSSL has checked the form.
  for (unsigned i = 0; i < offered_size; i += 1u + offered[i]) {
    const std::string_view name(reinterpret_cast<const char*>(offered) + i + 1, offered[i]);
    if (name == kHttp11) {
      *out = offered + i + 1;
      *out_size = offered[i];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_policy(SSL_CTX* ctx, MinVersion min_version) {
  AW_ASSERT(SSL_CTX_set_min_proto_version(
                ctx, min_version == MinVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1);
  AW_ASSERT(SSL_CTX_set_cipher_list(ctx, kTls12Ciphers) == 1);
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(ctx, 1);
  SSL_CTX_set_max_early_data(ctx, 0);
  SSL_CTX_set_alpn_select_cb(ctx, select_alpn, nullptr);
  // Sessions of different servers must not be mixed up (RFC 5246 section F.1.4).
  constexpr std::string_view kSessionScope = "anywire";
  SSL_CTX_set_session_id_context(ctx, reinterpret_cast<const unsigned char*>(kSessionScope.data()),
                                 static_cast<unsigned>(kSessionScope.size()));
}

}  // namespace

Result<std::shared_ptr<const Context>> Context::load(const ContextOptions& options) {
  ERR_clear_error();
  SSL_CTX* ctx = SSL_CTX_new(TLS_server_method());
  AW_ASSERT(ctx != nullptr);
  std::shared_ptr<const Context> context(new Context(ctx));
  set_policy(ctx, options.min_version);
  if (auto used = use_certificates(ctx, options.certificate_file); !used) {
    return std::unexpected(used.error());
  }
  if (auto used = use_key(ctx, options); !used) return std::unexpected(used.error());
  return context;
}

Context::~Context() { SSL_CTX_free(ctx_); }

}  // namespace anywire::tls
