#include "hub/presence_view.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace anywire::hub {
namespace {

MemberPtr member(std::string_view client_id, std::string_view user_id = "",
                 std::string_view info = "", std::uint32_t loop = 0) {
  return Member::make({client_id, user_id, info, loop});
}

TEST(Member, KeepsWhatItWasMadeOf) {
  std::string info = R"({"name":"Ada"})";
  const MemberPtr ada = member("c1", "ada", info, 7);
  info.assign(info.size(), 'x');
  EXPECT_EQ(ada->client_id(), "c1");
  EXPECT_EQ(ada->user_id(), "ada");
  EXPECT_EQ(ada->info(), R"({"name":"Ada"})");
  EXPECT_EQ(ada->loop(), 7u);
}

TEST(Member, MayHaveEmptyPartsAndAnyBytes) {
  const MemberPtr bare = member("c1");
  EXPECT_EQ(bare->client_id(), "c1");
  EXPECT_EQ(bare->user_id(), "");
  EXPECT_EQ(bare->info(), "");
  const std::string odd("\0\xff\"", 3);
  EXPECT_EQ(member(odd, odd, odd)->info(), odd);
  EXPECT_EQ(member(odd, odd, odd)->client_id(), odd);
}

TEST(Member, CostsASmallHeaderAndItsText) {
  EXPECT_EQ(member("c1", "ada", "{}")->bytes(), sizeof(Member) + 7);
  EXPECT_LE(sizeof(Member), 16u);
  EXPECT_EQ(sizeof(MemberPtr), sizeof(void*));
}

TEST(Member, IsSharedWithADraftThatHasItAlready) {
  const MemberPtr made = member("c1", "ada", "{}", 7);
  MemberDraft draft{made->client_id(), made->user_id(), made->info(), 7, made};
  EXPECT_EQ(Member::make(draft).get(), made.get());
  draft.loop = 8;
  const MemberPtr other = Member::make(draft);
  EXPECT_NE(other.get(), made.get()) << "it says another loop";
  EXPECT_EQ(other->loop(), 8u);
  EXPECT_EQ(other->client_id(), "c1");
}

TEST(MemberPtr, IsNullWhenEmptyOrMovedFrom) {
  MemberPtr none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.get(), nullptr);
  MemberPtr ada = member("c1");
  MemberPtr moved = std::move(ada);
  EXPECT_FALSE(ada);
  EXPECT_EQ(moved->client_id(), "c1");
}

TEST(MemberPtr, KeepsTheMemberWhileOneIsLeft) {
  MemberPtr first = member("c1");
  MemberPtr second = first;
  EXPECT_EQ(first.get(), second.get());
  first = MemberPtr();
  EXPECT_EQ(second->client_id(), "c1");
  MemberPtr& alias = second;
  second = alias;
  EXPECT_EQ(second->client_id(), "c1") << "assigned to itself";
  second = member("c2");
  EXPECT_EQ(second->client_id(), "c2");
}

TEST(MemberPtr, IsCountedOnSeveralThreads) {
  const MemberPtr shared = member("c1", "ada", "{}");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([shared] {
      for (int turn = 0; turn < 1000; ++turn) {
        const MemberPtr copy = shared;
        EXPECT_EQ(copy->user_id(), "ada");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(shared->client_id(), "c1");
}

TEST(PresenceDiff, CountsTheBytesOfAllItsMembers) {
  PresenceDiff diff;
  const std::size_t empty = diff.bytes();
  const std::string info(1000, 'i');
  diff.joins.push_back({member("a", "", info), true});
  diff.leaves.push_back({member("b", "", info), PresenceDiff::Reason::kLost, true});
  diff.updates.push_back(member("c", "", info));
  EXPECT_GE(diff.bytes(), empty + 3000);
  EXPECT_LT(diff.bytes(), empty + 3500);
}

TEST(PresenceDiff, StandsAloneUnlessItIsOneOfChanges) {
  PresenceDiff diff;
  EXPECT_FALSE(diff.stands_alone());
  diff.kind = PresenceDiff::Kind::kAll;
  EXPECT_TRUE(diff.stands_alone());
  diff.kind = PresenceDiff::Kind::kCounts;
  EXPECT_TRUE(diff.stands_alone());
  diff.epoch = 5;
  diff.version_to = 9;
  EXPECT_EQ(diff.position(), (PresencePosition{5, 9}));
}

TEST(PresenceDelivery, EncodesOncePerVariantAndShares) {
  auto diff = std::make_shared<PresenceDiff>();
  diff->version_to = 3;
  PresenceDelivery delivery(diff);
  EXPECT_EQ(&delivery.diff(), diff.get());
  EXPECT_EQ(delivery.shared_diff(), diff);

  int encoded = 0;
  const auto encode = [&encoded](std::string_view text) {
    return [&encoded, text](const PresenceDiff& one) {
      ++encoded;
      EXPECT_EQ(one.version_to, 3u);
      return Buffer::copy_of(as_bytes(text));
    };
  };
  const BufferRef first = delivery.frame(0, encode("json"));
  const BufferRef again = delivery.frame(0, encode("other"));
  const BufferRef last = delivery.frame(PresenceDelivery::kVariantsMax - 1, encode("msgpack"));
  EXPECT_EQ(encoded, 2);
  EXPECT_EQ(as_text(first->bytes()), "json");
  EXPECT_EQ(first->data(), again->data()) << "one buffer for all receivers";
  EXPECT_EQ(as_text(last->bytes()), "msgpack");
}

TEST(PresenceDelivery, FramesOutliveIt) {
  BufferRef kept;
  {
    PresenceDelivery delivery(std::make_shared<PresenceDiff>());
    kept = delivery.frame(1, [](const PresenceDiff&) { return Buffer::copy_of(as_bytes("x")); });
  }
  EXPECT_EQ(as_text(kept->bytes()), "x");
}

}  // namespace
}  // namespace anywire::hub
