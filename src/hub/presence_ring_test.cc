#include "hub/presence_ring.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace anywire::hub {
namespace {

using Kind = PresenceDiff::Kind;

constexpr PresenceRing::Limits kPlenty{.diffs_max = 1000, .bytes_max = 1'000'000};

PresenceDiffPtr step_to(std::uint64_t version, Kind kind = Kind::kChanges,
                        std::size_t info_bytes = 0) {
  auto diff = std::make_shared<PresenceDiff>();
  diff->kind = kind;
  diff->version_from = version - 1;
  diff->version_to = version;
  const std::string info(info_bytes, 'i');
  if (info_bytes > 0) diff->updates.push_back(Member::make({"c", "", info, 0}));
  return diff;
}

std::string since(const PresenceRing& ring, std::uint64_t version) {
  const auto missed = ring.since(version);
  if (!missed) return "too old";
  std::string versions;
  for (const PresenceDiffPtr& diff : *missed) {
    versions += (versions.empty() ? "" : " ") + std::to_string(diff->version_to);
  }
  return versions;
}

TEST(PresenceRing, KnowsNothingToBeginWith) {
  const PresenceRing ring;
  EXPECT_EQ(since(ring, 0), "too old");
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_EQ(ring.bytes(), 0u);
}

TEST(PresenceRing, GivesWhatComesBehindAVersion) {
  PresenceRing ring;
  for (std::uint64_t version = 6; version <= 9; ++version) ring.add(step_to(version), kPlenty);
  EXPECT_EQ(since(ring, 5), "6 7 8 9");
  EXPECT_EQ(since(ring, 7), "8 9");
  EXPECT_EQ(since(ring, 8), "9");
  EXPECT_EQ(since(ring, 4), "too old");
}

TEST(PresenceRing, DropsTheOldestAboveTheNumberOfDiffs) {
  PresenceRing ring;
  for (std::uint64_t version = 1; version <= 9; ++version) {
    ring.add(step_to(version), {.diffs_max = 3, .bytes_max = 1'000'000});
    EXPECT_LE(ring.size(), 3u);
  }
  EXPECT_EQ(since(ring, 6), "7 8 9");
  EXPECT_EQ(since(ring, 5), "too old");
}

TEST(PresenceRing, DropsTheOldestAboveTheBytes) {
  PresenceRing ring;
  for (std::uint64_t version = 1; version <= 9; ++version) {
    ring.add(step_to(version, Kind::kChanges, 1000), {.diffs_max = 1000, .bytes_max = 4000});
    EXPECT_LE(ring.bytes(), 4000u);
  }
  EXPECT_EQ(since(ring, 6), "7 8 9");
  EXPECT_EQ(since(ring, 5), "too old");
}

TEST(PresenceRing, KeepsNothingIfTheLastIsTooLargeAndGoesOn) {
  PresenceRing ring;
  ring.add(step_to(1), kPlenty);
  ring.add(step_to(2, Kind::kChanges, 9000), {.diffs_max = 1000, .bytes_max = 4000});
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_EQ(ring.bytes(), 0u);
  EXPECT_EQ(since(ring, 1), "too old");
  ring.add(step_to(3), kPlenty);
  EXPECT_EQ(since(ring, 2), "3");
  EXPECT_EQ(since(ring, 1), "too old");
}

TEST(PresenceRing, GivesUpRoomWhenLimitsShrink) {
  PresenceRing ring;
  for (std::uint64_t version = 1; version <= 8; ++version) {
    ring.add(step_to(version, Kind::kChanges, 1000), kPlenty);
  }
  EXPECT_EQ(ring.size(), 8u);
  ring.add(step_to(9), {.diffs_max = 1000, .bytes_max = 1500});
  EXPECT_EQ(since(ring, 8), "9");
  EXPECT_LE(ring.bytes(), 1500u);
}

TEST(PresenceRing, ForgetsWhatADiffThatStandsAloneMakesUseless) {
  for (const Kind kind : {Kind::kAll, Kind::kCounts}) {
    PresenceRing ring;
    for (std::uint64_t version = 1; version <= 4; ++version) ring.add(step_to(version), kPlenty);
    ring.add(step_to(5, kind), kPlenty);
    EXPECT_EQ(ring.size(), 1u);
    EXPECT_EQ(since(ring, 0), "5") << "it does for whoever is older";
    EXPECT_EQ(since(ring, 4), "5");
    ring.add(step_to(6), kPlenty);
    EXPECT_EQ(since(ring, 2), "5 6");
    EXPECT_EQ(since(ring, 5), "6");
  }
}

}  // namespace
}  // namespace anywire::hub
