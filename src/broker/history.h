// History: the newest publications of one stream, with offsets that grow by one and times that
// never fall. HistoryPool: all histories of one broker, and the bytes they may take together.
//
// Thread: one loop. Lifetime: the pool outlives its histories.
// Limits: HistoryPool's bytes; over them, the history longest unused loses its head first. A
// history without publications costs no memory beyond the object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "broker/broker.h"

namespace anywire::broker {

// What a publication is counted with besides its bytes: the object, its counts and its slot.
inline constexpr std::size_t kPublicationCost = 320;

// Payload, texts and kPublicationCost: what history_bytes_max is about.
std::size_t cost_of(const Publication& publication);

class HistoryPool;

class History {
 public:
  // Told when the pool took the last publication away.
  class Owner {
   public:
    virtual void on_history_evicted() = 0;

   protected:
    ~Owner() = default;
  };

  History(HistoryPool& pool, Owner* owner) : pool_(pool), owner_(owner) {}
  ~History() { clear(); }
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  // `publication` follows the last one. The pool may take it away again at once.
  void push(PublicationPtr publication);
  void drop_front();
  void clear();
  // Drops from the front what the options do not allow, with one more of `incoming_cost` (0 =
  // none).
  void trim(const StreamOptions& options, std::uint64_t now_ms, std::size_t incoming_cost = 0);
  // Counts as used: others are evicted first.
  void touch();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return bytes_; }
  // For a history that is not empty.
  const PublicationPtr& front() const { return slot(0); }
  std::uint64_t first_offset() const { return front()->offset; }

  // Adds what the query asks for to `page.publications`; sets `page.more`.
  void fill(const HistoryQuery& query, HistoryPage& page) const;

 private:
  friend class HistoryPool;
  const PublicationPtr& slot(std::size_t index) const {
    return slots_[(head_ + index) & (slots_.size() - 1)];
  }
  std::size_t first_not_before(std::uint64_t time_ms) const;
  void resize(std::size_t capacity);

  HistoryPool& pool_;
  Owner* owner_;
  std::vector<PublicationPtr> slots_;  // a ring; its size is a power of two
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::list<History*>::iterator place_;  // in the pool, while not empty
};

class HistoryPool {
 public:
  explicit HistoryPool(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  std::size_t bytes() const { return bytes_; }

 private:
  friend class History;
  void make_room();

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<History*> by_use_;  // those that are not empty, the longest unused first
};

}  // namespace anywire::broker
