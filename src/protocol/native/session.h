// NativeSession: one client of the native protocol, from its connection to its end.
// docs/protocol.md says what it does; names.h, command.h and encoder.h how that looks on the wire.
//
//   kNew --connect--> kConnecting --(its old session is found, or not)--> kConnected --> kEnded
//
// What it asks of the hub may be answered when it has gone: such callbacks name it by SessionRef.
//
// Thread: the loop's. Lifetime: see protocol::Session. Memory: an idle session holds no strings but
// the user's name; what few sessions need is in Extras, made when it is needed. Limits:
// NativeOptions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"
#include "protocol/authenticator.h"
#include "protocol/clients.h"
#include "protocol/credentials.h"
#include "protocol/native/adapter.h"
#include "protocol/native/calls.h"
#include "protocol/client_id.h"
#include "protocol/native/command.h"
#include "protocol/native/pattern_seat.h"
#include "protocol/native/seat.h"
#include "protocol/native/session_table.h"
#include "protocol/publish_line.h"
#include "protocol/rights.h"
#include "protocol/session.h"
#include "protocol/transport.h"

namespace anywire::protocol::native {

class NativeSession final : public Session, public LiveSession {
 public:
  NativeSession(NativeAdapter& adapter, Transport& transport, Format format)
      : adapter_(adapter), transport_(transport), format_(format) {}
  ~NativeSession() override;

  // Before on_attached: what its request shows of who it is, and from where it comes.
  void show(Credentials credentials, const net::Address& address);
  void on_attached(const http::RequestHead& request) override;
  void on_message(ws::Message& message) override;
  void on_writable() override;
  void on_closed(ws::CloseCode code) override;

  // For its seats.
  void on_subscribed(Seat& seat, const hub::Joined& joined);
  void on_refused(Seat& seat, hub::HubError error);
  bool deliver(Seat& seat, hub::Delivery& delivery);
  void on_gap(Seat& seat, const hub::Gap& gap);
  void on_subscribed(PatternSeat& seat);
  bool deliver(PatternSeat& seat, hub::Delivery& delivery);
  void on_missed(PatternSeat& seat, std::uint64_t messages);
  void on_presence(Seat& seat, hub::PresenceDelivery& delivery);

  // For its adapter: tells the client where it is in channels that it does not get all of, and how
  // many subscribers one has.
  void send_advances();
  void on_occupancy(OccupancyNews& news);

 private:
  enum class State : std::uint8_t { kNew, kConnecting, kConnected, kEnded };

  // A command that waits for its answer; of a subscription, whose.
  struct Pending {
    std::uint64_t id = 0;
    const Seat* seat = nullptr;
  };
  // A frame that came while the session was being resumed, of which so many messages are done.
  struct Held {
    std::string frame;
    std::size_t done = 0;
  };
  // A subscription that the application is asked about.
  struct Asked {
    Seat* seat;
    std::uint64_t number;
  };
  // How far the patterns of this session together have been served, in the two streams that were
  // last; one of them may have ended and begun anew as the other.
  using Taken = std::array<broker::Position, 2>;
  struct Extras {
    Credentials shown;      // until `connect`
    net::Address address;   // until it is among the Clients
    std::vector<Pending> pending;
    std::vector<Held> held;
    std::size_t held_bytes = 0;
    // Of a `connect` under way: its id, the session to resume, and the token it came with.
    std::uint64_t connect_id = 0;
    std::string connect_session;
    std::string connect_token;
    std::vector<std::string> token_channels;
    std::vector<std::unique_ptr<PatternSeat>> patterns;
    Taken taken;
    std::string origin;            // of the request, where there is an application to be told
    std::vector<Asked> asked;
    std::weak_ptr<PublishLine> line;
    AppActions connect_actions;    // to be done once it is connected
    std::vector<Grant> grants;     // beside the token
    RightsPtr token_rights;        // with grants: without them
    std::vector<std::string> given_channels;  // that others have subscribed it to
    std::unique_ptr<Calls> calls;  // that others wait for

    bool empty() const {
      return origin.empty() && asked.empty() && line.expired() && connect_actions.empty() &&
             grants.empty() && given_channels.empty() && pending.empty() && held.empty() &&
             token_channels.empty() && patterns.empty() && (!calls || calls->empty());
    }
  };

