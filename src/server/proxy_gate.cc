#include "server/proxy_gate.h"

#include <array>

#include "base/assert.h"
#include "base/log.h"

namespace anywire::server {

ProxyGate::ProxyGate(Context& context, std::unique_ptr<net::TcpStream> stream, net::Address peer)
    : context_(context), stream_(std::move(stream)), peer_(std::move(peer)) {
  stream_->set_handler(*this);
  context_.gates.add(*this);
  context_.loop.arm(*this, context_.timeout);
}

void ProxyGate::start(Context& context, std::unique_ptr<net::TcpStream> stream,
                      net::Address peer) {
  new ProxyGate(context, std::move(stream), std::move(peer));
}

bool ProxyGate::version_accepted(Bytes first) const {
  switch (context_.accepted) {
    case ProxyProtocol::kV1:
      return first[0] == 'P';
    case ProxyProtocol::kV2:
      return first[0] == '\r';
    default:
      return true;
  }
}

void ProxyGate::on_readable() {
  // Looked at first and taken then, so that nothing behind the header is eaten.
  std::array<std::uint8_t, 1024> buffer;
  const net::ReadResult peeked = stream_->peek(buffer);
  if (peeked.status == net::ReadStatus::kWouldBlock) return;
  if (peeked.status != net::ReadStatus::kData) return end();
  const Bytes seen = Bytes(buffer).first(peeked.bytes);
  if (!begun_ && !version_accepted(seen)) return end();
  begun_ = true;
  const net::ProxyHeaderParser::Output output = parser_.feed(seen);
  if (output.status == net::ProxyHeaderParser::Status::kError) {
    static log::Limiter limiter;
    log::limited(limiter, context_.loop.now(), log::Level::kWarn, "PROXY header refused",
                 {{"peer", peer_.to_string()}, {"reason", parser_.error()}});
    return end();
  }
  const net::ReadResult taken = stream_->read(MutableBytes(buffer).first(output.consumed));
  AW_ASSERT(taken.bytes == output.consumed);
  if (output.status == net::ProxyHeaderParser::Status::kNeedMore) return;
  net::Address client = parser_.source() ? *parser_.source() : peer_;
  std::unique_ptr<net::TcpStream> stream = std::move(stream_);
  end();
  context_.admit(std::move(stream), std::move(client));
}

void ProxyGate::end() {
  disarm();
  if (stream_) {
    stream_->close();
    context_.loop.defer_delete(std::move(stream_));
  }
  context_.gates.remove(*this);
  context_.loop.defer_delete(std::unique_ptr<ProxyGate>(this));
}

}  // namespace anywire::server
