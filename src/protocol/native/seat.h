// Seat: a session's place in one channel: its subscription and, or, its presence. Its bytes are one
// allocation, the channel's name included, because every idle connection has one.
//
// Thread: the loop's. Lifetime: owned by its session, in a list; deleted at the end of a turn,
// since it may be the hub's caller. Tells its session everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hub/subscriber.h"
#include "protocol/native/command.h"

namespace anywire::protocol::native {

class NativeSession;

// Of subscriptions that do not get all messages, or not whole.
struct Selection {
  Filter filter;
  bool own = true;
  bool delta = false;  // then all of them; a message may be told by how it differs from the last
  bool begun = false;  // with `delta`: the client has had the message at `told`
  std::uint64_t told = 0;  // the client's cursor
  std::uint64_t seen = 0;  // all up to here is accounted for; the client hears of it by `advance`
};

class Seat final : public hub::Subscriber {
 public:
  // What the configuration allows at most.
  static constexpr std::size_t kNameBytesMax = 4096;

  static std::unique_ptr<Seat> make(NativeSession& session, std::string_view channel);

  std::string_view channel() const {
    return {reinterpret_cast<const char*>(this + 1), channel_bytes_less_one_ + 1u};
  }
  // Subscribed or about to be.
  bool listens() const { return joining || in_force; }

  // Small ones first: with the length of the name they fit in behind the base.
  bool joining : 1 = false;    // the subscription is under way
  bool in_force : 1 = false;   // it is made
  bool since : 1 = false;      // it was made with a cursor
  bool present : 1 = false;    // the session has entered
  bool by_token : 1 = false;   // the token made it; a command may make it anew
  bool presence : 1 = false;   // it is told who is present
  bool occupancy : 1 = false;  // and how many listen
  bool entered : 1 = false;    // the owner has said that it is present
  // Tells the answer to the last `enter` from those to the fifteen before it.
  std::uint16_t presence_turn : 4 = 0;

 private:
  std::uint16_t channel_bytes_less_one_ : 12;

 public:
  // The next seat of the session.
  std::unique_ptr<Seat> next;
  std::unique_ptr<Selection> selection;  // null: all messages
  std::unique_ptr<std::string> info;     // given to `enter`; null: the token's

 private:
  struct NameBytes {
    std::size_t count;
  };

 public:
  static void* operator new(std::size_t bytes, NameBytes name) {
    return ::operator new(bytes + name.count);
  }
  static void operator delete(void* seat, NameBytes) { ::operator delete(seat); }
  static void operator delete(void* seat) { ::operator delete(seat); }

 private:
  Seat(NativeSession& session, std::string_view channel);
  void on_subscribed(const hub::Joined& joined) override;
  void on_refused(hub::HubError error) override;
  bool on_delivery(hub::Delivery& delivery) override;
  void on_gap(const hub::Gap& gap) override;
  void on_presence(hub::PresenceDelivery& delivery) override;

  NativeSession& session_;
};

}  // namespace anywire::protocol::native
