// Validation: what messages, presence info and rpc arguments must look like, by the channel rules'
// schemas and by the application's contract. The one place where adapters ask, before anything is
// published or passed on. Where nothing is configured there is no Validation, and the price of that
// is the test of a pointer.
//
// A channel rule's `schema` is for the data of every message, and its `event_schemas` for that of
// messages with an event: an event that is not among them is refused, and so is a message without
// one where the rule has no `schema` besides. Of the contract the first pattern that takes the
// channel's name decides; there `message` is for messages without an event and, where there are no
// `events`, for all. If rule and contract both say something, both must hold. Where there is a
// schema for messages, data is JSON: text and binary are refused. A channel that neither mentions
// is free.
//
// Thread: const once made, and used by every loop at once; each thread has a reader of its own.
// Lifetime: arguments are read during the call. Limits: the schemas' (schema/schema.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/glob.h"
#include "broker/publication.h"
#include "hub/rules.h"
#include "schema/schema.h"

namespace anywire::protocol {

// `path` is a JSON Pointer into the data; `message` a sentence without a full stop, for whoever
// wrote the client. Neither quotes the data, but for the names on the way to the fault. `rule` is
// for logs: what is demanded, and where in the schema that stands; it has nothing of the data.
struct SchemaViolation {
  std::string path;
  std::string message;
  std::string rule;

  bool operator==(const SchemaViolation&) const = default;
};

struct MessageToCheck {
  std::string_view channel;
  std::string_view event;  // empty: none
  broker::PayloadKind kind = broker::PayloadKind::kJson;
  std::string_view payload;
};

class Validation {
 public:
  using Events = std::map<std::string, schema::Schema, std::less<>>;

  // Of a channel rule.
  struct Rule {
    std::optional<schema::Schema> message;
    std::optional<Events> events;
  };

  // Of the contract.
  struct Channel {
    auth::Glob pattern;
    std::optional<schema::Schema> message;
    std::optional<Events> events;
    std::optional<schema::Schema> presence;
  };
  struct Method {
    std::optional<schema::Schema> input;
    std::optional<schema::Schema> output;
  };
  using Methods = std::map<std::string, Method, std::less<>>;

  struct Parts {
    std::vector<Rule> rules;        // by hub::ChannelRule::index; missing ones have none
    std::vector<Channel> channels;  // the first that matches decides
    Methods methods;
  };

  explicit Validation(Parts parts) : parts_(std::move(parts)) {}

  // Whether messages of this channel are checked at all. `rule` is the one that
  // hub::Rules::find() gave for its name.
  [[nodiscard]] bool covers(const hub::ChannelRule& rule, std::string_view channel) const;

  // Nothing if the message may be published.
  [[nodiscard]] std::optional<SchemaViolation> check(const hub::ChannelRule& rule,
                                                     const MessageToCheck& message) const;

  // `info` and `data` are JSON, or empty if there is none: then there is no info to check, but an
  // argument that is missing is null, lest a schema be passed by leaving it out.
  [[nodiscard]] std::optional<SchemaViolation> check_presence(std::string_view channel,
                                                              std::string_view info) const;
  [[nodiscard]] std::optional<SchemaViolation> check_rpc_input(std::string_view method,
                                                               std::string_view data) const;
  [[nodiscard]] std::optional<SchemaViolation> check_rpc_output(std::string_view method,
                                                                std::string_view data) const;

 private:
  [[nodiscard]] const Rule* find(const hub::ChannelRule& rule) const;
  [[nodiscard]] const Channel* find(std::string_view channel) const;

  const Parts parts_;
};

}  // namespace anywire::protocol
