// DenseSet: all live objects of one kind on a loop, in no order; add and remove cost O(1).
//
// T derives from DenseSetMember. Thread: the loop's. Lifetime: a member is removed before it dies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anywire {

class DenseSetMember {
 private:
  template <typename T>
  friend class DenseSet;
  std::uint32_t dense_index_ = 0;
};

template <typename T>
class DenseSet {
 public:
  void add(T& member) {
    index_of(member) = static_cast<std::uint32_t>(members_.size());
    members_.push_back(&member);
  }

  void remove(T& member) {
    T* last = members_.back();
    members_[index_of(member)] = last;
    index_of(*last) = index_of(member);
    members_.pop_back();
    if (members_.capacity() > 1024 && members_.size() < members_.capacity() / 4) {
      members_.shrink_to_fit();
    }
  }

  std::size_t size() const { return members_.size(); }
  bool empty() const { return members_.empty(); }

  // A copy, for walks that end members on their way.
  std::vector<T*> snapshot() const { return members_; }

 private:
  static std::uint32_t& index_of(T& member) {
    return static_cast<DenseSetMember&>(member).dense_index_;
  }

  std::vector<T*> members_;
};

}  // namespace anywire
