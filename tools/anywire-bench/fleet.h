// Fleet: opens many clients, a limited number at a time, and closes them in order.
//
// Thread: the engine's. Lifetime: the handler outlives the fleet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "client.h"

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
  Fleet(Engine& engine, FleetHandler& handler) : engine_(engine), handler_(handler) {}

  // Opens until the fleet has `count` clients; false (and a failure in the engine) if that takes
  // too long.
  bool open(std::size_t count);
  // Closes all with a closing handshake and forgets them.
  void close_all();

  std::vector<std::unique_ptr<Client>>& clients() { return clients_; }

 private:
  static constexpr std::size_t kOpeningMax = 128;

  void on_open(Client& client) override;
  void on_message(Client& client, const Message& message) override {
    handler_.on_message(client, message);
  }
  void on_closed(Client& client, bool orderly) override;
  void open_more();

  Engine& engine_;
  FleetHandler& handler_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::size_t wanted_ = 0;
  std::size_t opened_ = 0;
  std::size_t closed_ = 0;
  bool closing_ = false;
};

}  // namespace anywire::bench
