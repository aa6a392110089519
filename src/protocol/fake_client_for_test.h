// FakeClient: a connected client as others than its own session see it. It writes down what is done
// to it, and is in the Clients for as long as it lives. Only tests and fuzz targets include it.
//
// Thread: its loop's. Lifetime: the Clients outlive it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/clients.h"

namespace anywire::protocol {

class FakeClient final : public LiveClient {
 public:
  FakeClient(Clients& clients, std::string client, std::string user)
      : clients_(clients), client_(std::move(client)), user_(std::move(user)) {
    clients_.add(*this, {.address = *net::Address::parse("192.0.2.7:1"),
                         .unix_ms = 1'700'000'000'000,
                         .stamp = {.id = auth::stamp_hash("t-" + client_),
                                   .key = 0,
                                   .issued_s = 1,
                                   .present = true}});
  }
  ~FakeClient() { clients_.remove(*this); }

  std::string_view client() const override { return client_; }
  std::string_view user() const override { return user_; }
  std::string_view protocol() const override { return "native"; }
  std::vector<std::string> channels(std::size_t) const override { return {"news"}; }
  void disconnect(std::string_view reason, bool reconnect) override {
    log.push_back("disconnect " + std::string(reason) + (reconnect ? " reconnect" : ""));
  }
  void revoke() override { log.push_back("revoke"); }
  bool grant(const auth::Capability& capability,
             std::optional<auth::WallTime> expires) override {
    log.push_back(std::string("grant ") +
                  (capability.allows(auth::Operation::kPublish, "room:1") ? "room:1" : "other") +
                  (expires ? " for a time" : ""));
    return true;
  }
  bool withdraw(const auth::Capability* capability) override {
    log.push_back(capability == nullptr ? "withdraw all" : "withdraw one");
    return capability == nullptr;
  }
  bool subscribe(std::string_view channel) override {
    log.push_back("subscribe " + std::string(channel));
    return channel != "full";
  }
  bool unsubscribe(std::string_view channel) override {
    log.push_back("unsubscribe " + std::string(channel));
    return true;
  }
  void call(const ClientCall& call, CallDone done) override {
    log.push_back("call " + call.method + " " + call.data);
    waiting = std::move(done);
  }
  void on_timer() override {}

  std::vector<std::string> log;
  CallDone waiting;

 private:
  Clients& clients_;
  const std::string client_;
  const std::string user_;
};

}  // namespace anywire::protocol
