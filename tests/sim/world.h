// World: one run. The real server, but for sockets, threads, clocks, randomness and store: loops
// with a Gateway and the native adapter each, and a HubGroup over all; on the other end of
// simulated links the clients. One thread turns loops, moves packets and time in an order that the
// scenario's numbers decide.
//
// Thread: one at a time. Lifetime: `scenario` outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/key.h"
#include "base/clock.h"
#include "base/random.h"
#include "hub/hub.h"
#include "protocol/native/adapter.h"
#include "server/gateway.h"
#include "sim/client.h"
#include "sim/link.h"
#include "sim/record.h"
#include "sim/scenario.h"
#include "sim/sim_broker.h"
#include "sim/tamper.h"
#include "sim/truth.h"

namespace anywire::sim {

class World {
 public:
  World(const Scenario& scenario, Fault fault, Tracing tracing);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // All steps, then the end: everything comes to rest, everybody leaves. Stops at the first
  // violation.
  void run();

  // ---- For clients ----

  const Scenario& scenario() const { return scenario_; }
  Record& record() { return record_; }
  Truth& truth() { return truth_; }
  Tamper& tamper() { return tamper_; }
  ManualClock& clock() { return clock_; }
  ManualWallClock& wall() { return wall_; }
  Random& dice() { return dice_; }
  std::shared_ptr<Link> open_link();
  std::string sign(std::string_view claims) const;
  std::size_t queue_bytes_max() const { return kQueueBytesMax; }
  std::optional<bool> store_has(std::string_view channel, std::uint64_t epoch,
                                std::uint64_t offset);
  // Who is in a channel, by what the clients know.
  PresenceList::Members members_of(std::uint32_t channel) const;

 private:
  static constexpr std::size_t kQueueBytesMax = 48 * 1024;
  struct Side;
  struct HiddenSubscriber;

  void make_sides();
  Side& owner_of(std::string_view channel);
  void act(const Step& step);
  void store_fails(bool failing);
  // Time, and what it brings.
  void pass(Duration time);
  void advance(Duration time);
  void tick();
  void jostle();
  void turn(std::size_t side, std::size_t tasks_max);
  void turn_all();
  bool busy() const;
  void later(Duration delay, std::function<void()> work);
  // Rest and the end.
  void come_to_rest();
  void check_at_rest();
  void end();
  void check_nothing_is_left();

  const Scenario& scenario_;
  const Fault fault_;
  ManualClock clock_;
  ManualWallClock wall_;
  Random secrets_;
  Random dice_;
  SecureRandomForTest replaced_;
  Record record_;
  Truth truth_;
  Tamper tamper_;
  auth::KeySet keys_;
  auth::VerifyOptions verify_;
  std::vector<std::unique_ptr<reactor::Loop>> loops_;
  std::vector<std::unique_ptr<SimBroker>> brokers_;
  hub::Rules rules_;
  std::unique_ptr<hub::HubGroup> hubs_;
  std::unique_ptr<protocol::native::SessionGroup> sessions_;
  std::unique_ptr<protocol::ClientGroup> connected_;
  std::unique_ptr<auth::Authority> authority_;
  protocol::HttpStreamGroup http_streams_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::vector<std::shared_ptr<Link>> links_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<HiddenSubscriber> hidden_;
  std::map<std::pair<TimePoint, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t events_made_ = 0;
  // A loop that hears late of what the others have done, for so many steps.
  std::size_t starved_ = 0;
  std::uint64_t starves_ = 0;
  std::uint32_t links_made_ = 0;
};

}  // namespace anywire::sim
