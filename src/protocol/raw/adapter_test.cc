#include "protocol/raw/adapter.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/clock.h"
#include "hub/testing/memory_hubs.h"
#include "protocol/transport/testing/fake_transport.h"

namespace anywire::protocol::raw {
namespace {

class RawAdapterTest : public ::testing::Test {
 protected:
  std::optional<Route> route(const RawOptions& options, std::string_view path) {
    adapter_ = std::make_unique<RawAdapter>(options, RawServices{.loop = *loop_,
                                                                 .wall = wall_,
                                                                 .hub = group_.hub(0),
                                                                 .compression = compression_,
                                                                 .clients = clients_,
                                                                 .authority = authority_});
    return adapter_->route(request_for(path), {});
  }
  bool takes(const RawOptions& options, std::string_view path) {
    const auto found = route(options, path);
    return found && !found->refusal;
  }

  ManualClock clock_;
  std::unique_ptr<reactor::Loop> loop_ = *reactor::Loop::create({}, clock_);
  hub::MemoryHubs group_{{loop_.get()}};
  ws::CompressionPool compression_{3};
  ManualWallClock wall_;
  ClientGroup clients_{{loop_.get()}};
  auth::Authority authority_;
  std::unique_ptr<RawAdapter> adapter_;
};

TEST_F(RawAdapterTest, TakesItsPathsAndNoOthers) {
  EXPECT_TRUE(takes({}, "/raw/room"));
  EXPECT_FALSE(route({}, "/raw"));
  EXPECT_FALSE(route({}, "/rawroom"));
  EXPECT_FALSE(route({}, "/RAW/room"));
  EXPECT_FALSE(route({}, "/"));
  EXPECT_FALSE(route({}, "/echo"));
}

TEST_F(RawAdapterTest, TakesTheRootOnlyWhenItHasAChannel) {
  EXPECT_TRUE(takes({.root_channel = "lobby"}, "/"));
  EXPECT_FALSE(takes({.root_channel = "lobby"}, "/other"));
}

TEST_F(RawAdapterTest, CanBeSwitchedOff) {
  EXPECT_FALSE(route({.enabled = false}, "/raw/room"));
  EXPECT_TRUE(takes({.enabled = false, .root_channel = "lobby"}, "/"));
}

TEST_F(RawAdapterTest, KeepsOutOfTheServersOwnChannels) {
  for (const char* path : {"/raw/$user:ann", "/raw/$", "/raw/$else"}) {
    const auto found = route({}, path);
    ASSERT_TRUE(found && found->refusal) << path;
    EXPECT_EQ(found->refusal->status, 403);
  }
  EXPECT_TRUE(takes({}, "/raw/user:$ann"));
}

// Whose channel it is turns out when the credential is verified.
TEST_F(RawAdapterTest, LetsInToAUsersChannelWhoShowsACredential) {
  ASSERT_TRUE(route({}, "/raw/x"));
  http::RequestHead head = request_for("/raw/$user:ann");
  head.headers.push_back({"Authorization", "Bearer x"});
  EXPECT_FALSE(adapter_->route(head, {})->refusal);
}

TEST_F(RawAdapterTest, GoesByTheChannelsRuleForWhoShowsNoCredential) {
  using auth::Operation;
  ASSERT_TRUE(route({}, "/raw/x"));
  EXPECT_FALSE(adapter_->anyone_may(Operation::kSubscribe, "room"));
  ASSERT_TRUE(route({.open = true}, "/raw/x"));
  EXPECT_TRUE(adapter_->anyone_may(Operation::kSubscribe, "room"));
  EXPECT_TRUE(adapter_->anyone_may(Operation::kPublish, "room"));
  EXPECT_FALSE(adapter_->anyone_may(Operation::kSubscribe, "$user:ann"));
}

TEST_F(RawAdapterTest, RefusesABadNameInsteadOfPassingItOn) {
  for (const std::string& path : {std::string("/raw/"), std::string("/raw/\xFF"),
                                  "/raw/" + std::string(201, 'n')}) {
    const auto found = route({}, path);
    ASSERT_TRUE(found && found->refusal) << path;
    EXPECT_EQ(found->refusal->status, 400);
  }
  EXPECT_TRUE(takes({}, "/raw/" + std::string(200, 'n')));
}

TEST_F(RawAdapterTest, MakesSessionsThatBeatOnlyWhenAgreedOn) {
  for (const bool agreed : {false, true}) {
    auto found = route({.open = true}, "/raw/room");
    ASSERT_EQ(found->subprotocols.size(), 1u);
    FakeTransport transport;
    const auto session =
        found->make_session(transport, agreed ? found->subprotocols[0] : std::string_view());
    session->on_attached(request_for("/raw/room"));
    ws::Message empty = message_of("");
    session->on_message(empty);
    loop_->turn(Duration::zero());
    EXPECT_EQ(transport.log.back(), agreed ? "text:" : "frame");
    session->on_closed(ws::CloseCode::kNormal);
  }
}

}  // namespace
}  // namespace anywire::protocol::raw
