// Client: a client of the native protocol as docs/protocol.md describes one: cursors, recovery with
// `since`, the presence list's rule, publishing again under the same key, resuming its session. It
// checks all it is told, by the document and against the Truth.
//
// Thread: the run's. Lifetime: the World's, which outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_reader.h"
#include "protocol/native/command.h"
#include "sim/link.h"
#include "sim/presence_list.h"
#include "sim/scenario.h"
#include "sim/told.h"
#include "sim/truth.h"
#include "websocket/deflate.h"

namespace anywire::sim {

class World;

// A subscription, as its application wants it and as the server knows it.
struct Subscription {
  enum class State : std::uint8_t { kOff, kAsked, kOn, kLeaving };
  State state = State::kOff;
  bool wanted = false;  // made again after each connection that was lost
  bool own = true;
  std::vector<std::string> filter;  // values of the tag "t"; empty: all messages
  bool presence = false;
  bool in_force = false;  // from its `subscribed` on
  std::optional<broker::Position> cursor;
  bool since = false;       // of the `subscribe` that is under way
  TimePoint retry_at{};
  PresenceList list;
  std::optional<TimePoint> members_at;  // when to ask again for what is missing of the list
};

// One message to publish, until it is known what became of it.
struct Publishing {
  std::uint32_t channel = 0;
  Message message;
  std::string key;           // idempotency; empty: sent once and no more
  std::uint32_t sends = 0;
  TimePoint first_sent{};
  bool waiting = false;      // for its answer
  TimePoint retry_at{};
};

// Whether the client is, and wants to be, present in a channel.
struct Presence {
  bool wanted = false;
  bool sure = true;  // the server thinks the same
  std::string info;
  std::uint32_t waiting = 0;  // commands not answered yet
};

class Client {
 public:
  Client(World& world, std::uint32_t index, const ClientPlan& plan);

  void act(const Step& step);
  // Reads what has come, does what is due.
  void poll();
  // Reads again, comes back, forgets what it has left behind.
  void calm();
  // Goes for good.
  void depart_for_good();

  // Nothing of its own is under way.
  bool at_rest() const;
  // Compares what it knows with the truth, when everything has come to rest.
  void check_at_rest();
  // Of those that are at rest: is it in the channel, and under which name?
  bool present_in(std::uint32_t channel) const;
  std::string_view client_id() const { return client_id_; }
  const ClientPlan& plan() const { return plan_; }
  const std::string& info_in(std::uint32_t channel) const { return presences_[channel].info; }
  // When it last lost a connection.
  TimePoint lost_at() const { return lost_at_; }

 private:
  enum class Phase : std::uint8_t { kAway, kUpgrading, kConnecting, kConnected };
  struct Pending {
    std::string_view type;  // of the command
    std::uint32_t channel = 0;
    std::uint64_t publishing = 0;
    broker::HistoryQuery query = {};
    TimePoint asked_at{};
  };

  // Connection: client.cc.
  void connect();
  void lose(std::string_view why);
  void leave_link(bool polite);
  void on_end();
  void on_close_frame(std::uint16_t code, std::string_view reason);
  void take_bytes();
  bool take_head();
  bool take_frame();
  void take_text(std::string text);
  void say(std::string command);
  void flush();
  std::uint64_t wait_for(Pending pending);
  void look_at_time();
  std::string token();

  // What its application does: client_acts.cc.
  void publish(std::uint32_t channel, std::uint64_t salt);
  void send_publish(std::uint64_t number);
  void resend_publishes();
  void want_subscription(std::uint32_t channel, std::uint64_t salt);
  void subscribe(std::uint32_t channel, std::uint32_t rewind);
  void subscribe_pattern();
  void unsubscribe(std::uint32_t channel);
  void enter(std::uint32_t channel, std::uint64_t salt);
  void send_enter(std::uint32_t channel);
  void leave(std::uint32_t channel);
  void ask_history(std::uint32_t channel, std::uint64_t salt);
  void ask_members(std::uint32_t channel);
  void forget_session();
  void simple_command(std::string_view type);
  void authenticate();
  void return_to_channels();

  // What it is told: client_told.cc.
  void handle(const Told& told);
  void handle_reply(const Told& told, const Pending& pending);
  void handle_error(const Told& told, const Pending& pending);
  void on_connected(const Told& told);
  void on_subscribed(const Told& told, const Pending& pending);
  void on_published(const Told& told, const Pending& pending);
  void on_history(const Told& told, const Pending& pending);
  void on_members(const Told& told, const Pending& pending);
  void handle_push(const Told& told);
  void on_message(const Told& told);
  void on_pattern_message(const Told& told, std::uint32_t channel);
  void on_advance(const Told& told, std::uint32_t channel);
  void on_gap(const Told& told, std::uint32_t channel);
  void on_presence(const Told& told, std::uint32_t channel);
  void check_gap(std::uint32_t channel, const Told& gap, const broker::Position& cursor,
                 const broker::Position& next);
  std::optional<std::uint64_t> first_owed(std::uint32_t channel, std::uint64_t from,
                                          std::uint64_t to) const;
  bool wants(const Subscription& subscription, const Message& message) const;
  bool same(const Told& told, const Message& message) const;
  std::optional<std::uint32_t> channel_in(const Told& told);
  void skip_by_pattern(std::uint32_t channel, std::size_t behind);
  void leave_to_pattern(std::uint32_t channel);
  void check_pattern_at_rest();

  World& world_;
  const std::uint32_t index_;
  const ClientPlan& plan_;
  codec::JsonReader reader_;

  Phase phase_ = Phase::kAway;
  bool gone_ = false;  // for good
  bool presented_before_ = false;  // the secret of this link, on another one
  std::string presented_;          // the secret presented last
  bool calm_ = false;  // until its next step
  std::shared_ptr<Link> link_;
  std::string input_;
  ws::Inflater inflater_;
  bool reading_ = true;
  std::vector<std::string> saying_;
  TimePoint connect_at_{};
  TimePoint lost_at_{};
  TimePoint heard_at_{};
  TimePoint phase_since_{};
  bool ping_sent_ = false;
  bool closed_ = false;      // a Close frame has come on this link
  std::uint32_t failures_ = 0;
  std::string token_;
  std::uint64_t token_ends_ms_ = 0;
  std::uint64_t connection_token_ends_ms_ = 0;

  std::string client_id_;
  std::string secret_;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  std::vector<Subscription> subscriptions_;  // by channel
  std::vector<Presence> presences_;          // by channel
  std::map<std::uint64_t, Publishing> publishings_;  // by their number
  std::vector<broker::Position> last_published_;  // by channel: of the last fresh answer
  std::uint64_t published_ = 0;

  // Of a watcher: its pattern, and per channel where in the order it is. What a subscription to
  // the channel itself takes is not the pattern's.
  bool pattern_on_ = false;
  std::vector<std::size_t> pattern_next_;
  std::vector<std::size_t> pattern_seen_;  // one behind the last one that came
  std::uint64_t pattern_skipped_ = 0;
  std::uint64_t pattern_missed_ = 0;
};

}  // namespace anywire::sim
