// KeyTable: the idempotency keys of all streams of one broker, each with what was published under
// it and where that went. Ordered trees, so keys chosen to collide cost nothing.
//
// Thread: one loop. Lifetime: a Chain that holds keys is cleared before it goes, and does not move.
// Limits: `keys_max` for all chains together; the oldest key goes first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <set>
#include <string>
#include <string_view>

#include "broker/digest.h"
#include "broker/publication.h"

namespace anywire::broker {

class KeyTable {
 public:
  struct Entry {
    Digest digest{};
    Position position;
  };

 private:
  struct Node;

 public:
  // The keys of one stream.
  class Chain {
   public:
    Chain() = default;
    Chain(const Chain&) = delete;
    Chain& operator=(const Chain&) = delete;

    bool empty() const { return first_ == nullptr; }
    // When the oldest key is due to go. For a chain that is not empty.
    std::uint64_t first_until_ms() const;

   private:
    friend class KeyTable;
    const Node* first_ = nullptr;  // the oldest
    const Node* last_ = nullptr;
  };

  explicit KeyTable(std::size_t keys_max) : keys_max_(keys_max) {}

  // Null when the key is unknown or has outlived its time. Valid until the table changes.
  const Entry* find(const Chain& chain, std::string_view key, std::uint64_t now_ms) const;
  // A key `find` does not find; it is kept until `until_ms`.
  void add(Chain& chain, std::string key, const Entry& entry, std::uint64_t until_ms);
  // Drops keys that are due, the oldest first, up to the first that is not.
  void expire(Chain& chain, std::uint64_t now_ms);
  void clear(Chain& chain);

  std::size_t size() const { return nodes_.size(); }

 private:
  struct Node {
    Chain* chain;
    std::string key;
    mutable Entry entry;
    mutable std::uint64_t until_ms;
    mutable const Node* next = nullptr;  // of the chain
    mutable std::list<const Node*>::iterator place;
  };
  struct Wanted {
    const Chain* chain;
    std::string_view key;
  };
  struct Less {
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      if (a.chain != b.chain) return std::less<const Chain*>()(a.chain, b.chain);
      return std::string_view(a.key) < std::string_view(b.key);
    }
  };

  void drop_first(Chain& chain);

  const std::size_t keys_max_;
  std::set<Node, Less> nodes_;
  std::list<const Node*> by_age_;
};

}  // namespace anywire::broker
