#include "sim/link.h"

#include <algorithm>
#include <utility>

namespace anywire::sim {

Link::Link(std::uint32_t number, reactor::Loop& loop, ManualClock& clock, const NetworkPlan& plan,
           Random& dice)
    : id(number),
      wire(loop),
      loop_(loop),
      clock_(clock),
      plan_(plan),
      dice_(dice),
      opened_at_(clock.now()) {
  wire.low_watermark = 512;
  wire.window = plan.socket_bytes;
}

TimePoint Link::next_due(Direction& direction) {
  const TimePoint due = clock_.now() + Duration(dice_.below(plan_.delay_max_ms + 1));
  return direction.last_due = std::max(direction.last_due, due);
}

void Link::put(Direction& direction, std::string_view bytes, End end) {
  std::uint64_t pieces = bytes.empty() ? 0 : 1 + dice_.below(plan_.pieces_max);
  direction.bytes += bytes.size();
  while (!bytes.empty()) {
    const std::size_t size =
        --pieces == 0 ? bytes.size() : 1 + static_cast<std::size_t>(dice_.below(bytes.size()));
    direction.packets.push_back({next_due(direction), std::string(bytes.substr(0, size))});
    bytes.remove_prefix(size);
    if (pieces == 0) break;
  }
  if (end != End::kNone) direction.packets.push_back({next_due(direction), {}, end});
}

void Link::send(std::string_view bytes) {
  if (!lost_ && !closed_) put(up_, bytes, End::kNone);
}

void Link::close(bool polite) {
  if (closed_) return;
  closed_ = true;
  if (!lost_) put(up_, {}, polite ? End::kFin : End::kReset);
}

void Link::reset_server() {
  lost_ = true;
  troubled = true;
  up_.packets.clear();
  up_.packets.push_back({clock_.now(), {}, End::kReset});
}

void Link::reset_client() {
  lost_ = true;
  end_seen_ = true;
}

std::string Link::receive() {
  std::string bytes;
  if (lost_ || down_.stalled) return bytes;
  while (!down_.packets.empty() && down_.packets.front().due <= clock_.now()) {
    Packet& packet = down_.packets.front();
    bytes += packet.bytes;
    down_.bytes -= packet.bytes.size();
    if (packet.end != End::kNone) end_seen_ = true;
    down_.packets.pop_front();
  }
  return bytes;
}

void Link::arrive() {
  const bool open = !lost_ && !up_.stalled;
  // After a reset of the server's end nothing else is left.
  while (!up_.packets.empty() && (open || up_.packets.front().end == End::kReset) &&
         up_.packets.front().due <= clock_.now()) {
    const Packet packet = std::move(up_.packets.front());
    up_.packets.pop_front();
    up_.bytes -= std::min(up_.bytes, packet.bytes.size());
    if (wire.closed()) continue;
    switch (packet.end) {
      case End::kNone: wire.deliver(packet.bytes); break;
      case End::kFin: wire.end_input(); break;
      case End::kReset: reset_ = true; break;
    }
  }
  // Told in each turn, as the kernel does, until somebody takes notice.
  if (reset_ && !wire.closed()) wire.reset_by_peer();
  wire.pump();
  wire.window = plan_.socket_bytes - std::min(plan_.socket_bytes, down_.bytes);
}

void Link::collect() {
  queued_most = std::max(queued_most, wire.queued());
  const std::string out = std::exchange(wire.sent, {});
  if (lost_) {
    // Nobody takes it from the socket.
    down_.bytes += out.size();
    return;
  }
  const bool ends = !end_sent_ && (wire.closed() || wire.fin_sent());
  end_sent_ = end_sent_ || ends;
  put(down_, out, ends ? End::kFin : End::kNone);
}

}  // namespace anywire::sim
