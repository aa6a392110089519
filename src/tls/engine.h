// Engine: the server side of one TLS connection without any I/O: ciphertext in, plaintext out, and
// the other way round. OpenSSL does the work; it reads and writes through a BIO that points at the
// bytes at hand, so nothing is copied into intermediate memory BIOs.
//
// Memory: OpenSSL is not touched before the head of a ClientHello has arrived and looks like one,
// so a silent or confused peer costs only this object. Record buffers are released whenever they
// are empty. src/tls/README.md has the measured figures.
//
// Thread: one at a time (the loop's).
// Lifetime: byte arguments are read during the call only; what could not be used yet is copied.
// Limits: a ClientHello has at most kClientHelloBytesMax bytes and its first record shows at least
// its header; what the Engine keeps of unread input is at most one argument of `read`.
#pragma once

#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "base/bytes.h"
#include "tls/context.h"

namespace anywire::tls {

enum class EngineStatus {
  kData,       // read: `bytes` > 0 were produced
  kDone,       // handshake: finished
  kWantInput,  // nothing more can happen before more ciphertext arrives
  kClosed,     // the peer sent close_notify: no more plaintext follows
  kFailed,     // the connection is unusable; `failure()` says why
};

struct EngineRead {
  EngineStatus status;
  std::size_t bytes = 0;
};

class Engine {
 public:
  // RFC 8446 allows far more, but real ones stay under 2 KiB, and OpenSSL would set aside whatever
  // length the peer claims.
  static constexpr std::size_t kClientHelloBytesMax = 16 * 1024;

  explicit Engine(std::shared_ptr<const Context> context);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // After every call that follows: whatever has to go to the peer is fetched with `take_output`,
  // also (an alert) after a failure.

  // kDone, kWantInput or kFailed.
  EngineStatus handshake(Bytes ciphertext);
  bool established() const { return established_; }

  // Decrypts until `into` is full or the ciphertext is used up. Pass ciphertext only after the last
  // call answered kWantInput; pass none to fetch what is left over.
  EngineRead read(Bytes ciphertext, MutableBytes into);
  // Whether `read` without ciphertext may answer something else than kWantInput.
  bool has_buffered() const;

  // Encrypts into records of up to 16 KiB; all of it, or false for a failure.
  bool write(Bytes plaintext);
  // Room for what `plaintext_bytes` in one or several writes become, so that they share a buffer.
  void reserve_output(std::size_t plaintext_bytes);
  void close_notify();

  // Ciphertext for the peer; null when there is none.
  BufferRef take_output();

  // Static text; null while nothing has failed.
  const char* failure() const { return failure_; }
  // "TLSv1.3" and so on; static text, meaningful once established.
  const char* version() const;

 private:
  // Record header, then handshake type and length (RFC 8446 sections 5.1 and 4).
  static constexpr std::size_t kHeadBytes = 9;

  // How OpenSSL reaches `take_input` and `append_output`.
  struct Bio;

  bool collect_head();
  void start();
  std::size_t take_input(std::uint8_t* out, std::size_t size);
  void append_output(Bytes bytes);
  void keep_input();
  EngineStatus explain(int result);
  EngineStatus fail_with(const char* why);
  void send_alert(std::uint8_t description);

  std::shared_ptr<const Context> context_;
  SSL* ssl_ = nullptr;
  const char* failure_ = nullptr;
  Bytes input_;       // what is left of the argument
  BufferRef stash_;   // input that an earlier call could not use
  BufferRef output_;
  std::uint32_t stash_offset_ = 0;
  std::array<std::uint8_t, kHeadBytes> head_{};
  std::uint8_t head_size_ = 0;
  std::uint8_t head_taken_ = 0;
  bool established_ = false;
  bool peer_closed_ = false;
};

}  // namespace anywire::tls
