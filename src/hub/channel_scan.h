// ChannelScan: which channels there are on one loop, and how many are in them, a page of the
// smallest names at a time. For Hub::list_channels; internal to hub/.
//
// A loop may have a million channels, and nothing keeps them in order: that would cost every
// channel memory for a question that is seldom asked. So a scan looks at all of them, some
// thousand places of a hash table in one turn of the loop, and keeps the first of what it finds.
// Channels that come or go meanwhile may be in the page or not; all others are in it.
//
// Thread: the loop's. Limits: kSliceBuckets places in a turn; a page of at most the limit asked for
// and one more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "auth/glob.h"

namespace anywire::hub {

struct ChannelQuery {
  auth::Glob pattern;
  std::string after;        // names behind this one, bytewise
  std::size_t limit = 100;  // at least 1
};

struct ChannelCounts {
  std::uint64_t subscribers = 0;
  std::uint64_t members = 0;  // of presence

  bool operator==(const ChannelCounts&) const = default;
};

using ChannelPage = std::map<std::string, ChannelCounts, std::less<>>;

class ChannelScan {
 public:
  static constexpr std::size_t kSliceBuckets = 4096;

  explicit ChannelScan(ChannelQuery query) : query_(std::move(query)) {}

  // Looks at the next slice of a table from name to object, where `count` gives an object's counts.
  // True when all of it has been seen. A table that has been rebuilt is looked at anew, which
  // happens each time it doubles.
  template <typename Table, typename Count>
  bool step(const Table& table, Count&& count) {
    if (table.bucket_count() != buckets_) {
      buckets_ = table.bucket_count();
      next_ = 0;
    }
    const std::size_t end = std::min(buckets_, next_ + kSliceBuckets);
    for (; next_ < end; ++next_) {
      for (auto one = table.begin(next_); one != table.end(next_); ++one) {
        if (wants(one->first)) keep(one->first, count(*one->second));
      }
    }
    return next_ == buckets_;
  }
  // The next table begins.
  void next_table() { buckets_ = next_ = 0; }

  // Names in their order; one more than the limit where there are more.
  ChannelPage take() { return std::move(page_); }

 private:
  bool wants(std::string_view name) const {
    if (name <= query_.after || !query_.pattern.matches(name)) return false;
    return page_.size() <= query_.limit || name <= page_.rbegin()->first;
  }
  // Seen again, after a table was rebuilt, counts are what they are now.
  void keep(std::string_view name, const ChannelCounts& counts) {
    if (counts == ChannelCounts()) return;
    auto found = page_.find(name);
    if (found == page_.end()) found = page_.emplace(std::string(name), ChannelCounts()).first;
    if (counts.subscribers != 0) found->second.subscribers = counts.subscribers;
    if (counts.members != 0) found->second.members = counts.members;
    if (page_.size() > query_.limit + 1) page_.erase(std::prev(page_.end()));
  }

  const ChannelQuery query_;
  ChannelPage page_;
  std::size_t buckets_ = 0;
  std::size_t next_ = 0;
};

}  // namespace anywire::hub
