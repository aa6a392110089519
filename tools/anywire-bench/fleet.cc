#include "fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace anywire::bench {

using namespace std::chrono_literals;

bool Fleet::open(std::size_t count) {
  wanted_ = count;
  clients_.reserve(count);
  if (engine_.options().native != nullptr) seats_.resize(count);
  open_more();
  const bool done = engine_.run_until([this] { return opened_ >= wanted_; }, 60s);
  if (!done) engine_.fail(fmt::format("only {} of {} connections opened", opened_, wanted_));
  return done;
}

bool Fleet::resume(std::vector<NativeSeat> seats) {
  seats_ = std::move(seats);
  return open(seats_.size());
}

void Fleet::open_more() {
  ClientHandler& self = *this;
  while (clients_.size() < wanted_ && clients_.size() - opened_ < opening_max_) {
    const auto id = static_cast<std::uint32_t>(clients_.size());
    clients_.push_back(std::make_unique<Client>(engine_, self, id));
    if (auto result = clients_.back()->connect(id); !result) {
      engine_.fail(result.error().message);
      return;
    }
  }
}

void Fleet::on_open(Client& client) {
  const Native* native = engine_.options().native;
  if (native == nullptr) return ready();
  const auto hello = native->hello(client.id(), seat(client));
  if (!hello) return engine_.fail(hello.error().message);
  client.send_text(*hello);
}

void Fleet::ready() {
  ++opened_;
  open_more();
}

void Fleet::on_message(Client& client, const Message& message) {
  if (engine_.options().native != nullptr && take_greeting(client, message)) return;
  handler_.on_message(client, message);
}

// Messages may come before the last answer.
bool Fleet::take_greeting(Client& client, const Message& message) {
  Native& native = *engine_.options().native;
  NativeSeat& its = seat(client);
  if (native.joined(its)) return false;
  const auto taken = native.take(as_text(message.head), its);
  if (!taken) {
    engine_.fail(fmt::format("client {}: {}", client.id(), taken.error().message));
    return true;
  }
  if (*taken && native.joined(its)) ready();
  return *taken;
}

void Fleet::on_closed(Client& client, bool) {
  ++closed_;
  if (closing_) return;
  engine_.fail(fmt::format("connection {} was lost; {} of {} had opened", client.id(), opened_,
                           wanted_));
}

void Fleet::keep(const std::function<bool(const Client&)>& wanted) {
  closing_ = true;
  const auto gone = std::partition(clients_.begin(), clients_.end(),
                                   [&](const auto& client) { return wanted(*client); });
  const auto count = static_cast<std::size_t>(clients_.end() - gone);
  for (auto client = gone; client != clients_.end(); ++client) (*client)->close();
  engine_.run_until([&] { return closed_ >= count; }, 10s);
  clients_.erase(gone, clients_.end());
  wanted_ = opened_ = clients_.size();
  closed_ = 0;
  closing_ = false;
  if (clients_.empty()) seats_.clear();
}

void Fleet::cut() {
  clients_.clear();
  wanted_ = opened_ = closed_ = 0;
}

}  // namespace anywire::bench
