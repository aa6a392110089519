#include "protocol/raw/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "hub/testing/memory_hubs.h"
#include "protocol/raw/adapter.h"
#include "protocol/raw/codec.h"
#include "protocol/transport/testing/fake_transport.h"
#include "websocket/testing/peer.h"

namespace anywire::protocol::raw {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Log = std::vector<std::string>;

// Two loops, so that a channel may be owned elsewhere; sessions live on loop 0.
class RawSessionTest : public ::testing::Test {
 protected:
  struct Client {
    std::unique_ptr<FakeTransport> transport = std::make_unique<FakeTransport>();
    std::unique_ptr<RawSession> session;

    Session& as_session() { return *session; }
    Log& log() { return transport->log; }
    // The messages among what was sent, decoded.
    Log heard() const {
      Log all;
      for (const BufferRef& frame : transport->frames) {
        for (auto& text : ws::server_frames(as_text(frame->bytes()))) all.push_back(text);
      }
      return all;
    }
  };

  Client join(std::string_view path, bool heartbeat = false) {
    Client client;
    client.session = std::make_unique<RawSession>(adapter, *client.transport, heartbeat);
    client.as_session().on_attached(request_for(path));
    return client;
  }
  void say(Client& client, std::string_view data, bool text = true) {
    ws::Message message = message_of(data, text);
    client.as_session().on_message(message);
    loops[0]->turn(Duration::zero());
  }
  std::string path_owned_by(std::uint32_t loop) {
    for (int i = 0;; ++i) {
      const std::string name = "c" + std::to_string(i);
      if (&group.owner_of(name) == &group.hub(loop)) return "/raw/" + name;
    }
  }
  void settle() {
    for (int i = 0; i < 4; ++i) {
      for (auto& loop : loops) loop->turn(Duration::zero());
    }
  }

  ManualClock clock;
  std::vector<std::unique_ptr<reactor::Loop>> loops = make_loops(clock);
  hub::MemoryHubs group{{loops[0].get(), loops[1].get()}};
  ws::CompressionPool compression{3};
  ManualWallClock wall;
  ClientGroup clients{{loops[0].get(), loops[1].get()}};
  auth::Authority authority;
  RawAdapter adapter{{.open = true, .root_channel = "lobby", .root_greeting = true},
                     RawServices{.loop = *loops[0],
                                 .wall = wall,
                                 .hub = group.hub(0),
                                 .compression = compression,
                                 .clients = clients,
                                 .authority = authority}};

