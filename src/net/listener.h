// Listener: a listening socket on one loop.
//
// When the process has no descriptor left, it accepts and closes newcomers with one held in
// reserve, so that they learn at once and the accept queue does not spin the loop.
//
// Thread: the loop's; `open` also before the loop runs. Lifetime: destroyed before its loop.
#pragma once

#include <memory>

#include "net/address.h"
#include "reactor/loop.h"

namespace anywire::net {

struct ListenerOptions {
  int backlog = 4096;
  // Several loops listen on the same address, each with a socket of its own.
  bool reuse_port = true;
};

class AcceptHandler {
 public:
  // Owns `fd` from here: connected, non-blocking, TCP_NODELAY set.
  virtual void on_accept(int fd, const Address& peer) = 0;
  // A newcomer was turned away because the process or the system has no descriptors left.
  virtual void on_shed() = 0;

 protected:
  ~AcceptHandler() = default;
};

class Listener final : private reactor::Watcher {
 public:
  // Opens and watches. Of a Unix path, a socket left over by a dead server is replaced, a live one
  // is an error.
  static Result<std::unique_ptr<Listener>> open(reactor::Loop& loop, const Address& address,
                                                const ListenerOptions& options,
                                                AcceptHandler& handler);
  // Another listener on the same socket, for a second loop where SO_REUSEPORT does not exist.
  static Result<std::unique_ptr<Listener>> share(reactor::Loop& loop, const Listener& other,
                                                 AcceptHandler& handler);
  ~Listener();

  // The port is the real one where 0 was asked for.
  const Address& address() const { return address_; }

 private:
  Listener(reactor::Loop& loop, int fd, AcceptHandler& handler);
  Result<void> begin(const Address& asked);
  void on_ready(std::uint32_t ready) override;
  bool shed();  // false when nobody was waiting

  reactor::Loop& loop_;
  AcceptHandler& handler_;
  int fd_;
  int reserve_fd_;
  bool owns_path_ = false;
  Address address_;
};

// Fails when somebody already listens there, which SO_REUSEPORT would otherwise hide.
Result<void> check_unused(const Address& address);

}  // namespace anywire::net
