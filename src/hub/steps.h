// Steps: publications cut into what receivers are handed one after the other: runs small enough to
// be joined, and the gaps between them. Internal to hub/.
//
// Thread: the loop's. Lifetime: steps view the publications they were made of.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "broker/publication.h"
#include "hub/delivery.h"
#include "hub/subscriber.h"

namespace anywire::hub {

struct Step {
  std::optional<Gap> gap;  // before the run
  Delivery delivery;

  broker::Position last() const { return delivery.publications().back()->position(); }
};

// `position` is what the receivers have; `reason` is why something of the same epoch may be
// missing.
std::vector<Step> steps_of(Delivery::Publications publications, const broker::Position& position,
                           Gap::Reason reason);

// A page as it was handed to a reader, kept for the rest of the turn: those who were cut off
// together come back with the same cursor, and share its frames.
struct SharedPage {
  SharedPage(Delivery::Publications page, const broker::Position& position, Gap::Reason reason)
      : publications(page.begin(), page.end()),
        from(position),
        gap_reason(reason),
        steps(steps_of(publications, position, reason)) {}

  // An epoch is of one stream only, so positions say what is in between.
  bool is(Delivery::Publications page, const broker::Position& position,
          Gap::Reason reason) const {
    return from == position && gap_reason == reason && publications.size() == page.size() &&
           publications.front()->position() == page.front()->position() &&
           publications.back()->position() == page.back()->position();
  }

  const std::vector<broker::PublicationPtr> publications;
  const broker::Position from;
  const Gap::Reason gap_reason;
  std::vector<Step> steps;
};

// What is missing between two positions, if anything is: `to` is the last one not had.
std::optional<Gap> gap_between(const broker::Position& from, const broker::Position& to,
                               Gap::Reason reason);

// Leaves only the newest publication of each key; those without a key stay.
void conflate(std::vector<broker::PublicationPtr>& publications);

}  // namespace anywire::hub
