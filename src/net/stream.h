// Stream: an ordered, reliable byte stream to one peer, plain or encrypted: the seam between the
// protocol engines and the outside world. TcpStream, tls::TlsStream and the simulator implement it.
//
// Thread: the loop's that made it.
// Lifetime: owned by its handler (or by what the handler hands it to). `close` may be called inside
// any callback; the stream is destroyed through Loop::defer_delete, never inside a callback.
// Limits: the output queue is bounded by whoever writes, who watches `queued_bytes`.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/buffer.h"
#include "base/bytes.h"
#include "reactor/loop.h"

namespace anywire::net {

enum class ReadStatus {
  kData,        // `bytes` > 0 were read
  kWouldBlock,  // nothing now; `on_readable` comes again
  kEnd,         // the peer will send no more
  kError,       // the connection is gone
};

struct ReadResult {
  ReadStatus status;
  std::size_t bytes = 0;
};

// Told what happens on a stream. No callback may destroy the stream directly.
class StreamHandler {
 public:
  // There may be something to read. Level-triggered: unread bytes bring another call.
  virtual void on_readable() = 0;
  // Answer to `notify_when_drained`: the output queue has fallen to the low watermark.
  virtual void on_drained() = 0;
  // The stream has come to its end: the peer reset it, writing failed, or `close_when_sent` has
  // done its work. Nothing further is called.
  virtual void on_closed() = 0;

 protected:
  ~StreamHandler() = default;
};

// A Watcher by itself, so that a stream over a socket needs one table of virtual functions and not
// two: eight bytes of every idle connection. Streams over other streams watch nothing.
class Stream : public reactor::Watcher {
 public:
  virtual ~Stream() = default;

  void on_ready(std::uint32_t) override {}

  void set_handler(StreamHandler& handler) { handler_ = &handler; }

  // Reads what is there, at most `into.size()` bytes. Call it from `on_readable`.
  virtual ReadResult read(MutableBytes into) = 0;

  // Queue bytes; they leave at the end of the loop's turn. The first copies, the second shares.
  virtual void write(Bytes bytes) = 0;
  virtual void write(BufferRef buffer) = 0;
  // The same for a small head and what follows it, copied together. `now`: this is likely the last
  // output of the turn, so no room is kept for more, and many bytes may go to the kernel at once.
  virtual void write_framed(Bytes head, Bytes body, bool /*now*/ = false) {
    write(head);
    write(body);
  }
  // Bytes accepted by `write` that the kernel has not taken yet.
  virtual std::size_t queued_bytes() const = 0;
  // A number that changes whenever the kernel takes queued bytes, as long as the queue is not empty
  // in between: whoever sees the same one twice has a peer that read nothing. No meaning else.
  virtual std::uint64_t progress() const = 0;
  // Asks for one `on_drained`, after the flush that leaves at most the low watermark queued: at
  // the end of this turn if the socket takes everything, later if the peer is slow.
  virtual void notify_when_drained() = 0;
  // Gives the connection up, as if it had broken, when for so long the peer has acknowledged
  // nothing of what was sent, or has taken nothing of what waits for it. Without this that is up to
  // the system, which takes a quarter of an hour. A stream with no TCP below it ignores it.
  virtual void set_send_timeout(Duration) {}

  // While off, `on_readable` is not called and the kernel's window fills up.
  virtual void set_reading(bool on) = 0;
  // While on, a peer that will send no more is taken for gone even when nobody reads: `on_closed`,
  // whatever it sent before. For who does not read on and must notice that nobody waits any more.
  virtual void watch_for_end(bool) {}
  // Sends what is queued, then tells the peer that no more will come. Reading goes on.
  virtual void finish() = 0;
  // Sends what is queued, then closes both directions and calls `on_closed`. Only for a peer that
  // will send no more: what it sent unread would turn the close into a reset.
  virtual void close_when_sent() = 0;
  // Gives up the connection now; queued bytes are lost, no callback follows.
  virtual void close() = 0;
  // The same, so that the peer cannot take it for an orderly end where the system can say so.
  virtual void reset() { close(); }

  virtual bool encrypted() const = 0;

  // Takes leave of its loop, so that the stream can go to another one with what it still has to
  // send; whoever knows its kind attaches it there, and nothing else is called in between. Only
  // from a task of the loop. False: such a stream cannot.
  virtual bool detach() { return false; }

 protected:
  StreamHandler* handler_ = nullptr;
};

}  // namespace anywire::net
