// FrameReader: finds the messages in what a server sends, for one connection.
//
// Small messages are shown whole; of one larger than kWholeBytesMax only the first kHeadBytes are
// kept, so that a megabyte costs no copy. A message that lies whole in one read is never copied.
// Fragmented data messages are refused: no server under test sends any, and a generator that
// assembled them would measure itself.
//
// Thread: the loop's. Lifetime: a Message points into the argument of `feed` or into the reader and
// is valid inside `on_frame` only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "websocket/frame_parser.h"

namespace anywire::bench {

struct Message {
  ws::Opcode opcode = ws::Opcode::kBinary;
  bool compressed = false;
  std::uint64_t length = 0;  // of the payload
  Bytes head;                // the payload, or its beginning
};

class FrameSink {
 public:
  // False stops the reader: the connection is closed.
  virtual bool on_frame(const Message& message) = 0;

 protected:
  ~FrameSink() = default;
};

class FrameReader {
 public:
  static constexpr std::size_t kWholeBytesMax = 64 * 1024;
  static constexpr std::size_t kHeadBytes = 256;

  explicit FrameReader(bool allow_compressed) : allow_compressed_(allow_compressed) {}

  // Null, or why the bytes are not what a WebSocket server may send (a static text).
  const char* feed(Bytes input, FrameSink& sink);

 private:
  enum class Progress { kFrame, kNeedMore, kStopped };

  ws::HeaderRules rules() const;
  Progress take_held(Bytes& input, FrameSink& sink);
  bool skip(Bytes& input, FrameSink& sink);
  void hold(Bytes& input, std::size_t total);

  bool allow_compressed_;
  const char* error_ = nullptr;
  std::vector<std::uint8_t> held_;  // an unfinished frame, or the head of a large payload
  Message large_;                   // the message being skipped
  std::uint64_t skip_ = 0;          // bytes of it still to come
};

}  // namespace anywire::bench
