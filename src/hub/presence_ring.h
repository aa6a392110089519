// PresenceRing: the last diffs of one channel's presence, for listeners that come back with a
// position. It never holds what would be no use: nothing from before a diff that stands alone.
//
// Thread: the owner loop's. Limits: those handed to `add`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hub/presence_view.h"

namespace anywire::hub {

class PresenceRing {
 public:
  struct Limits {
    std::size_t diffs_max = 0;
    std::size_t bytes_max = 0;  // as PresenceDiff::bytes() counts
  };

  // `diff` follows the one added before. The oldest go until the rest is within `limits`, all if
  // need be.
  void add(PresenceDiffPtr diff, const Limits& limits);

  // What leads from `version`, which is older than the last diff added, to that diff. Nothing if
  // it is too old.
  std::optional<std::vector<PresenceDiffPtr>> since(std::uint64_t version) const;

  std::size_t size() const { return diffs_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Kept {
    PresenceDiffPtr diff;
    std::size_t bytes = 0;
  };

  std::vector<Kept> diffs_;
  std::size_t bytes_ = 0;
};

}  // namespace anywire::hub
