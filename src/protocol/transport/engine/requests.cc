#include "protocol/transport/engine/requests.h"

#include <utility>

#include "codec/utf8.h"
#include "protocol/transport/engine/endpoint.h"
#include "protocol/transport/engine/link.h"

namespace anywire::protocol::engine {

PollRequest::~PollRequest() {
  if (link_ != nullptr) std::exchange(link_, nullptr)->forget(*this);
}

void PollRequest::on_request(const http::RequestHead& head, BufferRef) {
  if (begin_) return std::exchange(begin_, nullptr)(this, head);
  Link* const link = endpoint_.find(id_);
  if (link == nullptr) return respond(error_response(400, 1, kUnknownSession));
  link->poll(*this);
}

void PollRequest::on_gone() {
  if (link_ != nullptr) std::exchange(link_, nullptr)->forget(*this);
}

PostRequest::PostRequest(Link& link) : link_(&link) { link.begin_post(*this); }

PostRequest::~PostRequest() {
  if (link_ != nullptr) std::exchange(link_, nullptr)->forget(*this);
}

void PostRequest::on_request(const http::RequestHead&, BufferRef body) {
  if (link_ == nullptr) return respond(error_response(400, 1, kUnknownSession));
  body_ = std::move(body);
  const Bytes bytes = body_ ? body_->bytes() : Bytes();
  // Sessions are told that a text is one; what is not, is no packet either.
  packets_ = PayloadReader(codec::is_valid_utf8(bytes) ? as_text(bytes) : std::string_view());
  link_->take_post(*this);
}

std::optional<http::Response> PostRequest::refusal(const http::HttpError& error) const {
  too_large_ = error.status == 413;
  return std::nullopt;
}

void PostRequest::on_gone() {
  if (link_ != nullptr) std::exchange(link_, nullptr)->forget(*this);
}

}  // namespace anywire::protocol::engine
