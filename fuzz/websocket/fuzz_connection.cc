// A whole ws::Connection under arbitrary bytes: what it reports and answers must not depend on how
// the bytes were cut, no message may be longer than the limit, and it must always come to an end.
//
// Input: one byte of settings, one that seeds the cuts, then the peer's bytes.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "websocket/testing/peer.h"

namespace {

using namespace anywire;
using namespace anywire::ws;

struct Settings {
  std::optional<DeflateParams> deflate;
  bool echo = false;
  bool close_after_message = false;
  std::size_t message_bytes_max = 0;
};

Settings settings_from(std::uint8_t byte) {
  Settings settings;
  if ((byte & 1) != 0) {
    settings.deflate = DeflateParams{.server_no_context_takeover = (byte & 2) != 0,
                                     .client_no_context_takeover = (byte & 4) != 0};
  }
  settings.echo = (byte & 8) != 0;
  settings.close_after_message = (byte & 16) != 0;
  settings.message_bytes_max = (byte & 32) != 0 ? 300 : 100'000;
  return settings;
}

struct Outcome {
  std::vector<std::string> events;
  std::vector<std::string> frames;
  bool operator==(const Outcome&) const = default;
};

void check(bool good) {
  if (!good) std::abort();
}

void print(const Outcome& outcome) {
  for (const std::string& event : outcome.events) std::fprintf(stderr, "  %s\n", event.c_str());
  for (const std::string& frame : outcome.frames) std::fprintf(stderr, "  > %s\n", frame.c_str());
}

void check_same(const Outcome& whole, const Outcome& cut) {
  if (whole == cut) return;
  std::fprintf(stderr, "in one piece:\n");
  print(whole);
  std::fprintf(stderr, "in several:\n");
  print(cut);
  std::abort();
}

Outcome run(const Settings& settings, std::string_view bytes,
            const std::vector<std::size_t>& pieces, bool early) {
  static Bench bench;
  bench.context.options.message_bytes_max = settings.message_bytes_max;
  bench.context.options.compression_bytes_min = 16;
  bench.context.options.high_watermark_bytes = 2'000;
  bench.context.options.queue_bytes_max = std::size_t{1} << 30;
  const std::size_t first = early && !pieces.empty() ? pieces[0] : 0;
  Peer peer(bench.context, settings.deflate, bytes.substr(0, first));
  peer.on_message_hook = [&](Message& message) {
    check(message.data.size() <= settings.message_bytes_max);
    if (settings.echo) {
      peer.connection->send(message.text ? Opcode::kText : Opcode::kBinary, message.data);
    }
    if (settings.close_after_message) peer.connection->close(CloseCode::kNormal, "enough");
  };
  peer.open();
  bytes.remove_prefix(std::min(first, bytes.size()));
  for (std::size_t i = early ? 1 : 0; i < pieces.size() && !bytes.empty(); ++i) {
    peer.say(bytes.substr(0, pieces[i]));
    bytes.remove_prefix(std::min(pieces[i], bytes.size()));
  }
  peer.say(bytes);
  // Every turn lets at least one message through.
  for (std::size_t i = 0; i < 100'000 && (peer.wire.unread() > 0 || peer.wire.queued() > 0); ++i) {
    peer.turn();
    if (peer.ended()) break;
  }
  peer.turn();
  peer.wire.end_input();
  peer.turn();
  check(peer.ended());
  check(peer.nested == 0);
  // When the output fell is a matter of time, not of bytes.
  std::erase(peer.events, "writable");
  return {peer.events, peer.frames()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Settings settings = settings_from(data[0]);
  std::minstd_rand random(data[1] + 1u);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::vector<std::size_t> pieces;
  for (std::size_t left = bytes.size(); left > 0 && pieces.size() < 1'000;) {
    const std::size_t most = data[1] % 3 == 0 ? 3 : data[1] % 3 == 1 ? 40 : bytes.size();
    pieces.push_back(std::min<std::size_t>(left, 1 + random() % most));
    left -= pieces.back();
  }
  const Outcome whole = run(settings, bytes, {}, false);
  check_same(whole, run(settings, bytes, pieces, false));
  check_same(whole, run(settings, bytes, pieces, true));
  return 0;
}
