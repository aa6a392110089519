// Inbox: how many bytes of publications wait in the mailbox of one loop.
//
// Mailboxes between loops have no bound of their own: a publisher could fill the memory with
// messages for an owner or a crowd on another loop that is slower than it. So the bytes are
// counted, and while any loop has too many of them publishers are asked to wait.
//
// Thread: `add` on any, `take` on the loop whose mailbox it is. Lifetime: of the HubGroup's.
// Limits: kInboxBytesMax, and what each publisher sent last.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "broker/publication.h"

namespace anywire::hub {

// How many inboxes of a group are too full.
using CrowdedInboxes = std::atomic<std::uint32_t>;

class alignas(64) Inbox {
 public:
  static constexpr std::size_t kInboxBytesMax = 1024 * 1024;
  // Full until so little is left.
  static constexpr std::size_t kInboxBytesResume = 256 * 1024;
  // What a publication costs besides its payload: itself, its buffer's head, its mail.
  static constexpr std::size_t kOverheadBytes = 512;

  explicit Inbox(CrowdedInboxes& crowded) : crowded_(crowded) {}

  static std::size_t cost_of(const broker::Draft& draft) {
    return kOverheadBytes + (draft.payload ? draft.payload->size() : 0);
  }

  // Before a mail is posted.
  void add(std::size_t bytes);
  // When it has come. True if there is room now in all inboxes of the group, and there was not.
  [[nodiscard]] bool take(std::size_t bytes);

  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  CrowdedInboxes& crowded_;
  std::atomic<std::size_t> bytes_{0};
  std::atomic<bool> full_{false};
};

}  // namespace anywire::hub
