// JwksRefresher: keeps the keys of a JWKS document at hand: fetches it when the server starts and
// every `refresh` from then on, puts its keys into the KeyRing, and lets them live on for `stale`
// when it cannot be fetched any more.
//
// After a failure it tries again after one second, and so on up to a minute, with jitter. Whoever
// meets a key nobody knows asks for another look (KeySource): it waits for the request that is
// under way, or causes one, though not within kPause of the last. So a flood of forged tokens costs
// the server of the keys one request in ten seconds.
//
// Thread: made on any, then everything happens on the given loop; `look_again` may be called on
// any, and `done` comes on the loop given here. Lifetime: stopped on its loop (`stop`) before that
// ends; outlives the sessions otherwise. Limits: kWaitersMax wait; auth/jwks.h bounds the document.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "auth/jwks.h"
#include "auth/key_ring.h"
#include "base/task.h"
#include "base/time.h"
#include "fetch/client.h"
#include "reactor/loop.h"

namespace anywire::server {

struct JwksOptions {
  std::string url;
  Duration refresh{600'000};
  Duration stale{86'400'000};
  auth::Capability capability;  // of all its keys
  auth::Capability grants;
  std::string ca_file;
};

class JwksRefresher final : public auth::KeySource, private reactor::Timer {
 public:
  static constexpr Duration kPause{10'000};
  static constexpr Duration kTimeout{5'000};
  static constexpr Duration kRetryMin{1'000};
  static constexpr Duration kRetryMax{60'000};
  static constexpr std::size_t kWaitersMax = 10'000;

  JwksRefresher(reactor::Loop& loop, auth::KeyRing& keys, JwksOptions options);

  // On the loop: fetches for the first time, or again for good.
  Result<void> start();
  void stop();

  bool look_again(Task done) override;

 private:
  void on_timer() override;
  void join(Task done);
  void fetch();
  void take(fetch::Outcome outcome);
  void succeed(auth::Jwks found);
  void fail(std::string_view reason);
  void release_waiters();

  reactor::Loop& loop_;
  auth::KeyRing& keys_;
  const JwksOptions options_;
  std::unique_ptr<fetch::Client> client_;
  std::vector<Task> waiters_;
  bool fetching_ = false;
  bool has_keys_ = false;
  Duration retry_ = kRetryMin;
  TimePoint asked_at_;  // when the last request was sent
  bool asked_ = false;
  TimePoint good_until_;  // of the keys there are
};

}  // namespace anywire::server
