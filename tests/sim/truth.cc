#include "sim/truth.h"

namespace anywire::sim {

void Truth::ordered(const broker::Publication& publication) {
  Channel& in = channels_[publication.channel];
  Epoch& epoch = in.epochs.try_emplace(publication.epoch, Epoch{in.order.size(), {}}).first->second;
  if (publication.offset != epoch.messages.size() + 1) {
    return record_.violate(Check::kOrder, "the store gave {} out behind {} in {}",
                           publication.offset, epoch.messages.size(), publication.channel);
  }
  Message message{.offset = publication.offset,
                  .kind = publication.kind,
                  .payload = std::string(as_text(publication.payload->bytes())),
                  .event = publication.event,
                  .client = publication.client_id,
                  .user = publication.user_id,
                  .tag = {},
                  .key = publication.key};
  if (!publication.tags.empty()) message.tag = publication.tags.front().value;
  Place& place = payloads_[message.payload];
  place.index = in.order.size();
  if (++place.count > 1) {
    record_.violate(Check::kDuplicate, "{} was ordered twice in {}", message.payload.substr(0, 24),
                    publication.channel);
  }
  in.order.emplace_back(publication.epoch, publication.offset);
  epoch.messages.push_back(std::move(message));
}

void Truth::handed(const std::string& channel, broker::Position position) {
  Channel& in = channels_[channel];
  in.epochs.try_emplace(position.epoch, Epoch{in.order.size(), {}});
  in.top = position;
}

void Truth::handed(const broker::Publication& publication) {
  handed(publication.channel, publication.position());
  channels_[publication.channel].epochs[publication.epoch].messages[publication.offset - 1].handed =
      true;
}

const Truth::Channel* Truth::channel(std::string_view name) const {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : &found->second;
}

const Message* Truth::find(std::string_view name, std::uint64_t epoch,
                           std::uint64_t offset) const {
  const Channel* in = channel(name);
  if (in == nullptr) return nullptr;
  const auto found = in->epochs.find(epoch);
  if (found == in->epochs.end() || offset == 0) return nullptr;
  return offset <= found->second.messages.size() ? &found->second.messages[offset - 1] : nullptr;
}

bool Truth::knows_epoch(std::string_view name, std::uint64_t epoch) const {
  const Channel* in = channel(name);
  return in != nullptr && in->epochs.contains(epoch);
}

broker::Position Truth::top(std::string_view name) const {
  const Channel* in = channel(name);
  return in == nullptr ? broker::Position() : in->top;
}

bool Truth::conflated(std::string_view name, std::uint64_t epoch, std::uint64_t offset) const {
  const Message* message = find(name, epoch, offset);
  if (message == nullptr || message->key.empty()) return false;
  for (std::uint64_t later = offset + 1;; ++later) {
    const Message* other = find(name, epoch, later);
    if (other == nullptr) return false;
    if (other->key == message->key) return true;
  }
}

int Truth::count(std::string_view payload) const {
  const auto found = payloads_.find(payload);
  return found == payloads_.end() ? 0 : found->second.count;
}

std::size_t Truth::index_of(std::string_view payload) const {
  return payloads_.find(payload)->second.index;
}

std::size_t Truth::ordered_count(std::string_view name) const {
  const Channel* in = channel(name);
  return in == nullptr ? 0 : in->order.size();
}

std::size_t Truth::index_behind(std::string_view name, const broker::Position& position) const {
  if (const Message* last = find(name, position.epoch, position.offset)) {
    return index_of(last->payload) + 1;
  }
  return channel(name)->epochs.find(position.epoch)->second.begin;
}

const Message* Truth::by_index(std::string_view name, std::size_t index) const {
  const auto& [epoch, offset] = channel(name)->order[index];
  return find(name, epoch, offset);
}

}  // namespace anywire::sim
