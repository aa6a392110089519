// SlotIndex: finds slots by a name that whoever owns the slots keeps. It holds no names, only a
// hash of each, so a client costs eight bytes and what a table has to leave free, and what is found
// must be compared. Several slots may have the same name.
//
// Open addressing with linear probing; a removal moves back what had to step aside, so there are no
// gravestones and a table that has been large is as fast as one that has not.
//
// Thread: one at a time. Limits: at most three quarters full; shrinks when an eighth is left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace anywire::protocol {

class SlotIndex {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;  // is no slot

  void add(std::string_view name, std::uint32_t slot) {
    if (4 * (size_ + 1) > 3 * cells_.size()) resize(cells_.empty() ? 8 : 2 * cells_.size());
    insert({hash(name), slot});
    ++size_;
  }

  // The pair must be there.
  void remove(std::string_view name, std::uint32_t slot) {
    std::size_t at = home(hash(name));
    while (cells_[at].slot != slot) at = next(at);
    for (std::size_t from = next(at); cells_[from].slot != kNone; from = next(from)) {
      // What is at home between the hole and here may not move to before its home.
      const std::size_t wanted = home(cells_[from].hash);
      if (((from - wanted) & mask()) < ((from - at) & mask())) continue;
      cells_[at] = cells_[from];
      at = from;
    }
    cells_[at] = Cell();
    --size_;
    if (cells_.size() > 8 && 8 * size_ < cells_.size()) resize(cells_.size() / 2);
  }

  // Calls `visit` with every slot of that name, and perhaps with a few others.
  template <typename Visit>
  void for_each(std::string_view name, Visit&& visit) const {
    if (cells_.empty()) return;
    const std::uint32_t wanted = hash(name);
    for (std::size_t at = home(wanted); cells_[at].slot != kNone; at = next(at)) {
      if (cells_[at].hash == wanted) visit(cells_[at].slot);
    }
  }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return cells_.size(); }

 private:
  struct Cell {
    std::uint32_t hash = 0;
    std::uint32_t slot = kNone;
  };

  static std::uint32_t hash(std::string_view name) {
    const std::size_t all = std::hash<std::string_view>{}(name);
    return static_cast<std::uint32_t>(all ^ all >> 32);
  }
  std::size_t mask() const { return cells_.size() - 1; }  // their number is a power of two
  std::size_t home(std::uint32_t hash) const { return hash & mask(); }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }

  void insert(Cell cell) {
    std::size_t at = home(cell.hash);
    while (cells_[at].slot != kNone) at = next(at);
    cells_[at] = cell;
  }

  void resize(std::size_t cells) {
    const std::vector<Cell> old = std::exchange(cells_, std::vector<Cell>(cells));
    for (const Cell& cell : old) {
      if (cell.slot != kNone) insert(cell);
    }
  }

  std::vector<Cell> cells_;
  std::size_t size_ = 0;
};

}  // namespace anywire::protocol
