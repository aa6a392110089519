// Tunnel: two streams whose bytes go over to each other, unread and unchanged, after an upgrade.
//
// What one side sends waits for the other at most up to a watermark; then the sender is not read
// from. An end of one direction is passed on as such and the other direction goes on; a broken
// stream breaks the other one. There is no idle limit while both directions are open: what is said
// in there, and how often, is not for us to judge. Half closed, a tunnel in which nothing moves
// for a minute ends.
//
// Thread: the loop's. Lifetime: owns itself, through its set, until both directions are over.
// Limits: kTunnelQueueBytesMax and one read, in each direction.
#pragma once

#include <cstddef>
#include <memory>

#include "base/buffer.h"
#include "base/dense_set.h"
#include "net/stream.h"
#include "reactor/loop.h"

namespace anywire::front {

inline constexpr std::size_t kTunnelQueueBytesMax = 256 * 1024;

class Tunnel final : public DenseSetMember, private reactor::Timer {
 public:
  struct End {
    std::unique_ptr<net::Stream> stream;
    BufferRef early;  // already read from it; may be null
  };

  // `lease` is kept for as long as the tunnel lasts and means nothing here.
  static void start(reactor::Loop& loop, DenseSet<Tunnel>& tunnels, End client, End server,
                    std::shared_ptr<void> lease);
  ~Tunnel() override;

  // Ends both directions, at once.
  void abort();

 private:
  class Side final : public net::StreamHandler {
   public:
    Side(Tunnel& tunnel, std::unique_ptr<net::Stream> stream)
        : tunnel_(tunnel), stream_(std::move(stream)) {}
    void connect(Side& other);
    void hold_back();

    void on_readable() override;
    void on_drained() override;
    void on_closed() override;

   private:
    friend class Tunnel;
    Tunnel& tunnel_;
    Side* other_ = nullptr;
    std::unique_ptr<net::Stream> stream_;
    bool ended_ = false;   // it will say no more
    bool closed_ = false;  // after close_when_sent
  };

  Tunnel(reactor::Loop& loop, DenseSet<Tunnel>& tunnels, End& client, End& server,
         std::shared_ptr<void> lease);
  void on_timer() override { abort(); }
  void on_end(Side& side);
  void break_off();

  reactor::Loop& loop_;
  DenseSet<Tunnel>& tunnels_;
  Side client_;
  Side server_;
  std::shared_ptr<void> lease_;
};

}  // namespace anywire::front
