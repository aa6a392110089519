// EncryptQueue: what the TLS streams of one loop share. It encrypts the output of every stream that
// was written to in this turn, once, so that many small writes become one record; and it calls
// streams again that hold plaintext nobody has read yet, which the kernel knows nothing about.
//
// Thread: the loop's. Lifetime: made before the loop's net::FlushQueue, so that ciphertext leaves
// in the turn it was made in (hooks run in order of registration); outlives its streams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "reactor/loop.h"

namespace anywire::tls {

class TlsStream;

class EncryptQueue final : public reactor::TurnEndHook {
 public:
  explicit EncryptQueue(reactor::Loop& loop);
  ~EncryptQueue();
  EncryptQueue(const EncryptQueue&) = delete;
  EncryptQueue& operator=(const EncryptQueue&) = delete;

  // For TlsStream: encrypt me at the end of the turn; call me next turn; I am going away.
  void add_dirty(TlsStream& stream);
  void add_later(TlsStream& stream);
  void forget(TlsStream& stream);

  // Input has arrived, so the turn-end hooks of this turn are still to come.
  void note_input() { hook_has_run_ = false; }

  // Scratch for one read of ciphertext, apart from the loop's receive buffer, which is where the
  // reader wants its plaintext; and for joining small writes into one record.
  MutableBytes ciphertext_scratch() { return {ciphertext_.get(), kCiphertextBytes}; }
  MutableBytes plaintext_scratch() { return {plaintext_.get(), kPlaintextBytes}; }

  void on_turn_end() override;

 private:
  static constexpr std::size_t kCiphertextBytes = 64 * 1024;
  static constexpr std::size_t kPlaintextBytes = 16 * 1024;

  void run_later();

  reactor::Loop& loop_;
  std::vector<TlsStream*> dirty_;
  std::vector<TlsStream*> encrypting_;
  std::vector<TlsStream*> later_;
  std::vector<TlsStream*> calling_;
  std::unique_ptr<std::uint8_t[]> ciphertext_;
  std::unique_ptr<std::uint8_t[]> plaintext_;
  // Set from the end of our hook until the next sign of a new turn. Output written meanwhile (from
  // an `on_drained` of the FlushQueue) must not wait for whatever wakes the loop next.
  bool hook_has_run_ = false;
  // A posted task may outlive this object; it holds this weakly.
  std::shared_ptr<EncryptQueue*> self_;
};

}  // namespace anywire::tls
