#include "server/jwks_refresher.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/random.h"

namespace anywire::server {

JwksRefresher::JwksRefresher(reactor::Loop& loop, auth::KeyRing& keys, JwksOptions options)
    : loop_(loop), keys_(keys), options_(std::move(options)) {}

Result<void> JwksRefresher::start() {
  auto client = fetch::Client::create(
      loop_, {.ca_file = options_.ca_file, .connections_max = 1, .connect_timeout = kTimeout});
  if (!client) return std::unexpected(client.error());
  client_ = *std::move(client);
  fetch();
  return {};
}

void JwksRefresher::stop() {
  disarm();
  client_.reset();
  waiters_.clear();
}

bool JwksRefresher::look_again(Task done) {
  loop_.post([this, done = std::move(done)]() mutable { join(std::move(done)); });
  return true;
}

// Too many, or too soon: what is known is what there is.
void JwksRefresher::join(Task done) {
  const bool too_soon = asked_ && !fetching_ && loop_.now() - asked_at_ < kPause;
  if (client_ == nullptr || too_soon || waiters_.size() >= kWaitersMax) return done();
  waiters_.push_back(std::move(done));
  if (!fetching_) fetch();
}

void JwksRefresher::on_timer() {
  if (has_keys_ && loop_.now() >= good_until_) {
    has_keys_ = false;
    keys_.set_fetched({});
    log::error("the keys of the JWKS document are too old to be believed any longer",
               {{"server", fetch::origin_of(options_.url)}});
  }
  fetch();
}

void JwksRefresher::fetch() {
  if (fetching_ || client_ == nullptr) return;
  fetching_ = asked_ = true;
  asked_at_ = loop_.now();
  client_->send({.url = options_.url,
                 .headers = {{"Accept", "application/jwk-set+json, application/json"}},
                 .timeout = kTimeout,
                 .response_bytes_max = auth::kJwksBytesMax},
                [this](fetch::Outcome outcome) { take(std::move(outcome)); });
}

void JwksRefresher::take(fetch::Outcome outcome) {
  fetching_ = false;
  if (!outcome) {
    fail(outcome.error().text);
  } else if (outcome->status != 200) {
    fail("the answer is not 200");
  } else if (auto found = auth::read_jwks(outcome->body, options_.capability, options_.grants);
             !found) {
    fail(found.error().message);
  } else {
    succeed(*std::move(found));
  }
  release_waiters();
}

void JwksRefresher::succeed(auth::Jwks found) {
  if (found.refused != 0) {
    log::warn("the JWKS document publishes secrets or private keys: replace them",
              {{"server", fetch::origin_of(options_.url)}, {"keys", found.refused}});
  }
  log::info("keys fetched", {{"server", fetch::origin_of(options_.url)},
                             {"keys", found.keys.keys().size()},
                             {"skipped", found.skipped}});
  keys_.set_fetched(std::move(found.keys));
  has_keys_ = true;
  retry_ = kRetryMin;
  good_until_ = loop_.now() + options_.refresh + options_.stale;
  loop_.arm(*this, options_.refresh);
}

// Half of the time is by chance, so that many servers do not come back at once.
void JwksRefresher::fail(std::string_view reason) {
  log::warn("keys could not be fetched", {{"server", fetch::origin_of(options_.url)},
                                          {"reason", reason},
                                          {"has_keys", has_keys_}});
  Duration wait = retry_ / 2 + Random::local().jitter(retry_ / 2);
  retry_ = std::min(2 * retry_, kRetryMax);
  if (has_keys_) wait = std::min(wait, std::max(good_until_ - loop_.now(), Duration{1}));
  loop_.arm(*this, wait);
}

void JwksRefresher::release_waiters() {
  for (Task& done : std::exchange(waiters_, {})) done();
}

}  // namespace anywire::server
