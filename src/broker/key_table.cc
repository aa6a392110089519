#include "broker/key_table.h"

#include <utility>

namespace anywire::broker {

std::uint64_t KeyTable::Chain::first_until_ms() const { return first_->until_ms; }

const KeyTable::Entry* KeyTable::find(const Chain& chain, std::string_view key,
                                      std::uint64_t now_ms) const {
  const auto found = nodes_.find(Wanted{&chain, key});
  if (found == nodes_.end() || found->until_ms <= now_ms) return nullptr;
  return &found->entry;
}

void KeyTable::add(Chain& chain, std::string key, const Entry& entry, std::uint64_t until_ms) {
  if (keys_max_ == 0) return;
  // An outlived key may stand in its chain behind one with a longer window.
  const auto old = nodes_.find(Wanted{&chain, key});
  if (old != nodes_.end()) {
    old->entry = entry;
    old->until_ms = until_ms;
    return;
  }
  while (nodes_.size() >= keys_max_) drop_first(*by_age_.front()->chain);
  const Node& node = *nodes_.insert(Node{&chain, std::move(key), entry, until_ms}).first;
  node.place = by_age_.insert(by_age_.end(), &node);
  if (chain.last_ == nullptr) {
    chain.first_ = &node;
  } else {
    chain.last_->next = &node;
  }
  chain.last_ = &node;
}

void KeyTable::expire(Chain& chain, std::uint64_t now_ms) {
  while (!chain.empty() && chain.first_until_ms() <= now_ms) drop_first(chain);
}

void KeyTable::clear(Chain& chain) {
  while (!chain.empty()) drop_first(chain);
}

void KeyTable::drop_first(Chain& chain) {
  const Node* first = chain.first_;
  chain.first_ = first->next;
  if (chain.first_ == nullptr) chain.last_ = nullptr;
  by_age_.erase(first->place);
  nodes_.erase(nodes_.find(*first));
}

}  // namespace anywire::broker
