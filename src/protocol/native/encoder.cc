#include "protocol/native/encoder.h"

#include "codec/delta.h"
#include "codec/transcode.h"
#include "protocol/native/names.h"
#include "protocol/native/object_writer.h"
#include "websocket/connection.h"

namespace anywire::protocol::native {
namespace {

// Begins a message: its type and, unless 0, its id.
ObjectWriter& begin(ObjectWriter& out, std::string_view type, std::uint64_t id = 0) {
  out.begin().key(member::kType).string(type);
  return id == 0 ? out : out.key(member::kId).u64(id);
}

std::string_view name(hub::Gap::Reason reason) {
  switch (reason) {
    case hub::Gap::Reason::kEvicted: return "evicted";
    case hub::Gap::Reason::kNewEpoch: return "epoch";
    case hub::Gap::Reason::kSlow:
    case hub::Gap::Reason::kConflated: return "slow";
  }
  return "evicted";
}

std::string_view name(hub::PresenceDiff::Reason reason) {
  switch (reason) {
    case hub::PresenceDiff::Reason::kLeft: return "left";
    case hub::PresenceDiff::Reason::kLost: return "lost";
    case hub::PresenceDiff::Reason::kReplaced: return "replaced";
  }
  return "left";
}

// Of less than this no difference is made.
constexpr std::size_t kDeltaBytesMin = 64;

// Whether there is a MessagePack form of `json`. The one thing that has none is a number beyond the
// range of a double.
bool append_json(ObjectWriter& out, std::string_view name, std::string_view json) {
  if (out.writes_json()) {
    out.key(name).raw(json);
    return true;
  }
  const auto converted = codec::json_to_msgpack(as_bytes(json));
  if (converted) out.key(name).raw(*converted);
  return converted.has_value();
}

// What MessagePack cannot express comes as the JSON text it is rather than changed or not at all.
void append_data(ObjectWriter& out, std::string_view json) {
  if (append_json(out, member::kData, json)) return;
  out.key(member::kText).string(json).flag(member::kJson, true);
}

void append_payload(ObjectWriter& out, const broker::Publication& publication) {
  const Bytes payload = publication.payload->bytes();
  switch (publication.kind) {
    case broker::PayloadKind::kJson: append_data(out, as_text(payload)); return;
    case broker::PayloadKind::kText: out.key(member::kText).string(as_text(payload)); return;
    case broker::PayloadKind::kBinary: out.key(member::kBinary).binary(payload); return;
  }
}

// All members of a message but `type`, `channel` and the payload.
void append_head(ObjectWriter& out, const broker::Publication& publication) {
  out.key(member::kOffset).u64(publication.offset);
  out.key(member::kTime).u64(publication.time_ms);
  out.text(member::kEvent, publication.event);
  out.text(member::kId, publication.id);
  out.text(member::kClient, publication.client_id);
  out.text(member::kUser, publication.user_id);
  if (!publication.tags.empty()) {
    out.key(member::kTags).begin(publication.tags.size());
    for (const broker::Tag& tag : publication.tags) out.key(tag.name).string(tag.value);
    out.end();
  }
}

// All but `type` and `channel`.
void append_message(ObjectWriter& out, const broker::Publication& publication) {
  append_head(out, publication);
  append_payload(out, publication);
}

std::string_view name(broker::PayloadKind kind) {
  switch (kind) {
    case broker::PayloadKind::kJson: return "json";
    case broker::PayloadKind::kText: return "text";
    case broker::PayloadKind::kBinary: return "binary";
  }
  return "binary";
}

void append_member(ObjectWriter& out, const hub::Member& member) {
  out.key(member::kClient).string(member.client_id());
  out.text(member::kUser, member.user_id());
  if (!member.info().empty()) append_json(out, member::kInfo, member.info());
}

void append_counts(ObjectWriter& out, const hub::PresenceCounts& counts) {
  out.key(member::kCount).u64(counts.members).key(member::kUsers).u64(counts.users);
}

void append_position(ObjectWriter& out, const broker::Position& position) {
  out.key(member::kEpoch).string(epoch_text(position.epoch));
  out.key(member::kOffset).u64(position.offset);
}

void append_gap(ObjectWriter& out, const hub::Gap& gap) {
  out.key(member::kFrom).u64(gap.from).key(member::kTo).u64(gap.to);
  out.key(member::kReason).string(name(gap.reason));
}

}  // namespace

std::string encode(Format format, const Connected& connected) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kConnected, connected.id);
  out.key(member::kClient).string(connected.client);
  out.key(member::kSession).string(connected.session);
  out.key(member::kResumed).boolean(connected.resumed);
  out.text(member::kUser, connected.user);
  if (connected.expires_ms) out.key(member::kExpires).u64(*connected.expires_ms);
  out.key(member::kPing).u64(connected.ping_ms);
  out.key(member::kSessionWindow).u64(connected.session_window_ms);
  out.key(member::kMessageBytesMax).u64(connected.message_bytes_max);
  out.key(member::kServer).string(connected.server).end();
  return text;
}

