// EventStream: a Transport over a text/event-stream response (HTML standard, section 9.2).
//
// The response ends with its connection, without chunks, so that frames which many clients get are
// sent without a copy. A comment line breaks every silence of HttpStreamOptions::heartbeat, so that
// there is always something that a client which has vanished does not acknowledge; one that
// acknowledges or reads nothing for HttpStreamOptions::stream_timeout is taken for gone.
//
// Thread, lifetime, limits: see HttpStream. The Exchange outlives its part in this: see `on_gone`.
#pragma once

#include <cstdint>

#include "http/exchange.h"
#include "protocol/transport/http_stream.h"
#include "reactor/timer_wheel.h"

namespace anywire::protocol {

class EventStream final : public HttpStream, private reactor::Timer {
 public:
  // `exchange` calls on_drained and on_gone for as long as it is pending.
  EventStream(HttpStreams& streams, http::Exchange& exchange)
      : HttpStream(streams), exchange_(&exchange) {}

  void on_drained();
  void on_gone();

  void open() override;
  void close(ws::CloseCode code, std::string_view reason) override;
  void poll(std::uint64_t ack, const Asker& asker) override;
  void flush() override {}
  void abort() override;
  std::size_t unsent_bytes() const override {
    return exchange_ != nullptr ? exchange_->queued_bytes() : 0;
  }

 private:
  void enqueue(const BufferRef& events) override;
  void write(std::string_view text);
  void on_timer() override;
  void check_client();
  Duration look_interval() const;
  void drop(ws::CloseCode code);

  http::Exchange* exchange_;  // null when the response has ended
  // The client was behind at the last look; what it had read, and when it was seen to read.
  bool behind_ = false;
  std::uint64_t progress_seen_ = 0;
  TimePoint progress_at_;
  TimePoint last_output_;
};

}  // namespace anywire::protocol
