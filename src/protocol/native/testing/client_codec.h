// The client's half of the codec, for tests and the fuzzer: commands to frames, and what the server
// says to comparable text.
//
// Thread: any; pure functions. Lifetime: arguments are read during the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "codec/base64.h"
#include "codec/json_writer.h"
#include "codec/msgpack.h"
#include "codec/transcode.h"
#include "protocol/native/command.h"
#include "protocol/native/names.h"
#include "protocol/native/object_writer.h"

namespace anywire::protocol::native {

// The next value as JSON, bytes as the base64 string they are in JSON messages. False for what no
// message of ours has.
inline bool append_shown(codec::MsgpackReader& in, codec::JsonWriter& out) {
  using codec::MsgpackKind;
  const auto kind = in.peek();
  if (!kind) return false;
  switch (*kind) {
    case MsgpackKind::kBinary:
      out.string(codec::base64_encode(*in.read_binary()));
      return true;
    case MsgpackKind::kMap: {
      const auto count = *in.read_map();
      out.begin_object();
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto name = in.read_string();
        if (!name) return false;
        out.key(*name);
        if (!append_shown(in, out)) return false;
      }
      out.end_object();
      return true;
    }
    case MsgpackKind::kArray: {
      const auto count = *in.read_array();
      out.begin_array();
      for (std::uint32_t i = 0; i < count; ++i) {
        if (!append_shown(in, out)) return false;
      }
      out.end_array();
      return true;
    }
    default: {
      const auto raw = in.read_raw();
      const auto json = raw ? codec::msgpack_to_json(*raw) : std::nullopt;
      if (json) out.raw(*json);
      return json.has_value();
    }
  }
}

// A message of the server in its JSON form, whichever it came in; "broken" if it is not
// well-formed.
inline std::string shown(Format format, std::string_view message) {
  if (format == Format::kJson) {
    codec::JsonReader reader;
    return reader.read(as_bytes(message)) ? std::string(message) : "broken";
  }
  std::string text;
  codec::JsonWriter out(text);
  codec::MsgpackReader in(as_bytes(message));
  return append_shown(in, out) && in.at_end() ? text : "broken";
}

// A command as a client would send it.
class CommandWriter {
 public:
  explicit CommandWriter(Format format) : format_(format), out_(format, text_) {}

  // Nothing if the form has no way to say it: JSON numbers beyond a double's range.
  std::optional<std::string> write(std::uint64_t id, const Command& command) {
    text_.clear();
    good_ = true;
    out_.begin();
    if (id != 0) out_.key(member::kId).u64(id);
    std::visit([this](const auto& one) { add(one); }, command);
    out_.end();
    if (!good_) return std::nullopt;
    return text_;
  }

 private:
  void start(std::string_view type) { out_.key(member::kType).string(type); }
  void json(std::string_view name, std::string_view value) {
    if (format_ == Format::kJson) {
      out_.key(name).raw(value);
      return;
    }
    const auto converted = codec::json_to_msgpack(as_bytes(value));
    good_ = good_ && converted;
    if (converted) out_.key(name).raw(*converted);
  }
  void number(std::string_view name, const std::optional<std::uint64_t>& value) {
    if (value) out_.key(name).u64(*value);
  }

