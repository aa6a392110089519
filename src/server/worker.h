// Worker: everything that lives on one loop, and the thread that turns it: listening sockets,
// connections, sessions, this loop's part of the hub.
//
// Thread: made and started by the Server's thread; afterwards everything happens on the worker's
// own thread, through `post`. Lifetime: `join` before destruction.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/connection.h"
#include "front/front.h"
#include "hub/hub.h"
#include "net/flush_queue.h"
#include "net/listener.h"
#include "protocol/transport/engine/endpoint.h"
#include "protocol/transport/http_streams.h"
#include "protocol/transport/websocket.h"
#include "server/adapters.h"
#include "server/address_budget.h"
#include "server/app_router.h"
#include "server/config.h"
#include "server/gateway.h"
#include "server/overload.h"
#include "server/proxy_gate.h"
#include "server/refusals.h"
#include "server/served_app.h"
#include "tls/context.h"
#include "tls/encrypt_queue.h"
#include "websocket/compression_pool.h"

namespace anywire::server {

// How many connections all workers have together, and may have.
struct ConnectionBudget {
  const std::uint64_t connections_max;
  std::atomic<std::uint64_t> connections{0};
};

class Worker;

// All workers, by the index of their loop. Filled before they start, and then unchanged.
struct WorkerGroup {
  std::vector<Worker*> members;
};

struct WorkerOptions {
  const Config& config;
  ConnectionBudget& budget;  // these outlive the workers
  AddressBudget& addresses;
  Overload& overload;
  AdapterGroup& adapters;
  protocol::HttpStreamGroup& http_streams;
  WorkerGroup& workers;
  bool welcome_page;
  // The apps besides the default one, as the router counts them; null and none: there are no more.
  const AppRouter* router = nullptr;
  std::vector<ServedApp*> others = {};
};

class Worker final : private net::AcceptHandler,
                     private reactor::TurnEndHook,
                     private reactor::Timer {
 public:
  Worker(reactor::Loop& loop, const WorkerOptions& options, hub::Hub& hub,
         std::shared_ptr<const tls::Context> tls);
  ~Worker() override;

  // Before `start`. `sibling` is the first worker's listener for the same address, if any.
  Result<void> listen(const net::Address& address, const net::Listener* sibling);
  const std::vector<std::unique_ptr<net::Listener>>& listeners() const { return listeners_; }

  void start();
  void join();

  // Any thread.
  void replace_tls(std::shared_ptr<const tls::Context> tls);
  void stop_accepting();
  // Stops accepting, says goodbye to everybody, and stops the loop when all have gone or it is so
  // late.
  void drain(TimePoint deadline);

 private:
  void on_accept(int fd, const net::Address& peer) override;
  void on_shed() override;
  void on_turn_end() override;  // gives back what has ended to the budget
  void on_timer() override;     // memory trimming, then the drain
  void admit(std::unique_ptr<net::TcpStream> stream, net::Address peer);
  void tell(int fd, std::string_view answer) const;
  void turn_away(std::unique_ptr<net::TcpStream> stream, net::Address peer, const TurnAway& why);
  std::unique_ptr<net::Stream> under_tls(std::unique_ptr<net::TcpStream> stream);
  std::size_t disconnect_slowest(std::size_t bytes, std::size_t readers_max);
  void begin_drain(TimePoint deadline);
  void check_drained();
  void trim_memory();
  bool move_to(std::uint32_t loop, http::Connection& connection);
  struct Passage;
  void depart(std::unique_ptr<Passage> passage);
  void arrive(std::unique_ptr<Passage> passage);
  std::size_t connections() const;

  reactor::Loop& loop_;
  const Config& config_;
  ConnectionBudget& budget_;
  AddressBudget& addresses_;
  protocol::LimitGroup& limits_;
  net::CidrList trusted_proxies_;
  std::size_t charged_ = 0;  // our part of the budget
  WorkerGroup& workers_;
  // Both before what sends their output.
  protocol::HttpStreams http_streams_;
  ws::CompressionPool compression_;
  protocol::engine::Endpoints engine_;
  tls::EncryptQueue encrypt_queue_;
  net::FlushQueue flush_queue_;
  std::unique_ptr<tls::ContextHolder> tls_;  // null without TLS
  protocol::WebSocketContext websockets_;
  std::unique_ptr<front::Front> front_;  // null without [front]
  Gateway gateway_;
  http::ConnectionContext http_;
  ProxyGate::Context proxy_gates_;
  Refusals refusals_;
  OverloadWatch overload_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::thread thread_;
  bool draining_ = false;
  TimePoint drain_deadline_;
  std::size_t free_at_last_look_ = 0;
};

}  // namespace anywire::server
