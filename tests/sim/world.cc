#include "sim/world.h"

#include <fmt/core.h>

#include <algorithm>

#include "http/connection.h"
#include "protocol/native/session_table.h"

namespace anywire::sim {
namespace {

constexpr std::string_view kKey = "0123456789abcdef0123456789abcdef";
// While something is on its way time goes in such steps, otherwise in larger ones.
constexpr Duration kBusySlice{25};
constexpr Duration kIdleSlice{900};
// Above what a connection may have unsent: the last run of messages, and answers of its own.
constexpr std::size_t kQueueSlack = 64 * 1024;
// Everything has come to rest after that, or never does.
constexpr Duration kRestMax{120'000};
// Grace, pings that are not answered, what is told late: over after that.
constexpr Duration kRestMin{28'000};
// The longest grace of a channel, and what telling of it takes.
constexpr Duration kGraceMax{10'000};
// History, keys and streams are forgotten after that.
constexpr Duration kForgotten{5'000'000};

hub::Rules rules_of(const Scenario& scenario) {
  std::vector<hub::ChannelRule> rules;
  for (const ChannelPlan& one : scenario.channels) rules.push_back(one.rule);
  hub::ChannelRule fallback;
  fallback.subscribe = hub::Access::kAnyone;
  return hub::Rules(std::move(rules), std::move(fallback));
}

protocol::native::NativeOptions native_options(const Scenario& scenario) {
  protocol::native::NativeOptions options;
  options.anonymous = true;
  options.session_window = scenario.session_window;
  options.ping = Duration{5'000};
  return options;
}

}  // namespace

// What server::Worker has of a loop, without sockets and thread.
struct World::Side {
  Side(World& world, std::uint32_t index)
      : loop(*world.loops_[index]),
        streams(world.http_streams_, loop, {}),
        gateway({}, adapters(world, index), websockets, streams, engine) {}

  std::vector<std::unique_ptr<protocol::Adapter>> adapters(World& world, std::uint32_t index) {
    std::vector<std::unique_ptr<protocol::Adapter>> all;
    all.push_back(std::make_unique<protocol::native::NativeAdapter>(
        native_options(world.scenario_),
        protocol::native::NativeServices{.loop = loop,
                                         .wall = world.wall_,
                                         .hub = world.hubs_->hub(index),
                                         .compression = compression,
                                         .sessions = *world.sessions_,
                                         .clients = *world.connected_,
                                         .authority = *world.authority_}));
    return all;
  }

  reactor::Loop& loop;
  ws::CompressionPool compression{3};
  protocol::WebSocketContext websockets{{.loop = loop,
                                         .options = {.ping_interval = Duration{5'000},
                                                     .ping_timeout = Duration{4'000},
                                                     .high_watermark_bytes = 2 * 1024,
                                                     .queue_bytes_max = kQueueBytesMax,
                                                     .compression_bytes_min = 100},
                                         .compression = compression},
                                        {}};
  protocol::HttpStreams streams;
  protocol::engine::Endpoints engine{loop, {}, {}, compression};  // no scenario speaks it
  server::Gateway gateway;
  http::ConnectionContext http{.loop = loop,
                               .options = {},
                               .handler = gateway,
                               .parser = http::RequestParser(),
                               .connections = {}};
};

// For a planted fault: somebody who never leaves.
struct World::HiddenSubscriber final : hub::Subscriber {
  void on_subscribed(const hub::Joined&) override {}
  bool on_delivery(hub::Delivery&) override { return true; }
};

World::World(const Scenario& scenario, Fault fault, Tracing tracing)
    : scenario_(scenario),
      fault_(fault),
      secrets_(scenario.seed ^ 0x5ec4e7),
      dice_(scenario.seed ^ 0xd1ce),
      replaced_(secrets_),
      record_(clock_, tracing),
      truth_(record_),
      tamper_(fault, scenario.seed ^ 0xfa017),
      verify_{.leeway = Duration{0}, .issuer = {}, .audience = {}, .expiry_required = false},
      rules_(rules_of(scenario)) {
  keys_.add(*auth::Key::hs256("", kKey)).value();
  make_sides();
  for (std::uint32_t i = 0; i < scenario.clients.size(); ++i) {
    clients_.push_back(std::make_unique<Client>(*this, i, scenario.clients[i]));
  }
  if (fault == Fault::kLeakSubscriber) {
    hidden_ = std::make_unique<HiddenSubscriber>();
    hubs_->hub(0).subscribe(scenario.channels[0].name, *hidden_);
  }
}

void World::make_sides() {
  std::vector<reactor::Loop*> all;
  std::vector<hub::HubSeat> seats;
  for (std::uint32_t i = 0; i < scenario_.loops; ++i) {
    loops_.push_back(
        *reactor::Loop::create({.index = i, .receive_buffer_bytes = 16 * 1024}, clock_));
    reactor::Loop& loop = *loops_.back();
    all.push_back(&loop);
    // As a mail from the store's thread, in its time.
    const auto soon = [this, i, &loop] {
      const std::uint64_t most = dice_.below(10) == 0 ? 1500 : 30;
      later(Duration(dice_.below(most)),
            [this, i, &loop] { loop.post([this, i] { brokers_[i]->step(); }); });
    };
    brokers_.push_back(std::make_unique<SimBroker>(
        SimBrokerOptions{.late = scenario_.store.late,
                         .fault = fault_,
                         .limits = {.history_bytes_max = scenario_.store.history_bytes_max},
                         .epochs = secrets_,
                         .dice = dice_,
                         .soon = soon},
        wall_, truth_));
    seats.push_back({loop, *brokers_.back()});
  }
  hubs_ = std::make_unique<hub::HubGroup>(seats, rules_);
  sessions_ = *protocol::native::SessionGroup::create(all);
  connected_ = std::make_unique<protocol::ClientGroup>(all);
  authority_ = std::make_unique<auth::Authority>(verify_, keys_);
  for (std::uint32_t i = 0; i < scenario_.loops; ++i) {
    sides_.push_back(std::make_unique<Side>(*this, i));
  }
}

World::~World() {
  clients_.clear();
  for (const auto& side : sides_) {
    side->streams.abort();
    for (auto* one : side->websockets.transports.snapshot()) one->abort();
    for (auto* one : side->http.connections.snapshot()) one->abort();
  }
  hidden_.reset();
  // What is still due must find its way past those who are gone.
  for (int i = 0; i < 6; ++i) turn_all();
  for (auto& [at, work] : std::exchange(events_, {})) work();
  for (int i = 0; i < 6; ++i) turn_all();
  links_.clear();
}

// ---- Steps ----

void World::run() {
  if (record_.tracing()) record_.note("{}", describe(scenario_));
  for (const Step& step : scenario_.steps) {
    dice_ = Random(step.salt);
    if (starves_ > 0) --starves_;
    if (dice_.below(15) == 0) {
      starved_ = static_cast<std::size_t>(dice_.below(sides_.size()));
      starves_ = 2 + dice_.below(20);
    }
    act(step);
    jostle();
    if (record_.failed()) return;
  }
  dice_ = Random(scenario_.seed);
  come_to_rest();
  if (!record_.failed()) end();
}

void World::act(const Step& step) {
  record_.note("-- {} c{} {}", name(step.act), step.client,
               scenario_.channels[step.channel].name);
  switch (step.act) {
    case Act::kTurn: return;
    case Act::kWait: {
      const std::uint64_t how = dice_.below(10);
      return pass(Duration(dice_.below(how == 0 ? 12'000 : how < 4 ? 1'500 : 100)));
    }
    case Act::kStore:
      return store_fails(scenario_.store.failing && dice_.below(2) == 0);
    case Act::kClear:
      if (!scenario_.store.clears) return;
      for (const auto& one : brokers_) one->clear(scenario_.channels[step.channel].name);
      return;
    case Act::kQuiet: return come_to_rest();
    default: return clients_[step.client]->act(step);
  }
}

void World::store_fails(bool failing) {
  for (const auto& one : brokers_) one->failing = failing;
}

// ---- Time ----

void World::later(Duration delay, std::function<void()> work) {
  events_.emplace(std::pair{clock_.now() + delay, ++events_made_}, std::move(work));
}

bool World::busy() const {
  return !events_.empty() ||
         std::ranges::any_of(links_, [](const auto& link) { return link->busy(); });
}

void World::pass(Duration time) {
  const TimePoint end = clock_.now() + time;
  while (clock_.now() < end && !record_.failed()) {
    advance(std::min(end - clock_.now(), busy() ? kBusySlice : kIdleSlice));
    turn_all();
    tick();
  }
}

void World::advance(Duration time) {
  clock_.advance(time);
  wall_.advance(time);
  tick();
}

// What is due happens, clients read and act.
void World::tick() {
  while (!events_.empty() && events_.begin()->first.first <= clock_.now()) {
    const std::function<void()> work = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    work();
  }
  for (const auto& client : clients_) {
    if (record_.failed()) return;
    client->poll();
  }
  std::erase_if(links_, [this](const auto& link) {
    if (link->over()) record_.note("link {} is over", link->id);
    return link->over();
  });
}

// Some loops turn in some order; each sees some of its mails.
void World::jostle() {
  for (std::uint64_t i = dice_.below(8); i > 0; --i) {
    const auto side = static_cast<std::size_t>(dice_.below(sides_.size()));
    turn(side, dice_.below(3) == 0 ? static_cast<std::size_t>(dice_.below(6)) : SIZE_MAX);
    if (dice_.below(3) == 0) advance(Duration(dice_.below(6)));
  }
  tick();
}

void World::turn(std::size_t index, std::size_t tasks_max) {
  reactor::Loop& loop = *loops_[index];
  if (starves_ > 0 && starved_ == index) tasks_max = dice_.below(8) == 0;
  // A copy: what happens in between may open links.
  std::vector<Link*> here;
  for (const auto& link : links_) {
    if (link->loop_index() == index) here.push_back(link.get());
  }
  loop.turn_for_test([&] { for (Link* link : here) link->arrive(); }, tasks_max);
  for (Link* link : here) {
    link->collect();
    if (link->wire.queued() > kQueueBytesMax + kQueueSlack) {
      record_.violate(Check::kMemory, "link {} has {} bytes unsent", link->id,
                      link->wire.queued());
    }
  }
}

void World::turn_all() {
  const auto first = static_cast<std::size_t>(dice_.below(sides_.size()));
  for (std::size_t i = 0; i < sides_.size(); ++i) turn((first + i) % sides_.size(), SIZE_MAX);
}

// ---- For clients ----

std::shared_ptr<Link> World::open_link() {
  // To the loop that knows least, if there is one: what others know already is news there.
  const bool behind = starves_ > 0 && dice_.below(2) == 0;
  Side& side = *sides_[behind ? starved_ : static_cast<std::size_t>(dice_.below(sides_.size()))];
  auto link = std::make_shared<Link>(++links_made_, side.loop, clock_, scenario_.network, dice_);
  http::Connection::start(side.http, link->wire.make_stream(), {});
  links_.push_back(link);
  return link;
}

std::string World::sign(std::string_view claims) const {
  return *auth::sign_hs256(*keys_.find(""), claims);
}

std::optional<bool> World::store_has(std::string_view channel, std::uint64_t epoch,
                                     std::uint64_t offset) {
  for (const auto& one : brokers_) {
    if (const auto has = one->has(channel, epoch, offset)) return has;
  }
  return std::nullopt;
}

PresenceList::Members World::members_of(std::uint32_t channel) const {
  PresenceList::Members members;
  for (const auto& client : clients_) {
    if (!client->present_in(channel)) continue;
    members[std::string(client->client_id())] = {client->plan().user, client->info_in(channel)};
  }
  return members;
}

// ---- Rest and the end ----

void World::come_to_rest() {
  record_.note("-- let it come to rest");
  starves_ = 0;
  store_fails(false);
  for (const auto& client : clients_) client->calm();
  for (const auto& link : links_) {
    link->heal();
    // Left behind by a client that went without closing it.
    if (link.use_count() == 1) link->close(false);
  }
  const TimePoint begin = clock_.now();
  const auto resting = [this] {
    return !busy() && std::ranges::all_of(clients_, [this](const auto& one) {
      return one->at_rest() && clock_.now() - one->lost_at() >= kGraceMax;
    });
  };
  do {
    pass(Duration{1'000});
  } while (!record_.failed() && clock_.now() - begin < kRestMax &&
           (!resting() || clock_.now() - begin < kRestMin));
  check_at_rest();
}

void World::check_at_rest() {
  for (const auto& client : clients_) {
    if (record_.failed()) return;
    client->check_at_rest();
  }
  for (std::uint32_t i = 0; i < sides_.size(); ++i) {
    const std::size_t readers = hubs_->hub(i).readers();
    if (readers > 0) record_.violate(Check::kMemory, "{} readers at rest", readers);
    if (brokers_[i]->due() > 0) record_.violate(Check::kMemory, "the store was not asked");
    if (hubs_->hub(i).crowded()) record_.violate(Check::kMemory, "crowded at rest");
  }
}

void World::end() {
  record_.note("-- everybody leaves");
  for (const auto& client : clients_) client->depart_for_good();
  pass(kRestMin + scenario_.session_window);
  advance(kForgotten);
  for (int i = 0; i < 8; ++i) {
    turn_all();
    advance(Duration{30'000});
  }
  if (!record_.failed()) check_nothing_is_left();
}

void World::check_nothing_is_left() {
  const auto none = [this](std::size_t count, std::uint32_t side, std::string_view what) {
    if (count > 0) record_.violate(Check::kMemory, "loop {} still has {} {}", side, count, what);
  };
  for (std::uint32_t i = 0; i < sides_.size(); ++i) {
    const hub::Hub& hub = hubs_->hub(i);
    none(sides_[i]->websockets.transports.size(), i, "connections");
    none(sides_[i]->http.connections.size(), i, "HTTP connections");
    none(sessions_->table(i).detached(), i, "sessions to resume");
    none(hub.channels(), i, "channels");
    none(hub.owned_channels(), i, "owned channels");
    none(hub.present_channels(), i, "channels with presence");
    none(hub.patterns(), i, "patterns");
    none(hub.readers(), i, "readers");
    none(brokers_[i]->due(), i, "questions to the store");
    none(brokers_[i]->history_bytes(), i, "bytes of history");
    none(brokers_[i]->idempotency_keys(), i, "idempotency keys");
    none(brokers_[i]->streams(), i, "streams");
  }
  none(links_.size(), 0, "links");
}

}  // namespace anywire::sim
