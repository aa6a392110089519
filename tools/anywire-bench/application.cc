#include "application.h"

#include <fmt/format.h>

#include "http/request_parser.h"
#include "net/tcp_stream.h"

namespace anywire::bench {
namespace {

constexpr std::string_view kAllows =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

}  // namespace

// One kept connection of the server's.
class Application::Line final : private net::StreamHandler {
 public:
  Line(Application& application, std::unique_ptr<net::TcpStream> stream)
      : application_(application),
        stream_(std::move(stream)),
        parser_({.body_bytes_max = kBodyBytesMax}) {
    stream_->set_handler(*this);
  }

 private:
  void on_readable() override {
    const MutableBytes buffer = application_.engine_.loop().receive_buffer();
    const net::ReadResult result = stream_->read(buffer);
    if (result.status == net::ReadStatus::kWouldBlock) return;
    if (result.status != net::ReadStatus::kData) return end();
    take(Bytes(buffer.data(), result.bytes));
  }
  void on_drained() override {}
  // The server closes connections that it has no more questions for.
  void on_closed() override { end(); }

  void end() {
    stream_->close();
    application_.end(*this);
  }

  void take(Bytes input) {
    for (;;) {
      const http::ParseResult result = parser_.feed(input);
      if (result.status == http::ParseStatus::kError) {
        return application_.engine_.fail(
            fmt::format("the application was asked in bad HTTP: {}", parser_.error().reason));
      }
      // Of the head only this is needed, so its views may end with the input.
      if (result.status == http::ParseStatus::kHead && !is_expected(parser_.head())) return;
      if (result.status == http::ParseStatus::kComplete) {
        ++application_.questions_;
        stream_->write(as_bytes(kAllows));
        parser_.reset();
      }
      input = input.subspan(result.consumed);
      if (result.status == http::ParseStatus::kNeedMore) return;
    }
  }

  bool is_expected(const http::RequestHead& head) {
    const std::string_view hook = head.header("Anywire-Hook");
    if (head.method == http::Method::kPost && hook == "publish") return true;
    application_.engine_.fail(
        fmt::format("the application was asked {} {} about \"{}\", not about a publication",
                    head.method_text, head.target, hook));
    return false;
  }

  Application& application_;
  std::unique_ptr<net::TcpStream> stream_;
  http::RequestParser parser_;
};

Result<std::unique_ptr<Application>> Application::open(Engine& engine, std::uint16_t port) {
  std::unique_ptr<Application> application(new Application(engine));
  net::AcceptHandler& handler = *application;
  auto listener = net::Listener::open(engine.loop(), net::Address::ipv4({127, 0, 0, 1}, port),
                                      {.reuse_port = false}, handler);
  if (!listener) return std::unexpected(listener.error());
  application->listener_ = *std::move(listener);
  return application;
}

Application::Application(Engine& engine) : engine_(engine) {}
Application::~Application() = default;

void Application::on_accept(int fd, const net::Address&) {
  auto stream = net::TcpStream::adopt(engine_.flush_queue(), fd);
  if (!stream) return engine_.fail(stream.error().message);
  auto line = std::make_unique<Line>(*this, *std::move(stream));
  Line* const key = line.get();
  lines_.emplace(key, std::move(line));
}

void Application::on_shed() { engine_.fail("the application has no descriptor left"); }

void Application::end(Line& line) {
  auto gone = lines_.extract(&line);
  engine_.loop().defer_delete(std::move(gone.mapped()));
}

}  // namespace anywire::bench
