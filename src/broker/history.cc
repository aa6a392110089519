#include "broker/history.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"

namespace anywire::broker {

namespace {

constexpr std::size_t kSlotsMin = 4;

std::size_t payload_bytes(const Publication& publication) {
  return publication.payload ? publication.payload->size() : 0;
}

}  // namespace

std::size_t cost_of(const Publication& p) {
  std::size_t bytes = kPublicationCost + payload_bytes(p) + p.event.size() + p.id.size() +
                      p.client_id.size() + p.user_id.size() + p.key.size() + p.extras.size() +
                      p.channel.size();
  for (const Tag& tag : p.tags) bytes += sizeof(Tag) + tag.name.size() + tag.value.size();
  return bytes;
}

void History::push(PublicationPtr publication) {
  AW_ASSERT(empty() || publication->offset == slot(size_ - 1)->offset + 1);
  const std::size_t cost = cost_of(*publication);
  if (size_ == slots_.size()) resize(std::max(kSlotsMin, size_ * 2));
  if (empty()) {
    place_ = pool_.by_use_.insert(pool_.by_use_.end(), this);
  } else {
    touch();
  }
  slots_[(head_ + size_) & (slots_.size() - 1)] = std::move(publication);
  ++size_;
  bytes_ += cost;
  pool_.bytes_ += cost;
  pool_.make_room();
}

void History::drop_front() {
  PublicationPtr& front = slots_[head_];
  const std::size_t cost = cost_of(*front);
  front.reset();
  head_ = (head_ + 1) & (slots_.size() - 1);
  --size_;
  bytes_ -= cost;
  pool_.bytes_ -= cost;
  if (size_ == 0) {
    pool_.by_use_.erase(place_);
    slots_ = std::vector<PublicationPtr>();
    head_ = 0;
  } else if (slots_.size() > kSlotsMin && size_ <= slots_.size() / 4) {
    resize(slots_.size() / 2);
  }
}

void History::clear() {
  while (!empty()) drop_front();
}

void History::trim(const StreamOptions& options, std::uint64_t now_ms,
                   std::size_t incoming_cost) {
  const std::size_t incoming = incoming_cost > 0 ? 1 : 0;
  while (!empty() && size_ + incoming > options.history_messages) drop_front();
  while (!empty() && bytes_ + incoming_cost > options.history_bytes_max) drop_front();
  if (options.history_ttl.count() <= 0) return;
  const auto ttl = static_cast<std::uint64_t>(options.history_ttl.count());
  while (!empty() && front()->time_ms + ttl <= now_ms) drop_front();
}

void History::touch() {
  if (!empty()) pool_.by_use_.splice(pool_.by_use_.end(), pool_.by_use_, place_);
}

void History::resize(std::size_t capacity) {
  std::vector<PublicationPtr> slots(capacity);
  for (std::size_t i = 0; i < size_; ++i) {
    slots[i] = std::move(slots_[(head_ + i) & (slots_.size() - 1)]);
  }
  slots_ = std::move(slots);
  head_ = 0;
}

// Index of the first publication ordered at `time_ms` or later.
std::size_t History::first_not_before(std::uint64_t time_ms) const {
  std::size_t low = 0, high = size_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (slot(middle)->time_ms < time_ms) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void History::fill(const HistoryQuery& query, HistoryPage& page) const {
  page.more = false;
  if (empty()) return;
  const std::uint64_t first = first_offset();
  std::size_t begin = 0, end = size_;  // indices; end is exclusive
  if (query.after && *query.after >= first) {
    begin = static_cast<std::size_t>(std::min<std::uint64_t>(*query.after - first, size_ - 1)) + 1;
  }
  if (query.before) {
    const std::uint64_t bound = *query.before > first ? *query.before - first : 0;
    end = static_cast<std::size_t>(std::min<std::uint64_t>(bound, size_));
  }
  if (query.from_ms) begin = std::max(begin, first_not_before(*query.from_ms));
  if (query.to_ms && *query.to_ms < std::numeric_limits<std::uint64_t>::max()) {
    end = std::min(end, first_not_before(*query.to_ms + 1));
  }
  if (begin >= end) return;
  const bool forward = query.order == HistoryQuery::Order::kForward;
  std::size_t bytes = 0;
  page.publications.reserve(std::min(query.limit, end - begin));
  while (begin < end) {
    const PublicationPtr& next = slot(forward ? begin : end - 1);
    bytes += payload_bytes(*next);
    const bool first_of_page = page.publications.empty();
    if (page.publications.size() >= query.limit || (bytes > query.bytes_max && !first_of_page)) {
      page.more = true;
      return;
    }
    page.publications.push_back(next);
    forward ? ++begin : --end;
  }
}

void HistoryPool::make_room() {
  while (bytes_ > bytes_max_) {
    History& victim = *by_use_.front();
    victim.drop_front();
    if (victim.empty() && victim.owner_ != nullptr) victim.owner_->on_history_evicted();
  }
}

}  // namespace anywire::broker
