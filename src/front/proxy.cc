#include "front/proxy.h"

#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "front/forward_head.h"
#include "front/pages.h"
#include "front/stall_timer.h"
#include "http/response_writer.h"

namespace anywire::front {
namespace {

// RFC 9110 section 9.2.2. The other methods may do their work twice if they are sent twice.
bool is_idempotent(http::Method method) {
  return method != http::Method::kPost && method != http::Method::kPatch;
}

}  // namespace

// One request on its way there and back.
class ProxyExchange final : public http::Exchange, private UpstreamUser {
 public:
  ProxyExchange(Proxy& proxy, const http::Connection& connection, const http::RequestHead& head,
                std::shared_ptr<void> lease)
      : proxy_(proxy),
        lease_(std::move(lease)),
        stall_timer_(proxy.queue_.loop(), *this, proxy.options_.send_timeout),
        chunked_(head.chunked),
        expects_continue_(head.expects_continue),
        upgrades_(head.is_websocket_upgrade()),
        repeatable_(is_idempotent(head.method) && !head.has_body()),
        to_head_(head.method == http::Method::kHead),
        wants_html_(head.header("accept").find("text/html") != std::string_view::npos) {
    write_request_head(head_, head,
                       {.peer = connection.peer(),
                        .encrypted = connection.encrypted(),
                        .trusted = proxy.options_.trusted_proxies},
                       proxy.pool_.target().authority);
  }
  ~ProxyExchange() override = default;

  // False when there are as many connections to the server as there may be.
  bool open(UpstreamPool::Which which) {
    upstream_ = proxy_.pool_.open(*this, which, to_head_, 2 * proxy_.tunnels_.size());
    if (upstream_ == nullptr) return false;
    upstream_->send(as_bytes(head_));
    return true;
  }

  void on_body(Bytes part) override;
  void on_request(const http::RequestHead& head, BufferRef body) override;
  void on_drained() override;
  void on_gone() override;

 private:
  void on_upstream_head(const http::ReceivedHead& head) override;
  void on_upstream_body(Bytes part) override;
  void on_upstream_complete() override;
  void on_upstream_drained() override;
  void on_upstream_failed(UpstreamFailure failure, std::string_view detail) override;
  void pass_on_informational(const http::ReceivedHead& head);
  void join(const http::ReceivedHead& head);
  void refuse(UpstreamFailure failure, std::string_view detail);
  void close_upstream();
  bool over_watermark(std::size_t bytes) const {
    return bytes > proxy_.options_.high_watermark_bytes;
  }

