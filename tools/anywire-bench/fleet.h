// Fleet: opens many clients, a limited number at a time, and closes them in order. Where the
// dialect is the native one each client greets first, and is open when it is subscribed.
//
// Thread: the engine's. Lifetime: the handler outlives the fleet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "client.h"
#include "native.h"

namespace anywire::bench {

// Told what the clients receive once they are open.
class FleetHandler {
 public:
  virtual void on_message(Client& client, const Message& message) = 0;

 protected:
  ~FleetHandler() = default;
};

class Fleet final : private ClientHandler {
 public:
  static constexpr std::size_t kOpeningMax = 128;

  // At most `opening_max` clients are on their way at a time.
  Fleet(Engine& engine, FleetHandler& handler, std::size_t opening_max = kOpeningMax)
      : engine_(engine), handler_(handler), opening_max_(opening_max) {}

  // Opens until the fleet has `count` clients; false (and a failure in the engine) if that takes
  // too long.
  bool open(std::size_t count);
  // The same for as many native clients as there are seats, each with the one of its number.
  bool resume(std::vector<NativeSeat> seats);
  // Closes those that are not wanted with a closing handshake, and forgets them. No more may be
  // opened then, unless none is left.
  void keep(const std::function<bool(const Client&)>& wanted);
  void close_all() {
    keep([](const Client&) { return false; });
  }
  // Drops all connections without a word.
  void cut();

  std::vector<std::unique_ptr<Client>>& clients() { return clients_; }
  // By the client's id; of native clients only.
  const std::vector<NativeSeat>& seats() const { return seats_; }
  NativeSeat& seat(const Client& client) { return seats_[client.id()]; }

 private:
  void on_open(Client& client) override;
  void on_message(Client& client, const Message& message) override;
  void on_closed(Client& client, bool orderly) override;
  void open_more();
  void ready();
  bool take_greeting(Client& client, const Message& message);

  Engine& engine_;
  FleetHandler& handler_;
  const std::size_t opening_max_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<NativeSeat> seats_;
  std::size_t wanted_ = 0;
  std::size_t opened_ = 0;
  std::size_t closed_ = 0;
  bool closing_ = false;
};

}  // namespace anywire::bench
