#include "hub/readers.h"

namespace anywire::hub {
namespace {

constexpr ReaderId kIdMax = (1u << 31) - 1;  // the highest bit is Subscriber's

}  // namespace

Reader& Readers::add(const Reader& reader) {
  do {
    last_ = last_ == kIdMax ? 1 : last_ + 1;
  } while (all_.contains(last_));
  Reader& added = all_.emplace(last_, reader).first->second;
  added.id = last_;
  return added;
}

std::vector<ReaderId> Readers::of(const LocalChannel& channel) const {
  std::vector<ReaderId> ids;
  for (const auto& [id, reader] : all_) {
    if (reader.channel == &channel) ids.push_back(id);
  }
  return ids;
}

Reader* Readers::find(ReaderId id) {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

}  // namespace anywire::hub
