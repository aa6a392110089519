// The part of a Worker that hands connections to another one's loop.
#include <utility>

#include "server/worker.h"
#include "tls/tls_stream.h"

namespace anywire::server {

// A connection between two loops. It counts as the leaving worker's did, until it has arrived.
struct Worker::Passage final : net::StreamHandler {
  Passage(ConnectionBudget& its_budget, std::uint32_t its_loop, http::Connection::Moved its_moved)
      : budget(its_budget), to(its_loop), moved(std::move(its_moved)) {}
  ~Passage() {
    if (counted) budget.connections.fetch_sub(1, std::memory_order_relaxed);
  }

  // Still on the old loop, in the turn in which it was told to go.
  void on_readable() override {}
  void on_drained() override {}
  void on_closed() override { broken = true; }

  ConnectionBudget& budget;
  const std::uint32_t to;
  http::Connection::Moved moved;
  bool counted = true;
  bool broken = false;
};

bool Worker::move_to(std::uint32_t loop, http::Connection& connection) {
  if (loop >= workers_.members.size() || workers_.members[loop] == nullptr) return false;
  auto passage = std::make_unique<Passage>(budget_, loop, connection.move_away());
  // Not given back at the end of the turn: it goes along.
  --charged_;
  passage->moved.stream->set_handler(*passage);
  passage->moved.stream->set_reading(false);
  // The stream is in the middle of telling us something.
  loop_.post([this, passage = std::move(passage)]() mutable { depart(std::move(passage)); });
  return true;
}

void Worker::depart(std::unique_ptr<Passage> passage) {
  net::Stream& stream = *passage->moved.stream;
  stream.set_reading(true);
  if (passage->broken || !stream.detach()) {
    stream.close();
    return loop_.defer_delete(std::move(passage));
  }
  Worker& there = *workers_.members[passage->to];
  there.loop_.post([&there, passage = std::move(passage)]() mutable {
    there.arrive(std::move(passage));
  });
}

void Worker::arrive(std::unique_ptr<Passage> passage) {
  net::Stream& stream = *passage->moved.stream;
  net::Stream* bare = &stream;
  if (stream.encrypted()) bare = &static_cast<tls::TlsStream&>(stream).lower();
  if (!static_cast<net::TcpStream*>(bare)->attach(flush_queue_)) {
    stream.close();
    return loop_.defer_delete(std::move(passage));
  }
  if (stream.encrypted()) static_cast<tls::TlsStream&>(stream).attach(encrypt_queue_);
  passage->counted = false;
  ++charged_;
  http::Connection::resume(http_, std::move(passage->moved));
}

}  // namespace anywire::server
