// The two requests of an Engine.IO session's client: PollRequest waits for packets, PostRequest
// brings some.
//
// Thread: the loop's, which is the session's. Lifetime: see http::Exchange; request and link know
// each other until either has ended or the request is answered.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "http/exchange.h"
#include "protocol/transport/engine/packet.h"
#include "protocol/transport/stream_id.h"

namespace anywire::protocol::engine {

class Endpoint;
class Link;

class PollRequest final : public http::Exchange {
 public:
  // The request that opens the session, whatever `begin` says.
  using Begin = std::move_only_function<void(PollRequest*, const http::RequestHead&)>;

  PollRequest(Endpoint& endpoint, const StreamId& id, bool takes_gzip, Begin begin = nullptr)
      : endpoint_(endpoint), id_(id), takes_gzip_(takes_gzip), begin_(std::move(begin)) {}
  ~PollRequest() override;

  void on_request(const http::RequestHead& head, BufferRef body) override;
  void on_gone() override;

  bool takes_gzip() const { return takes_gzip_; }

 private:
  friend class Link;
  Endpoint& endpoint_;
  StreamId id_;
  bool takes_gzip_;
  Begin begin_;
  Link* link_ = nullptr;  // while it waits there
};

class PostRequest final : public http::Exchange {
 public:
  explicit PostRequest(Link& link);
  ~PostRequest() override;

  void on_request(const http::RequestHead& head, BufferRef body) override;
  std::optional<http::Response> refusal(const http::HttpError& error) const override;
  void on_gone() override;

 private:
  friend class Link;
  Link* link_;
  BufferRef body_;
  PayloadReader packets_;  // of the body, that the session has not been given
  bool complete_ = false;
  mutable bool too_large_ = false;
};

}  // namespace anywire::protocol::engine