std::string encode_error(Format format, std::uint64_t id, const Refusal& refusal,
                         std::string_view channel) {
  std::string text;
  ObjectWriter out(format, text);
  const ErrorName& error = native::name(refusal.code);
  begin(out, type::kError, id).text(member::kChannel, channel);
  out.key(member::kCode).string(error.code).key(member::kMessage).string(refusal.message);
  out.key(member::kRetry).boolean(error.retry || refusal.retry);
  if (refusal.retry_after_ms != 0) out.key(member::kRetryAfter).u64(refusal.retry_after_ms);
  if (refusal.code == ErrorCode::kSchemaViolation) out.key(member::kPath).string(refusal.path);
  out.text(member::kReason, refusal.reason).end();
  return text;
}

std::string encode_ok(Format format, std::uint64_t id) { return encode_ok(format, id, {}); }

std::string encode_ok(Format format, std::uint64_t id, std::optional<std::uint64_t> expires_ms) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kOk, id);
  if (expires_ms) out.key(member::kExpires).u64(*expires_ms);
  out.end();
  return text;
}

std::string encode(Format format, const Subscribed& subscribed) {
  std::string text;
  ObjectWriter out(format, text);
  const hub::Joined& joined = subscribed.joined;
  begin(out, type::kSubscribed, subscribed.id);
  out.key(subscribed.pattern ? member::kPattern : member::kChannel).string(subscribed.channel);
  if (!subscribed.pattern) {
    append_position(out, joined.position);
    out.key(member::kTop).u64(joined.top);
    out.key(member::kRecoverable).boolean(joined.recoverable);
    out.flag(member::kDelta, subscribed.delta);
    if (subscribed.since) {
      out.key(member::kRecovered).boolean(joined.recovered);
      if (joined.gap && !joined.recovered) {
        out.key(member::kGap).begin();
        append_gap(out, *joined.gap);
        out.end();
      }
    }
  }
  out.end();
  return text;
}

std::string encode_published(Format format, std::uint64_t id,
                             const broker::PublishResult& result) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kPublished, id);
  append_position(out, result.position);
  out.flag(member::kDuplicate, result.duplicate).end();
  return text;
}

std::string encode_history(Format format, std::uint64_t id, std::string_view channel,
                           const broker::HistoryPage& page) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kHistory, id).key(member::kChannel).string(channel);
  out.key(member::kEpoch).string(epoch_text(page.top.epoch));
  out.key(member::kTop).u64(page.top.offset).key(member::kOldest).u64(page.oldest);
  out.key(member::kMore).boolean(page.more);
  out.key(member::kMessages).begin_array(page.publications.size());
  for (const broker::PublicationPtr& publication : page.publications) {
    out.begin();
    append_message(out, *publication);
    out.end();
  }
  out.end_array().end();
  return text;
}

std::string encode_members(Format format, std::uint64_t id, std::string_view channel,
                           const hub::PresencePage& page) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kMembers, id).key(member::kChannel).string(channel);
  out.key(member::kEpoch).string(epoch_text(page.position.epoch));
  out.key(member::kVersion).u64(page.position.version);
  append_counts(out, page.counts);
  out.key(member::kMore).boolean(page.more);
  out.key(member::kMembers).begin_array(page.members.size());
  for (const hub::MemberPtr& member : page.members) {
    out.begin();
    append_member(out, *member);
    out.end();
  }
  out.end_array().end();
  return text;
}

std::string encode_occupancy(Format format, std::uint64_t id, std::string_view channel,
                             const hub::Occupancy& occupancy, bool presence) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kOccupancy, id).key(member::kChannel).string(channel);
  out.key(member::kSubscribers).u64(occupancy.subscribers);
  if (presence) append_counts(out, occupancy.present);
  out.end();
  return text;
}

std::string encode_pong(Format format, std::uint64_t id, std::uint64_t time_ms) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kPong, id).key(member::kTime).u64(time_ms).end();
  return text;
}

std::string encode_result(Format format, std::uint64_t id, std::string_view data) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kResult, id);
  append_data(out, data);
  out.end();
  return text;
}

std::string encode_message(Format format, const broker::Publication& publication) {
  std::string text;
  text.reserve(publication.payload->size() + publication.channel.size() + 160);
  ObjectWriter out(format, text);
  begin(out, type::kMessage).key(member::kChannel).string(publication.channel);
  append_message(out, publication);
  out.end();
  return text;
}

