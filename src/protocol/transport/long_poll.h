// LongPoll: a Transport whose client fetches its messages, one answer after the other.
//
// Each answer with messages has a number, one more than the last, and is kept until the client
// names that number; until then every poll gets it again. An answer without messages repeats the
// number.
// So a poll or an answer may be lost at any point, and no message is lost or comes twice.
//
// Thread, lifetime, limits: see HttpStream.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/transport/http_stream.h"
#include "reactor/timer_wheel.h"

namespace anywire::protocol {

class LongPoll final : public HttpStream, private reactor::Timer {
 public:
  explicit LongPoll(HttpStreams& streams) : HttpStream(streams) {}

  void open() override;
  void close(ws::CloseCode code, std::string_view reason) override;
  void poll(std::uint64_t ack, const Asker& asker) override;
  void forget_poll(const Asker& asker) override;
  void flush() override;
  void abort() override;
  std::size_t unsent_bytes() const override { return queued_bytes_; }

 private:
  void enqueue(const BufferRef& events) override;
  void on_timer() override;
  void wait(Duration time);
  bool drop_acknowledged();
  void compose();
  void answer(bool with_messages);
  void resume();

  std::vector<BufferRef> queue_;   // event frames that no answer holds yet
  std::vector<BufferRef> answer_;  // of the answer that is not acknowledged
  std::size_t answer_bytes_ = 0;   // of the latter
  std::size_t queued_bytes_ = 0;   // of both
  std::uint64_t seq_ = 0;          // of the last answer with messages
  bool answered_ = false;          // that one is not acknowledged yet
  bool answer_closes_ = false;     // and says that this is the end
  std::optional<Asker> poller_;    // who waits for an answer
};

}  // namespace anywire::protocol
