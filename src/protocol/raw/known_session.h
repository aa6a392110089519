// KnownSession: a plain WebSocket client that has shown a credential with its request: it is
// somebody, may do what its token says, and goes when that ends.
//
// It is told by close codes what it cannot be told otherwise: 4451 the token was not accepted, 4452
// it has expired, 4453 it was revoked, 4403 it does not allow this channel.
//
// Thread: the loop's. Lifetime: see protocol::Session; who waits for keys on its behalf names it by
// its place in the adapter. Limits: kGrantsMax grants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/clients.h"
#include "protocol/credentials.h"
#include "protocol/client_id.h"
#include "protocol/raw/adapter.h"
#include "protocol/publish_line.h"
#include "protocol/raw/session.h"
#include "protocol/rights.h"

namespace anywire::protocol::raw {

class KnownSession final : public RawSession, public LiveClient {
 public:
  static constexpr std::size_t kGrantsMax = 16;

  KnownSession(RawAdapter& adapter, Transport& transport, bool heartbeat, Credentials shown,
               net::Address address);
  ~KnownSession() override;

  void on_attached(const http::RequestHead& request) override;
  void on_closed(ws::CloseCode code) override;

  std::string_view client() const override { return client_.text(); }
  std::string_view user() const override { return user_; }
  std::string_view protocol() const override { return RawAdapter::kName; }
  std::vector<std::string> channels(std::size_t most) const override;
  void disconnect(std::string_view reason, bool reconnect) override;
  void revoke() override;
  bool grant(const auth::Capability& capability,
             std::optional<auth::WallTime> expires) override;
  bool withdraw(const auth::Capability* capability) override;
  // The channel is the request's, for good.
  bool subscribe(std::string_view) override { return false; }
  bool unsubscribe(std::string_view) override { return false; }

 private:
  struct Grant {
    auth::Capability capability;
    std::uint64_t expires_ms = 0;  // 0: with the session
  };

  void sign(broker::Draft& draft) const override;
  SessionLimits* limits() const override { return limits_.get(); }
  bool admit_user();
  void on_verified(Authenticator::Verdict verdict);
  void join_clients(const auth::TokenStamp& stamp);
  // Everybody agrees who it is.
  void come_in();

  // What the application is asked: application.cc.
  AppClientCard card() const;
  void ask_to_connect(const std::string& token, const auth::TokenStamp& stamp);
  void on_connect_answer(std::expected<ConnectAnswer, AppRefusal> answer,
                         const auth::TokenStamp& stamp);
  void ask_to_subscribe();
  void ask(broker::Draft&& draft) override;
  void on_published(const PublishLine::Outcome& outcome);
  // Calls `then(self, args...)` if the session still is when the answer comes.
  template <typename Then>
  auto later(Then then) {
    return [&known = adapter().known(), slot = slot_, then = std::move(then)](auto&&... args) {
      KnownSession* self = known.find(slot);
      if (self != nullptr && !self->closed()) {
        then(*self, std::forward<decltype(args)>(args)...);
      }
    };
  }
  bool may(auth::Operation operation) const;
  // What it may do has changed.
  void look_at_rights();
  void watch_clock();
  void on_timer() override { watch_clock(); }
  void end();

  Credentials shown_;     // until it is verified
  net::Address address_;
  std::string origin_;    // of the request, where there is an application to be told
  std::string info_;      // of the token, for the same
  std::weak_ptr<PublishLine> line_;
  std::string channel_;
  std::string user_;
  ClientId client_ = ClientId::random();
  SlotId slot_;
  auth::Capability capability_;
  std::vector<Grant> grants_;
  std::unique_ptr<SessionLimits> limits_;  // null: none
  std::uint64_t ends_at_ms_ = 0;  // grace included; 0: never
  bool named_ = false;            // the token names the channel
  bool in_ = false;               // it has been let in
  bool bearer_ = false;           // it has shown a credential
};

}  // namespace anywire::protocol::raw