std::string encode_delta(Format format, const broker::Publication& publication,
                         const broker::Publication* before) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kMessage).key(member::kChannel).string(publication.channel);
  append_head(out, publication);
  const Bytes payload = publication.payload->bytes();
  std::string delta;
  if (before != nullptr && payload.size() >= kDeltaBytesMin) {
    delta = codec::delta_of(before->payload->bytes(), payload);
  }
  // What base64 makes of it.
  if (!delta.empty() && delta.size() / 3 * 4 + kDeltaBytesMin / 2 < payload.size()) {
    out.key(member::kDelta).binary(as_bytes(delta));
    out.key(member::kOf).string(name(publication.kind));
  } else if (publication.kind == broker::PayloadKind::kJson) {
    out.key(member::kText).string(as_text(payload)).flag(member::kJson, true);
  } else {
    append_payload(out, publication);
  }
  out.end();
  return text;
}

std::string encode_advance(Format format, std::string_view channel, std::uint64_t offset) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kAdvance).key(member::kChannel).string(channel);
  out.key(member::kOffset).u64(offset).end();
  return text;
}

std::string encode_gap(Format format, std::string_view channel, const hub::Gap& gap) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kGap).key(member::kChannel).string(channel);
  append_gap(out, gap);
  append_position(out, gap.position);
  out.end();
  return text;
}

std::string encode_missed(Format format, std::string_view pattern, std::uint64_t messages) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kGap).key(member::kPattern).string(pattern);
  out.key(member::kMissed).u64(messages);
  out.key(member::kReason).string(name(hub::Gap::Reason::kSlow)).end();
  return text;
}

std::string encode_unsubscribed(Format format, std::string_view channel, bool pattern,
                                const Refusal& refusal) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kUnsubscribed);
  out.key(pattern ? member::kPattern : member::kChannel).string(channel);
  out.key(member::kCode).string(native::name(refusal.code).code);
  out.key(member::kMessage).string(refusal.message).end();
  return text;
}

std::string encode_left(Format format, std::string_view channel, const Refusal& refusal) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kLeft).key(member::kChannel).string(channel);
  out.key(member::kCode).string(native::name(refusal.code).code);
  out.key(member::kMessage).string(refusal.message).end();
  return text;
}

std::string encode_presence(Format format, std::string_view channel,
                            const hub::PresenceDiff& diff) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kPresence).key(member::kChannel).string(channel);
  out.key(member::kEpoch).string(epoch_text(diff.epoch));
  out.key(member::kFrom).u64(diff.version_from).key(member::kVersion).u64(diff.version_to);
  append_counts(out, diff.counts);
  out.flag(member::kPartial, diff.kind == hub::PresenceDiff::Kind::kCounts);
  out.flag(member::kAll, diff.kind == hub::PresenceDiff::Kind::kAll);
  if (!diff.leaves.empty()) {
    out.key(member::kLeave).begin_array(diff.leaves.size());
    for (const auto& leave : diff.leaves) {
      out.begin().key(member::kClient).string(leave.member->client_id());
      out.text(member::kUser, leave.member->user_id());
      out.key(member::kReason).string(name(leave.reason)).end();
    }
    out.end_array();
  }
  if (!diff.joins.empty()) {
    out.key(member::kJoin).begin_array(diff.joins.size());
    for (const auto& join : diff.joins) {
      out.begin();
      append_member(out, *join.member);
      out.end();
    }
    out.end_array();
  }
  if (!diff.updates.empty()) {
    out.key(member::kUpdate).begin_array(diff.updates.size());
    for (const hub::MemberPtr& update : diff.updates) {
      out.begin();
      append_member(out, *update);
      out.end();
    }
    out.end_array();
  }
  out.end();
  return text;
}

std::string encode_call(Format format, std::uint64_t call, std::string_view method,
                        std::string_view data) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kCall).key(member::kCall).u64(call).key(member::kMethod).string(method);
  if (!data.empty()) append_data(out, data);
  out.end();
  return text;
}

std::string encode_expiring(Format format, std::uint64_t expires_ms) {
  std::string text;
  ObjectWriter out(format, text);
  begin(out, type::kExpiring).key(member::kExpires).u64(expires_ms).end();
  return text;
}

BufferRef frame(Format format, std::string_view message) {
  return ws::encode_frame(format == Format::kJson ? ws::Opcode::kText : ws::Opcode::kBinary,
                          as_bytes(message));
}

BufferRef compressed_frame(Format format, std::string_view message, ws::CompressionPool& pool) {
  const auto opcode = format == Format::kJson ? ws::Opcode::kText : ws::Opcode::kBinary;
  BufferRef compressed = pool.encode_shared(opcode, as_bytes(message));
  return compressed ? compressed : frame(format, message);
}

}  // namespace anywire::protocol::native
