// Link: one TCP connection between a simulated client and the server. The server's end is a real
// net::Stream (net::FakeWire's); in between the bytes are cut into packets that arrive later, in
// order, or not at all once the link is broken. What is under way and unread in one direction is
// bounded, as sockets bound it: a client that does not read stops the server's writes.
//
// Thread: the run's; `arrive` is called inside the turn of the server's loop. Lifetime: the loop
// and what the constructor takes outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "net/testing/fake_stream.h"
#include "sim/scenario.h"

namespace anywire::sim {

class Link {
 public:
  Link(std::uint32_t id, reactor::Loop& loop, ManualClock& clock, const NetworkPlan& plan,
       Random& dice);

  const std::uint32_t id;
  std::uint32_t loop_index() const { return loop_.index(); }

  // ---- The client's end ----

  void send(std::string_view bytes);
  // What has come since the last call.
  std::string receive();
  // After all of that: the server's end has come, too.
  bool ended() const { return end_seen_; }
  // The client closes its end. Polite: what it has sent arrives first.
  void close(bool polite);

  // ---- What may befall it ----

  // Nothing moves any more, in either direction, and nobody is told.
  void lose() { lost_ = true; }
  // The network tells the server, or the client, that the connection is gone.
  void reset_server();
  void reset_client();
  void stall(bool up, bool down) {
    up_.stalled |= up;
    down_.stalled |= down;
    troubled = troubled || up || down;
  }
  void heal() { up_.stalled = down_.stalled = false; }

  // ---- The server's end ----

  net::FakeWire wire;
  // Inside the loop's turn: what has come by now.
  void arrive();
  // After it: takes the output along.
  void collect();
  // Neither end has any more to do with it.
  bool over() const { return wire.destroyed() && (closed_ || lost_ || end_seen_); }

  bool busy() const {
    return !lost_ && !closed_ && (moving(up_) || moving(down_) || wire.queued() > 0);
  }
  TimePoint opened_at() const { return opened_at_; }

  // Something befell it, or its client did not read: the server may have ended it for that.
  bool troubled = false;
  std::size_t queued_most = 0;

 private:
  enum class End : std::uint8_t { kNone, kFin, kReset };
  struct Packet {
    TimePoint due;
    std::string bytes;
    End end = End::kNone;
  };
  struct Direction {
    std::deque<Packet> packets;
    TimePoint last_due{};
    std::size_t bytes = 0;
    bool stalled = false;
  };

  static bool moving(const Direction& one) { return !one.stalled && !one.packets.empty(); }
  void put(Direction& direction, std::string_view bytes, End end);
  TimePoint next_due(Direction& direction);

  reactor::Loop& loop_;
  ManualClock& clock_;
  const NetworkPlan& plan_;
  Random& dice_;
  const TimePoint opened_at_;
  Direction up_;
  Direction down_;
  bool lost_ = false;
  bool closed_ = false;     // by the client
  bool end_sent_ = false;   // of the server
  bool reset_ = false;      // at the server's end
  bool end_seen_ = false;
};

}  // namespace anywire::sim