  // Input.
  void process(Bytes frame, std::size_t done);
  void read(Bytes frame, std::size_t done);
  void hold(Bytes frame, std::size_t done);
  void release_held();
  void handle(const Incoming& incoming);
  bool admit(const Incoming& incoming);
  // Limits: limits.cc.
  SessionLimits* limits() const { return adapter_.limits(ref_.slot); }
  bool admit_rate(const Incoming& incoming);
  bool admit_user();
  bool admit_connection();
  std::optional<Refusal> no_presence_place() const;
  void run(std::uint64_t id, const Connect& connect);
  void run(std::uint64_t id, const Auth& auth);
  void run(std::uint64_t id, const Subscribe& subscribe);
  void run(std::uint64_t id, const Unsubscribe& unsubscribe);
  void run(std::uint64_t id, const Publish& publish);
  void run(std::uint64_t id, const History& history);
  void run(std::uint64_t id, const Enter& enter);
  void run(std::uint64_t id, const Leave& leave);
  void run(std::uint64_t id, const Members& members);
  void run(std::uint64_t id, const AskOccupancy& occupancy);
  void run(std::uint64_t id, const Ping& ping);
  void run(std::uint64_t id, const Rpc& rpc);
  void run(std::uint64_t id, const Answer& answer);

  // Connecting and tokens: identity.cc.
  static constexpr std::int64_t kForever = INT64_MAX;
  static constexpr std::size_t kGrantsMax = 64;
  void on_verified(Authenticator::Verdict verdict);
  void identify(auth::Token token, const auth::TokenStamp& stamp);
  void begin();
  void inherit(Estate& estate);
  void take_token(std::uint64_t id, Authenticator::Verdict verdict);
  void set_rights(RightsPtr rights);
  void join_rights();
  void drop_expired_grants();
  std::int64_t until_grant_ends() const;
  void subscribe_with_token(std::uint64_t id, const Subscribe& subscribe);
  void subscribe_unasked(std::string_view channel);
  bool given(std::string_view channel) const;
  void take_identity(auth::Identity identity);
  void refuse_token(const auth::TokenError& error);
  void finish_connect(std::optional<Estate> estate);
  void subscribe_by_token();
  bool named_by_token(std::string_view channel) const;
  void drop_forbidden();
  void watch_clock(bool due);
  void on_timer() override;
  std::optional<std::uint64_t> expires_ms() const;

  // What the application is asked: application.cc.
  AppClientCard card() const;
  void ask_to_connect(const net::Address& address, const auth::TokenStamp& stamp);
  void refuse_to_connect(const AppRefusal& refused);
  bool take_answer(ConnectAnswer answer, const net::Address& address,
                   const auth::TokenStamp& stamp);
  void do_connect_actions();
  void ask_to_subscribe(Seat& seat, const hub::SubscribeOptions& options);
  void on_subscribe_verdict(std::uint64_t number, const hub::SubscribeOptions& options,
                            std::expected<void, AppRefusal> verdict);
  bool lined_up() const { return extras_ && !extras_->line.expired(); }
  void line_up(std::uint64_t id, std::string_view channel, broker::PublishRequest&& request,
               bool asks);
  void on_lined_up(std::uint64_t id, std::string_view channel, PublishLine::Outcome outcome);
  void on_rpc_result(std::uint64_t id, std::string_view method,
                     std::expected<std::string, AppRefusal> result);

  // The end.
  void close(Close code, std::string_view reason);
  void end(bool keep);
  std::string_view client() const override { return me_ ? me_->client_id() : std::string_view(); }
  std::string_view user() const override { return me_ ? me_->user_id() : std::string_view(); }
  std::string_view token_info() const { return me_ ? me_->info() : std::string_view(); }
  hub::MemberPtr me(std::string_view client, std::string_view user, std::string_view info) const;
  std::optional<Estate> hand_over() override;
  std::string_view protocol() const override { return NativeAdapter::kName; }
  std::vector<std::string> channels(std::size_t most) const override;
  void disconnect(std::string_view reason, bool reconnect) override;
  void revoke() override;
  bool grant(const auth::Capability& capability,
             std::optional<auth::WallTime> expires) override;
  bool withdraw(const auth::Capability* capability) override;
  bool subscribe(std::string_view channel) override;
  bool unsubscribe(std::string_view channel) override;
  void call(const ClientCall& call, CallDone done) override;
  Estate estate() const;

