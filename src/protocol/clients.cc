#include "protocol/clients.h"

#include <algorithm>
#include <span>
#include <utility>

namespace anywire::protocol {

namespace {

constexpr std::uint32_t short_key(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash >> 35);
}

// Nothing is made for what is not there and reads as zero.
template <typename T>
void put_beside(std::vector<T>& column, std::uint32_t place, const T& value) {
  if (column.size() <= place) {
    if (value == T()) return;
    column.resize(place + std::size_t{1});
  }
  column[place] = value;
}

}  // namespace

void Clients::put(Index& index, const LiveClient& client, std::uint32_t place) {
  const std::string_view name = (client.*index.name)();
  if (index.made && !name.empty()) index.slots.add(name, place);
}

void Clients::drop(Index& index, const LiveClient& client, std::uint32_t place) {
  const std::string_view name = (client.*index.name)();
  if (index.made && !name.empty()) index.slots.remove(name, place);
}

SlotIndex& Clients::made(Index& index) {
  if (!std::exchange(index.made, true)) {
    for (const Entry& entry : entries_) {
      if (entry.client != nullptr) put(index, *entry.client, entry.client->place_);
    }
  }
  return index.slots;
}

void Clients::add(LiveClient& client, const Arrival& arrival) {
  remove(client);
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  const std::uint32_t place = free_.back();
  free_.pop_back();
  const net::Address& address = arrival.address;
  Entry& entry = entries_[place];
  entry = {.client = &client,
           .since_s = static_cast<std::uint32_t>(arrival.unix_ms / 1000),
           .family = static_cast<std::uint32_t>(address.family())};
  net::Address::Ipv6Bytes ipv6{};
  if (address.family() == net::Family::kIpv4) {
    // The compiler cannot see how many bytes an address of this family has.
    std::ranges::copy(address.ip_bytes().first(entry.ipv4.size()), entry.ipv4.begin());
  } else {
    std::ranges::copy(address.ip_bytes(), ipv6.begin());
  }
  put_beside(ipv6_, place, ipv6);
  set_stamp(place, arrival.stamp);
  client.place_ = place;
  put(by_user_, client, place);
  put(by_client_, client, place);
}

void Clients::named(LiveClient& client) {
  if (has(client)) put(by_client_, client, client.place_);
}

void Clients::set_stamp(std::uint32_t place, const auth::TokenStamp& stamp) {
  Entry& entry = entries_[place];
  entry.issued_s = stamp.issued_s;
  entry.key = short_key(stamp.key);
  entry.bearer = stamp.present;
  put_beside(token_ids_, place, stamp.id);
}

void Clients::restamp(LiveClient& client, const auth::TokenStamp& stamp) {
  if (has(client)) set_stamp(client.place_, stamp);
}

// Who is the last one leaves nothing behind.
void Clients::remove(LiveClient& client) {
  const std::uint32_t place = std::exchange(client.place_, LiveClient::kNowhere);
  if (place == LiveClient::kNowhere) return;
  drop(by_user_, client, place);
  drop(by_client_, client, place);
  entries_[place] = {};
  free_.push_back(place);
  if (size() == 0) *this = Clients();
}

std::vector<LiveClient*> Clients::find(const Whom& whom) {
  std::vector<LiveClient*> found;
  Index& index = whom.client.empty() ? by_user_ : by_client_;
  const std::string_view name = whom.client.empty() ? whom.user : whom.client;
  if (name.empty() || size() == 0) return found;
  made(index).for_each(name, [&](std::uint32_t place) {
    LiveClient* client = entries_[place].client;
    if ((client->*index.name)() == name) found.push_back(client);
  });
  return found;
}

auth::TokenStamp Clients::stamp(std::uint32_t place) const {
  const Entry& entry = entries_[place];
  return {.id = place < token_ids_.size() ? token_ids_[place] : 0,
          .issued_s = entry.issued_s,
          .present = entry.bearer != 0};
}

std::vector<LiveClient*> Clients::find(const auth::Revocation& revocation) {
  using Kind = auth::Revocation::Kind;
  std::vector<LiveClient*> found;
  const auto look = [&](std::uint32_t place) {
    LiveClient* client = entries_[place].client;
    if (client != nullptr && revocation.takes(stamp(place), client->user())) {
      found.push_back(client);
    }
  };
  if (revocation.kind == Kind::kUser) {
    if (size() != 0) made(by_user_).for_each(revocation.name, look);
    return found;
  }
  // Names are hashed once, and not for each of so many.
  const bool by_name = revocation.kind != Kind::kAll;
  const std::uint64_t hash = by_name ? auth::stamp_hash(revocation.name) : 0;
  for (std::uint32_t place = 0; place < entries_.size(); ++place) {
    const Entry& entry = entries_[place];
    if (revocation.kind == Kind::kAll) {
      look(place);
    } else if (entry.client != nullptr && entry.bearer != 0 &&
               (revocation.kind == Kind::kKey ? entry.key == short_key(hash)
                                              : stamp(place).id == hash)) {
      found.push_back(entry.client);
    }
  }
  return found;
}

net::Address::Ipv6Bytes Clients::ipv6(std::uint32_t place) const {
  return place < ipv6_.size() ? ipv6_[place] : net::Address::Ipv6Bytes();
}

