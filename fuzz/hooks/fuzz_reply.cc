// What an application answers to hooks, whatever it is: read without a fault, and within its
// limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "hooks/reply.h"

namespace {

using namespace anywire;

constexpr hooks::ReplyLimits kLimits{.message_bytes_max = 4096};

void check(const protocol::AppActions& actions) {
  AW_ASSERT(actions.size() <= kLimits.actions_max);
  for (const protocol::AppAction& action : actions) {
    AW_ASSERT(action.user.empty() || action.client.empty());
    if (action.kind == protocol::AppAction::Kind::kPublish) {
      AW_ASSERT(action.request.draft.payload);
      AW_ASSERT(action.request.draft.payload->size() <= kLimits.message_bytes_max);
    }
    if (action.kind != protocol::AppAction::Kind::kDisconnect) {
      AW_ASSERT(!action.channel.empty() && action.channel.size() <= kLimits.channel_bytes_max);
    }
  }
}

template <typename Answer>
void check(const hooks::ReadReply<Answer>& reply) {
  if (!reply) return AW_ASSERT(!reply.error().empty());
  check(reply->actions);
  if (!reply->verdict) AW_ASSERT(!reply->verdict.error().message.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static codec::JsonReader reader;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto connect = hooks::read_connect(reader, text, kLimits);
  check(connect);
  if (connect && connect->verdict && connect->verdict->user) {
    AW_ASSERT(!connect->verdict->user->empty());
  }
  check(hooks::read_subscribe(reader, text, kLimits));
  const auto publish = hooks::read_publish(reader, text, kLimits);
  check(publish);
  if (publish && publish->verdict && publish->verdict->payload) {
    AW_ASSERT(publish->verdict->payload->bytes.size() <= kLimits.message_bytes_max);
  }
  check(hooks::read_rpc(reader, text, kLimits));
  check(hooks::read_events(reader, text, kLimits));
  return 0;
}
