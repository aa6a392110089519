// Recorder: a StreamHandler that reads what comes and writes down what happens. Only tests include
// it.
//
// Thread: the stream's. Lifetime: outlives its stream, which the test puts into `stream`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "net/stream.h"

namespace anywire::net {

class Recorder final : public StreamHandler {
 public:
  void on_readable() override {
    ++readable_calls;
    if (on_readable_hook) return on_readable_hook();
    read_some();
  }
  void on_drained() override {
    ++drained_calls;
    if (on_drained_hook) on_drained_hook();
  }
  void on_closed() override {
    ++closed_calls;
    if (close_on_closed) stream->close();
  }

  // One read of at most `chunk` bytes.
  ReadStatus read_some() {
    std::vector<std::uint8_t> buffer(chunk);
    const ReadResult result = stream->read(buffer);
    if (result.status == ReadStatus::kData) received.append(as_text({buffer.data(), result.bytes}));
    if (result.status == ReadStatus::kEnd) {
      ++ends;
      if (stop_at_end) stream->set_reading(false);
    }
    if (result.status == ReadStatus::kError) {
      ++errors;
      stream->close();
    }
    return result.status;
  }

  Stream* stream = nullptr;
  std::size_t chunk = 64 * 1024;
  // A socket reports its end again and again until it is not read any more.
  bool stop_at_end = true;
  bool close_on_closed = true;

  std::string received;
  int readable_calls = 0;
  int drained_calls = 0;
  int closed_calls = 0;
  int ends = 0;
  int errors = 0;
  // Called instead of reading, and in `on_drained`.
  std::function<void()> on_readable_hook;
  std::function<void()> on_drained_hook;
};

}  // namespace anywire::net
