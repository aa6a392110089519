// AppFault: what the customer's application has said, in an answer of the right shape, that breaks
// a rule of the server's all the same: a schema, or the size that messages of a channel may have.
// It is the application's fault and no client's, so it is its operator who is told of it, in the
// log.
//
// Thread: any; plain data and a pure function. Lifetime: views are read during the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/broker.h"
#include "hub/rules.h"
#include "protocol/validation.h"

namespace anywire::protocol {

struct AppFault {
  enum class What : std::uint8_t {
    kRewrite,      // what it made of a client's message
    kPublication,  // a message among its actions
    kResult,       // of an rpc
  };
  What what = What::kRewrite;
  std::string_view name;  // of the channel, or with kResult of the method
  std::string_view rule;  // that is broken; has nothing of the data
};

// Which rule keeps this from being published to the channel, if one does: for the application's
// own messages, about which no permission and no hook is asked. `rule` is the channel's.
[[nodiscard]] std::optional<std::string> broken_rule(const hub::ChannelRule& rule,
                                                     const Validation* validation,
                                                     std::string_view channel,
                                                     const broker::Draft& draft);

}  // namespace anywire::protocol
