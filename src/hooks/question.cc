#include "hooks/question.h"

#include "codec/base64.h"
#include "codec/json_writer.h"

namespace anywire::hooks {
namespace {

using codec::JsonWriter;

void text(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.key(name).string(value);
}

void begin(JsonWriter& json, std::string_view type, std::string_view id,
           const protocol::AppClient& client) {
  json.begin_object();
  json.key("type").string(type).key("id").string(id).key("client").begin_object();
  text(json, "id", client.id);
  text(json, "user", client.user);
  if (!client.info.empty()) json.key("info").raw(client.info);
  text(json, "protocol", client.protocol);
  text(json, "address", client.address);
  text(json, "origin", client.origin);
  json.end_object();
}

void payload(JsonWriter& json, const broker::Draft& draft) {
  const Bytes bytes = draft.payload ? draft.payload->bytes() : Bytes();
  switch (draft.kind) {
    case broker::PayloadKind::kJson: json.key("data").raw(as_text(bytes)); break;
    case broker::PayloadKind::kText: json.key("text").string(as_text(bytes)); break;
    case broker::PayloadKind::kBinary:
      json.key("binary").string(codec::base64_encode(bytes));
      break;
  }
}

std::string_view name(Event::Type type) {
  switch (type) {
    case Event::Type::kOccupied: return "occupied";
    case Event::Type::kVacated: return "vacated";
    case Event::Type::kJoin: return "join";
    case Event::Type::kLeave: return "leave";
    case Event::Type::kDisconnected: return "disconnected";
  }
  return "";
}

}  // namespace

std::string encode(std::string_view id, const protocol::ConnectQuestion& question) {
  std::string out;
  JsonWriter json(out);
  begin(json, "connect", id, question.client);
  text(json, "token", question.token);
  json.end_object();
  return out;
}

std::string encode(std::string_view id, const protocol::SubscribeQuestion& question) {
  std::string out;
  JsonWriter json(out);
  begin(json, "subscribe", id, question.client);
  json.key("channel").string(question.channel);
  json.end_object();
  return out;
}

std::string encode(std::string_view id, const protocol::PublishQuestion& question) {
  std::string out;
  JsonWriter json(out);
  begin(json, "publish", id, question.client);
  json.key("channel").string(question.channel);
  text(json, "event", question.draft.event);
  payload(json, question.draft);
  if (!question.draft.tags.empty()) {
    json.key("tags").begin_object();
    for (const broker::Tag& tag : question.draft.tags) json.key(tag.name).string(tag.value);
    json.end_object();
  }
  json.end_object();
  return out;
}

std::string encode(std::string_view id, const protocol::RpcQuestion& question) {
  std::string out;
  JsonWriter json(out);
  begin(json, "rpc", id, question.client);
  json.key("method").string(question.method);
  if (!question.data.empty()) json.key("data").raw(question.data);
  json.end_object();
  return out;
}

std::string encode(std::string_view id, std::span<const Event> events, std::uint64_t lost) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("type").string("events").key("id").string(id);
  json.key("events").begin_array();
  for (const Event& event : events) {
    json.begin_object().key("type").string(name(event.type));
    text(json, "channel", event.channel);
    text(json, "client", event.client);
    text(json, "user", event.user);
    json.key("time").u64(event.time_ms).end_object();
  }
  json.end_array().key("lost").u64(lost).end_object();
  return out;
}

}  // namespace anywire::hooks
