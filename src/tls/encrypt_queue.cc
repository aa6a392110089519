#include "tls/encrypt_queue.h"

#include <algorithm>

#include "tls/tls_stream.h"

namespace anywire::tls {

EncryptQueue::EncryptQueue(reactor::Loop& loop)
    : loop_(loop),
      ciphertext_(new std::uint8_t[kCiphertextBytes]),
      plaintext_(new std::uint8_t[kPlaintextBytes]),
      self_(std::make_shared<EncryptQueue*>(this)) {
  loop_.add_turn_end_hook(*this);
}

EncryptQueue::~EncryptQueue() { loop_.remove_turn_end_hook(*this); }

void EncryptQueue::add_dirty(TlsStream& stream) {
  // An empty task keeps the loop from sleeping; the hook of that turn does the work.
  if (dirty_.empty() && hook_has_run_) loop_.post([] {});
  dirty_.push_back(&stream);
}

void EncryptQueue::add_later(TlsStream& stream) {
  if (later_.empty()) {
    loop_.post([weak = std::weak_ptr<EncryptQueue*>(self_)] {
      if (const auto alive = weak.lock()) (*alive)->run_later();
    });
  }
  later_.push_back(&stream);
}

void EncryptQueue::forget(TlsStream& stream) {
  for (auto* list : {&dirty_, &encrypting_, &later_, &calling_}) {
    std::replace(list->begin(), list->end(), &stream, static_cast<TlsStream*>(nullptr));
  }
}

void EncryptQueue::on_turn_end() {
  // A stream that fails calls its handler, who may write to others.
  while (!dirty_.empty()) {
    encrypting_.swap(dirty_);
    for (std::size_t i = 0; i < encrypting_.size(); ++i) {
      if (encrypting_[i] != nullptr) encrypting_[i]->encrypt_in_turn();
    }
    encrypting_.clear();
  }
  hook_has_run_ = true;
}

void EncryptQueue::run_later() {
  hook_has_run_ = false;
  calling_.swap(later_);
  for (std::size_t i = 0; i < calling_.size(); ++i) {
    if (calling_[i] != nullptr) calling_[i]->call_again();
  }
  calling_.clear();
}

}  // namespace anywire::tls
