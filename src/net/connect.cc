#include "net/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/flush_queue.h"

namespace anywire::net {
namespace {

constexpr int kProbeAfterSeconds = 60;
constexpr int kProbeIntervalSeconds = 15;
constexpr int kProbesMax = 4;

void set_int(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

int open_socket(const Address& address) {
  const int family = address.family() == Family::kUnix   ? AF_UNIX
                     : address.family() == Family::kIpv6 ? AF_INET6
                                                         : AF_INET;
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || family == AF_UNIX) return fd;
  set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, kProbeAfterSeconds);
  set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, kProbeIntervalSeconds);
  set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbesMax);
  return fd;
}

}  // namespace

std::unique_ptr<Connector> Connector::start(FlushQueue& queue, const Address& address,
                                            Duration timeout, ConnectHandler& handler) {
  std::unique_ptr<Connector> connector(new Connector(queue, handler));
  connector->begin(address, timeout);
  return connector;
}

Connector::~Connector() {
  if (fd_ < 0) return;
  queue_.loop().unwatch(fd_);
  ::close(fd_);
}

void Connector::begin(const Address& address, Duration timeout) {
  sockaddr_storage storage{};
  const socklen_t size = address.to_sockaddr(storage);
  if (size == 0) return fail_soon(EDESTADDRREQ);
  const int fd = open_socket(address);
  if (fd < 0) return fail_soon(errno);
  // EAGAIN is what a Unix socket says whose backlog is full: nothing is under way then.
  if (::connect(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 && errno != EINPROGRESS) {
    const int reason = errno;
    ::close(fd);
    return fail_soon(reason);
  }
  if (auto watched = queue_.loop().watch(fd, reactor::kWritable, *this); !watched) {
    ::close(fd);
    return fail_soon(watched.error().system_errno);
  }
  fd_ = fd;
  queue_.loop().arm(*this, timeout);
}

void Connector::fail_soon(int system_errno) {
  failure_ = system_errno;
  queue_.loop().arm(*this, Duration::zero());
}

void Connector::on_ready(std::uint32_t) {
  // Events of this turn may have been collected before the time was over.
  if (fd_ < 0) return;
  int reason = 0;
  socklen_t size = sizeof reason;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &reason, &size) != 0) reason = errno;
  report(reason);
}

void Connector::on_timer() { report(failure_ != 0 ? failure_ : ETIMEDOUT); }

void Connector::report(int system_errno) {
  disarm();
  const int fd = std::exchange(fd_, -1);
  if (fd >= 0) queue_.loop().unwatch(fd);
  if (system_errno != 0) {
    if (fd >= 0) ::close(fd);
    return handler_.on_connect_failed(system_errno);
  }
  auto stream = TcpStream::adopt(queue_, fd);
  if (!stream) return handler_.on_connect_failed(stream.error().system_errno);
  handler_.on_connected(*std::move(stream));
}

}  // namespace anywire::net
