#include "protocol/api/answers.h"

#include "codec/base64.h"
#include "codec/json_writer.h"
#include "protocol/api/requests.h"

namespace anywire::protocol::api {
namespace {

using codec::JsonWriter;
using std::string_view;

void text(JsonWriter& json, string_view name, string_view value) {
  if (!value.empty()) json.key(name).string(value);
}

void append_position(JsonWriter& json, const broker::PublishResult& result) {
  json.begin_object();
  json.key("epoch").string(epoch_text(result.position.epoch));
  json.key("offset").u64(result.position.offset);
  json.key("duplicate").boolean(result.duplicate);
  json.end_object();
}

void append_message(JsonWriter& json, const broker::Publication& publication) {
  json.begin_object();
  json.key("offset").u64(publication.offset);
  json.key("time").u64(publication.time_ms);
  text(json, "event", publication.event);
  text(json, "id", publication.id);
  text(json, "client", publication.client_id);
  text(json, "user", publication.user_id);
  if (!publication.tags.empty()) {
    json.key("tags").begin_object();
    for (const broker::Tag& tag : publication.tags) json.key(tag.name).string(tag.value);
    json.end_object();
  }
  const Bytes payload = publication.payload->bytes();
  switch (publication.kind) {
    case broker::PayloadKind::kJson: json.key("data").raw(as_text(payload)); break;
    case broker::PayloadKind::kText: json.key("text").string(as_text(payload)); break;
    case broker::PayloadKind::kBinary:
      json.key("binary").string(codec::base64_encode(payload));
      break;
  }
  json.end_object();
}

void append_record(JsonWriter& json, const ClientRecord& record) {
  json.begin_object();
  json.key("client").string(record.client);
  text(json, "user", record.user);
  json.key("address").string(record.address);
  json.key("since").u64(record.since_ms);
  json.key("protocol").string(record.protocol);
  json.key("channels").begin_array();
  for (const std::string& channel : record.channels) json.string(channel);
  json.end_array().end_object();
}

}  // namespace

std::string encode_published(const broker::PublishResult& result) {
  std::string out;
  JsonWriter json(out);
  append_position(json, result);
  return out;
}

std::string encode_results(std::span<const Published> results) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("results").begin_array();
  for (const Published& result : results) {
    if (result) {
      append_position(json, *result);
      continue;
    }
    json.begin_object().key("error");
    append(json, result.error());
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string encode_history(string_view channel, const broker::HistoryPage& page) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("channel").string(channel);
  json.key("epoch").string(epoch_text(page.top.epoch));
  json.key("top").u64(page.top.offset);
  json.key("oldest").u64(page.oldest);
  json.key("more").boolean(page.more);
  json.key("messages").begin_array();
  for (const broker::PublicationPtr& publication : page.publications) {
    append_message(json, *publication);
  }
  json.end_array().end_object();
  return out;
}

std::string encode_presence(string_view channel, const hub::PresencePage& page) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("channel").string(channel);
  json.key("epoch").string(epoch_text(page.position.epoch));
  json.key("version").u64(page.position.version);
  json.key("count").u64(page.counts.members);
  json.key("users").u64(page.counts.users);
  json.key("more").boolean(page.more);
  json.key("members").begin_array();
  for (const hub::MemberPtr& member : page.members) {
    json.begin_object();
    json.key("client").string(member->client_id());
    text(json, "user", member->user_id());
    if (!member->info().empty()) json.key("info").raw(member->info());
    json.end_object();
  }
  json.end_array().end_object();
  return out;
}

std::string encode_counts(string_view channel, const hub::Occupancy& occupancy) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("channel").string(channel);
  json.key("subscribers").u64(occupancy.subscribers);
  json.key("count").u64(occupancy.present.members);
  json.key("users").u64(occupancy.present.users);
  json.end_object();
  return out;
}

std::string encode_channels(const hub::ChannelList& list) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("channels").begin_array();
  for (const auto& [name, counts] : list.channels) {
    json.begin_object();
    json.key("channel").string(name);
    json.key("subscribers").u64(counts.subscribers);
    json.key("members").u64(counts.members);
    json.end_object();
  }
  json.end_array();
  json.key("more").boolean(list.more);
  json.end_object();
  return out;
}

std::string encode_connections(std::span<const ClientRecord> connections) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("connections").begin_array();
  for (const ClientRecord& record : connections) append_record(json, record);
  json.end_array().end_object();
  return out;
}

std::string encode_count(string_view name, std::uint64_t count) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key(name).u64(count);
  json.end_object();
  return out;
}

std::string encode_ticket(string_view ticket, std::uint64_t expires_ms) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("ticket").string(ticket);
  json.key("expires").u64(expires_ms);
  json.end_object();
  return out;
}

std::string encode_data(string_view data) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  if (!data.empty()) json.key("data").raw(data);
  json.end_object();
  return out;
}

}  // namespace anywire::protocol::api
