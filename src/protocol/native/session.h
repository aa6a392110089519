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

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/hub.h"
#include "protocol/native/adapter.h"
#include "protocol/native/client_id.h"
#include "protocol/native/command.h"
#include "protocol/native/packed_texts.h"
#include "protocol/native/pattern_seat.h"
#include "protocol/native/seat.h"
#include "protocol/native/session_table.h"
#include "protocol/rights.h"
#include "protocol/session.h"
#include "protocol/transport.h"

namespace anywire::protocol::native {

class NativeSession final : public Session, public LiveSession, private reactor::Timer {
 public:
  NativeSession(NativeAdapter& adapter, Transport& transport, Format format)
      : adapter_(adapter), transport_(transport), format_(format) {}
  ~NativeSession() override;

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

  // For its adapter: tells the client where it is in channels that it does not get all of.
  void send_advances();

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
  struct Extras {
    std::string bearer;  // token of the request's Authorization header
    std::vector<Pending> pending;
    std::vector<Held> held;
    std::size_t held_bytes = 0;
    // A `connect` under way.
    std::uint64_t connect_id = 0;
    std::vector<std::string> token_channels;
    std::vector<std::unique_ptr<PatternSeat>> patterns;

    bool empty() const {
      return bearer.empty() && pending.empty() && held.empty() && patterns.empty();
    }
  };

  // Input.
  void process(Bytes frame, std::size_t done);
  void hold(Bytes frame, std::size_t done);
  void release_held();
  void handle(const Incoming& incoming);
  bool admit(const Incoming& incoming);
  void run(std::uint64_t id, const Connect& connect);
  void run(std::uint64_t id, const Auth& auth);
  void run(std::uint64_t id, const Subscribe& subscribe);
  void run(std::uint64_t id, const Unsubscribe& unsubscribe);
  void run(std::uint64_t id, const Publish& publish);
  void run(std::uint64_t id, const History& history);
  void run(std::uint64_t id, const Enter& enter);
  void run(std::uint64_t id, const Leave& leave);
  void run(std::uint64_t id, const Members& members);
  void run(std::uint64_t id, const Ping& ping);
  void run(std::uint64_t id, const Rpc& rpc);

  // Connecting and tokens: session.cc.
  void take_identity(const auth::Identity& identity);
  void finish_connect(std::optional<Estate> estate);
  void subscribe_by_token(const std::vector<std::string>& channels);
  void drop_forbidden(const std::vector<std::string>& channels);
  void watch_clock(bool due);
  void on_timer() override;
  std::optional<std::uint64_t> expires_ms() const;

  // The end.
  void close(Close code, std::string_view reason);
  void end(bool keep);
  std::string_view user() const override { return who_.first(); }
  std::string_view token_info() const { return who_.second(); }
  Estate hand_over() override;
  Estate estate() const;

  // Channels: channels.cc.
  std::optional<Refusal> may(auth::Operation operation, std::string_view channel,
                             const hub::ChannelRule& rule) const;
  std::optional<Refusal> no_place() const;
  Seat* find(std::string_view channel) const;
  Seat& seat_for(std::string_view channel);
  void leave_subscription(Seat& seat);
  void drop_if_empty(Seat& seat);
  void drop_channels();
  void unsubscribed(Seat& seat, const Refusal& refusal);
  bool wants(const Filter& filter, bool own, const broker::Publication& publication) const;
  void deliver_selected(Seat& seat, hub::Delivery& delivery);
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

  // Presence: presence.cc.
  std::optional<Refusal> may_be_present(std::string_view channel) const;
  hub::MemberDraft member(const Seat& seat) const;
  void return_to(const Estate& estate);
  void vanish();
  static void abandon(NativeAdapter& adapter, const Estate& estate);

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

  // First, since it fits in behind the Timer; the order of the others leaves no holes either.
  std::uint32_t places_ = 0;  // seats, patterns included
  NativeAdapter& adapter_;
  Transport& transport_;
  RightsPtr rights_;
  PackedTexts who_;  // user and the token's presence info
  std::unique_ptr<Seat> seats_;
  std::unique_ptr<Extras> extras_;
  std::uint64_t expires_at_ms_ = 0;  // of the token; 0: never
  SessionRef ref_;
  ClientId client_;
  const Format format_;
  State state_ = State::kNew;
  bool warned_ : 1 = false;   // of the token's end
  bool lagging_ : 1 = false;  // the adapter will call send_advances()
};

// What a client is told that may not do this on that channel.
Refusal forbidden(auth::Operation operation, std::string_view channel);

}  // namespace anywire::protocol::native
