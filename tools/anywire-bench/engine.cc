#include "engine.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "websocket/handshake.h"

namespace anywire::bench {
namespace {

// One key for all connections: the servers hash it all the same, and we need to do so only once.
constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::uint32_t kSocketsPerSource = 8000;

}  // namespace

Result<std::unique_ptr<Engine>> Engine::create(const EngineOptions& options) {
  std::unique_ptr<Engine> engine(new Engine(options));
  auto loop = reactor::Loop::create({.index = 0, .receive_buffer_bytes = 1024 * 1024},
                                    engine->clock_);
  if (!loop) return std::unexpected(loop.error());
  engine->loop_ = std::move(*loop);
  engine->flush_queue_ = std::make_unique<net::FlushQueue>(
      *engine->loop_, net::FlushOptions{.use_io_uring = options.use_io_uring});
  engine->expected_accept_ = ws::accept_key(kKey);
  std::string& request = engine->upgrade_request_;
  request = fmt::format(
      "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n",
      options.url.target, options.url.host, kKey);
  if (options.offer_deflate) {
    request += "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n";
  }
  if (!options.dialect.subprotocol.empty()) {
    request += fmt::format("Sec-WebSocket-Protocol: {}\r\n", options.dialect.subprotocol);
  }
  request += "\r\n";
  return engine;
}

Result<int> Engine::open_socket(std::uint32_t n) {
  sockaddr_storage target;
  const socklen_t size = options_.url.address.to_sockaddr(target);
  const int fd =
      ::socket(target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return anywire::fail(ErrorCode::kLimit, "cannot open a socket", errno);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (n >= kSocketsPerSource && target.ss_family == AF_INET &&
      options_.url.address.is_loopback()) {
    const std::uint32_t source = n / kSocketsPerSource % 64'000;
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7F010000u + source);
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    ::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from);
  }
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&target), size) != 0 &&
      errno != EINPROGRESS) {
    const int error = errno;
    ::close(fd);
    return anywire::fail(ErrorCode::kIo, fmt::format("cannot connect: {}", std::strerror(error)),
                         error);
  }
  return fd;
}

}  // namespace anywire::bench