std::string Clients::address(const LiveClient& client) const {
  if (!has(client)) return {};
  const Entry& entry = entries_[client.place_];
  switch (static_cast<net::Family>(entry.family)) {
    case net::Family::kIpv4: return net::Address::ipv4(entry.ipv4, 0).host();
    case net::Family::kIpv6: return net::Address::ipv6(ipv6(client.place_), 0).host();
    case net::Family::kUnix: return "unix";
    case net::Family::kNone: break;
  }
  return {};
}

ClientRecord Clients::record(const LiveClient& client) const {
  ClientRecord record{.client = std::string(client.client()),
                      .user = std::string(client.user()),
                      .address = address(client),
                      .protocol = std::string(client.protocol()),
                      .channels = client.channels(kListedChannelsMax)};
  if (has(client)) record.since_ms = std::uint64_t{entries_[client.place_].since_s} * 1000;
  return record;
}

ClientGroup::ClientGroup(const std::vector<reactor::Loop*>& loops) {
  for (reactor::Loop* loop : loops) sides_.push_back({loop, std::make_unique<Clients>()});
}

void ClientGroup::run_on(std::uint32_t loop, std::uint32_t from, Task work) {
  if (loop == from) return work();
  sides_[loop].loop->post(std::move(work));
}

template <typename Part, typename Work, typename Done>
void ClientGroup::gather(std::uint32_t from, Work work, Done done) {
  // Looked at on the loop `from` only; mails merely carry it.
  struct Gathered {
    std::vector<Part> parts;
    std::size_t left;
    Done done;
  };
  const auto gathered = std::make_shared<Gathered>(
      Gathered{std::vector<Part>(sides_.size()), sides_.size(), std::move(done)});
  for (std::uint32_t loop = 0; loop < sides_.size(); ++loop) {
    run_on(loop, from, [this, loop, from, work, gathered]() mutable {
      Part part = work(loop);
      run_on(from, loop, [loop, part = std::move(part), gathered = std::move(gathered)]() mutable {
        gathered->parts[loop] = std::move(part);
        if (--gathered->left == 0) gathered->done(std::move(gathered->parts));
      });
    });
  }
}

namespace {

std::size_t sum(const std::vector<std::size_t>& parts) {
  std::size_t all = 0;
  for (const std::size_t part : parts) all += part;
  return all;
}

}  // namespace

void ClientGroup::for_each(std::uint32_t from, Whom whom, Visit visit, Counted done) {
  gather<std::size_t>(
      from,
      [this, whom = std::move(whom), visit = std::move(visit)](std::uint32_t loop) {
        Clients& clients = on(loop);
        std::size_t count = 0;
        for (LiveClient* client : clients.find(whom)) {
          // A visit to one may have been the end of another.
          if (clients.has(*client) && visit(*client)) ++count;
        }
        return count;
      },
      [done = std::move(done)](const std::vector<std::size_t>& parts) mutable {
        done(sum(parts));
      });
}

void ClientGroup::list(std::uint32_t from, Whom whom, Listed done) {
  using Records = std::vector<ClientRecord>;
  gather<Records>(
      from,
      [this, whom = std::move(whom)](std::uint32_t loop) {
        Clients& clients = on(loop);
        Records records;
        for (const LiveClient* client : clients.find(whom)) {
          if (records.size() == kListedMax) break;
          records.push_back(clients.record(*client));
        }
        return records;
      },
      [done = std::move(done)](std::vector<Records> parts) mutable {
        Records all;
        for (Records& part : parts) {
          all.insert(all.end(), std::make_move_iterator(part.begin()),
                     std::make_move_iterator(part.end()));
        }
        done(std::move(all));
      });
}

void ClientGroup::call(std::uint32_t from, std::string client, ClientCall call, CallDone done) {
  // Used on the loop `from` only, and empty once it was.
  struct Waiting {
    CallDone done;
  };
  const auto waiting = std::make_shared<Waiting>(Waiting{std::move(done)});
  const auto finish = [](Waiting& asker, std::expected<std::string, CallError> result) {
    if (asker.done) std::exchange(asker.done, {})(std::move(result));
  };
  gather<std::size_t>(
      from,
      [this, from, finish, client = std::move(client), call = std::move(call),
       waiting](std::uint32_t loop) -> std::size_t {
        const std::vector<LiveClient*> found = on(loop).find(Whom{.user = {}, .client = client});
        if (found.empty()) return 0;
        const auto answer = [this, from, loop, finish,
                             waiting](std::expected<std::string, CallError> result) {
          run_on(from, loop, [finish, waiting, result = std::move(result)]() mutable {
            finish(*waiting, std::move(result));
          });
        };
        found.front()->call(call, answer);
        return 1;
      },
      [finish, waiting](const std::vector<std::size_t>& parts) {
        if (sum(parts) == 0) finish(*waiting, std::unexpected(CallError{}));
      });
}

void ClientGroup::revoke(std::uint32_t from, auth::Revocation revocation, Counted done) {
  gather<std::size_t>(
      from,
      [this, revocation = std::move(revocation)](std::uint32_t loop) {
        Clients& clients = on(loop);
        std::size_t count = 0;
        for (LiveClient* client : clients.find(revocation)) {
          if (!clients.has(*client)) continue;
          client->revoke();
          ++count;
        }
        return count;
      },
      [done = std::move(done)](const std::vector<std::size_t>& parts) mutable {
        done(sum(parts));
      });
}

}  // namespace anywire::protocol
