#include "broker/digest.h"

#include <gtest/gtest.h>

#include <set>

#include "broker/testing/contract.h"

namespace anywire::broker {
namespace {

TEST(Digest, TellsKindPayloadAndEventApart) {
  std::set<Digest> seen;
  for (const PayloadKind kind : {PayloadKind::kJson, PayloadKind::kText, PayloadKind::kBinary}) {
    for (const char* payload : {"", "x", "ex", "y"}) {
      for (const char* event : {"", "e", "ee"}) {
        Draft draft = draft_of(payload);
        draft.kind = kind;
        draft.event = event;
        seen.insert(digest_of(draft));
      }
    }
  }
  EXPECT_EQ(seen.size(), 3u * 4u * 3u);
}

TEST(Digest, NoByteCanMoveBetweenEventAndPayload) {
  Draft a = draft_of("bc"), b = draft_of("c");
  a.event = "a";
  b.event = "ab";
  EXPECT_NE(digest_of(a), digest_of(b));
}

TEST(Digest, LeavesOutWhatARetryMayChange) {
  Draft a = draft_of("x"), b = draft_of("x");
  b.client_id = "another connection";
  b.id = "id";
  EXPECT_EQ(digest_of(a), digest_of(b));
}

TEST(Digest, NoPayloadIsAnEmptyPayload) {
  Draft none, empty = draft_of("");
  none.kind = empty.kind;
  EXPECT_EQ(digest_of(none), digest_of(empty));
}

// Independently: printf '\1\2\0\0\0\0\0\0\0evpayload' | sha256sum. Digests are on people's disks.
TEST(Digest, StaysTheSameAcrossReleases) {
  Draft draft = draft_of("payload");
  draft.event = "ev";
  EXPECT_EQ(digest_of(draft), (Digest{0xdd, 0x42, 0x22, 0xa3, 0x40, 0x90, 0xbf, 0x6f, 0xee, 0x25,
                                       0x00, 0x08, 0x6c, 0x1f, 0xa2, 0x3a}));
}

}  // namespace
}  // namespace anywire::broker
