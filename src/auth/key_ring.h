// KeyRing: the keys tokens are verified with, as they are now. A KeySet never changes; when keys
// are rotated another one takes its place, and whoever is in the midst of verifying goes on with
// the one it has.
//
// Two sources feed it: the configuration (at start and on SIGHUP) and, if there is one, a JWKS
// document. Of two keys with one id the configured one counts. Somebody who has a token of a key
// that nobody knows may ask the KeySource to look again.
//
// Thread: any; a mutex guards the pointers and is held for as long as they take to copy.
// Lifetime: outlives the verifiers; the source outlives the ring's users.
// Limits: those of KeySet; fetched keys beyond them are left out.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "auth/key.h"
#include "base/task.h"

namespace anywire::auth {

// Where more keys may come from.
class KeySource {
 public:
  virtual ~KeySource() = default;
  // Any thread. Looks for new keys and then calls `done`, on any thread, whether there were any or
  // not. False, and `done` is not called, when it has looked a moment ago or too many wait.
  [[nodiscard]] virtual bool look_again(Task done) = 0;
};

class KeyRing {
 public:
  explicit KeyRing(KeySet configured = {});

  std::shared_ptr<const KeySet> keys() const;
  // True as long as no token can be valid and none ever will be.
  bool hopeless() const;

  void set_configured(KeySet keys);
  void set_fetched(KeySet keys);

  // Null: there is none. Before the loops run.
  void set_source(KeySource* source) { source_ = source; }
  KeySource* source() const { return source_; }

 private:
  void join();

  mutable std::mutex mutex_;
  KeySet configured_, fetched_;
  std::shared_ptr<const KeySet> joined_;
  KeySource* source_ = nullptr;
};

}  // namespace anywire::auth
