// Context: certificate, key and policy of a TLS server, shared by all connections that were
// accepted under it.
//
// Policy: TLS 1.2 and 1.3 only; ECDHE with AEAD ciphers only; no renegotiation, no compression, no
// early data; ALPN answers http/1.1 and refuses a client that offers only something else
// (RFC 7301 section 3.2). Sessions are resumed by stateless tickets, whose keys live and die with
// the Context: a reload also changes the keys.
//
// Thread: `load` reads files, so it runs off the loops; a loaded Context never changes and is used
// by any number of loops at once.
// Lifetime: a connection keeps its Context for as long as it needs it, so one replaced by a reload
// ends with its last connection.
// Limits: a certificate or key file has at most 1 MiB.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

struct ssl_ctx_st;

namespace anywire::tls {

enum class MinVersion { kTls12, kTls13 };

struct ContextOptions {
  std::string certificate_file;  // PEM: the server's certificate, then its chain
  std::string key_file;          // PEM, not encrypted: nobody is there to type a passphrase
  MinVersion min_version = MinVersion::kTls12;
};

class Context {
 public:
  // The Error names the file and says what is wrong with it.
  static Result<std::shared_ptr<const Context>> load(const ContextOptions& options);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // For the Engine, which makes one SSL object per connection from it.
  ssl_ctx_st* native() const { return ctx_; }

 private:
  explicit Context(ssl_ctx_st* adopted) : ctx_(adopted) {}
  ssl_ctx_st* ctx_;
};

// ContextHolder: the Context which one loop gives to its new connections.
//
// Thread: the loop's, and each loop has its own, so accepting takes no lock. To reload, some thread
// that may block calls `Context::load`; when that fails nothing has changed, else it posts a
// `replace` to every loop. Connections made before keep what they have.
class ContextHolder {
 public:
  explicit ContextHolder(std::shared_ptr<const Context> first) : current_(std::move(first)) {}

  const std::shared_ptr<const Context>& current() const { return current_; }
  void replace(std::shared_ptr<const Context> next) { current_ = std::move(next); }

 private:
  std::shared_ptr<const Context> current_;
};

}  // namespace anywire::tls
