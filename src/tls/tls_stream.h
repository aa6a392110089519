// TlsStream: a Stream that encrypts what goes over another Stream. The handshake is transparent:
// the handler hears of nothing before there may be plaintext to read, and may write at once.
//
// Reading: plaintext left inside the engine brings another `on_readable` in the next turn, as
// unread bytes in a socket do; none is brought while reading is off. A close_notify and a bare end
// of the connection both read as kEnd, once; engines above have framing of their own that tells a
// truncated message. A connection that ends or fails during the handshake is `on_closed`.
// Writing: plaintext gathers until the end of the turn and leaves in records of up to 16 KiB. It is
// encrypted only while less than kCiphertextBytesMax wait below, so a stalled reader holds shared
// plaintext buffers and little ciphertext of its own.
// A failure of TLS itself is `on_closed` or kError; the alert still leaves when the handler answers
// with `close` in the same turn, and the stream is destroyed through Loop::defer_delete.
//
// Thread and lifetime: as net/stream.h says; `queue` outlives the stream.
// Limits: at most kEarlyBytesMax may be written before the handshake is done, else the connection
// breaks.
#pragma once

#include <cstddef>
#include <memory>

#include "net/output_queue.h"
#include "net/stream.h"
#include "tls/context.h"
#include "tls/encrypt_queue.h"
#include "tls/engine.h"

namespace anywire::tls {

class TlsStream final : public net::Stream, private net::StreamHandler {
 public:
  static constexpr std::size_t kEarlyBytesMax = 64 * 1024;
  static constexpr std::size_t kCiphertextBytesMax = 64 * 1024;

  // Server side. `lower` is connected and nothing of it has been read or written.
  TlsStream(EncryptQueue& queue, std::shared_ptr<const Context> context,
            std::unique_ptr<net::Stream> lower);
  ~TlsStream() override;

  net::ReadResult read(MutableBytes into) override;
  void write(Bytes bytes) override;
  void write(BufferRef buffer) override;
  void write_framed(Bytes head, Bytes body, bool now) override;
  std::size_t queued_bytes() const override;
  std::uint64_t progress() const override;
  void notify_when_drained() override;
  void set_send_timeout(Duration timeout) override { lower_->set_send_timeout(timeout); }
  void set_reading(bool on) override;
  void watch_for_end(bool on) override { lower_->watch_for_end(on); }
  void finish() override;
  void close_when_sent() override;
  void close() override;
  bool encrypted() const override { return true; }
  bool detach() override;
  // On its new loop, once the stream below is attached there.
  void attach(EncryptQueue& queue);

  bool handshake_done() const { return engine_.established(); }
  // Why TLS failed, for a log line; null while it has not.
  const char* failure() const { return engine_.failure(); }
  const char* version() const { return engine_.version(); }
  const net::Stream& lower() const { return *lower_; }
  net::Stream& lower() { return *lower_; }

 private:
  friend class EncryptQueue;

  void on_readable() override;
  void on_drained() override;
  void on_closed() override;

  // For the EncryptQueue.
  void encrypt_in_turn() {
    in_dirty_ = false;
    encrypt();
  }
  void call_again();

  bool open() const { return !closed_ && !broken_; }
  bool may_write() const { return open() && !finishing_; }
  void encrypt();
  void accept_output();
  void mark_dirty();
  void mark_later();
  void advance_handshake();
  void send_output();
  net::ReadResult translate(const EngineRead& result);
  net::ReadResult end_of_input();
  void break_off();
  void break_and_tell();
  bool encrypt_some();
  bool encrypt_records(std::size_t budget);
  void end_output();

  EncryptQueue* queue_;  // null while detached
  std::unique_ptr<net::Stream> lower_;
  std::unique_ptr<net::OutputQueue> plaintext_;
  Engine engine_;
  bool reading_ : 1 = true;
  bool in_dirty_ : 1 = false;
  bool in_later_ : 1 = false;
  bool ended_ : 1 = false;      // the handler has read kEnd
  bool notify_drained_ : 1 = false;
  bool finishing_ : 1 = false;  // close_notify once the plaintext is encrypted
  bool finished_ : 1 = false;   // that has happened
  bool closing_ : 1 = false;    // and the stream below is to close when all is sent
  bool broken_ : 1 = false;
  bool told_ : 1 = false;       // the handler knows it is broken
  bool closed_ : 1 = false;
};

}  // namespace anywire::tls
