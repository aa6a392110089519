#include "protocol/authenticator.h"

#include <string>
#include <utility>

namespace anywire::protocol {

void Authenticator::verify(std::string_view token, Verified done) {
  Verdict verdict = verify_now(token);
  auth::KeySource* const source = authority_.keys.source();
  if (verdict || source == nullptr || waiting_ >= kWaitingMax ||
      !auth::may_be_of_new_key(token, *authority_.keys.keys())) {
    return done(std::move(verdict));
  }
  // Destroyed on this loop or, with the source, when the loops have stopped.
  struct Waiting {
    std::string token;
    Verified done;
  };
  auto waiting = std::make_shared<Waiting>(Waiting{std::string(token), std::move(done)});
  ++waiting_;
  const bool asked = source->look_again([this, waiting] {
    loop_.post([this, waiting] {
      --waiting_;
      waiting->done(verify_now(waiting->token));
    });
  });
  if (asked) return;
  --waiting_;
  waiting->done(std::move(verdict));
}

}  // namespace anywire::protocol
