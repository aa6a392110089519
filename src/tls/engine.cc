#include "tls/engine.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace anywire::tls {
namespace {

constexpr std::size_t kRecordPlaintextMax = 16 * 1024;
// Header, explicit nonce or inner content type, and tag: TLS 1.2 AES-GCM is the largest with 29.
constexpr std::size_t kRecordOverhead = 32;
constexpr std::size_t kOutputBytesMin = 512;

constexpr std::uint8_t kAlertRecord = 21;
constexpr std::uint8_t kHandshakeRecord = 22;
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint8_t kUnexpectedMessage = 10;
constexpr std::uint8_t kDecodeError = 50;

}  // namespace

struct Engine::Bio {
  static int read(BIO* bio, char* out, std::size_t size, std::size_t* taken) {
    BIO_clear_retry_flags(bio);
    *taken = engine_of(bio).take_input(reinterpret_cast<std::uint8_t*>(out), size);
    if (*taken > 0) return 1;
    BIO_set_retry_read(bio);
    return 0;
  }

  static int write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
    BIO_clear_retry_flags(bio);
    engine_of(bio).append_output({reinterpret_cast<const std::uint8_t*>(bytes), size});
    *written = size;
    return 1;
  }

  static long control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static Engine& engine_of(BIO* bio) { return *static_cast<Engine*>(BIO_get_data(bio)); }

  // Made once for the process and never freed: connections may outlive any owner it could have.
  static const BIO_METHOD* method() {
    static const BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "anywire");
      AW_ASSERT(made != nullptr);
      BIO_meth_set_read_ex(made, read);
      BIO_meth_set_write_ex(made, write);
      BIO_meth_set_ctrl(made, control);
      return made;
    }();
    return method;
  }
};

Engine::Engine(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

Engine::~Engine() { SSL_free(ssl_); }

EngineStatus Engine::handshake(Bytes ciphertext) {
  if (failure_ != nullptr) return EngineStatus::kFailed;
  if (established_) return EngineStatus::kDone;
  input_ = ciphertext;
  if (ssl_ == nullptr) {
    if (!collect_head()) return EngineStatus::kFailed;
    if (head_size_ < kHeadBytes) return EngineStatus::kWantInput;
    start();
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result != 1) return explain(result);
  established_ = true;
  context_.reset();
  keep_input();
  return EngineStatus::kDone;
}

// Gathers the first bytes and checks them as they come; false when they cannot begin a ClientHello.
bool Engine::collect_head() {
  const std::size_t take = std::min(kHeadBytes - head_size_, input_.size());
  std::copy_n(input_.begin(), take, head_.begin() + head_size_);
  head_size_ += static_cast<std::uint8_t>(take);
  input_ = input_.subspan(take);
  const auto wrong = [this](const char* why) {
    fail_with(why);
    return false;
  };
  // No alert for a peer that does not speak TLS: it would be noise in another protocol.
  if (head_size_ >= 1 && head_[0] != kHandshakeRecord) return wrong("not TLS");
  if (head_size_ >= 2 && head_[1] != 3) return wrong("not TLS");
  if (head_size_ < kHeadBytes) return true;
  const std::size_t record_bytes = (std::size_t{head_[3]} << 8) | head_[4];
  const std::size_t hello_bytes =
      (std::size_t{head_[6]} << 16) | (std::size_t{head_[7]} << 8) | head_[8];
  if (head_[5] != kClientHello) {
    send_alert(kUnexpectedMessage);
    return wrong("first message is not a ClientHello");
  }
  if (record_bytes < 4 || hello_bytes > kClientHelloBytesMax) {
    send_alert(kDecodeError);
    return wrong(record_bytes < 4 ? "ClientHello in too small pieces" : "ClientHello too long");
  }
  return true;
}

void Engine::start() {
  ssl_ = SSL_new(context_->native());
  BIO* bio = BIO_new(Bio::method());
  AW_ASSERT(ssl_ != nullptr && bio != nullptr);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
}

EngineRead Engine::read(Bytes ciphertext, MutableBytes into) {
  AW_ASSERT(established_ && (ciphertext.empty() || !stash_));
  input_ = ciphertext;
  std::size_t got = 0;
  EngineStatus end = EngineStatus::kWantInput;
  if (failure_ != nullptr) end = EngineStatus::kFailed;
  if (peer_closed_) end = EngineStatus::kClosed;
  while (end == EngineStatus::kWantInput && got < into.size()) {
    if (got > 0 && input_.empty() && !stash_ && SSL_has_pending(ssl_) == 0) break;
    ERR_clear_error();
    std::size_t n = 0;
    const int result = SSL_read_ex(ssl_, into.data() + got, into.size() - got, &n);
    if (result == 1) {
      got += n;
      continue;
    }
    end = explain(result);
    if (end == EngineStatus::kWantInput) break;
  }
  keep_input();
  if (got > 0) return {EngineStatus::kData, got};
  return {end};
}

bool Engine::has_buffered() const {
  if (!established_) return false;
  return stash_ || failure_ != nullptr || peer_closed_ || SSL_pending(ssl_) > 0;
}

bool Engine::write(Bytes plaintext) {
  AW_ASSERT(established_);
  if (failure_ != nullptr) return false;
  if (plaintext.empty()) return true;
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &written);
  if (result == 1) return true;
  // The BIO takes everything, so whatever this is, trying again would not help.
  if (explain(result) == EngineStatus::kWantInput) fail_with("cannot write");
  return false;
}

