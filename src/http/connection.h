// Connection: the server side of one HTTP/1.1 connection until it ends or becomes something else.
//
// Requests are answered one after the other; bodies are read and dropped, since nothing served here
// takes one yet. A request whose handler takes the stream over ends the connection's part in it.
//
// Thread: the loop's. Lifetime: owns itself, through its context's set; destroyed at the end of the
// turn in which the stream ended or was taken over.
// Limits: RequestLimits and the deadlines of ConnectionOptions.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/dense_set.h"
#include "http/request_parser.h"
#include "http/response_writer.h"
#include "net/address.h"
#include "net/stream.h"
#include "reactor/loop.h"

namespace anywire::http {

class Connection;

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<Header> headers;  // static texts
};

class RequestHandler {
 public:
  // Fill in `response`, or call `connection.take_stream()` to go on without HTTP; then `response`
  // is ignored. `head` is valid until this returns.
  virtual void on_request(Connection& connection, const RequestHead& head, Response& response) = 0;

 protected:
  ~RequestHandler() = default;
};

struct ConnectionOptions {
  RequestLimits limits;
  Duration head_timeout{10'000};        // for a whole head, from its first byte or the accept
  Duration keep_alive_timeout{30'000};  // between two requests; 0 = close after one
};

// What all connections of one loop share. Outlives them.
struct ConnectionContext {
  reactor::Loop& loop;
  ConnectionOptions options;
  RequestHandler& handler;
  RequestParser parser;  // for heads that arrive in one piece
  DenseSet<Connection> connections;
  bool draining = false;  // answer what comes, then close
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

  // The stream and what the client sent behind its request; the latter is valid until the handler
  // returns. The connection is over after this.
  struct Taken {
    std::unique_ptr<net::Stream> stream;
    Bytes early;
    std::shared_ptr<void> lease;
  };
  Taken take_stream();

  // Closes when no request is being read: at once, or when the last answer has left.
  void drain();
  // Closes whatever is going on.
  void abort() { end(); }

 private:
  Connection(ConnectionContext& context, std::unique_ptr<net::Stream> stream, net::Address peer,
             std::shared_ptr<void> lease);
  void on_readable() override;
  void on_drained() override;
  void on_closed() override;
  void on_timer() override;

  void take_input(Bytes input);
  bool take_head(RequestParser& parser, Bytes rest);
  void finish_request(RequestParser& parser);
  void refuse(const HttpError& error);
  void send(const std::string& bytes);
  void close_gracefully();
  void end();
  void discard_input();

  ConnectionContext& context_;
  std::unique_ptr<net::Stream> stream_;
  std::shared_ptr<void> lease_;
  // Present while a request is incomplete.
  std::unique_ptr<RequestParser> own_parser_;
  // Requests that wait for the client to read its answers.
  BufferRef carry_;
  Bytes early_;
  net::Address peer_;
  bool keep_alive_ = true;
  bool served_ = false;    // one request at least
  bool answered_ = false;  // the request whose body is still coming
  bool ending_ = false;    // the last answer is on its way
  bool throttled_ = false;  // the client does not read its answers
};

}  // namespace anywire::http
