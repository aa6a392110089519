#include "auth/key_ring.h"

#include <utility>

namespace anywire::auth {

KeyRing::KeyRing(KeySet configured) : configured_(std::move(configured)) { join(); }

std::shared_ptr<const KeySet> KeyRing::keys() const {
  const std::lock_guard lock(mutex_);
  return joined_;
}

bool KeyRing::hopeless() const { return source_ == nullptr && keys()->empty(); }

void KeyRing::set_configured(KeySet keys) {
  const std::lock_guard lock(mutex_);
  configured_ = std::move(keys);
  join();
}

void KeyRing::set_fetched(KeySet keys) {
  const std::lock_guard lock(mutex_);
  fetched_ = std::move(keys);
  join();
}

// Those that do not fit any more are refused by the set: an id that is there, or too many.
void KeyRing::join() {
  auto joined = std::make_shared<KeySet>(configured_);
  for (const Key& key : fetched_.keys()) static_cast<void>(joined->add(key));
  joined_ = std::move(joined);
}

}  // namespace anywire::auth
