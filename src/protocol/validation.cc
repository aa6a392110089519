#include "protocol/validation.h"

#include <algorithm>
#include <utility>

#include "codec/json_reader.h"

namespace anywire::protocol {
namespace {

using broker::PayloadKind;
using schema::Schema;

// What is asked of one message's data.
struct Demands {
  std::vector<const Schema*> schemas;
  bool event_is_unknown = false;
  bool event_is_missing = false;
};

void demand_of_rule(const Validation::Rule& rule, std::string_view event, Demands& demands) {
  if (rule.message) demands.schemas.push_back(&*rule.message);
  if (!rule.events) return;
  if (event.empty()) {
    demands.event_is_missing = !rule.message;
    return;
  }
  const auto found = rule.events->find(event);
  if (found == rule.events->end()) {
    demands.event_is_unknown = true;
  } else {
    demands.schemas.push_back(&found->second);
  }
}

void demand_of_channel(const Validation::Channel& channel, std::string_view event,
                       Demands& demands) {
  if (event.empty() || !channel.events) {
    if (channel.message) demands.schemas.push_back(&*channel.message);
    return;
  }
  const auto found = channel.events->find(event);
  if (found == channel.events->end()) {
    demands.event_is_unknown = true;
  } else {
    demands.schemas.push_back(&found->second);
  }
}

SchemaViolation violation(std::string path, std::string_view message, std::string_view place) {
  std::string text = path.empty() ? "the data " : "what is at \"" + path + "\" ";
  std::string rule(message);
  if (!place.empty()) rule.append(", says ").append(place);
  return {std::move(path), text.append(message), std::move(rule)};
}

// Of the message as a whole.
SchemaViolation violation(std::string_view message) {
  return {"", std::string(message), std::string(message)};
}

// One reader of each loop; nothing is called while its values are in use.
std::optional<SchemaViolation> check_all(const std::vector<const Schema*>& schemas,
                                         std::string_view data) {
  static thread_local codec::JsonReader reader;
  const auto value = reader.read(as_bytes(data.empty() ? std::string_view("null") : data));
  if (!value) return violation("", "must be JSON", "");
  for (const Schema* schema : schemas) {
    if (auto found = schema->check(*value)) {
      return violation(std::move(found->instance_pointer), found->message,
                       found->keyword_pointer);
    }
  }
  return std::nullopt;
}

std::optional<SchemaViolation> check_one(const std::optional<Schema>& schema,
                                         std::string_view data) {
  if (!schema) return std::nullopt;
  return check_all({&*schema}, data);
}

}  // namespace

const Validation::Rule* Validation::find(const hub::ChannelRule& rule) const {
  if (rule.index >= parts_.rules.size()) return nullptr;
  const Rule& found = parts_.rules[rule.index];
  return found.message || found.events ? &found : nullptr;
}

const Validation::Channel* Validation::find(std::string_view channel) const {
  const auto found = std::ranges::find_if(
      parts_.channels, [&](const Channel& each) { return each.pattern.matches(channel); });
  return found == parts_.channels.end() ? nullptr : &*found;
}

bool Validation::covers(const hub::ChannelRule& rule, std::string_view channel) const {
  if (find(rule) != nullptr) return true;
  const Channel* said = find(channel);
  return said != nullptr && (said->message || said->events);
}

std::optional<SchemaViolation> Validation::check(const hub::ChannelRule& rule,
                                                 const MessageToCheck& message) const {
  Demands demands;
  if (const Rule* found = find(rule)) demand_of_rule(*found, message.event, demands);
  if (const Channel* found = find(message.channel)) {
    demand_of_channel(*found, message.event, demands);
  }
  if (demands.event_is_unknown) return violation("the channel has no such event");
  if (demands.event_is_missing) {
    return violation("a message of this channel has an event");
  }
  if (demands.schemas.empty()) return std::nullopt;
  if (message.kind != PayloadKind::kJson) {
    return violation("messages of this channel are JSON, neither text nor binary");
  }
  return check_all(demands.schemas, message.payload);
}

std::optional<SchemaViolation> Validation::check_presence(std::string_view channel,
                                                          std::string_view info) const {
  const Channel* found = info.empty() ? nullptr : find(channel);
  return found == nullptr ? std::nullopt : check_one(found->presence, info);
}

std::optional<SchemaViolation> Validation::check_rpc_input(std::string_view method,
                                                           std::string_view data) const {
  const auto found = parts_.methods.find(method);
  return found == parts_.methods.end() ? std::nullopt : check_one(found->second.input, data);
}

std::optional<SchemaViolation> Validation::check_rpc_output(std::string_view method,
                                                            std::string_view data) const {
  const auto found = parts_.methods.find(method);
  return found == parts_.methods.end() ? std::nullopt : check_one(found->second.output, data);
}

}  // namespace anywire::protocol