 private:
  static std::vector<std::unique_ptr<reactor::Loop>> make_loops(Clock& clock) {
    std::vector<std::unique_ptr<reactor::Loop>> loops;
    for (std::uint32_t i = 0; i < 2; ++i) {
      loops.push_back(*reactor::Loop::create({.index = i}, clock));
    }
    return loops;
  }
};

TEST_F(RawSessionTest, OpensAtOnceWhereTheChannelIsOwned) {
  Client a = join(path_owned_by(0));
  EXPECT_THAT(a.log(), ElementsAre("open"));
}

TEST_F(RawSessionTest, OpensOnlyWhenTheOwnerElsewhereKnows) {
  Client a = join(path_owned_by(1));
  loops[0]->turn(Duration::zero());
  EXPECT_THAT(a.log(), IsEmpty());
  settle();
  EXPECT_THAT(a.log(), ElementsAre("open"));
}

TEST_F(RawSessionTest, GivesEveryMemberEveryMessageTheSenderIncluded) {
  for (const std::uint32_t owner : {0u, 1u}) {
    Client a = join(path_owned_by(owner));
    Client b = join(path_owned_by(owner));
    settle();
    say(a, "hi");
    say(b, std::string_view("\0\xFF", 2), false);
    say(a, "");
    settle();
    const Log expected = {"text:hi", std::string("binary:\0\xFF", 9), "text:"};
    EXPECT_EQ(a.heard(), expected);
    EXPECT_EQ(b.heard(), expected);
    a.as_session().on_closed(ws::CloseCode::kNormal);
    b.as_session().on_closed(ws::CloseCode::kNormal);
    settle();
  }
}

TEST_F(RawSessionTest, KeepsChannelsApart) {
  Client a = join("/raw/one");
  Client b = join("/raw/two");
  settle();
  say(a, "for one");
  settle();
  EXPECT_THAT(b.heard(), IsEmpty());
}

TEST_F(RawSessionTest, SharesOneFrameBetweenMembers) {
  Client a = join(path_owned_by(0));
  Client b = join(path_owned_by(0));
  Client c = join(path_owned_by(0));
  Client d = join(path_owned_by(0));
  c.transport->wants = d.transport->wants = Transport::Encoding::kCompressed;
  say(a, std::string(1000, 'z'));
  ASSERT_EQ(d.transport->frames.size(), 1u);
  EXPECT_EQ(a.transport->frames[0]->data(), b.transport->frames[0]->data());
  EXPECT_EQ(c.transport->frames[0]->data(), d.transport->frames[0]->data());
  EXPECT_EQ(a.heard(), Log{"text:" + ws::shown(std::string(1000, 'z'))});
  EXPECT_EQ(c.heard(), Log{"ztext:" + ws::shown(std::string(1000, 'z'))});
}

TEST_F(RawSessionTest, TakesAMessageThatHasItsOwnBuffer) {
  Client a = join(path_owned_by(1));
  settle();
  ws::Message message{.text = true, .data = {}, .owned = Buffer::copy_of(as_bytes("large"))};
  message.data = message.owned->bytes();
  a.as_session().on_message(message);
  settle();
  EXPECT_THAT(a.heard(), ElementsAre("text:large"));
}

TEST_F(RawSessionTest, GreetsAtTheRootOnly) {
  Client root = join("/");
  Client other = join(path_owned_by(0));
  settle();
  EXPECT_THAT(root.log(), ElementsAre("open", R"(text:{"hello":"world"})"));
  EXPECT_THAT(other.log(), ElementsAre("open"));
}

TEST_F(RawSessionTest, MeetsTheRootChannelByItsNameToo) {
  Client root = join("/");
  Client named = join("/raw/lobby");
  settle();
  say(named, "hello");
  settle();
  EXPECT_THAT(root.heard(), ElementsAre("text:hello"));
}

TEST_F(RawSessionTest, AnswersTheHeartbeatAndPublishesItNot) {
  const std::string path = path_owned_by(0);
  Client beating = join(path, true);
  Client plain = join(path);
  say(beating, "");
  EXPECT_THAT(beating.log(), ElementsAre("open", "text:"));
  EXPECT_THAT(plain.heard(), IsEmpty());
  say(beating, "", false);
  EXPECT_THAT(plain.heard(), ElementsAre("binary:")) << "only an empty text is one";
}

TEST_F(RawSessionTest, HearsNothingAfterTheEnd) {
  const std::string path = path_owned_by(0);
  Client a = join(path);
  Client b = join(path);
  b.as_session().on_closed(ws::CloseCode::kAbnormal);
  say(a, "gone?");
  EXPECT_THAT(b.heard(), IsEmpty());
  EXPECT_THAT(a.heard(), ElementsAre("text:gone?"));
}

TEST_F(RawSessionTest, MayEndBeforeTheSubscriptionIsConfirmed) {
  {
    Client a = join(path_owned_by(1));
    a.as_session().on_closed(ws::CloseCode::kAbnormal);
  }
  settle();
  EXPECT_EQ(group.hub(0).channels(), 0u);
}

TEST_F(RawSessionTest, MaySendTwiceTheBurstAtOnceAndIsClosedThen) {
  LimitOptions options;
  options.rate(Limited::kMessages, LimitedParty::kConnection) = {.amount = 10, .burst = 2};
  options.rate(Limited::kBytes, LimitedParty::kApp) = {.amount = 1000};
  LimitGroup limits(options);
  RawServices services = adapter.services();
  services.limits = &limits;
  RawAdapter limited({.open = true}, services);
  const std::string path = path_owned_by(0);
  Client hears = join(path);
  const auto come = [&](FakeTransport& transport) {
    auto session = limited.route(request_for(path), {})->make_session(transport, "");
    session->on_attached(request_for(path));
    return session;
  };
  const auto say = [&](Session& session, std::string_view data) {
    ws::Message message = message_of(data);
    session.on_message(message);
    loops[0]->turn(Duration::zero());
  };
  FakeTransport transport, other;
  const std::unique_ptr<Session> session = come(transport), large = come(other);
  for (int i = 0; i < 4; ++i) say(*session, std::to_string(i));
  EXPECT_THAT(transport.log.back(), testing::Not(testing::HasSubstr("close")));
  say(*session, "4");
  EXPECT_EQ(transport.log.back(),
            "close:4529:over the limit messages_per_connection: 10 in a second, 2 at once");
  say(*session, "5");
  EXPECT_THAT(hears.heard(), ElementsAre("text:0", "text:1", "text:2", "text:3"))
      << "nothing that was taken is lost";
  say(*large, std::string(1990, 'x'));
  EXPECT_THAT(other.log.back(), testing::Not(testing::HasSubstr("close")));
  say(*large, std::string(100, 'x'));
  EXPECT_EQ(other.log.back(), "close:4529:over the limit bytes_per_app: 1000 in a second");
  session->on_closed(ws::CloseCode::kNormal);
  large->on_closed(ws::CloseCode::kNormal);
}

TEST_F(RawSessionTest, PaysNothingForLimitsWhereThereAreNone) {
  LimitGroup limits{LimitOptions()};
  RawServices services = adapter.services();
  services.limits = &limits;
  RawAdapter unlimited({.open = true}, services);
  EXPECT_EQ(unlimited.make_limits(*net::Address::parse("192.0.2.1:1")), nullptr);
  EXPECT_EQ(adapter.make_limits(*net::Address::parse("192.0.2.1:1")), nullptr);
}

}  // namespace
}  // namespace anywire::protocol::raw
