#include "hub/steps.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

namespace anywire::hub {
namespace {

// Up to here publications are joined: a copy once per loop is cheaper than a pointer per receiver.
constexpr std::size_t kRunBytesMax = 16 * 1024;

bool follows(const broker::Publication& next, const broker::Position& position) {
  return next.epoch == position.epoch && next.offset == position.offset + 1;
}

std::size_t run_length(Delivery::Publications publications) {
  std::size_t count = 1;
  std::size_t bytes = publications[0]->payload->size();
  while (count < publications.size() &&
         follows(*publications[count], publications[count - 1]->position())) {
    bytes += publications[count]->payload->size();
    if (bytes > kRunBytesMax) break;
    ++count;
  }
  return count;
}

}  // namespace

std::optional<Gap> gap_between(const broker::Position& from, const broker::Position& to,
                               Gap::Reason reason) {
  if (from.epoch != to.epoch) {
    return Gap{.from = from.offset + 1, .to = 0, .reason = Gap::Reason::kNewEpoch, .position = to};
  }
  if (to.offset <= from.offset) return std::nullopt;
  return Gap{.from = from.offset + 1, .to = to.offset, .reason = reason, .position = to};
}

std::vector<Step> steps_of(Delivery::Publications publications, const broker::Position& position,
                           Gap::Reason reason) {
  std::vector<Step> steps;
  broker::Position had = position;
  while (!publications.empty()) {
    const broker::Publication& first = *publications[0];
    std::optional<Gap> gap;
    if (!follows(first, had)) {
      gap = gap_between(had, {first.epoch, first.offset - 1}, reason);
    }
    const Delivery::Publications run = publications.first(run_length(publications));
    steps.push_back({std::move(gap), Delivery(run)});
    had = run.back()->position();
    publications = publications.subspan(run.size());
  }
  return steps;
}

void conflate(std::vector<broker::PublicationPtr>& publications) {
  if (publications.size() < 2) return;
  std::unordered_set<std::string_view> seen;
  bool any = false;
  for (std::size_t i = publications.size(); i-- > 0;) {
    broker::PublicationPtr& one = publications[i];
    if (one->key.empty() || seen.insert(one->key).second) continue;
    one = nullptr;
    any = true;
  }
  if (any) std::erase(publications, nullptr);
}

}  // namespace anywire::hub
