#include "fleet.h"

#include <fmt/format.h>

#include <chrono>

namespace anywire::bench {

using namespace std::chrono_literals;

bool Fleet::open(std::size_t count) {
  wanted_ = count;
  clients_.reserve(count);
  open_more();
  const bool done = engine_.run_until([this] { return opened_ >= wanted_; }, 60s);
  if (!done) engine_.fail(fmt::format("only {} of {} connections opened", opened_, wanted_));
  return done;
}

void Fleet::open_more() {
  ClientHandler& self = *this;
  while (clients_.size() < wanted_ && clients_.size() - opened_ < kOpeningMax) {
    const auto id = static_cast<std::uint32_t>(clients_.size());
    clients_.push_back(std::make_unique<Client>(engine_, self, id));
    if (auto result = clients_.back()->connect(id); !result) {
      engine_.fail(result.error().message);
      return;
    }
  }
}

void Fleet::on_open(Client&) {
  ++opened_;
  open_more();
}

void Fleet::on_closed(Client& client, bool) {
  ++closed_;
  if (!closing_) engine_.fail(fmt::format("connection {} was lost", client.id()));
}

void Fleet::close_all() {
  closing_ = true;
  for (auto& client : clients_) client->close();
  engine_.run_until([this] { return closed_ >= clients_.size(); }, 10s);
  clients_.clear();
  wanted_ = opened_ = closed_ = 0;
  closing_ = false;
}

}  // namespace anywire::bench
