// Connections of one loop to the application's server: made when they are needed, kept for the next
// request, ended when they are of no more use.
//
//   UpstreamConnection* connection = pool.open(user, UpstreamPool::Which::kAny, to_head);
//   connection->send(head);
//   ... user is told of the answer, part by part ...
//   connection->release();    // inside on_upstream_complete
//
// Thread: the loop's. Lifetime: the pool owns the connections and outlives their users; a user's
// pointer is good from `open` until it calls `release`, `abandon` or `take_stream`, or is told
// on_upstream_failed. Those may be called inside any callback. Limits: UpstreamOptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/dense_set.h"
#include "front/target.h"
#include "http/response_parser.h"
#include "net/connect.h"
#include "net/flush_queue.h"
#include "net/resolve.h"
#include "net/stream.h"
#include "reactor/loop.h"

namespace anywire::front {

struct UpstreamOptions {
  Target target;
  Duration connect_timeout{5'000};
  std::size_t connections_max = 1024;  // of this loop, idle ones and tunnels included
  http::ResponseLimits response_limits;
};

// Why there is no answer, or no more of it.
enum class UpstreamFailure : std::uint8_t {
  kUnreachable,  // no connection could be made
  kStale,        // a connection that had rested broke before anything came back
  kBroken,       // it ended before the answer did
  kGarbage,      // what came back is not an HTTP response
  kTimeout,      // the time given to `expect_within` is over
};

class UpstreamUser {
 public:
  // Once for each 1xx, and once for the answer. `head` is valid until this returns.
  virtual void on_upstream_head(const http::ReceivedHead& head) = 0;
  virtual void on_upstream_body(Bytes part) = 0;
  // To be answered with `release` or `abandon` before it returns.
  virtual void on_upstream_complete() = 0;
  // The answer to `notify_when_drained`.
  virtual void on_upstream_drained() = 0;
  // `detail` is a static text or empty.
  virtual void on_upstream_failed(UpstreamFailure failure, std::string_view detail) = 0;

 protected:
  ~UpstreamUser() = default;
};

class UpstreamPool;

class UpstreamConnection final : public DenseSetMember,
                                 private net::StreamHandler,
                                 private net::ConnectHandler,
                                 private reactor::Timer {
 public:
  ~UpstreamConnection() override;

  // Bytes for the server; they wait while the connection is being made.
  void send(Bytes bytes);
  void send_framed(Bytes head, Bytes body);
  std::size_t queued_bytes() const;
  void notify_when_drained();
  // Fails with kTimeout unless the head of the answer, or another call, comes before; 0 means
  // never.
  void expect_within(Duration timeout);

  void pause();
  void resume();

  // The answer is complete and so is the request: the connection may serve the next one. Inside
  // on_upstream_complete.
  void release();
  // Ends the connection, whatever it is doing.
  void abandon();
  // Inside on_upstream_head of a 101: the stream is the user's, with what came behind the head.
  struct Taken {
    std::unique_ptr<net::Stream> stream;
    BufferRef early;
  };
  Taken take_stream();

  bool reused() const { return reused_; }

 private:
  friend class UpstreamPool;
  enum class State : std::uint8_t { kConnecting, kBusy, kComplete, kIdle, kOver };

  explicit UpstreamConnection(UpstreamPool& pool);
  void connect();
  void begin(UpstreamUser& user, bool to_head);
  bool still_silent();
  void on_connected(std::unique_ptr<net::TcpStream> stream) override;
  void on_connect_failed(int system_errno) override;
  void on_readable() override;
  void on_drained() override;
  void on_closed() override;
  void on_timer() override;
  net::ReadStatus read_once();
  void take_input(Bytes input);
  void take_event(const http::ParseResult& result);
  void take_head();
  void take_end(bool orderly);
  void complete();
  void fail(UpstreamFailure failure, std::string_view detail);
  void end();

  UpstreamPool& pool_;
  State state_ = State::kConnecting;
  UpstreamUser* user_ = nullptr;
  std::unique_ptr<net::Connector> connector_;  // none while the name is being resolved
  std::unique_ptr<net::Stream> stream_;
  std::size_t address_index_ = 0;   // of the target's, which are tried one after the other
  std::string waiting_;             // output, while there is no stream yet
  http::ResponseParser parser_;
  Bytes rest_;                      // behind what is being handled, inside take_input
  int informational_ = 0;           // answers before the answer
  bool to_head_ = false;
  bool reused_ = false;
  bool heard_ = false;              // something of this answer
  bool paused_ = false;
  bool keep_alive_ = false;
  Duration idle_timeout_{};
};

class UpstreamPool {
 public:
  UpstreamPool(net::FlushQueue& queue, const UpstreamOptions& options);
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  enum class Which : std::uint8_t { kAny, kFresh };
  // Null when there are as many as there may be, `others` (tunnels) counted in.
  UpstreamConnection* open(UpstreamUser& user, Which which, bool to_head, std::size_t others = 0);

  std::size_t size() const { return all_.size(); }
  std::size_t idle() const { return idle_.size(); }
  const Target& target() const { return options_.target; }
  // Ends those that rest now, and all others when they are released.
  void drain();

 private:
  friend class UpstreamConnection;
  UpstreamConnection* take_idle();
  const std::vector<net::Address>& addresses() const { return options_.target.addresses; }
  void resolve();
  void on_resolved(net::Resolver::Answer answer);
  void refresh(Duration age);

  net::FlushQueue& queue_;
  UpstreamOptions options_;
  net::Resolver resolver_;
  TimePoint resolved_at_;
  DenseSet<UpstreamConnection> all_;
  std::vector<UpstreamConnection*> idle_;  // the last one rested least
  bool draining_ = false;
};

}  // namespace anywire::front