void Engine::reserve_output(std::size_t plaintext_bytes) {
  if (output_) return;
  const std::size_t records = plaintext_bytes / kRecordPlaintextMax + 1;
  output_ = Buffer::allocate(plaintext_bytes + records * kRecordOverhead);
}

void Engine::close_notify() {
  if (!established_ || failure_ != nullptr) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
}

BufferRef Engine::take_output() {
  if (!output_ || output_->size() == 0) return {};
  return std::move(output_);
}

const char* Engine::version() const { return ssl_ != nullptr ? SSL_get_version(ssl_) : ""; }

EngineStatus Engine::explain(int result) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return EngineStatus::kWantInput;
    case SSL_ERROR_ZERO_RETURN:
      peer_closed_ = true;
      return EngineStatus::kClosed;
    default: {
      const char* reason = ERR_reason_error_string(ERR_peek_error());
      ERR_clear_error();
      return fail_with(reason != nullptr ? reason : "TLS failed");
    }
  }
}

EngineStatus Engine::fail_with(const char* why) {
  failure_ = why;
  return EngineStatus::kFailed;
}

void Engine::send_alert(std::uint8_t description) {
  const std::array<std::uint8_t, 7> alert{kAlertRecord, 3, 3, 0, 2, /*fatal*/ 2, description};
  append_output(alert);
}

std::size_t Engine::take_input(std::uint8_t* out, std::size_t size) {
  if (head_taken_ < head_size_) {
    const std::size_t take = std::min<std::size_t>(size, head_size_ - head_taken_);
    std::copy_n(head_.begin() + head_taken_, take, out);
    head_taken_ += static_cast<std::uint8_t>(take);
    return take;
  }
  if (stash_) {
    const Bytes rest = stash_->bytes().subspan(stash_offset_);
    const std::size_t take = std::min(size, rest.size());
    std::memcpy(out, rest.data(), take);
    stash_offset_ += static_cast<std::uint32_t>(take);
    if (take == rest.size()) {
      stash_ = {};
      stash_offset_ = 0;
    }
    return take;
  }
  const std::size_t take = std::min(size, input_.size());
  if (take > 0) std::memcpy(out, input_.data(), take);
  input_ = input_.subspan(take);
  return take;
}

// The argument is about to become invalid. What follows a close_notify or a failure is ignored
// (RFC 8446 section 6.1).
void Engine::keep_input() {
  if (failure_ != nullptr || peer_closed_) stash_ = {};
  if (!input_.empty() && failure_ == nullptr && !peer_closed_) {
    AW_ASSERT(!stash_);
    stash_ = Buffer::copy_of(input_);
    stash_offset_ = 0;
  }
  input_ = {};
}

void Engine::append_output(Bytes bytes) {
  if (!output_) output_ = Buffer::allocate(std::max(bytes.size(), kOutputBytesMin));
  if (output_->room() < bytes.size()) {
    BufferRef larger = Buffer::allocate(std::max(output_->size() + bytes.size(),
                                                 output_->capacity() * 2));
    larger->append(output_->bytes());
    output_ = std::move(larger);
  }
  output_->append(bytes);
}

}  // namespace anywire::tls
