// Connection: the server side of one HTTP/1.1 connection until it ends or becomes something else.
//
// Requests are answered one after the other, in their order. A handler fills in its answer, or
// takes the stream over, which ends the connection's part in it, or hands over an Exchange, which
// gets the request's body and answers later. Bodies that nobody wants are read and dropped.
//
// Thread: the loop's. Lifetime: owns itself, through its context's set; destroyed at the end of the
// turn in which the stream ended or was taken over.
// Limits: RequestLimits, BodyLimits and ConnectionOptions. An idle connection holds no buffers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/dense_set.h"
#include "http/exchange.h"
#include "http/request_parser.h"
#include "http/response_writer.h"
#include "net/address.h"
#include "net/stream.h"
#include "reactor/loop.h"

namespace anywire::http {

class Connection;

class RequestHandler {
 public:
  // Fill in `response`; or call `connection.take_stream()` to go on without HTTP, or
  // `connection.answer_later()`: then `response` is ignored. `head` is valid until this returns.
  virtual void on_request(Connection& connection, const RequestHead& head, Response& response) = 0;

 protected:
  ~RequestHandler() = default;
};

struct ConnectionOptions {
  RequestLimits limits;
  Duration head_timeout{10'000};        // for a whole head, from its first byte or the accept
  Duration keep_alive_timeout{30'000};  // between two requests; 0 = close after one
  // Of a body that nobody wants; else 413.
  std::uint64_t skipped_body_bytes_max = 1024 * 1024;
  // A client that takes nothing of its answer for so long, once that is complete, is given up.
  Duration send_timeout{60'000};
  // Incomplete bodies of all connections together; else 503.
  std::uint64_t held_body_bytes_max = 256 * 1024 * 1024;
};

// What all connections of one loop share. Outlives them.
struct ConnectionContext {
  reactor::Loop& loop;
  ConnectionOptions options;
  RequestHandler& handler;
  RequestParser parser;  // for heads that arrive in one piece
  DenseSet<Connection> connections;
  bool draining = false;  // answer what comes, then close
  std::uint64_t held_body_bytes = 0;  // of incomplete bodies
};

class Connection final : public DenseSetMember,
                         private net::StreamHandler,
                         private reactor::Timer {
 public:
  // `lease` is kept for as long as this part of the connection lasts and means nothing here.
  static void start(ConnectionContext& context, std::unique_ptr<net::Stream> stream,
                    net::Address peer, std::shared_ptr<void> lease = {});
  ~Connection() override;

  const net::Address& peer() const { return peer_; }
  bool encrypted() const { return stream_->encrypted(); }
  // What `start` was given, for who knows what it is.
  void* lease() const { return lease_.get(); }

  // All three only inside `on_request`, one of them, and once.
  //
  // The stream and what the client sent behind its request; the latter is valid until the handler
  // returns. The connection is over after this.
  struct Taken {
    std::unique_ptr<net::Stream> stream;
    Bytes early;
    std::shared_ptr<void> lease;
  };
  Taken take_stream();
  // The connection as it was before this request came, to go on elsewhere, perhaps on another loop.
  // It is over here after this.
  struct Moved {
    std::unique_ptr<net::Stream> stream;
    BufferRef input;  // the request and what came behind it; nobody else holds it
    net::Address peer;
    std::shared_ptr<void> lease;
  };
  Moved move_away();
  // Goes on with it. The stream is attached to this loop.
  static void resume(ConnectionContext& context, Moved moved);

  // Hands the request to `exchange`, which may answer at once.
  void answer_later(std::unique_ptr<Exchange> exchange, const BodyLimits& limits);

  // Closes when no request is being read or answered: at once, or when the last answer has left.
  void drain();
  // Closes whatever is going on.
  void abort() { end(); }

 private:
  friend class Exchange;

  // What belongs to a request while its handler is asked.
  struct Asking {
    const RequestHead& head;
    const Response& response;
    Bytes rest;
    bool taken = false;     // take_stream
    bool deferred = false;  // answer_later
  };

  static constexpr std::uint64_t kNoProgress = ~std::uint64_t{0};

  Connection(ConnectionContext& context, std::unique_ptr<net::Stream> stream, net::Address peer,
             std::shared_ptr<void> lease);
  void on_readable() override;
  void on_drained() override;
  void on_closed() override;
  void on_timer() override;

  void take_input(Bytes input);
  bool take_head(RequestParser& parser, Bytes rest);
  void keep_parser(RequestParser& parser);
  bool begin_exchange(RequestParser& parser, Bytes rest);
  bool hold_body(Bytes part);
  bool stream_body(Bytes part);
  bool finish_input(RequestParser& parser, Bytes rest);
  void end_request();
  void resume_input();
  void read_ahead();
  void refuse(const HttpError& error);
  void send(const std::string& bytes);
  void close_gracefully();
  void discard_input();
  bool still_sending();
  void end();
  void leave();

  // For Exchange, in exchange.cc.
  void answer(Response& response);
  void begin_stream(const StreamHead& head);
  void begin_answer(const AnswerHead& head);
  void pause_body();
  void resume_body();
  Exchange::Switched switch_protocols(std::span<const Header> headers);
  void after_answer();
  void refuse_exchange(const HttpError& error);
  bool decide_keep_alive();
  std::unique_ptr<Exchange> release_exchange();

  ConnectionContext& context_;
  std::unique_ptr<net::Stream> stream_;
  std::shared_ptr<void> lease_;
  // Present while a request is incomplete.
  std::unique_ptr<RequestParser> own_parser_;
  // Requests that wait: for the client to read its answers, or for the answer before theirs.
  BufferRef carry_;
  // Present while a request waits for its answer or the answer streams.
  std::unique_ptr<Exchange> exchange_;
  Asking* asking_ = nullptr;  // while the handler is asked
  net::Address peer_;
  std::uint64_t progress_ = kNoProgress;  // of the output, at `progress_at_`
  TimePoint progress_at_;
  bool keep_alive_ : 1 = true;
  bool served_ : 1 = false;     // one request at least
  bool answered_ : 1 = false;   // the request whose body is still coming
  bool ending_ : 1 = false;     // the last answer is on its way
  bool throttled_ : 1 = false;  // the client does not read its answers
  bool parsing_ : 1 = false;    // inside take_input, which goes on by itself
  bool body_paused_ : 1 = false;  // whoever takes the streamed body wants no more of it now
};

}  // namespace anywire::http