  void add(const Connect& connect) {
    start(type::kConnect);
    if (connect.token) out_.key(member::kToken).string(*connect.token);
    out_.text(member::kSession, connect.session).text(member::kAgent, connect.agent);
  }
  void add(const Auth& auth) {
    start(type::kAuth);
    out_.key(member::kToken).string(auth.token);
  }
  void add(const Subscribe& subscribe) {
    start(type::kSubscribe);
    out_.key(subscribe.pattern ? member::kPattern : member::kChannel).string(subscribe.channel);
    if (subscribe.since) {
      out_.key(member::kSince).begin();
      out_.key(member::kEpoch).string(epoch_text(subscribe.since->epoch));
      out_.key(member::kOffset).u64(subscribe.since->offset).end();
    }
    if (subscribe.rewind != 0) out_.key(member::kRewind).u64(subscribe.rewind);
    out_.flag(member::kPresence, subscribe.presence);
    out_.flag(member::kOccupancy, subscribe.occupancy);
    out_.flag(member::kDelta, subscribe.delta);
    if (!subscribe.own) out_.key(member::kOwn).boolean(false);
    if (subscribe.token) out_.key(member::kToken).string(*subscribe.token);
    if (subscribe.filter.empty()) return;
    out_.key(member::kFilter).begin(subscribe.filter.rules.size());
    for (const Filter::Rule& rule : subscribe.filter.rules) {
      out_.key(rule.tag).begin_array(rule.values.size());
      for (const std::string& value : rule.values) out_.string(value);
      out_.end_array();
    }
    out_.end();
  }
  void add(const Unsubscribe& unsubscribe) {
    start(type::kUnsubscribe);
    out_.key(unsubscribe.pattern ? member::kPattern : member::kChannel)
        .string(unsubscribe.channel);
  }
  void add(const Publish& publish) {
    start(type::kPublish);
    out_.key(member::kChannel).string(publish.channel);
    switch (publish.payload.kind) {
      case broker::PayloadKind::kJson: json(member::kData, publish.payload.bytes); break;
      case broker::PayloadKind::kText: out_.key(member::kText).string(publish.payload.bytes); break;
      case broker::PayloadKind::kBinary:
        out_.key(member::kBinary).binary(as_bytes(publish.payload.bytes));
        break;
    }
    out_.text(member::kEvent, publish.event).text(member::kMessageId, publish.message_id);
    out_.text(member::kConflationKey, publish.conflation_key);
    out_.text(member::kIdempotencyKey, publish.idempotency_key);
    if (publish.tags.empty()) return;
    out_.key(member::kTags).begin(publish.tags.size());
    for (const broker::Tag& tag : publish.tags) out_.key(tag.name).string(tag.value);
    out_.end();
  }
  void add(const History& history) {
    start(type::kHistory);
    out_.key(member::kChannel).string(history.channel);
    if (history.epoch) out_.key(member::kEpoch).string(epoch_text(*history.epoch));
    const bool forward = history.query.order == broker::HistoryQuery::Order::kForward;
    out_.key(member::kOrder).string(forward ? kForward : kBackward);
    number(member::kAfter, history.query.after);
    number(member::kBefore, history.query.before);
    number(member::kFrom, history.query.from_ms);
    number(member::kTo, history.query.to_ms);
    out_.key(member::kLimit).u64(history.query.limit);
  }
  void add(const Enter& enter) {
    start(type::kEnter);
    out_.key(member::kChannel).string(enter.channel);
    if (enter.info) json(member::kInfo, *enter.info);
  }
  void add(const Leave& leave) {
    start(type::kLeave);
    out_.key(member::kChannel).string(leave.channel);
  }
  void add(const Members& members) {
    start(type::kMembers);
    out_.key(member::kChannel).string(members.channel);
    out_.text(member::kAfter, members.after).key(member::kLimit).u64(members.limit);
  }
  void add(const AskOccupancy& occupancy) {
    start(type::kOccupancy);
    out_.key(member::kChannel).string(occupancy.channel);
  }
  void add(const Ping&) { start(type::kPing); }
  void add(const Rpc& rpc) {
    start(type::kRpc);
    out_.key(member::kMethod).string(rpc.method);
    if (rpc.data) json(member::kData, *rpc.data);
  }
  void add(const Answer& answer) {
    start(type::kAnswer);
    out_.key(member::kCall).u64(answer.call);
    if (answer.data) json(member::kData, *answer.data);
    if (!answer.error) return;
    out_.key(member::kError).begin();
    out_.key(member::kCode).string(answer.error->code);
    out_.key(member::kMessage).string(answer.error->message).end();
  }

  Format format_;
  std::string text_;
  ObjectWriter out_;
  bool good_ = true;
};

// A frame in the other form, for what is written down as JSON.
inline std::string to_frame(Format format, std::string_view json) {
  return format == Format::kJson ? std::string(json)
                                 : codec::json_to_msgpack(as_bytes(json)).value_or("");
}

}  // namespace anywire::protocol::native
