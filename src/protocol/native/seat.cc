#include "protocol/native/seat.h"

#include "base/assert.h"
#include "protocol/native/session.h"

namespace anywire::protocol::native {

std::unique_ptr<Seat> Seat::make(NativeSession& session, std::string_view channel) {
  return std::unique_ptr<Seat>(new (NameBytes{channel.size()}) Seat(session, channel));
}

Seat::Seat(NativeSession& session, std::string_view channel)
    : channel_bytes_less_one_((channel.size() - 1) & (kNameBytesMax - 1)), session_(session) {
  AW_ASSERT(!channel.empty() && channel.size() <= kNameBytesMax);
  channel.copy(reinterpret_cast<char*>(this + 1), channel.size());
}

void Seat::on_subscribed(const hub::Joined& joined) { session_.on_subscribed(*this, joined); }
void Seat::on_refused(hub::HubError error) { session_.on_refused(*this, error); }
bool Seat::on_delivery(hub::Delivery& delivery) { return session_.deliver(*this, delivery); }
void Seat::on_gap(const hub::Gap& gap) { session_.on_gap(*this, gap); }
void Seat::on_presence(hub::PresenceDelivery& delivery) { session_.on_presence(*this, delivery); }

}  // namespace anywire::protocol::native
