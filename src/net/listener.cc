#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace anywire::net {
namespace {

// Per readiness event: a storm of newcomers must not starve those already here.
constexpr int kAcceptsPerEventMax = 64;

int open_reserve() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

std::string reason_of(int error) {
  switch (error) {
    case EADDRINUSE:
      return "the address is already in use";
    case EACCES:
      return "permission denied";
    case EADDRNOTAVAIL:
      return "this machine has no such address";
    default:
      return std::strerror(error);
  }
}

std::unexpected<Error> listen_error(const Address& address, int error) {
  return fail(ErrorCode::kIo, "cannot listen on " + address.to_string() + ": " + reason_of(error),
              error);
}

int domain_of(const Address& address) {
  switch (address.family()) {
    case Family::kIpv6:
      return AF_INET6;
    case Family::kUnix:
      return AF_UNIX;
    default:
      return AF_INET;
  }
}

Result<int> open_bound(const Address& address, bool reuse_port) {
  const int fd = ::socket(domain_of(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(address, errno);
  const int on = 1;
  if (address.is_ip()) {
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (reuse_port) ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    // Accepted sockets inherit this, which saves a system call each. Output is gathered per turn,
    // so Nagle's algorithm could only delay it.
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  if (address.family() == Family::kIpv6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  sockaddr_storage storage{};
  const socklen_t size = address.to_sockaddr(storage);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0) {
    const int error = errno;
    ::close(fd);
    return listen_error(address, error);
  }
  return fd;
}

// A path left by a server that died refuses connections; only then may it be replaced. So does a
// file that is no socket, which is not ours to remove.
void remove_stale_path(const Address& address) {
  if (address.path().empty() || address.path()[0] == '\0') return;
  const std::string path(address.path());
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  sockaddr_storage storage{};
  const socklen_t size = address.to_sockaddr(storage);
  const bool refused = ::connect(fd, reinterpret_cast<sockaddr*>(&storage), size) != 0 &&
                       errno == ECONNREFUSED;
  ::close(fd);
  if (refused) ::unlink(path.c_str());
}

}  // namespace

Result<void> check_unused(const Address& address) {
  if (!address.is_ip() || address.port() == 0) return {};
  auto fd = open_bound(address, false);
  if (!fd) return std::unexpected(fd.error());
  ::close(*fd);
  return {};
}

Listener::Listener(reactor::Loop& loop, int fd, AcceptHandler& handler)
    : loop_(loop), handler_(handler), fd_(fd), reserve_fd_(open_reserve()) {}

Result<std::unique_ptr<Listener>> Listener::open(reactor::Loop& loop, const Address& address,
                                                 const ListenerOptions& options,
                                                 AcceptHandler& handler) {
  if (address.family() == Family::kUnix) remove_stale_path(address);
  auto fd = open_bound(address, options.reuse_port);
  if (!fd) return std::unexpected(fd.error());
  std::unique_ptr<Listener> listener(new Listener(loop, *fd, handler));
  if (::listen(*fd, options.backlog) != 0) return listen_error(address, errno);
  listener->owns_path_ = address.family() == Family::kUnix;
  if (auto begun = listener->begin(address); !begun) return std::unexpected(begun.error());
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::share(reactor::Loop& loop, const Listener& other,
                                                  AcceptHandler& handler) {
  const int fd = ::fcntl(other.fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return listen_error(other.address_, errno);
  std::unique_ptr<Listener> listener(new Listener(loop, fd, handler));
  if (auto begun = listener->begin(other.address_); !begun) return std::unexpected(begun.error());
  return listener;
}

Result<void> Listener::begin(const Address& asked) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return listen_error(asked, errno);
  }
  auto actual = Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
  if (!actual) return std::unexpected(actual.error());
  address_ = std::move(*actual);
  return loop_.watch(fd_, reactor::kReadable, *this);
}

Listener::~Listener() {
  if (owns_path_ && !address_.path().empty() && address_.path()[0] != '\0') {
    ::unlink(std::string(address_.path()).c_str());
  }
  loop_.unwatch(fd_);
  ::close(fd_);
  if (reserve_fd_ >= 0) ::close(reserve_fd_);
}

void Listener::on_ready(std::uint32_t) {
  for (int i = 0; i < kAcceptsPerEventMax; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&storage), &size,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      auto peer = Address::from_sockaddr(reinterpret_cast<sockaddr*>(&storage), size);
      handler_.on_accept(fd, peer ? *peer : Address());
      continue;
    }
    // The kernel says so before it looks whether anybody is waiting.
    if (errno == EMFILE || errno == ENFILE) {
      if (!shed()) return;
      continue;
    }
    // A newcomer that left again is no reason to stop; an empty queue is.
    if (errno != ECONNABORTED && errno != EINTR) return;
  }
}

bool Listener::shed() {
  int fd = -1;
  if (reserve_fd_ >= 0) {
    ::close(reserve_fd_);
    fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) ::close(fd);
  }
  reserve_fd_ = open_reserve();
  if (fd >= 0) handler_.on_shed();
  return fd >= 0;
}

}  // namespace anywire::net
