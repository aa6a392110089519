// ProxyGate: reads the PROXY protocol header of a new connection, then lets it in with the address
// the header names.
//
// Thread: the loop's. Lifetime: owns itself until the header is read, refused or overdue.
#pragma once

#include <functional>
#include <memory>

#include "base/dense_set.h"
#include "net/proxy_protocol.h"
#include "net/tcp_stream.h"
#include "server/config.h"

namespace anywire::server {

class ProxyGate final : public DenseSetMember,
                        private net::StreamHandler,
                        private reactor::Timer {
 public:
  using Admit = std::function<void(std::unique_ptr<net::TcpStream>, net::Address)>;
  struct Context {
    reactor::Loop& loop;
    ProxyProtocol accepted;
    Duration timeout;
    Admit admit;
    DenseSet<ProxyGate> gates;
  };

  static void start(Context& context, std::unique_ptr<net::TcpStream> stream, net::Address peer);
  void end();
  ~ProxyGate() override = default;

 private:
  ProxyGate(Context& context, std::unique_ptr<net::TcpStream> stream, net::Address peer);

  void on_readable() override;
  void on_drained() override {}
  void on_closed() override { end(); }
  void on_timer() override { end(); }
  bool version_accepted(Bytes first) const;

  Context& context_;
  std::unique_ptr<net::TcpStream> stream_;
  net::Address peer_;
  net::ProxyHeaderParser parser_;
  bool begun_ = false;
};

}  // namespace anywire::server
