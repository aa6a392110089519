// SlotTable: objects by number, for whoever may not hold a pointer: another loop, a mail under way,
// a client. A slot is used again, but under another generation, so a number kept for too long finds
// nothing.
//
// Thread: the loop's. Lifetime: an object is removed before it dies.
// Limits: 2^32 - 1 slots of 16 bytes, kept for the most there ever were at a time. After 2^32 uses
// of one slot a number could be mistaken for a newer one, so what a client may name needs a secret
// besides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anywire {

struct SlotId {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;  // never 0 for an object

  bool operator==(const SlotId&) const = default;
};

template <typename T>
class SlotTable {
 public:
  SlotId add(T& object) {
    ++size_;
    if (free_ == kNone) {
      slots_.push_back({&object, kNone, 1});
      return {static_cast<std::uint32_t>(slots_.size() - 1), 1};
    }
    const std::uint32_t index = free_;
    Slot& slot = slots_[index];
    free_ = slot.next_free;
    slot.object = &object;
    return {index, slot.generation};
  }

  // Null when there is none, or another one by now.
  T* find(SlotId id) const {
    if (id.slot >= slots_.size() || slots_[id.slot].generation != id.generation) return nullptr;
    return slots_[id.slot].object;
  }

  void remove(SlotId id) {
    if (find(id) == nullptr) return;
    Slot& slot = slots_[id.slot];
    slot.object = nullptr;
    if (++slot.generation == 0) slot.generation = 1;
    slot.next_free = free_;
    free_ = id.slot;
    --size_;
  }

  std::size_t size() const { return size_; }

  // A copy, for walks that end members on their way.
  std::vector<T*> snapshot() const {
    std::vector<T*> all;
    all.reserve(size_);
    for (const Slot& slot : slots_) {
      if (slot.object != nullptr) all.push_back(slot.object);
    }
    return all;
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Slot {
    T* object;
    std::uint32_t next_free;
    std::uint32_t generation;
  };

  std::vector<Slot> slots_;
  std::uint32_t free_ = kNone;
  std::size_t size_ = 0;
};

}  // namespace anywire
