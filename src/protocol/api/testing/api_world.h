// ApiWorld: the HTTP API on two loops turned by hand, with a hub, clients that write down what is
// done to them, and connections in memory. Only tests and fuzz targets include it.
//
//   ApiWorld world;
//   EXPECT_EQ(world.call("POST", "/publish", R"({"channel":"news","data":1})"), "...");
//
// Thread: one. Lifetime: ends everything it began.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/base64.h"
#include "hub/testing/memory_hubs.h"
#include "protocol/api/adapter.h"
#include "protocol/fake_client_for_test.h"
#include "protocol/transport/testing/http_world.h"

namespace anywire::protocol::api {

inline constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

// Without times and epochs, which change from run to run.
inline std::string settled(std::string text) {
  const auto blank = [&](std::string_view before, std::string_view digits) {
    for (std::size_t at = text.find(before); at != text.npos; at = text.find(before, at)) {
      at += before.size();
      text.replace(at, text.find_first_not_of(digits, at) - at, "_");
    }
  };
  blank("\"time\":", "0123456789");
  blank("\"epoch\":\"", "0123456789abcdef");
  return text;
}

class ApiWorld {
 public:
  static constexpr std::uint32_t kLoops = 2;

  explicit ApiWorld(const ApiOptions& options = {}, hub::Rules rules = default_rules(),
                    const Validation* validation = nullptr) {
    auth::KeySet keys;
    auto key = *auth::Key::hs256("web", kSecret);
    auto bounded = *auth::Key::hs256("small", kSecret);
    bounded.set_rights(*auth::Capability::parse(R"({"room:*":["*"],"$user:ann":["manage"]})"), {});
    std::ignore = keys.add(std::move(key));
    std::ignore = keys.add(std::move(bounded));
    authority = std::make_unique<auth::Authority>(auth::VerifyOptions{.expiry_required = false},
                                                  std::move(keys));
    std::vector<reactor::Loop*> all;
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      loops.push_back(*reactor::Loop::create({.index = i}, clock));
      all.push_back(loops.back().get());
    }
    hubs = std::make_unique<hub::MemoryHubs>(all, std::move(rules));
    clients = std::make_unique<ClientGroup>(all);
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      sides_.push_back(std::make_unique<Side>(*this, i, options, validation));
    }
  }
  ~ApiWorld() {
    for (const auto& side : sides_) {
      for (http::Connection* one : side->http.connections.snapshot()) one->abort();
    }
    run();
  }
  ApiWorld(const ApiWorld&) = delete;
  ApiWorld& operator=(const ApiWorld&) = delete;

  static hub::Rules default_rules() {
    hub::ChannelRule rule;
    rule.history_messages = 100;
    rule.presence = true;
    return hub::Rules({}, rule);
  }

  Client& connect(std::uint32_t loop = 0) {
    connections_.push_back(std::make_unique<Client>(*loops[loop]));
    http::Connection::start(sides_[loop]->http, connections_.back()->wire.make_stream(), {});
    return *connections_.back();
  }
  static std::string basic(std::string_view key, std::string_view secret = kSecret) {
    std::string pair(key);
    pair.append(":").append(secret);
    return "Authorization: Basic " + codec::base64_encode(as_bytes(pair)) + "\r\n";
  }
  std::string bearer(std::string_view claims) const {
    return "Authorization: Bearer " + *auth::sign_hs256(*authority->keys.keys()->find("web"),
                                                        claims) + "\r\n";
  }
  static std::string request(std::string_view method, std::string_view path, std::string_view body,
                             std::string_view headers) {
    std::string text(method);
    text.append(" /api/v1").append(path).append(" HTTP/1.1\r\nHost: a\r\n").append(headers);
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    return text.append("\r\n").append(body);
  }
  // The answer to one request on a connection of its own: "STATUS BODY" unless it is 200.
  std::string call(std::string_view method, std::string_view path, std::string_view body = {},
                   std::string_view headers = basic("web"), std::uint32_t loop = 0) {
    Client& client = connect(loop);
    client.wire.deliver(request(method, path, body, headers));
    run();
    return settled(client.answer());
  }
  std::string post(std::string_view path, std::string_view body) {
    return call("POST", path, body);
  }
  void run(int turns = 12) {
    for (int i = 0; i < turns; ++i) {
      clock.advance(Duration{1});
      for (const auto& connection : connections_) connection->wire.pump();
      for (const auto& loop : loops) loop->turn(Duration::zero());
    }
  }
  std::string channel_owned_by(std::uint32_t loop) {
    for (int i = 0;; ++i) {
      std::string name = "c" + std::to_string(i);
      if (&hubs->owner_of(name) == &hubs->hub(loop)) return name;
    }
  }

  ManualClock clock;
  ManualWallClock wall;
  std::unique_ptr<auth::Authority> authority;
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::unique_ptr<hub::MemoryHubs> hubs;
  std::unique_ptr<ClientGroup> clients;

 private:
  struct Side final : http::RequestHandler {
    Side(ApiWorld& world, std::uint32_t index, const ApiOptions& options,
         const Validation* validation)
        : adapter(options, {.loop = *world.loops[index],
                            .wall = world.wall,
                            .hub = world.hubs->hub(index),
                            .clients = *world.clients,
                            .authority = *world.authority,
                            .validation = validation}),
          http{.loop = *world.loops[index],
               .options = {},
               .handler = *this,
               .parser = http::RequestParser(),
               .connections = {}} {}

    void on_request(http::Connection& connection, const http::RequestHead& head,
                    http::Response& response) override {
      auto route = adapter.route(head, {});
      if (!route) {
        response.body = "not the API's";
      } else if (!http::list_has_token(route->methods, head.method_text)) {
        response.status = 405;
        response.body = route->methods;
      } else {
        route->handle(connection, head, response);
      }
    }

    ApiAdapter adapter;
    http::ConnectionContext http;
  };

  std::vector<std::unique_ptr<Side>> sides_;
  std::vector<std::unique_ptr<Client>> connections_;
};

}  // namespace anywire::protocol::api
