// Bodies and queries of the HTTP API: the first byte says which call it is. Whatever is read keeps
// its limits, and whatever is refused is a Problem that can be said as JSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "codec/json_reader.h"
#include "codec/utf8.h"
#include "protocol/api/requests.h"

namespace {

using namespace anywire;
using namespace anywire::protocol::api;

void check(const Problem& problem) {
  std::string out;
  codec::JsonWriter json(out);
  append(json, problem);
  codec::JsonReader reader;
  AW_ASSERT(reader.read(as_bytes(out)).has_value());
}

template <typename T>
void check(const Read<T>& read) {
  if (!read) check(read.error());
}

void check(const Read<PublishCall>& call, const ApiLimits& limits) {
  if (!call) return check(call.error());
  AW_ASSERT(is_channel_name(call->channel, limits.channel_bytes_max));
  const broker::Draft& draft = call->request.draft;
  AW_ASSERT(draft.payload && draft.payload->size() <= limits.message_bytes_max);
  AW_ASSERT(draft.event.size() <= limits.event_bytes_max);
  AW_ASSERT(draft.tags.size() <= limits.tags_max);
  AW_ASSERT(call->request.idempotency_key.size() <= limits.idempotency_key_bytes_max);
  if (draft.kind != broker::PayloadKind::kBinary) {
    AW_ASSERT(codec::is_valid_utf8(draft.payload->bytes()));
  }
}

void check_all(const Read<std::vector<Read<PublishCall>>>& calls, const ApiLimits& limits) {
  if (!calls) return check(calls.error());
  AW_ASSERT(calls->size() <= limits.batch_max);
  for (const auto& call : *calls) check(call, limits);
}

void read_query(unsigned kind, std::string_view query, const ApiLimits& limits) {
  switch (kind) {
    case 0: check(read_history(query, limits)); break;
    case 1: check(read_presence(query, limits)); break;
    case 2: check(read_channels(query, limits)); break;
    default: check(read_connections(query, limits)); break;
  }
}

void read_body(unsigned kind, codec::JsonValue body, const ApiLimits& limits) {
  switch (kind) {
    case 0: check(read_publish(body, limits, "key"), limits); break;
    case 1: check_all(read_batch(body, limits, "key"), limits); break;
    case 2: check_all(read_broadcast(body, limits, {}), limits); break;
    case 3: check(read_disconnect(body, limits)); break;
    case 4: check(read_subscription(body, limits)); break;
    case 5: check(read_grant(body, limits, false)); break;
    case 6: check(read_grant(body, limits, true)); break;
    case 7: check(read_revocation(body, limits, auth::wall_time(1000))); break;
    case 8: check(read_ticket(body, limits)); break;
    default: check(read_rpc(body, limits)); break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned kind = data[0];
  const Bytes rest(data + 1, size - 1);
  ApiLimits limits;
  limits.batch_max = 8;
  limits.message_bytes_max = 64;
  if ((kind & 16) != 0) {
    read_query(kind & 3, as_text(rest), limits);
    return 0;
  }
  static codec::JsonReader reader;
  const auto body = reader.read(rest);
  if (body) read_body(kind & 15, *body, limits);
  AW_ASSERT(body || reader.fault_at() <= rest.size());
  return 0;
}
