// HttpWorld: clients without WebSocket against HttpStreams on two loops, turned by hand, with
// sessions that write down what they are told. Only tests and fuzz targets include it.
//
//   HttpWorld world;
//   Client& events = world.connect(0).ask("GET", "/sse");
//   world.run();
//   world.talks[0]->transport->send_text("[1]");
//
// Thread: one. Lifetime: ends everything it began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/connection.h"
#include "net/testing/fake_stream.h"
#include "protocol/transport/http_streams.h"

namespace anywire::protocol {

// What one session was told.
struct Talk {
  std::vector<std::string> log;
  Transport* transport = nullptr;
  bool alive = true;
};

// How the sessions of a world behave.
struct Manners {
  bool open_at_once = true;
  bool echo = false;    // says every message again
  bool refuse = false;  // there is no session to be had
  std::function<void(Talk&, std::string_view message)> on_message;
  std::function<void(Talk&)> on_attached;
};

class TalkSession final : public Session {
 public:
  TalkSession(Talk& talk, Manners& manners) : talk_(talk), manners_(manners) {}
  ~TalkSession() override { talk_.alive = false; }

  void on_attached(const http::RequestHead& request) override {
    talk_.log.push_back("attached " + std::string(request.path) +
                        std::string(request.header("Authorization")));
    if (manners_.open_at_once) talk_.transport->open();
    if (manners_.on_attached) manners_.on_attached(talk_);
  }
  void on_message(ws::Message& message) override {
    const std::string_view text = as_text(message.data);
    talk_.log.push_back("message " + std::string(text));
    if (manners_.echo) talk_.transport->send_text(text);
    if (manners_.on_message) manners_.on_message(talk_, text);
  }
  void on_writable() override { talk_.log.push_back("writable"); }
  void on_closed(ws::CloseCode code) override {
    talk_.log.push_back("closed " + std::to_string(static_cast<unsigned>(code)));
  }

 private:
  Talk& talk_;
  Manners& manners_;
};

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
};

// One HTTP connection, from the client's side.
class Client {
 public:
  explicit Client(reactor::Loop& loop) : wire(loop) {}

  Client& ask(std::string_view method, std::string_view path, std::string_view body = {},
              std::string_view headers = {}) {
    wire.deliver(std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" +
                 std::string(headers) +
                 (method == "POST" ? "Content-Length: " + std::to_string(body.size()) + "\r\n"
                                   : std::string()) +
                 "\r\n" + std::string(body));
    return *this;
  }
  Client& post(std::string_view path, std::string_view body) { return ask("POST", path, body); }

  // The whole answers so far.
  std::vector<Answer> answers() const {
    std::vector<Answer> all;
    std::string_view rest = wire.sent;
    while (!rest.empty()) {
      const std::size_t end = rest.find("\r\n\r\n");
      if (end == rest.npos) break;
      Answer answer{.head = std::string(rest.substr(0, end + 2))};
      answer.status = std::stoi(answer.head.substr(9, 3));
      rest.remove_prefix(end + 4);
      const std::size_t length = answer.head.find("Content-Length: ");
      const std::size_t bytes =
          length == std::string::npos ? 0 : std::stoul(answer.head.substr(length + 16));
      if (rest.size() < bytes) break;
      answer.body = rest.substr(0, bytes);
      rest.remove_prefix(bytes);
      all.push_back(std::move(answer));
    }
    return all;
  }
  // The body of the only or the last answer, with its status in front unless it is 200.
  std::string answer() const {
    const std::vector<Answer> all = answers();
    if (all.empty()) return "none";
    const Answer& last = all.back();
    return (last.status == 200 ? "" : std::to_string(last.status) + " ") + last.body;
  }
  // What followed the head of an event stream, since the last call.
  std::string events() {
    if (events_seen_ == 0) {
      const std::size_t head = wire.sent.find("\r\n\r\n");
      if (head == std::string::npos) return "";
      events_seen_ = head + 4;
    }
    std::string news = wire.sent.substr(events_seen_);
    events_seen_ = wire.sent.size();
    return news;
  }

