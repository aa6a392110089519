#include "server/worker.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/heap.h"
#include "base/log.h"
#include "server/adapters.h"
#include "tls/tls_stream.h"

namespace anywire::server {
namespace {

constexpr Duration kDrainPoll{20};
// What a newcomer over a limit is told: RFC 9110 15.6.4, RFC 6585 4.
constexpr std::string_view kServerFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
    "Content-Length: 0\r\n\r\n";
// Less free memory than this is not worth the locks of a trim.
constexpr std::size_t kTrimBytesMin = 2 * 1024 * 1024;

ws::ConnectionOptions websocket_options(const WebSocketSection& section) {
  return {.message_bytes_max = section.message_bytes_max,
          .idle_timeout = section.idle_timeout,
          .ping_interval = section.ping_interval,
          .ping_timeout = section.ping_timeout,
          .close_timeout = section.close_timeout,
          .high_watermark_bytes = section.high_watermark,
          .queue_bytes_max = section.queue_bytes_max,
          .compression_bytes_min = section.compression_bytes_min};
}

ws::DeflateOffer deflate_offer(const WebSocketSection& section) {
  ws::DeflateOffer offer;
  switch (section.compression) {
    case Compression::kOff:
      offer.mode = ws::DeflateMode::kOff;
      break;
    case Compression::kShared:
      offer.mode = ws::DeflateMode::kShared;
      break;
    case Compression::kDedicated:
      offer.mode = ws::DeflateMode::kDedicated;
      break;
  }
  offer.server_max_window_bits = static_cast<std::uint8_t>(section.server_window_bits);
  offer.client_max_window_bits = static_cast<std::uint8_t>(section.client_window_bits);
  return offer;
}

net::CidrList trusted_proxies(const HttpSection& section) {
  // The configuration has been checked; an empty list trusts nobody.
  return net::CidrList::parse(section.trusted_proxies).value_or(net::CidrList());
}

http::ConnectionOptions http_options(const Config& config) {
  const HttpSection& section = config.http;
  http::ConnectionOptions options;
  options.limits.head_bytes_max = section.head_bytes_max;
  options.limits.opaque_paths = !config.front.upstream.empty();
  options.limits.headers_max = static_cast<std::size_t>(section.headers_max);
  options.head_timeout = section.head_timeout;
  options.keep_alive_timeout = section.keep_alive_timeout;
  // Who takes bodies says how much, and in which words it refuses more; what nobody takes is
  // bounded by skipped_body_bytes_max.
  options.limits.body_bytes_max = http::kNoBodyLimit;
  options.held_body_bytes_max =
      std::max<std::uint64_t>(options.held_body_bytes_max, 4 * config.websocket.message_bytes_max);
  return options;
}

std::unique_ptr<front::Front> make_front(const Config& config, net::FlushQueue& queue, bool dev) {
  const FrontSection& section = config.front;
  if (section.upstream.empty() && section.files.empty()) return nullptr;
  front::FrontOptions options{
      .files = section.files, .proxy = {}, .send_timeout = section.send_timeout};
  // The configuration has been checked.
  if (auto target = front::Target::parse(section.upstream)) {
    options.proxy = front::ProxyOptions{
        .upstream = {.target = *std::move(target),
                     .connect_timeout = section.connect_timeout,
                     .connections_max = static_cast<std::size_t>(section.connections_max)},
        .answer_timeout = section.upstream_timeout,
        .body_timeout = section.body_timeout,
        .send_timeout = section.send_timeout,
        .body_bytes_max = section.body_bytes_max > 0 ? section.body_bytes_max : http::kNoBodyLimit,
        .high_watermark_bytes = config.websocket.high_watermark,
        .trusted_proxies = trusted_proxies(config.http),
        .explain = dev};
  }
  return std::make_unique<front::Front>(queue, options);
}

// A client without WebSocket has the same limits.
protocol::HttpStreamOptions http_stream_options(const Config& config,
                                                const ConnectionBudget& budget) {
  const WebSocketSection& section = config.websocket;
  const FallbackSection& fallback = config.fallback;
  return {.message_bytes_max = section.message_bytes_max,
          .heartbeat = fallback.heartbeat,
          .poll_hold = fallback.poll_hold,
          .stream_timeout = fallback.stream_timeout,
          .high_watermark_bytes = section.high_watermark,
          .low_watermark_bytes = section.low_watermark,
          .queue_bytes_max = section.queue_bytes_max,
          .streams_max = static_cast<std::size_t>(budget.connections_max)};
}

protocol::engine::EndpointLimits engine_limits(const Config& config,
                                               const ConnectionBudget& budget) {
  const WebSocketSection& section = config.websocket;
  return {.high_watermark_bytes = section.high_watermark,
          .queue_bytes_max = section.queue_bytes_max,
          .sessions_max = static_cast<std::size_t>(budget.connections_max)};
}

}  // namespace

Worker::Worker(reactor::Loop& loop, const WorkerOptions& options, hub::Hub& hub,
               std::shared_ptr<const tls::Context> tls)
    : loop_(loop),
      config_(options.config),
      budget_(options.budget),
      addresses_(options.addresses),
      limits_(*options.adapters.limits),
      trusted_proxies_(trusted_proxies(config_.http)),
      workers_(options.workers),
      http_streams_(options.http_streams, loop, http_stream_options(config_, budget_)),
      compression_(config_.websocket.compression_level),
      engine_(loop, engine_limits(config_, budget_), websocket_options(config_.websocket),
              compression_),
      encrypt_queue_(loop),
      flush_queue_(loop, {.low_watermark_bytes = config_.websocket.low_watermark}),
      tls_(tls ? std::make_unique<tls::ContextHolder>(std::move(tls)) : nullptr),
      websockets_{{.loop = loop,
                   .options = websocket_options(config_.websocket),
                   .compression = compression_},
                  {}},
      front_(make_front(config_, flush_queue_, options.welcome_page)),
      gateway_({.addresses = &addresses_,
                .limits = &limits_,
                .overloaded = [this] { return overload_.turns_newcomers_away(); },
                .allowed_origins = config_.http.allowed_origins,
                .allowed_hosts = config_.http.allowed_hosts,
                .credentials = !config_.auth.cookie.empty(),
                .trusted_proxies = trusted_proxies_,
                .deflate = deflate_offer(config_.websocket),
                .router = options.router,
                .front = front_.get(),
                .move = [this](std::uint32_t to, http::Connection& connection) {
                  return move_to(to, connection);
                },
                .welcome_page = options.welcome_page && front_ == nullptr},
               make_adapters(config_, options.adapters,
                             {.loop = loop, .hub = hub, .compression = compression_}),
               websockets_, http_streams_, engine_),
      http_{.loop = loop,
            .options = http_options(config_),
            .handler = gateway_,
            .parser = http::RequestParser(http_options(config_).limits),
            .connections = {}},
      proxy_gates_{.loop = loop,
                   .accepted = config_.http.proxy_protocol,
                   .timeout = config_.http.head_timeout,
                   .admit = [this](auto stream, auto peer) { admit(std::move(stream), peer); },
                   .gates = {}},
      refusals_(loop, http_options(config_)),
      overload_(loop, options.overload,
                {.resident = resident_bytes,
                 .give_memory_back =
                     [] {
                       heap::give_back_holes();
                       heap::give_back_end();
                     },
                 .disconnect_slowest = [this](std::size_t bytes, std::size_t readers_max) {
                   return disconnect_slowest(bytes, readers_max);
                 }}) {
  for (ServedApp* app : options.others) {
    const Config& its = app->config();
    gateway_.add_app(
        {.adapters = make_adapters(its, app->adapters(), {.loop = loop,
                                                          .hub = app->hub(loop.index()),
                                                          .compression = compression_,
                                                          .path = app->path()}),
         .limits = app->adapters().limits.get(),
         .allowed_origins = its.http.allowed_origins,
         .credentials = !its.auth.cookie.empty()});
  }
  if (workers_.members.size() <= loop.index()) workers_.members.resize(loop.index() + 1);
  workers_.members[loop.index()] = this;
  loop_.add_turn_end_hook(*this);
  if (config_.server.memory_trim_interval.count() > 0) {
    loop_.arm(*this, config_.server.memory_trim_interval);
  }
}

Worker::~Worker() { loop_.remove_turn_end_hook(*this); }

Result<void> Worker::listen(const net::Address& address, const net::Listener* sibling) {
  const bool is_unix = address.family() == net::Family::kUnix;
  auto listener = is_unix && sibling != nullptr
                      ? net::Listener::share(loop_, *sibling, *this)
                      : net::Listener::open(loop_, address,
                                            {.backlog = config_.server.backlog,
                                             .reuse_port = config_.server.reuse_port},
                                            *this);
  if (!listener) return std::unexpected(listener.error());
  listeners_.push_back(std::move(*listener));
  return {};
}

void Worker::start() {
  thread_ = std::thread([this] { loop_.run(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

std::size_t Worker::connections() const {
  return websockets_.transports.size() + engine_.connections() + http_.connections.size() + proxy_gates_.gates.size() +
         (front_ ? front_->descriptors() : 0);
}

void Worker::on_accept(int fd, const net::Address& peer) {
  if (budget_.connections.fetch_add(1, std::memory_order_relaxed) >= budget_.connections_max) {
    budget_.connections.fetch_sub(1, std::memory_order_relaxed);
    tell(fd, kServerFull);
    ::close(fd);
    on_shed();
    return;
  }
  ++charged_;
  auto stream = net::TcpStream::adopt(flush_queue_, fd);
  if (!stream) return on_shed();
  if (config_.http.proxy_protocol != ProxyProtocol::kOff) {
    ProxyGate::start(proxy_gates_, std::move(*stream), peer);
  } else {
    admit(std::move(*stream), peer);
  }
}

void Worker::on_turn_end() {
  const std::size_t now = connections();
  if (now == charged_) return;
  budget_.connections.fetch_sub(charged_ - now, std::memory_order_relaxed);
  charged_ = now;
}

// Best effort; the newcomer may also find the connection closed.
void Worker::tell(int fd, std::string_view answer) const {
  if (tls_) return;
  [[maybe_unused]] const auto n =
      ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Worker::turn_away(std::unique_ptr<net::TcpStream> stream, net::Address peer,
                       const TurnAway& why) {
  // Without TLS there is no need to wait for a request.
  if (tls_ && !refusals_.full()) {
    return refusals_.take(under_tls(std::move(stream)), std::move(peer), why);
  }
  tell(stream->fd(), turn_away_bytes(why));
  stream->close();
  loop_.defer_delete(std::move(stream));
}

std::unique_ptr<net::Stream> Worker::under_tls(std::unique_ptr<net::TcpStream> stream) {
  if (!tls_) return stream;
  return std::make_unique<tls::TlsStream>(encrypt_queue_, tls_->current(), std::move(stream));
}

void Worker::admit(std::unique_ptr<net::TcpStream> stream, net::Address peer) {
  static log::Limiter limiter(1);
  if (overload_.turns_newcomers_away()) {
    return turn_away(std::move(stream), std::move(peer), overloaded_now());
  }
  AddressBudget::Lease lease;
  // A trusted proxy will say who its client is; the Gateway counts that one.
  if ((addresses_.limited() || limits_.limits_connects()) && !trusted_proxies_.contains(peer)) {
    if (auto hit = limits_.admit_connect(peer, loop_.now())) {
      log::limited(limiter, loop_.now(), log::Level::kWarn,
                   "connections come too fast, turning newcomers away",
                   {{"client", peer.host()}, {"limit", hit->limit}});
      return turn_away(std::move(stream), std::move(peer), rate_limited(*std::move(hit)));
    }
    std::optional<AddressBudget::Lease> taken = addresses_.take(peer);
    if (!taken) {
      log::limited(limiter, loop_.now(), log::Level::kWarn,
                   "too many connections from one address, turning newcomers away",
                   {{"client", peer.host()}});
      return turn_away(std::move(stream), std::move(peer), too_many_from_address());
    }
    lease = std::move(*taken);
  }
  http::Connection::start(http_, under_tls(std::move(stream)), std::move(peer), std::move(lease));
}

// Those with the most unread first. What many have unread together is kept once, so perhaps less is
// won than it seems; the next look will tell.
std::size_t Worker::disconnect_slowest(std::size_t bytes, std::size_t readers_max) {
  struct Reader {
    std::size_t unsent;
    protocol::WebSocketTransport* socket;
    protocol::HttpStream* stream;
    protocol::engine::Link* link;
  };
  std::vector<Reader> slow;
  const auto consider = [&](std::size_t unsent, protocol::WebSocketTransport* socket,
                            protocol::HttpStream* stream, protocol::engine::Link* link) {
    // Who is within what anybody may have unread is not slow.
    if (unsent > config_.websocket.low_watermark) slow.push_back({unsent, socket, stream, link});
  };
  for (auto* socket : websockets_.transports.snapshot()) {
    consider(socket->unsent_bytes(), socket, nullptr, nullptr);
  }
  for (auto* stream : http_streams_.snapshot()) {
    consider(stream->unsent_bytes(), nullptr, stream, nullptr);
  }
  for (auto* link : engine_.snapshot()) consider(link->unsent_bytes(), nullptr, nullptr, link);
  const std::size_t most = std::min(readers_max, slow.size());
  std::partial_sort(slow.begin(), slow.begin() + static_cast<std::ptrdiff_t>(most), slow.end(),
                    [](const Reader& a, const Reader& b) { return a.unsent > b.unsent; });
  std::size_t gone = 0;
  for (std::size_t freed = 0; gone < most && freed < bytes; ++gone) {
    freed += slow[gone].unsent;
    if (slow[gone].socket != nullptr) slow[gone].socket->abort(ws::CloseCode::kTryAgainLater);
    if (slow[gone].stream != nullptr) slow[gone].stream->abort();
    if (slow[gone].link != nullptr) slow[gone].link->abort(ws::CloseCode::kTryAgainLater);
  }
  return gone;
}

void Worker::on_shed() {
  static log::Limiter limiter(1);
  log::limited(limiter, loop_.now(), log::Level::kWarn,
               "connection limit reached, turning newcomers away",
               {{"connections", connections()}});
}

void Worker::replace_tls(std::shared_ptr<const tls::Context> tls) {
  loop_.post([this, tls = std::move(tls)]() mutable {
    if (tls_) tls_->replace(std::move(tls));
  });
}

void Worker::stop_accepting() {
  loop_.post([this] { listeners_.clear(); });
}

void Worker::drain(TimePoint deadline) {
  loop_.post([this, deadline] { begin_drain(deadline); });
}

void Worker::begin_drain(TimePoint deadline) {
  if (draining_) return;
  draining_ = true;
  http_.draining = true;
  listeners_.clear();
  refusals_.abort();
  for (ProxyGate* gate : proxy_gates_.gates.snapshot()) gate->end();
  for (http::Connection* connection : http_.connections.snapshot()) connection->drain();
  for (auto* transport : websockets_.transports.snapshot()) {
    transport->close(ws::CloseCode::kGoingAway, "server is shutting down");
  }
  http_streams_.drain();
  engine_.drain();
  if (front_) front_->drain();
  drain_deadline_ = deadline;
  check_drained();
}

void Worker::check_drained() {
  if (connections() > 0 && loop_.now() < drain_deadline_) {
    loop_.arm(*this, kDrainPoll);
    return;
  }
  for (auto* transport : websockets_.transports.snapshot()) transport->abort();
  http_streams_.abort();
  engine_.abort();
  for (http::Connection* connection : http_.connections.snapshot()) connection->abort();
  loop_.stop();
}

void Worker::on_timer() {
  if (draining_) return check_drained();
  trim_memory();
  loop_.arm(*this, config_.server.memory_trim_interval);
}

// Freed memory is kept (see heap.h), so that steady traffic finds it again. What has stayed free
// for a whole interval goes back: each worker looks after the end of its own heap, the first after
// the holes in all of them.
void Worker::trim_memory() {
  const std::size_t free_bytes = heap::freed_bytes();
  if (std::min(free_bytes, free_at_last_look_) >= kTrimBytesMin) {
    if (loop_.index() == 0) heap::give_back_holes();
    heap::give_back_end();
  }
  free_at_last_look_ = free_bytes;
}

}  // namespace anywire::server
