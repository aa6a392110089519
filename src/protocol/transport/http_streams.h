// HttpStreams: one loop's clients without WebSocket, and the three endpoints they talk to:
//
//   GET  <path>/sse   -> EventStream    serve_event_stream
//   POST <path>/poll  -> LongPoll       serve_poll
//   POST <path>/send  -> either         serve_send
//
// A stream lives on the loop that made it. The requests that feed or poll it arrive on any loop;
// they go to the stream's by mail, and the answers come back by mail. Section 9 of
// docs/protocol.md.
//
// Thread: the loop's; loops reach each other through HttpStreamGroup. Lifetime: outlives its loop's
// streams, and the connections that ask; made before whatever sends output at the end of a turn
// (net::FlushQueue) and after what produces it (hub::Hub), so that answers leave in the turn they
// were made in. Limits: HttpStreamOptions.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/slot_table.h"
#include "codec/json_reader.h"
#include "http/connection.h"
#include "protocol/transport/http_stream.h"
#include "reactor/loop.h"

namespace anywire::protocol {

struct HttpStreamOptions {
  std::size_t message_bytes_max = 1024 * 1024;  // of a request's body
  Duration body_timeout{30'000};                // for the whole of it
  Duration heartbeat{15'000};                   // silence of an event stream before a comment
  Duration poll_hold{25'000};                   // a poll without messages is answered after it
  Duration stream_timeout{30'000};  // then a stream that nobody polls, or reads, is closed
  std::size_t high_watermark_bytes = 256 * 1024;  // unsent output that makes input wait
  std::size_t low_watermark_bytes = 64 * 1024;    // ends that; event streams: the net::Stream's
  std::size_t queue_bytes_max = 2 * 1024 * 1024;  // unsent output that ends the stream
  std::size_t streams_max = 100'000;              // of this loop
};

// All HttpStreams of a server, by the index of their loop. Filled before the loops run, and then
// unchanged.
struct HttpStreamGroup {
  std::vector<HttpStreams*> members;
};

class HttpStreams final : private reactor::TurnEndHook {
 public:
  // Makes the session of a new stream, or the answer to who may have none.
  using MakeSession = std::move_only_function<
      std::expected<std::unique_ptr<Session>, http::Response>(Transport&)>;

  HttpStreams(HttpStreamGroup& group, reactor::Loop& loop, const HttpStreamOptions& options);
  ~HttpStreams();
  HttpStreams(const HttpStreams&) = delete;
  HttpStreams& operator=(const HttpStreams&) = delete;

  // The endpoints. Inside RequestHandler::on_request, after the request's method was checked; what
  // `response` holds by then goes with the answer, as Connection::answer_later says.
  void serve_event_stream(http::Connection& connection, MakeSession make);
  void serve_poll(http::Connection& connection, MakeSession make);
  void serve_send(http::Connection& connection);

  // Says goodbye to all clients, as far as they can be told.
  void drain();
  // Ends all streams without a word.
  void abort();
  std::size_t size() const { return streams_.size(); }
  std::vector<HttpStream*> snapshot() const { return streams_.snapshot(); }

  const HttpStreamOptions& options() const { return options_; }
  reactor::Loop& loop() { return loop_; }

  // For streams.
  StreamId add(HttpStream& stream);
  void remove(HttpStream& stream) { streams_.remove(stream.id().slot); }
  void flush_later(SlotId stream) { touched_.push_back(stream); }
  void answer(const Asker& asker, http::Response response);
  void answer_json(const Asker& asker, int status, std::string body);
  void answer_taken(const Asker& asker) { answer(asker, {.status = 204}); }
  void answer_gone(const Asker& asker);
  void answer_overloaded(const Asker& asker);
  void answer_bad(const Asker& asker, std::string_view message);

 private:
  class EventStreamRequest;
  class PostRequest;

  // What the body of a POST asks for.
  struct Command {
    std::optional<StreamId> stream;  // none: to open one
    bool names_stream = false;       // whether it parses or not
    std::uint64_t ack = 0;
    std::string_view messages;  // an array, as sent; null when there is none
    std::size_t message_count = 0;
  };

  void start_event_stream(EventStreamRequest& request, const http::RequestHead& head);
  void take_post(PostRequest& request, const http::RequestHead& head, BufferRef body);
  Result<Command> read_command(Bytes body, bool polls);
  void open_poll(PostRequest& request, const http::RequestHead& head, const Command& command,
                 BufferRef body);
  bool full() const { return streams_.size() >= options_.streams_max; }
  HttpStream* find(const StreamId& id);
  // Runs `task` where that stream lives: at once, if it is here. False when there is no such loop.
  template <typename Task>
  bool go_to(std::uint32_t loop, Task&& task);
  void on_turn_end() override;

  HttpStreamGroup& group_;
  reactor::Loop& loop_;
  HttpStreamOptions options_;
  codec::JsonReader reader_;
  SlotTable<HttpStream> streams_;
  SlotTable<PostRequest> requests_;  // POSTs that wait for their answer
  std::vector<SlotId> touched_;
};

}  // namespace anywire::protocol
