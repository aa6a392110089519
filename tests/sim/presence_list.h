// PresenceList: a client's list of a channel's members, kept by the rule of section 5 of
// docs/protocol.md.
//
// Thread: the run's; a value.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sim/record.h"
#include "sim/told.h"

namespace anywire::sim {

class PresenceList {
 public:
  struct Member {
    std::string user;
    std::string info;

    bool operator==(const Member&) const = default;
  };
  using Members = std::map<std::string, Member>;

  // Forgets all: nothing is known of a subscription that is made anew.
  void begin() { *this = PresenceList(); }
  // True when `members` has to be asked for.
  bool take_push(const Told& push, Record& record);
  // A page of the answer to `members`. True when there is another one, behind `after`.
  bool take_page(const Told& page, Record& record);

  bool known() const { return known_; }
  bool asking() const { return asking_; }
  const Members& members() const { return members_; }
  const std::string& after() const { return after_; }
  std::uint64_t version() const { return version_; }

 private:
  void apply(const Told& push, Record& record);
  void check_counts(const Told& told, Record& record) const;

  bool known_ = false;
  bool asking_ = false;
  std::string epoch_;
  std::uint64_t version_ = 0;
  Members members_;
  // Pages that have come of the answer under way, all of one version.
  std::string page_epoch_;
  std::uint64_t page_version_ = 0;
  Members pages_;
  std::string after_;
};

}  // namespace anywire::sim