  Proxy& proxy_;
  UpstreamConnection* upstream_ = nullptr;
  std::string head_;  // as it goes to the server; kept for a second try
  std::shared_ptr<void> lease_;
  StallTimer stall_timer_;
  bool chunked_ : 1;
  bool expects_continue_ : 1;
  bool upgrades_ : 1;
  bool repeatable_ : 1;
  bool to_head_ : 1;
  bool wants_html_ : 1;
  bool complete_ : 1 = false;   // the request
  bool body_paused_ : 1 = false;
  bool repeated_ : 1 = false;
  bool answering_ : 1 = false;
};

void ProxyExchange::on_body(Bytes part) {
  if (upstream_ == nullptr) return;
  if (chunked_) {
    std::string framing;
    http::write_chunk_head(framing, part.size());
    upstream_->send_framed(as_bytes(framing), part);
    upstream_->send(as_bytes(http::kChunkEnd));
  } else {
    upstream_->send(part);
  }
  if (!over_watermark(upstream_->queued_bytes())) return;
  pause_body();
  body_paused_ = true;
  upstream_->notify_when_drained();
  upstream_->expect_within(proxy_.options_.answer_timeout);
}

void ProxyExchange::on_upstream_drained() {
  if (complete_) return;
  body_paused_ = false;
  upstream_->expect_within(Duration::zero());
  resume_body();
}

void ProxyExchange::on_request(const http::RequestHead&, BufferRef) {
  complete_ = true;
  if (upstream_ == nullptr) return;
  if (chunked_) upstream_->send(as_bytes(http::kLastChunk));
  if (!answering_) upstream_->expect_within(proxy_.options_.answer_timeout);
}

void ProxyExchange::on_upstream_head(const http::ReceivedHead& head) {
  if (head.is_informational()) return pass_on_informational(head);
  if (head.status == 101) return join(head);
  head_ = {};
  answering_ = true;
  // It answers, and has still to take what waits for it: behind a full window nobody would notice
  // that the client has left.
  if (body_paused_ && !complete_) upstream_->expect_within(proxy_.options_.answer_timeout);
  const std::vector<http::Header> headers = forwardable_headers(head);
  begin_answer({.status = head.status,
                .content_length = head.content_length,
                .has_body = head.has_body,
                .headers = headers});
}

void ProxyExchange::pass_on_informational(const http::ReceivedHead& head) {
  // Nobody here waits for a 100 that was not asked for.
  if (head.status == 100 && !expects_continue_) return;
  send_informational(head.status, forwardable_headers(head));
  if (complete_) upstream_->expect_within(proxy_.options_.answer_timeout);
}

// The server speaks another protocol from here on.
void ProxyExchange::join(const http::ReceivedHead& head) {
  if (!upgrades_ || !complete_) {
    close_upstream();
    return refuse(UpstreamFailure::kGarbage, "it switched protocols unasked");
  }
  UpstreamConnection::Taken server = std::exchange(upstream_, nullptr)->take_stream();
  http::Exchange::Switched client = switch_protocols(forwardable_headers(head));
  if (!lease_) lease_ = std::move(client.lease);
  Tunnel::start(proxy_.queue_.loop(), proxy_.tunnels_,
                {std::move(client.stream), std::move(client.early)},
                {std::move(server.stream), std::move(server.early)}, std::move(lease_));
}

void ProxyExchange::on_upstream_body(Bytes part) {
  write(part);
  if (!over_watermark(queued_bytes())) return;
  upstream_->pause();
  notify_when_drained();
  stall_timer_.start();
}

void ProxyExchange::on_drained() {
  stall_timer_.stop();
  if (upstream_ != nullptr) upstream_->resume();
}

void ProxyExchange::on_upstream_complete() {
  UpstreamConnection* upstream = std::exchange(upstream_, nullptr);
  if (complete_) {
    upstream->release();
  } else {
    // The server has answered without waiting for the rest of the request.
    upstream->abandon();
  }
  finish();
}

void ProxyExchange::on_upstream_failed(UpstreamFailure failure, std::string_view detail) {
  upstream_ = nullptr;
  if (answering_) return abort();
  if (failure == UpstreamFailure::kStale && repeatable_ && !repeated_) {
    repeated_ = true;
    if (open(UpstreamPool::Which::kFresh)) {
      return upstream_->expect_within(proxy_.options_.answer_timeout);
    }
  }
  refuse(failure, detail);
}

void ProxyExchange::refuse(UpstreamFailure failure, std::string_view detail) {
  static log::Limiter limiter;
  log::limited(limiter, log::coarse_now(), log::Level::kWarn,
               "the application's server did not answer",
               {{"upstream", std::string_view(proxy_.pool_.target().text)},
                {"reason", describe(failure)},
                {"detail", detail}});
  respond(failure_page(failure, detail,
                       {.upstream = proxy_.pool_.target().text,
                        .html = wants_html_,
                        .explain = proxy_.options_.explain}));
}

void ProxyExchange::on_gone() { close_upstream(); }

void ProxyExchange::close_upstream() {
  if (upstream_ != nullptr) std::exchange(upstream_, nullptr)->abandon();
}

Proxy::Proxy(net::FlushQueue& queue, const ProxyOptions& options)
    : queue_(queue), options_(options), pool_(queue, options.upstream) {}

Proxy::~Proxy() {
  for (Tunnel* tunnel : tunnels_.snapshot()) tunnel->abort();
}

void Proxy::serve(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response, std::shared_ptr<void> lease) {
  auto exchange = std::make_unique<ProxyExchange>(*this, connection, head, std::move(lease));
  // A body that is known to be too large is refused before the server hears of it.
  if (head.content_length <= options_.body_bytes_max &&
      !exchange->open(UpstreamPool::Which::kAny)) {
    response = busy_page();
    return;
  }
  connection.answer_later(std::move(exchange), {.body_bytes_max = options_.body_bytes_max,
                                                .body_timeout = options_.body_timeout,
                                                .streamed = true});
}

void Proxy::drain() {
  pool_.drain();
  for (Tunnel* tunnel : tunnels_.snapshot()) tunnel->abort();
}

}  // namespace anywire::front
