// TestServer: an HTTP server of our own on the test's loop, which keeps what it was asked and
// answers as told, at once or later. Only tests include it.
//
// Thread: the loop's. Lifetime: destroyed before its loop and after what it answers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/connection.h"
#include "http/exchange.h"
#include "net/flush_queue.h"
#include "net/listener.h"
#include "net/tcp_stream.h"
#include "reactor/loop.h"

namespace anywire::fetch::testing {

struct Seen {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (http::equals_ignore_case(key, name)) return value;
    }
    return {};
  }
};

class TestServer final : private net::AcceptHandler, private http::RequestHandler {
 public:
  // Answers the request; may be kept and called later. Does nothing once the client is gone.
  using Reply = std::function<void(http::Response)>;
  using Answer = std::function<void(const Seen&, Reply)>;
  using Wrap = std::function<std::unique_ptr<net::Stream>(std::unique_ptr<net::Stream>)>;

  static constexpr std::uint64_t kBodyBytesMax = 64 * 1024 * 1024;

  explicit TestServer(reactor::Loop& loop, Answer answer, Wrap wrap = nullptr)
      : loop_(loop), answer_(std::move(answer)), wrap_(std::move(wrap)) {
    listen(0);
  }
  ~TestServer() { stop(); }

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }

  // Nobody listens any more, and every connection is cut.
  void stop() {
    listener_.reset();
    hang_up();
  }
  void restart() { listen(port_); }
  void hang_up() {
    for (http::Connection* connection : context_.connections.snapshot()) connection->abort();
  }
  void set_answer(Answer answer) { answer_ = std::move(answer); }
  std::size_t connections() const { return context_.connections.size(); }

  std::vector<Seen> seen;
  std::size_t accepted = 0;
  std::size_t gone = 0;  // clients that left before their answer

 private:
  class Waiting final : public http::Exchange {
   public:
    explicit Waiting(TestServer& server) : server_(server) {}
    void on_request(const http::RequestHead& head, BufferRef body) override {
      Seen now{std::string(head.method_text), std::string(head.target), {}, {}};
      for (const http::Header& header : head.headers) {
        now.headers.emplace_back(header.name, header.value);
      }
      if (body) now.body = as_text(body->bytes());
      server_.seen.push_back(now);
      server_.answer_(now, [self = std::weak_ptr(self_)](http::Response response) {
        if (const auto waiting = self.lock()) (*waiting)->respond(std::move(response));
      });
    }
    void on_gone() override { ++server_.gone; }

   private:
    TestServer& server_;
    std::shared_ptr<Waiting*> self_ = std::make_shared<Waiting*>(this);
  };

  void listen(std::uint16_t port) {
    auto opened = net::Listener::open(loop_, net::Address::ipv4({127, 0, 0, 1}, port), {}, *this);
    listener_ = std::move(*opened);
    port_ = listener_->address().port();
  }
  void on_accept(int fd, const net::Address& peer) override {
    ++accepted;
    auto adopted = net::TcpStream::adopt(flush_queue_, fd);
    if (!adopted) return;
    std::unique_ptr<net::Stream> stream = std::move(*adopted);
    if (wrap_) stream = wrap_(std::move(stream));
    http::Connection::start(context_, std::move(stream), peer);
  }
  void on_shed() override {}
  void on_request(http::Connection& connection, const http::RequestHead&,
                  http::Response&) override {
    connection.answer_later(std::make_unique<Waiting>(*this),
                            {.body_bytes_max = kBodyBytesMax});
  }

  reactor::Loop& loop_;
  Answer answer_;
  Wrap wrap_;
  net::FlushQueue flush_queue_{loop_, {}};
  static http::ConnectionOptions options() {
    http::ConnectionOptions options;
    options.limits.body_bytes_max = kBodyBytesMax;
    return options;
  }
  http::ConnectionContext context_{.loop = loop_,
                                   .options = options(),
                                   .handler = *this,
                                   .parser = http::RequestParser(options().limits),
                                   .connections = {}};
  std::unique_ptr<net::Listener> listener_;
  std::uint16_t port_ = 0;
};

}  // namespace anywire::fetch::testing
