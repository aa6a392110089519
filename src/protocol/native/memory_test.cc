// What an idle session costs, with a user, one subscription and presence in its channel: everything
// on the heap counts, the member at the channel's owner and malloc's own bytes included.
#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "protocol/native/testing/native_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ANYWIRE_OTHER_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ANYWIRE_OTHER_MALLOC 1
#endif
#endif

namespace anywire::protocol::native {
namespace {

#ifndef ANYWIRE_OTHER_MALLOC

// Sends nothing anywhere.
class Silence final : public Transport {
 public:
  void open() override {}
  void send_text(std::string_view) override {}
  void send_binary(Bytes) override {}
  void send(bool, BufferRef) override {}
  void send_frame(const BufferRef&) override {}
  void hold_input(bool) override {}
  Encoding encoding(std::size_t) const override { return Encoding::kPlain; }
  bool congested() const override { return false; }
  void close(ws::CloseCode, std::string_view) override {}
};

class NativeMemoryTest : public NativeTest {
 protected:
  static constexpr std::size_t kSessions = 4000;
  // TcpStream and WebSocketTransport as malloc hands them out.
  static constexpr std::size_t kTransportBytes = 48 + 144;

  static std::size_t heap_bytes() { return mallinfo2().uordblks; }
  void say(Session& session, std::string_view json) {
    ws::Message message = message_of(json);
    session.on_message(message);
  }
  // Of one session, when they have all done what `commands` say.
  std::size_t bytes_each(bool user, const std::vector<std::string>& commands) {
    std::vector<std::string> connects;
    for (std::size_t i = 0; i < kSessions; ++i) {
      connects.push_back(!user ? R"({"type":"connect","id":1})"
                               : R"({"type":"connect","id":1,"token":")" +
                                     token(R"({"sub":"user-)" + std::to_string(10'000 + i) +
                                           R"(","capability":{"room:*":["*"]}})") +
                                     "\"}");
    }
    Silence silence;
    std::vector<std::unique_ptr<NativeSession>> made;
    made.reserve(kSessions + 1);
    const auto add = [&](const std::string& connect) {
      made.push_back(std::make_unique<NativeSession>(adapter(), silence, Format::kJson));
      Session& session = *made.back();
      session.on_attached(request_for("/anywire"));
      say(session, connect);
      for (const std::string& command : commands) say(session, command);
    };
    add(connects[0]);  // what the first one brings along is everybody's
    pass(Duration(1000));
    const std::size_t before = heap_bytes();
    for (const std::string& connect : connects) add(connect);
    pass(Duration(1000));
    pass(Duration(1000));
    const std::size_t bytes = (heap_bytes() - before) / kSessions;
    for (auto& session : made) {
      static_cast<Session&>(*session).on_closed(ws::CloseCode::kAbnormal);
    }
    return bytes;
  }
};

// What malloc hands out is 16 n + 8 bytes.
TEST_F(NativeMemoryTest, ObjectsFitMallocsSizes) {
  EXPECT_LE(sizeof(NativeSession), 120u);
  EXPECT_LE(sizeof(Seat), 56u);  // and 16 for the name
}

TEST_F(NativeMemoryTest, OfASessionWithSubscriptionAndPresence) {
  const std::string in = R"("channel":")" + channel_owned_by(0) + "\"}";
  const std::size_t bytes = bytes_each(
      true, {R"({"type":"subscribe","id":2,)" + in, R"({"type":"enter","id":3,)" + in});
  EXPECT_LE(bytes + kTransportBytes, 640u) << bytes << " without its transport";
}

// 24 of them are for its entry among the Clients, by which the HTTP API reaches it.
TEST_F(NativeMemoryTest, OfASessionWithASubscription) {
  const std::string in = R"("channel":")" + channel_owned_by(0) + "\"}";
  const std::size_t bytes = bytes_each(false, {R"({"type":"subscribe","id":2,)" + in});
  EXPECT_LE(bytes + kTransportBytes, 504u) << bytes << " without its transport";
}

#endif

}  // namespace
}  // namespace anywire::protocol::native
