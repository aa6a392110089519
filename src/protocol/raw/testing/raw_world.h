// RawWorld: the raw protocol on one loop turned by hand, with a hub, a key called "web" and
// transports that write down what happens to them: what the tests of its sessions stand on.
//
//   EXPECT_THAT(join("/raw/room:1", ann()), ElementsAre("open"));
//   say(0, "hello");
//   EXPECT_THAT(heard(0), ElementsAre("text:hello"));
//
// Thread: one. Lifetime: ends the sessions it began. The adapter is made by the first `join`, so
// that a test may say before what it is to be made of.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/jwt.h"
#include "hub/testing/memory_hubs.h"
#include "protocol/fake_app_for_test.h"
#include "protocol/raw/adapter.h"
#include "protocol/raw/known_session.h"
#include "protocol/transport/testing/fake_transport.h"
#include "websocket/testing/peer.h"

namespace anywire::protocol::raw {

class RawWorld : public ::testing::Test {
 protected:
  using Log = std::vector<std::string>;

  explicit RawWorld(RawOptions wanted = {}, hub::Rules rules = hub::Rules())
      : options(std::move(wanted)), group({loop.get()}, std::move(rules)) {
    EXPECT_TRUE(keys.add(auth::Key::hs256("web", "0123456789abcdef0123456789abcdef").value()));
    authority.keys.set_configured(keys);
  }
  ~RawWorld() override {
    for (auto& [transport, session] : made) session->on_closed(ws::CloseCode::kAbnormal);
    settle();
    made.clear();
    fake.publishing.clear();  // who waits for it needs it to the end
  }

  RawAdapter& adapter() {
    if (!adapter_) {
      adapter_ = std::make_unique<RawAdapter>(options, RawServices{.loop = *loop,
                                                                   .wall = wall,
                                                                   .hub = group.hub(0),
                                                                   .compression = compression,
                                                                   .clients = clients,
                                                                   .authority = authority,
                                                                   .validation = validation.get(),
                                                                   .app = app});
    }
    return *adapter_;
  }

  std::string token(std::string_view claims) {
    return auth::sign_hs256(keys.keys()[0], claims).value();
  }
  // A capability for rooms, until in a minute.
  std::string ann(std::string_view operations = R"(["*"])") {
    return token(R"({"sub":"ann","jti":"one","exp":1700000060,"capability":{"room:*":)" +
                 std::string(operations) + "}}");
  }
  // What the client sees, from now on, too.
  Log& join(std::string_view path, const std::string& bearer = {}, std::string_view query = {},
            std::string_view origin = {}) {
    http::RequestHead head = request_for(path);
    const std::string value = "Bearer " + bearer;
    if (!bearer.empty()) head.headers.push_back({"Authorization", value});
    if (!origin.empty()) head.headers.push_back({"Origin", origin});
    head.query = query;
    auto route = adapter().route(head, {.address = *net::Address::parse_ip("192.0.2.9")});
    EXPECT_TRUE(route && !route->refusal);
    auto transport = std::make_unique<FakeTransport>();
    auto session = route->make_session(*transport, {});
    session->on_attached(head);
    made.emplace_back(std::move(transport), std::move(session));
    settle();
    return made.back().first->log;
  }
  void say(std::size_t client, std::string_view data, bool text = true) {
    ws::Message message = message_of(data, text);
    made[client].second->on_message(message);
    settle();
  }
  Log heard(std::size_t client) const {
    Log all;
    for (const BufferRef& frame : made[client].first->frames) {
      for (auto& text : ws::server_frames(as_text(frame->bytes()))) all.push_back(text);
    }
    return all;
  }
  // The client's connection is lost.
  void lose(std::size_t client) {
    made[client].second->on_closed(ws::CloseCode::kAbnormal);
    settle();
  }
  void pass(Duration time) {
    clock.advance(time);
    wall.advance(time);
    settle();
  }
  void settle() {
    for (int i = 0; i < 4; ++i) loop->turn(Duration::zero());
  }
  // Of one user, as others find them.
  std::vector<ClientRecord> listed(std::string user) {
    std::vector<ClientRecord> records;
    clients.list(0, {.user = std::move(user), .client = {}},
                 [&](std::vector<ClientRecord> all) { records = std::move(all); });
    return records;
  }
  std::size_t revoke(auth::Revocation revocation) {
    std::size_t closed = 0;
    clients.revoke(0, std::move(revocation), [&](std::size_t count) { closed = count; });
    return closed;
  }

  RawOptions options;
  std::unique_ptr<const Validation> validation;  // null: nothing is checked
  FakeApp fake;
  AppHook* app = nullptr;  // `&fake`, where there is to be an application
  ManualClock clock;
  ManualWallClock wall;
  std::unique_ptr<reactor::Loop> loop = *reactor::Loop::create({}, clock);
  hub::MemoryHubs group;
  ws::CompressionPool compression{3};
  ClientGroup clients{{loop.get()}};
  auth::KeySet keys;
  auth::Authority authority;
  std::vector<std::pair<std::unique_ptr<FakeTransport>, std::unique_ptr<Session>>> made;

 private:
  std::unique_ptr<RawAdapter> adapter_;
};

}  // namespace anywire::protocol::raw
