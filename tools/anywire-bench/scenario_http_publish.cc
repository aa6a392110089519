#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <vector>

#include "codec/base64.h"
#include "measure.h"
#include "net/tcp_stream.h"
#include "scenarios.h"

namespace anywire::bench {
namespace {

constexpr std::string_view kAnswerStart = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view kLength = "\r\nContent-Length: ";

// The same publication again and again, as a server with a pool of kept connections sends it.
std::string publish_request(const Engine& engine, const Options& options) {
  const std::string body = fmt::format(R"({{"channel":"{}","data":"{}"}})", options.channel,
                                       std::string(options.size, 'x'));
  const Url& url = engine.options().url;
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      url.target, url.host, codec::base64_encode(as_bytes(":" + options.secret)), body.size(),
      body);
}

struct Answers {
  std::uint64_t count = 0;
  Histogram latency;
};

// One connection that keeps one request under way.
class Publisher final : private net::StreamHandler {
 public:
  Publisher(Engine& engine, const std::string& request, Answers& answers)
      : engine_(engine), request_(request), answers_(answers) {}

  Result<void> connect(std::uint32_t source) {
    const auto fd = engine_.open_socket(source);
    if (!fd) return std::unexpected(fd.error());
    auto stream = net::TcpStream::adopt(engine_.flush_queue(), *fd);
    if (!stream) return std::unexpected(stream.error());
    stream_ = std::move(*stream);
    stream_->set_handler(*this);
    ask();
    return {};
  }

 private:
  void ask() {
    sent_at_ = now_ns();
    stream_->write(as_bytes(request_));
  }

  void on_readable() override {
    const MutableBytes buffer = engine_.loop().receive_buffer();
    const net::ReadResult result = stream_->read(buffer);
    if (result.status == net::ReadStatus::kWouldBlock) return;
    if (result.status != net::ReadStatus::kData) return engine_.fail("a connection was closed");
    answer_ += as_text(Bytes(buffer.data(), result.bytes));
    if (!is_whole()) return;
    if (!answer_.starts_with(kAnswerStart)) return engine_.fail("refused: " + answer_);
    answer_.clear();
    ++answers_.count;
    answers_.latency.add(now_ns() - sent_at_);
    ask();
  }
  void on_drained() override {}
  void on_closed() override { engine_.fail("a connection broke"); }

  bool is_whole() const {
    const std::size_t end = answer_.find("\r\n\r\n");
    const std::size_t length = answer_.find(kLength);
    if (end == std::string::npos || length >= end) return false;
    std::size_t bytes = 0;
    const char* const digits = answer_.data() + length + kLength.size();
    std::from_chars(digits, answer_.data() + end, bytes);
    return answer_.size() >= end + 4 + bytes;
  }

  Engine& engine_;
  const std::string& request_;
  Answers& answers_;
  std::unique_ptr<net::TcpStream> stream_;
  std::string answer_;
  std::uint64_t sent_at_ = 0;
};

}  // namespace

Result<Report> run_http_publish(Engine& engine, const Options& options) {
  const std::string request = publish_request(engine, options);
  Answers answers;
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (std::uint32_t i = 0; i < options.connections; ++i) {
    publishers.push_back(std::make_unique<Publisher>(engine, request, answers));
    if (auto connected = publishers.back()->connect(i); !connected) {
      return std::unexpected(connected.error());
    }
  }
  engine.run_for(options.warmup);
  answers.count = 0;
  answers.latency.clear();
  Measure measure(engine, options.pid);
  engine.run_for(options.duration);
  Report report(fmt::format("{} http publish {} B x{}", options.name, options.size,
                            options.connections));
  measure.finish(report, static_cast<double>(answers.count), "us/publish", "publishes/s");
  report.add_latency(answers.latency);
  if (!engine.failed() && answers.count == 0) engine.fail("no answer came");
  if (engine.failed()) return std::unexpected(engine_error(engine));
  return report;
}

}  // namespace anywire::bench
