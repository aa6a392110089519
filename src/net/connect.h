// Connector: one outgoing connection, from the first SYN until it is a TcpStream or has failed.
//
// Thread: the loop's. Lifetime: whoever starts it owns it, may destroy it at any time but inside
// its callback (Loop::defer_delete), and is called once, never from within `start`.
// Limits: the time given. The sockets have TCP_NODELAY, and keep-alive probes, so that a peer whose
// machine is gone is noticed after two minutes even when nobody sends.
#pragma once

#include <memory>

#include "base/time.h"
#include "net/address.h"
#include "net/tcp_stream.h"
#include "reactor/loop.h"

namespace anywire::net {

class ConnectHandler {
 public:
  // The stream has no handler yet; give it one before returning.
  virtual void on_connected(std::unique_ptr<TcpStream> stream) = 0;
  // ECONNREFUSED, ETIMEDOUT when the time is over, ENOENT of a Unix path, and so on.
  virtual void on_connect_failed(int system_errno) = 0;

 protected:
  ~ConnectHandler() = default;
};

class Connector final : private reactor::Watcher, private reactor::Timer {
 public:
  static std::unique_ptr<Connector> start(FlushQueue& queue, const Address& address,
                                          Duration timeout, ConnectHandler& handler);
  ~Connector() override;

 private:
  Connector(FlushQueue& queue, ConnectHandler& handler) : queue_(queue), handler_(handler) {}
  void begin(const Address& address, Duration timeout);
  void fail_soon(int system_errno);
  void on_ready(std::uint32_t ready) override;
  void on_timer() override;
  void report(int system_errno);

  FlushQueue& queue_;
  ConnectHandler& handler_;
  int fd_ = -1;
  int failure_ = 0;  // known within `start`, to be told soon
};

}  // namespace anywire::net
