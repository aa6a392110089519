#include "protocol/raw/session.h"

#include "protocol/close_reason.h"
#include "protocol/raw/adapter.h"
#include "protocol/raw/codec.h"
#include "protocol/raw/names.h"

namespace anywire::protocol::raw {

void RawSession::on_attached(const http::RequestHead& request) {
  const std::string_view channel = take_channel(request);
  if (!adapter_.anyone_may(auth::Operation::kSubscribe, channel)) {
    return close(Close::kTokenNeeded, "this channel needs a token");
  }
  join(channel, adapter_.anyone_may(auth::Operation::kPublish, channel));
}

std::string_view RawSession::take_channel(const http::RequestHead& request) {
  const bool root = request.path == "/";
  greet_ = root && adapter_.options().root_greeting;
  return root ? std::string_view(adapter_.options().root_channel)
              : request.path.substr(kPathPrefix.size());
}

void RawSession::join(std::string_view channel, bool may_publish) {
  may_publish_ = may_publish;
  adapter_.hub().subscribe(channel, *this);
}

std::string_view RawSession::channel() const { return adapter_.hub().channel_of(*this); }

void RawSession::close(Close code, std::string_view reason) {
  if (closed_) return;
  closed_ = true;
  leave();
  if (!open_) transport_.open();
  open_ = true;
  transport_.close(static_cast<ws::CloseCode>(code), cut_close_reason(reason));
}

void RawSession::leave() { adapter_.hub().unsubscribe(*this); }

void RawSession::on_subscribed(const hub::Joined&) {
  open_ = true;
  transport_.open();
  if (greet_) transport_.send_text(kGreeting);
}

void RawSession::on_message(ws::Message& message) {
  if (closed_ || !admit(message.data.size())) return;
  if (heartbeat_ && message.text && message.data.empty()) return transport_.send_text({});
  // There is no answer that could say so, and to drop it would be to lose it in silence.
  if (!may_publish_) return close(Close::kNotWanted, "this client may not publish here");
  BufferRef payload = message.owned ? std::move(message.owned) : Buffer::copy_of(message.data);
  broker::Draft draft;
  draft.kind = message.text ? broker::PayloadKind::kText : broker::PayloadKind::kBinary;
  draft.payload = std::move(payload);
  sign(draft);
  if (adapter_.validation() != nullptr && !admit(draft)) return;
  if (asks_) return ask(std::move(draft));
  adapter_.hub().publish(*this, std::move(draft));
}

// A raw client cannot be told to wait, and what it says must not be dropped in silence: its bursts
// may be twice as large as others', and then it is closed.
bool RawSession::admit(std::size_t bytes) {
  SessionLimits* const limits = this->limits();
  if (limits == nullptr) return true;
  const TimePoint now = adapter_.loop().now();
  auto hit = limits->take(Limited::kMessages, 1, now);
  if (!hit) hit = limits->take(Limited::kBytes, bytes, now);
  if (hit) close(Close::kTooManyMessages, hit->text);
  return !hit;
}

// Here a text says nothing of what it is. Where there is a schema it is JSON, and others get it as
// that.
bool RawSession::admit(broker::Draft& draft) {
  const std::string_view channel = this->channel();
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  if (!adapter_.validation()->covers(rule, channel)) return true;
  if (draft.kind == broker::PayloadKind::kText) draft.kind = broker::PayloadKind::kJson;
  const auto violation = adapter_.validation()->check(
      rule,
      {.channel = channel, .kind = draft.kind, .payload = as_text(draft.payload->bytes())});
  if (violation) transport_.send_text(encode_violation(*violation));
  return !violation;
}

void RawSession::on_refused(hub::HubError) {
  close(Close::kTryAgainLater, "the channel is not available");
}

bool RawSession::on_delivery(hub::Delivery& delivery) {
  // All peers of a loop that take compressed frames draw the line at the same size, so what one of
  // them encodes suits the others.
  const auto compressed = [this](std::size_t bytes) {
    return transport_.encoding(bytes) == Transport::Encoding::kCompressed;
  };
  if (compressed(delivery.payload_bytes_max())) {
    transport_.send_frame(delivery.frame(kCompressedVariant, [&](const auto& publication) {
      return compressed(publication.payload->size())
                 ? encode_compressed(publication, adapter_.compression())
                 : encode(publication);
    }));
  } else {
    transport_.send_frame(delivery.frame(kPlainVariant, encode));
  }
  return true;
}

void RawSession::on_closed(ws::CloseCode) { leave(); }

}  // namespace anywire::protocol::raw