  // Channels: channels.cc.
  std::optional<Refusal> may(auth::Operation operation, std::string_view channel,
                             const hub::ChannelRule& rule) const;
  std::optional<Refusal> may_subscribe(std::string_view channel,
                                       const hub::ChannelRule& rule) const;
  std::optional<Refusal> may_subscribe(const Subscribe& subscribe, const Seat* there) const;
  std::optional<Refusal> may_see_occupancy(const hub::ChannelRule& rule) const;
  std::optional<Refusal> no_place() const;
  Seat* find(std::string_view channel) const;
  Seat& seat_for(std::string_view channel);
  void leave_subscription(Seat& seat);
  void drop_if_empty(Seat& seat);
  void drop_channels();
  void unsubscribed(Seat& seat, const Refusal& refusal);
  bool wants(const Filter& filter, bool own, const broker::Publication& publication) const;
  void deliver_selected(Seat& seat, hub::Delivery& delivery);
  void deliver_deltas(Seat& seat, hub::Delivery& delivery);
  void advance(Seat& seat);
  BufferRef encode_frame(const std::string& message, std::size_t payload_bytes) const;
  const BufferRef& frame_of(hub::Delivery& delivery, std::size_t index);
  const BufferRef& frames_of(hub::Delivery& delivery);

  // Patterns: patterns.cc.
  void subscribe_pattern(std::uint64_t id, const Subscribe& subscribe);
  void unsubscribe_pattern(std::uint64_t id, const Unsubscribe& unsubscribe);
  bool may_listen(const auth::Glob& glob) const;
  PatternSeat* find_pattern(std::string_view pattern) const;
  void drop(PatternSeat& seat);
  void drop_forbidden_patterns();
  bool take_first(const broker::Publication& publication);
  bool pattern_wants(const broker::Publication& publication) const;

  // Presence: presence.cc.
  std::optional<Refusal> may_be_present(std::string_view channel) const;
  hub::MemberDraft member(const Seat& seat) const;
  void enter(Seat& seat, std::uint64_t id, std::unique_ptr<std::string> before);
  void refused_to_enter(Seat& seat, hub::HubError error, std::unique_ptr<std::string> before);
  void end_presence(Seat& seat);
  void leave_forbidden();
  void return_to(const Estate& estate);
  void vanish();
  static void abandon(NativeAdapter& adapter, const Estate& estate);

  // What schemas say; asked only where there are any.
  std::optional<Refusal> violation_of(const hub::ChannelRule& rule, const Publish& publish) const;
  std::optional<Refusal> violation_of(const Enter& enter) const;

  // Publishes no more until the loops have caught up.
  void wait_for_room();
  void go_on();
  std::optional<Refusal> no_room_for_a_page() const;

  // Output.
  void send(std::string_view message);
  void send_error(std::uint64_t id, const Refusal& refusal, std::string_view channel = {});
  // Answers a command that may have been waiting.
  void reply(std::uint64_t id, std::string_view message);
  void reply_error(std::uint64_t id, const Refusal& refusal, std::string_view channel = {});
  void wait(std::uint64_t id, const Seat* seat = nullptr);
  std::uint64_t end_wait(const Seat& seat);
  void end_wait(std::uint64_t id);
  Extras& extras();
  void drop_extras();

  // Calls `then(session, args...)` if this session still is when the answer comes.
  template <typename Then>
  auto later(Then then) {
    return [&table = adapter_.table(), ref = ref_, then = std::move(then)](auto&&... args) mutable {
      LiveSession* session = table.find(ref);
      if (session == nullptr) return;
      then(static_cast<NativeSession&>(*session), std::forward<decltype(args)>(args)...);
    };
  }

  // The order leaves no holes.
  NativeAdapter& adapter_;
  Transport& transport_;
  RightsPtr rights_;
  hub::MemberPtr me_;  // client id, user and the token's presence info, as it is where it enters
  std::unique_ptr<Seat> seats_;
  std::unique_ptr<Extras> extras_;
  std::uint64_t expires_at_ms_ = 0;  // of the token; 0: never
  SessionRef ref_;
  std::uint32_t places_ = 0;  // seats, patterns included
  const Format format_;
  State state_ = State::kNew;
  bool warned_ : 1 = false;   // of the token's end
  bool lagging_ : 1 = false;  // the adapter will call send_advances()
  bool reading_ : 1 = false;  // within a frame
  bool joins_token_channels_ : 1 = false;  // at its end
  bool unproven_ : 1 = false;  // resumed, and the client may not know its new secret yet
  bool held_ : 1 = false;     // the loops are behind with what was published
};

// What a client is told that may not do this on that channel.
Refusal forbidden(auth::Operation operation, std::string_view channel);

}  // namespace anywire::protocol::native
