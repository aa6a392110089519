// Rights: what one client may do to channels, by the channels' rules and by what its token grants.
// The one place where adapters ask; what they answer is their own.
//
// Names that begin with `$` are the server's own. There is one kind so far: `$user:` and a user's
// id is that user's channel, to which nobody else may listen whatever rule or token say, and to
// which only who has it in its capability may publish.
//
// Most clients of an application have one of a few capabilities, so sessions share their Rights:
// RightsPool finds those that were made before. Who the user is stays with the session.
//
// Thread: Rights are const once made; a pool belongs to one loop. Lifetime: views are read during
// the call. Limits: RightsPool::kKept are remembered for newcomers, the least used go first.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "auth/capability.h"
#include "auth/identity.h"
#include "hub/rules.h"

namespace anywire::protocol {

inline constexpr std::string_view kPersonalPrefix = "$user:";

inline bool is_reserved(std::string_view channel) { return channel.starts_with('$'); }
// Whether it is reserved, and not this user's own. An anonymous client's user is "".
bool is_closed_to(std::string_view channel, std::string_view user);

class Rights {
 public:
  Rights(auth::Capability capability, bool anonymous);

  // On a channel that `rule` is for, through the protocol of that name, to a client of that user.
  bool permit(const hub::ChannelRule& rule, auth::Operation operation, std::string_view channel,
              std::string_view protocol, std::string_view user) const;
  // On every channel that the pattern takes, but for reserved ones; `rule` is the one found for the
  // pattern's text.
  bool permit(const hub::ChannelRule& rule, auth::Operation operation, const auth::Glob& channels,
              std::string_view protocol) const;
  // By the capability alone: for what is no channel.
  bool grant(auth::Operation operation, std::string_view name) const {
    return bearer_.capability.allows(operation, name);
  }

  const auth::Capability& capability() const { return bearer_.capability; }

  bool operator==(const Rights& other) const;

 private:
  // Its user id says only whether there is one.
  auth::Identity bearer_;
};

using RightsPtr = std::shared_ptr<const Rights>;

class RightsPool {
 public:
  static constexpr std::size_t kKept = 64;

  RightsPtr share(auth::Capability capability, bool anonymous);

 private:
  std::vector<RightsPtr> recent_;  // the last used first
};

}  // namespace anywire::protocol
