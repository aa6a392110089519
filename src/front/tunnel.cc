#include "front/tunnel.h"

#include <utility>

namespace anywire::front {
namespace {

constexpr Duration kHalfClosedTimeout{60'000};

}  // namespace

void Tunnel::start(reactor::Loop& loop, DenseSet<Tunnel>& tunnels, End client, End server,
                   std::shared_ptr<void> lease) {
  // Owned by the set until `abort`.
  new Tunnel(loop, tunnels, client, server, std::move(lease));
}

Tunnel::Tunnel(reactor::Loop& loop, DenseSet<Tunnel>& tunnels, End& client, End& server,
               std::shared_ptr<void> lease)
    : loop_(loop),
      tunnels_(tunnels),
      client_(*this, std::move(client.stream)),
      server_(*this, std::move(server.stream)),
      lease_(std::move(lease)) {
  tunnels_.add(*this);
  client_.connect(server_);
  server_.connect(client_);
  if (client.early) server_.stream_->write(std::move(client.early));
  if (server.early) client_.stream_->write(std::move(server.early));
}

Tunnel::~Tunnel() = default;

void Tunnel::abort() {
  disarm();
  tunnels_.remove(*this);
  for (Side* side : {&client_, &server_}) {
    side->stream_->close();
    loop_.defer_delete(std::move(side->stream_));
  }
  loop_.defer_delete(std::unique_ptr<Tunnel>(this));
}

// What broke here is not to look like an orderly end there.
void Tunnel::break_off() {
  client_.stream_->reset();
  server_.stream_->reset();
  abort();
}

void Tunnel::on_end(Side& side) {
  side.ended_ = true;
  side.stream_->set_reading(false);
  loop_.arm(*this, kHalfClosedTimeout);
  if (!side.other_->ended_) return side.other_->stream_->finish();
  // Both have said all there is; what is on its way still arrives.
  client_.stream_->close_when_sent();
  server_.stream_->close_when_sent();
}

void Tunnel::Side::connect(Side& other) {
  other_ = &other;
  stream_->set_handler(*this);
  stream_->set_reading(true);
}

// The other side does not take what comes from this one.
void Tunnel::Side::hold_back() {
  stream_->set_reading(false);
  other_->stream_->notify_when_drained();
}

void Tunnel::Side::on_readable() {
  if (ended_) return stream_->set_reading(false);
  if (other_->stream_->queued_bytes() > kTunnelQueueBytesMax) return hold_back();
  const MutableBytes buffer = tunnel_.loop_.receive_buffer();
  const net::ReadResult result = stream_->read(buffer);
  switch (result.status) {
    case net::ReadStatus::kData:
      other_->stream_->write(buffer.first(result.bytes));
      if (tunnel_.armed()) tunnel_.loop_.arm(tunnel_, kHalfClosedTimeout);
      return;
    case net::ReadStatus::kWouldBlock:
      return;
    case net::ReadStatus::kEnd:
      return tunnel_.on_end(*this);
    case net::ReadStatus::kError:
      return tunnel_.break_off();
  }
}

// Of this side's output, which is the other one's input.
void Tunnel::Side::on_drained() {
  if (!other_->ended_) other_->stream_->set_reading(true);
}

void Tunnel::Side::on_closed() {
  closed_ = true;
  if (!ended_ || !other_->ended_) return tunnel_.break_off();
  // Both were told to close; the last one ends it.
  if (other_->closed_) tunnel_.abort();
}

}  // namespace anywire::front
