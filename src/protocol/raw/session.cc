#include "protocol/raw/session.h"

#include "protocol/raw/adapter.h"
#include "protocol/raw/codec.h"
#include "protocol/raw/names.h"

namespace anywire::protocol::raw {

void RawSession::on_attached(const http::RequestHead& request) {
  const bool root = request.path == "/";
  greet_ = root && adapter_.options().root_greeting;
  // The upgrade is answered once the subscription is in force, so that a client that is connected
  // misses nothing.
  adapter_.hub().subscribe(root ? std::string_view(adapter_.options().root_channel)
                                : request.path.substr(kPathPrefix.size()),
                           *this);
}

void RawSession::on_subscribed(const hub::Joined&) {
  transport_.open();
  if (greet_) transport_.send_text(kGreeting);
}

void RawSession::on_message(ws::Message& message) {
  if (heartbeat_ && message.text && message.data.empty()) return transport_.send_text({});
  BufferRef payload = message.owned ? std::move(message.owned) : Buffer::copy_of(message.data);
  broker::Draft draft;
  draft.kind = message.text ? broker::PayloadKind::kText : broker::PayloadKind::kBinary;
  draft.payload = std::move(payload);
  adapter_.hub().publish(*this, std::move(draft));
}

// The upgrade is completed all the same: a close code says more than a failed handshake.
void RawSession::on_refused(hub::HubError) {
  transport_.open();
  transport_.close(ws::CloseCode::kTryAgainLater, "the channel is not available");
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

void RawSession::on_closed(ws::CloseCode) { adapter_.hub().unsubscribe(*this); }

}  // namespace anywire::protocol::raw