  net::FakeWire wire;

 private:
  std::size_t events_seen_ = 0;
};

class HttpWorld {
 public:
  static constexpr std::uint32_t kLoops = 2;

  explicit HttpWorld(const HttpStreamOptions& options = {}) {
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      sides_.push_back(std::make_unique<Side>(*this, i, options));
    }
  }
  ~HttpWorld() {
    for (const auto& side : sides_) side->streams.abort();
    for (const auto& side : sides_) {
      for (http::Connection* one : side->http.connections.snapshot()) one->abort();
    }
    run();
  }
  HttpWorld(const HttpWorld&) = delete;
  HttpWorld& operator=(const HttpWorld&) = delete;

  Client& connect(std::uint32_t loop) {
    clients_.push_back(std::make_unique<Client>(*sides_[loop]->loop));
    http::Connection::start(sides_[loop]->http, clients_.back()->wire.make_stream(), {});
    return *clients_.back();
  }
  // A few turns of both loops, a millisecond each, so that mails have come and gone.
  void run(int turns = 4) {
    for (int i = 0; i < turns; ++i) {
      clock.advance(Duration{1});
      for (const auto& client : clients_) client->wire.pump();
      for (const auto& side : sides_) side->loop->turn(Duration::zero());
    }
  }
  void advance(Duration by) {
    clock.advance(by);
    run();
  }

  HttpStreams& streams(std::uint32_t loop) { return sides_[loop]->streams; }
  http::ConnectionContext& http(std::uint32_t loop) { return sides_[loop]->http; }
  Talk& talk(std::size_t index) { return *talks.at(index); }

  ManualClock clock;
  Manners manners;
  std::vector<std::unique_ptr<Talk>> talks;
  std::string origin;  // allowed for all

 private:
  struct Side final : http::RequestHandler {
    Side(HttpWorld& its_world, std::uint32_t index, const HttpStreamOptions& options)
        : world(its_world),
          loop(*reactor::Loop::create({.index = index}, its_world.clock)),
          streams(its_world.group_, *loop, options) {}

    void on_request(http::Connection& connection, const http::RequestHead& head,
                    http::Response& response) override {
      response.allow_origin = world.origin;
      const auto make = [this](Transport& transport) { return world.make_session(transport); };
      if (head.path == "/sse") return streams.serve_event_stream(connection, make);
      if (head.path == "/poll") return streams.serve_poll(connection, make);
      if (head.path == "/send") return streams.serve_send(connection);
      response.body = "else";
    }

    HttpWorld& world;
    std::unique_ptr<reactor::Loop> loop;
    HttpStreams streams;
    http::ConnectionContext http{.loop = *loop,
                                 .options = {},
                                 .handler = *this,
                                 .parser = http::RequestParser(),
                                 .connections = {}};
  };

  std::expected<std::unique_ptr<Session>, http::Response> make_session(Transport& transport) {
    if (manners.refuse) {
      http::Response refusal;
      refusal.status = 429;
      refusal.body = R"({"code":"too_many_connections"})";
      return std::unexpected(std::move(refusal));
    }
    talks.push_back(std::make_unique<Talk>());
    talks.back()->transport = &transport;
    return std::make_unique<TalkSession>(*talks.back(), manners);
  }

  HttpStreamGroup group_;
  std::vector<std::unique_ptr<Side>> sides_;
  std::vector<std::unique_ptr<Client>> clients_;
};

// The stream's id in the first event or answer of a client.
inline std::string stream_in(std::string_view text) {
  constexpr std::string_view kName = "\"stream\":\"";
  const std::size_t at = text.find(kName);
  if (at == text.npos) return "";
  text.remove_prefix(at + kName.size());
  return std::string(text.substr(0, text.find('"')));
}

}  // namespace anywire::protocol
