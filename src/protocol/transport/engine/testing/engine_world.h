// EngineWorld: clients of Engine.IO against an Endpoint on one loop, turned by hand, with sessions
// that write down what they are told. Only tests and fuzz targets include it.
//
//   EngineWorld world;
//   const std::string sid = world.open();
//   Client& poll = world.get(sid);
//   world.talks[0]->transport->send_text("a");
//   world.run();                                     // poll.answer() is "4a"
//
// Thread: one. Lifetime: ends everything it began.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/connection.h"
#include "net/testing/fake_stream.h"
#include "protocol/transport/engine/endpoint.h"
#include "protocol/transport/testing/http_world.h"
#include "websocket/compression_pool.h"
#include "websocket/frame_writer.h"
#include "websocket/handshake.h"
#include "websocket/mask.h"

namespace anywire::protocol::engine {

// What a client says in a frame, masked by zeros.
inline std::string client_frame(std::string_view payload, ws::Opcode opcode = ws::Opcode::kText) {
  std::uint8_t head[ws::kHeaderBytesMax + 4];
  const std::size_t size =
      ws::write_masked_header(head, opcode, true, false, payload.size(), 0);
  return std::string(reinterpret_cast<char*>(head), size) + std::string(payload);
}

class EngineWorld final : http::RequestHandler {
 public:
  explicit EngineWorld(const Options& its_options = {}, const EndpointLimits& limits = {})
      : options(its_options),
        loop(*reactor::Loop::create({.index = 0}, clock)),
        endpoints(*loop, limits, {.close_timeout = Duration{500}}, pool) {}
  ~EngineWorld() {
    endpoints.abort();
    for (http::Connection* one : http.connections.snapshot()) one->abort();
    run();
  }

  Client& connect() {
    clients_.push_back(std::make_unique<Client>(*loop));
    http::Connection::start(http, clients_.back()->wire.make_stream(), {}, next_lease);
    return *clients_.back();
  }
  Client& ask(std::string_view method, const std::string& query, std::string_view body = {},
              std::string_view headers = {}) {
    Client& client = connect().ask(method, "/engine.io/?" + query, body, headers);
    run();
    return client;
  }
  // A session on polls; its sid.
  std::string open(std::string_view headers = {}) {
    const std::string body = ask("GET", "EIO=4&transport=polling", {}, headers).answer();
    const std::size_t at = body.find("\"sid\":\"");
    return at == body.npos ? body : body.substr(at + 7, body.find('"', at + 7) - at - 7);
  }
  Client& get(const std::string& sid, std::string_view headers = {}) {
    return ask("GET", "EIO=4&transport=polling&sid=" + sid, {}, headers);
  }
  Client& post(const std::string& sid, std::string_view body, std::string_view headers = {}) {
    return ask("POST", "EIO=4&transport=polling&sid=" + sid, body, headers);
  }
  // A WebSocket, with what it says at once; of that session if there is a sid.
  Client& socket(const std::string& sid = {}, std::string_view early = {}) {
    Client& client = connect();
    client.wire.deliver("GET /engine.io/?EIO=4&transport=websocket" +
                        (sid.empty() ? "" : "&sid=" + sid) +
                        " HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
                        std::string(early));
    run();
    return client;
  }
  void say(Client& client, std::string_view payload, ws::Opcode opcode = ws::Opcode::kText) {
    client.wire.deliver(client_frame(payload, opcode));
    run();
  }
  // What a WebSocket's client has got: texts as they are, bytes behind "#", a close as "close
  // CODE", one after the other with a space between.
  static std::string heard(const Client& client) {
    std::string_view rest = client.wire.sent;
    const std::size_t head = rest.find("\r\n\r\n");
    if (!rest.starts_with("HTTP/1.1 101") || head == rest.npos) return client.answer();
    rest.remove_prefix(head + 4);
    std::string all;
    while (rest.size() >= 2) {
      const unsigned opcode = static_cast<unsigned char>(rest[0]) & 15;
      std::size_t size = static_cast<unsigned char>(rest[1]);
      std::size_t header = 2;
      if (size == 126) {
        size = static_cast<unsigned char>(rest[2]) * 256u + static_cast<unsigned char>(rest[3]);
        header = 4;
      }
      const std::string_view payload = rest.substr(header, size);
      if (!all.empty()) all += ' ';
      if (opcode == 8) {
        all += "close";
        if (payload.size() >= 2) {
          all += " " + std::to_string(static_cast<unsigned char>(payload[0]) * 256 +
                                      static_cast<unsigned char>(payload[1]));
        }
      } else {
        all += (opcode == 2 ? "#" : "") + std::string(payload);
      }
      rest.remove_prefix(header + size);
    }
    return all;
  }

  void run(int turns = 4) {
    for (int i = 0; i < turns; ++i) {
      clock.advance(Duration{1});
      for (const auto& client : clients_) client->wire.pump();
      loop->turn(Duration::zero());
    }
  }
  void advance(Duration by) {
    clock.advance(by);
    run();
  }
  Talk& talk(std::size_t index = 0) { return *talks.at(index); }
  const std::string& last_word(std::size_t index = 0) { return talk(index).log.back(); }

  const Options options;
  ManualClock clock;
  std::unique_ptr<reactor::Loop> loop;
  ws::CompressionPool pool{3};
  Endpoints endpoints;
  Manners manners;
  std::vector<std::unique_ptr<Talk>> talks;
  std::shared_ptr<void> next_lease;  // of connections that come
  bool origin_allowed = true;
  std::string origin;
  std::optional<http::HttpError> refusal;
  std::optional<int> turn_away;  // nobody new may come
  std::vector<std::uint32_t> moves;
  ws::DeflateOffer deflate{.mode = ws::DeflateMode::kOff};

 private:
  void on_request(http::Connection& connection, const http::RequestHead& head,
                  http::Response& response) override {
    response.allow_origin = origin;
    endpoints.at(options).serve(
        {.connection = connection,
         .head = head,
         .response = response,
         .origin_allowed = origin_allowed,
         .refusal = refusal,
         .make_session =
             [this](Transport& transport, std::string_view) {
               talks.push_back(std::make_unique<Talk>());
               talks.back()->transport = &transport;
               return std::make_unique<TalkSession>(*talks.back(), manners);
             },
         .admit = [this](std::shared_ptr<void>&, bool newcomer) -> std::optional<http::Response> {
           if (!turn_away || !newcomer) return std::nullopt;
           http::Response no;
           no.status = *turn_away;
           return no;
         },
         .deflate = deflate,
         .move = [this](std::uint32_t to) {
           moves.push_back(to);
           return false;
         }});
  }

  http::ConnectionContext http{.loop = *loop,
                               .options = {},
                               .handler = *this,
                               .parser = http::RequestParser(),
                               .connections = {}};
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace anywire::protocol::engine
