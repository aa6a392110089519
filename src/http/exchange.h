// Exchange: one request whose answer does not come at once, or does not come to an end at once.
//
// A handler that wants the body of a request, or time to think, or to stream, derives from it, and
// hands an object of that class to `Connection::answer_later` inside `on_request`:
//
//   connection.answer_later(std::make_unique<Upload>(), {.body_bytes_max = 64 * 1024});
//   ...
//   void Upload::on_request(const RequestHead& head, BufferRef body) {
//     respond({.status = 204});             // now, or whenever the answer is known
//   }
//
// Meanwhile the connection answers nothing else: requests behind this one wait, a bounded number of
// bytes of them, and then the client's socket is left unread. After the answer it goes on.
//
// Whoever answers from another loop, or keeps no pointer for another reason, gives the exchange a
// place in a SlotTable of its own and lets go of it in the destructor.
//
// A body may also be taken as it comes (BodyLimits::streamed), and an answer be passed on as
// somebody else gave it (begin_answer): what a reverse proxy does. Such a body is never held here,
// so its size costs nothing; whoever takes it stops the client with `pause_body`.
//
// Thread: the loop's. Lifetime: owned by its connection until it is answered or `on_gone` was
// called, then destroyed at the end of that turn; `pending()` is false from then on, and whatever
// is called does nothing. No callback may destroy it. Limits: BodyLimits; streamed output is
// bounded by whoever writes, who watches `queued_bytes`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/time.h"
#include "http/request.h"
#include "http/status.h"
#include "net/stream.h"

namespace anywire::http {

class Connection;

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<Header> headers;  // static texts
  // What a page of that origin needs to read the answer: Access-Control-Allow-Origin. Left out when
  // empty; must be a field value. This and `headers`, as they are when `answer_later` is called,
  // also go with the later answer, with a refusal of the body too.
  std::string allow_origin;
};

// The head of an answer without a known length.
struct StreamHead {
  std::string_view content_type;
  // Framed as chunks (RFC 9112 section 7.1) where the client's version has them, so that the
  // connection outlives the answer. Else it ends with the connection, and a buffer that many
  // clients get is sent without a copy.
  bool chunked = true;
  std::span<const Header> headers;  // static texts
};

// The head of an answer in parts, of any status but 1xx.
struct AnswerHead {
  int status = 200;
  // What write() will bring, to the byte; of an answer without a body what it would have had.
  // Without it the body is framed as in StreamHead.
  std::optional<std::uint64_t> content_length;
  bool has_body = true;
  // Tokens and field values, without Connection and what frames the body. A Date is added where
  // there is none.
  std::span<const Header> headers;
};

struct BodyLimits {
  std::uint64_t body_bytes_max = 0;  // else 413; no more than RequestLimits allow
  // For the whole body from the end of the head, or, if it is streamed, for each next part while it
  // is not paused; else 408. 0 means no limit.
  Duration body_timeout{30'000};
  // Hand the body out in parts. "100 Continue" is then the exchange's to send.
  bool streamed = false;
};

class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;

  // The request is complete; comes once, after the handler's on_request has returned. `head` is
  // valid until this returns. `body` is null when it is empty, and nobody else holds it.
  virtual void on_request(const RequestHead& head, BufferRef body) = 0;
  // The next part of a streamed body; all of them come before on_request, whose body is null then.
  virtual void on_body(Bytes) {}
  // Streamed output has fallen to the stream's low watermark. May come unasked.
  virtual void on_drained() {}
  // What a client is told whose body breaks a limit, instead of the plain text that others get; the
  // connection ends after it.
  virtual std::optional<Response> refusal(const HttpError&) const { return std::nullopt; }
  // The client went away, broke a limit or has been too slow with its body, and has been told so;
  // there is nobody to answer. A client that closes its sending side counts as gone: browsers and
  // proxies do that only when they have given up.
  virtual void on_gone() = 0;

  // Waits for its answer or streams it.
  bool pending() const { return connection_ != nullptr; }
  bool streaming() const { return streaming_; }

  // The whole answer. An exchange may be answered before its request is complete; the rest of the
  // body is then skipped and `on_request` does not come.
  void respond(Response response);

  // The answer in parts: 200 and a head, any number of parts, and the end. Parts leave at the end
  // of the turn.
  void begin_stream(const StreamHead& head);
  void write(Bytes part);
  void write(const BufferRef& part);
  void finish();

  // The same with a head of any kind. A request that is not complete yet ends its connection with
  // the answer.
  void begin_answer(const AnswerHead& head);
  // A status from 100 to 199 but 101, before the answer. Clients of HTTP/1.0 do not get it.
  void send_informational(int status, std::span<const Header> headers);

  // Stops the client from sending more of a streamed body; what has been read already still comes.
  void pause_body();
  void resume_body();

  // Answers a complete request with 101 and these headers, of which Upgrade is one, and hands the
  // stream over with what the client sent behind the request (perhaps null). The connection is over
  // after this; `on_gone` is not called. Not while the handler of the request is still asked.
  struct Switched {
    std::unique_ptr<net::Stream> stream;
    BufferRef early;
    std::shared_ptr<void> lease;
  };
  Switched switch_protocols(std::span<const Header> headers);

  // Of the connection: bytes not taken by the kernel yet, see net::Stream.
  std::size_t queued_bytes() const;
  std::uint64_t progress() const;
  void notify_when_drained();
  void set_send_timeout(Duration timeout);

  // Drops the connection without a word, and so that the client cannot take what it got for the
  // whole answer. `on_gone` is not called.
  void abort();

 private:
  friend class Connection;

  Connection* connection_ = nullptr;
  BodyLimits limits_;
  BufferRef body_;
  std::vector<Header> headers_;
  std::string allow_origin_;
  bool head_only_ = false;   // the request was HEAD
  bool may_chunk_ = false;   // the client's version knows chunks
  bool complete_ = false;    // on_request was called
  bool streaming_ = false;
  bool chunked_ = false;
  bool until_close_ = false;  // only the end of the connection ends the answer
};

}  // namespace anywire::http
