// NativeTest: some loops in one thread with a hub and a native adapter each, clocks that stand
// still, and clients whose frames are written and read as JSON whatever form they travel in. Only
// tests include it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/testing/memory_hubs.h"
#include "protocol/native/session.h"
#include "protocol/native/testing/client_codec.h"
#include "protocol/transport/event_frame.h"
#include "protocol/transport/testing/fake_transport.h"
#include "websocket/testing/peer.h"

namespace anywire::protocol::native {

inline constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";

// What the test is about, without the times and epochs, which it is not.
inline std::string settled(std::string text) {
  const auto blank = [&](std::string_view before, std::string_view digits) {
    for (std::size_t at = text.find(before); at != text.npos; at = text.find(before, at)) {
      at += before.size();
      const std::size_t end = text.find_first_not_of(digits, at);
      text.replace(at, end - at, before.back() == '"' ? "E" : "0");
    }
  };
  blank("\"time\":", "0123456789");
  blank("\"epoch\":\"", "0123456789abcdef");
  return text;
}

class TestClient {
 public:
  TestClient(NativeAdapter& adapter, Format format, std::string_view authorization = {})
      : format_(format), session_(std::make_unique<NativeSession>(adapter, transport, format)) {
    http::RequestHead head = request_for("/anywire");
    if (!authorization.empty()) head.headers.push_back({"Authorization", authorization});
    session_->show(read_credentials(head, {}, {}), *net::Address::parse("192.0.2.7:5000"));
    as_session().on_attached(head);
  }
  ~TestClient() { leave(); }

  Session& as_session() { return *session_; }
  NativeSession& session() { return *session_; }
  // One frame.
  void say(std::string_view json) {
    const std::string frame = to_frame(format_, json);
    ws::Message message = message_of(frame, format_ == Format::kJson);
    as_session().on_message(message);
  }
  // The messages since it was last asked, as settled JSON; the end is "close:CODE:REASON".
  std::vector<std::string> heard() {
    std::vector<std::string> all;
    for (; log_read_ < transport.log.size(); ++log_read_) {
      const std::string& entry = transport.log[log_read_];
      if (entry == "frame") {
        add_frame(transport.frames[frames_read_++], all);
      } else if (entry.starts_with("text:") || entry.starts_with("binary:")) {
        EXPECT_EQ(entry.starts_with("text:"), format_ == Format::kJson);
        all.push_back(settled(shown(format_, entry.substr(entry.find(':') + 1))));
      } else if (entry != "open") {
        all.push_back(entry);
      }
    }
    return all;
  }
  // The value of a string member of the last `connected`.
  std::string last(std::string_view name) const {
    for (auto entry = transport.log.rbegin(); entry != transport.log.rend(); ++entry) {
      const std::string text =
          format_ == Format::kJson ? *entry : shown(format_, entry->substr(entry->find(':') + 1));
      const std::string member = "\"" + std::string(name) + "\":\"";
      const std::size_t at = text.find(member);
      if (at == text.npos) continue;
      const std::size_t begin = at + member.size();
      return text.substr(begin, text.find('"', begin) - begin);
    }
    return {};
  }
  void lose() { as_session().on_closed(ws::CloseCode::kAbnormal); }
  // The connection is lost, and the transport goes with its session.
  void leave() {
    if (session_) lose();
    session_.reset();
  }

  FakeTransport transport;

 private:
  void add_frame(const BufferRef& frame, std::vector<std::string>& all) {
    std::string_view rest = as_text(frame->bytes());
    if (transport.wants == Transport::Encoding::kEvent) {
      while (!rest.empty()) all.push_back(settled(std::string(next_event(rest))));
      return;
    }
    while (!rest.empty()) all.push_back(settled(shown(format_, next_payload(rest))));
  }

  // Of an unmasked, uncompressed frame (RFC 6455 5.2) with less than 64 KiB.
  static std::string_view next_payload(std::string_view& rest) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(rest[at]); };
    const std::size_t head = byte(1) < 126 ? 2 : 4;
    const std::size_t bytes =
        head == 2 ? byte(1) : static_cast<std::size_t>(byte(2) << 8 | byte(3));
    const std::string_view payload = rest.substr(head, bytes);
    rest.remove_prefix(head + bytes);
    return payload;
  }

  Format format_;
  std::unique_ptr<NativeSession> session_;
  std::size_t log_read_ = 0;
  std::size_t frames_read_ = 0;
};

class NativeTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kLoops = 2;

  NativeTest() {
    EXPECT_TRUE(keys.add(*auth::Key::hs256("", kSecret)));
    options.expiry_grace = Duration{30'000};
    options.anonymous = true;
    options.server = "test";
    rule.subscribe = rule.publish = rule.history_access = rule.presence_access =
        hub::Access::kAnyone;
    rule.history_messages = 100;
    rule.presence = true;
  }
  ~NativeTest() override {
    // Callbacks still due must find their way past sessions that are gone.
    settle();
  }

  // Everything is made when it is first needed, so that tests may change the options before.
  NativeAdapter& adapter(std::uint32_t loop = 0) {
    if (adapters.empty()) start();
    return *adapters[loop];
  }
  std::unique_ptr<TestClient> attach(Format format = Format::kJson, std::uint32_t loop = 0) {
    return std::make_unique<TestClient>(adapter(loop), format);
  }
  // Connected, with `connected` heard.
  std::unique_ptr<TestClient> connect(std::string_view token = {}, Format format = Format::kJson,
                                      std::uint32_t loop = 0) {
    auto client = attach(format, loop);
    const std::string member = token.empty() ? "" : ",\"token\":\"" + std::string(token) + "\"";
    client->say(R"({"type":"connect","id":1)" + member + "}");
    const auto heard = client->heard();
    EXPECT_EQ(heard.size(), 1u) << ::testing::PrintToString(heard);
    return client;
  }
  // Another connection, with the session of the first.
  std::unique_ptr<TestClient> resume(const TestClient& first, std::uint32_t loop = 0,
                                     std::string_view token = {}) {
    auto client = attach(Format::kJson, loop);
    const std::string member = token.empty() ? "" : ",\"token\":\"" + std::string(token) + "\"";
    client->say(R"({"type":"connect","id":1,"session":")" + first.last("session") + "\"" + member +
                "}");
    return client;
  }
  std::string token(std::string_view claims) const {
    return *auth::sign_hs256(*keys.find(""), claims);
  }
  std::string channel_owned_by(std::uint32_t loop) {
    adapter();
    for (int i = 0;; ++i) {
      std::string name = "c" + std::to_string(i);
      if (&hubs->owner_of(name) == &hubs->hub(loop)) return name;
    }
  }
  void turn(std::uint32_t loop = 0) { loops[loop]->turn(Duration::zero()); }
  void settle() {
    for (int i = 0; i < 8; ++i) {
      for (auto& loop : loops) loop->turn(Duration::zero());
    }
  }
  void pass(Duration time) {
    clock.advance(time);
    wall.advance(time);
    settle();
  }

  NativeOptions options;
  hub::ChannelRule rule;                // of all channels
  std::vector<hub::ChannelRule> rules;  // before that one
  auth::KeySet keys;
  auth::VerifyOptions verify{.issuer = {}, .audience = {}, .expiry_required = false};
  const Validation* validation = nullptr;
  AppHook* app = nullptr;
  LimitOptions limit_options;
  ManualClock clock;
  ManualWallClock wall;
  std::vector<std::unique_ptr<reactor::Loop>> loops = make_loops(clock);
  std::unique_ptr<LimitGroup> limits;
  std::unique_ptr<hub::MemoryHubs> hubs;
  std::unique_ptr<SessionGroup> sessions;
  std::unique_ptr<ClientGroup> clients;
  std::unique_ptr<auth::Authority> authority;
  ws::CompressionPool compression{3};
  std::vector<std::unique_ptr<NativeAdapter>> adapters;

 private:
  static std::vector<std::unique_ptr<reactor::Loop>> make_loops(Clock& clock) {
    std::vector<std::unique_ptr<reactor::Loop>> loops;
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      loops.push_back(*reactor::Loop::create({.index = i, .receive_buffer_bytes = 64}, clock));
    }
    return loops;
  }
  void start() {
    std::vector<reactor::Loop*> all;
    for (auto& loop : loops) all.push_back(loop.get());
    hubs = std::make_unique<hub::MemoryHubs>(all, hub::Rules(rules, rule));
    limits = std::make_unique<LimitGroup>(limit_options);
    sessions = *SessionGroup::create(all);
    clients = std::make_unique<ClientGroup>(all);
    authority = std::make_unique<auth::Authority>(verify, keys);
    for (std::uint32_t i = 0; i < kLoops; ++i) {
      adapters.push_back(std::make_unique<NativeAdapter>(
          options, NativeServices{.loop = *loops[i],
                                  .wall = wall,
                                  .hub = hubs->hub(i),
                                  .compression = compression,
                                  .sessions = *sessions,
                                  .clients = *clients,
                                  .authority = *authority,
                                  .app = app,
                                  .limits = limits.get(),
                                  .validation = validation}));
    }
  }
};

}  // namespace anywire::protocol::native
