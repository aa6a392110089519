// Native: what a client of anywire.v1.json (docs/protocol.md) says before a test begins, and how
// the generator reads what the server says to it.
//
// A client greets with one frame: connect with a token of its own, enter the channel if it is to be
// present, subscribe. One that has a session resumes it and subscribes from its cursor. Where
// nothing is to be received it only connects.
//
// Thread: the engine's. Lifetime: outlives the engine that uses it; views it hands out end with
// its next call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/key.h"
#include "base/bytes.h"
#include "base/result.h"
#include "codec/json_reader.h"
#include "dialect.h"

namespace anywire::bench {

struct NativeOptions {
  std::string secret;     // the server's auth.hs256_secret
  std::string channel;    // of plain characters, which JSON need not escape
  bool presence = false;  // enter the channel, too
  bool subscribes = true;
  bool anonymous = false;  // connect without the token
};

// What one client knows of its session and its subscription.
struct NativeSeat {
  std::string session;       // resumes it
  std::string epoch;
  std::uint64_t offset = 0;  // the cursor
  bool greeted = false;      // `connected` has come
  bool subscribed = false;
  bool present = false;
  bool resumed = false;
  bool recovered = false;
  std::uint64_t missed = 0;  // messages that gaps have told of

  // The next session's seat: with what resumes this one.
  NativeSeat successor() const { return {.session = session, .epoch = epoch, .offset = offset}; }
};

// A push to a client that has joined.
struct NativePush {
  enum class Kind : std::uint8_t { kMessage, kGap, kOther };
  Kind kind = Kind::kOther;
  std::uint64_t offset = 0;  // of the message; of a gap the new cursor
  std::uint64_t from = 0;    // of a gap
  std::uint64_t to = 0;
  std::string_view data;     // of a message, if it is a string
};

// What answers a publication.
struct NativePublished {
  std::uint64_t id = 0;
  std::uint64_t offset = 0;
};

class Native {
 public:
  static Result<std::unique_ptr<Native>> create(const NativeOptions& options);

  Dialect dialect() const;
  const NativeOptions& options() const { return options_; }

  // The first frame of a client.
  Result<std::string> hello(std::uint32_t client, const NativeSeat& seat) const;
  // Takes an answer to the greeting; false if the message is none. An error if it is a refusal, or
  // takes a client for a user that showed no token, or the other way round.
  Result<bool> take(std::string_view message, NativeSeat& seat);
  bool joined(const NativeSeat& seat) const {
    return seat.greeted && (seat.subscribed || !options_.subscribes) &&
           (seat.present || !options_.presence);
  }

  // An error if the message does not say that something was published.
  Result<NativePublished> published(std::string_view message);

  // Many receivers get the same bytes one after the other; these are read once.
  Result<NativePush> read(std::string_view message);

  // The next message or gap of a client: moves its cursor, and fails if the push is not what has
  // to come next. Nothing for a gap.
  Result<std::optional<NativePush>> advance(std::string_view message, NativeSeat& seat);

 private:
  Native(NativeOptions options, auth::Key key);
  Result<std::string> sign(std::uint32_t client) const;
  Result<bool> take_one(const codec::JsonValue& message, NativeSeat& seat) const;

  NativeOptions options_;
  auth::Key key_;
  std::string publish_prefix_;
  codec::JsonReader reader_;
  std::string last_;  // the message last read, and what it says
  NativePush last_push_;
};

// The loop a session lives on. Sessions' secrets are opaque to clients; this server's begin with
// that number, and only a generator that places its clients has a right to look.
std::optional<std::uint32_t> loop_of_session(std::string_view session);

}  // namespace anywire::bench
