#include "protocol/app_fault.h"

#include <fmt/core.h>

#include <utility>

namespace anywire::protocol {

std::optional<std::string> broken_rule(const hub::ChannelRule& rule, const Validation* validation,
                                       std::string_view channel, const broker::Draft& draft) {
  if (rule.message_bytes_max != 0 && draft.payload->size() > rule.message_bytes_max) {
    return fmt::format("messages of this channel have at most {} bytes", rule.message_bytes_max);
  }
  if (validation == nullptr) return std::nullopt;
  auto violation = validation->check(rule, {.channel = channel,
                                            .event = draft.event,
                                            .kind = draft.kind,
                                            .payload = as_text(draft.payload->bytes())});
  if (!violation) return std::nullopt;
  return std::move(violation->rule);
}

}  // namespace anywire::protocol
