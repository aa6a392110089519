// NativeSession: who is present.
#include <utility>

#include "protocol/native/encoder.h"
#include "protocol/native/session.h"

namespace anywire::protocol::native {
namespace {

std::uint8_t next_turn(Seat& seat) {
  seat.presence_turn = static_cast<std::uint8_t>((seat.presence_turn + 1) & 15);
  return seat.presence_turn;
}

}  // namespace

std::optional<Refusal> NativeSession::may_be_present(std::string_view channel) const {
  const hub::ChannelRule& rule = adapter_.hub().rules().find(channel);
  std::optional<Refusal> refusal = may(auth::Operation::kPresence, channel, rule);
  if (!refusal && !rule.presence) refusal = refusal_of(hub::HubError::kNoPresence);
  return refusal;
}

hub::MemberDraft NativeSession::member(const Seat& seat) const {
  return {.client_id = client_.text(),
          .user_id = user(),
          .info = seat.info ? std::string_view(*seat.info) : token_info(),
          .loop = adapter_.loop().index()};
}

void NativeSession::run(std::uint64_t id, const Enter& enter) {
  const std::string_view channel = enter.channel;
  std::optional<Refusal> refusal = may_be_present(channel);
  if (!refusal && find(channel) == nullptr) refusal = no_place();
  if (refusal) return send_error(id, *refusal, channel);
  Seat& seat = seat_for(channel);
  // From here on, so that the end of the connection ends this, too, whenever it comes.
  seat.present = true;
  seat.info = enter.info ? std::make_unique<std::string>(*enter.info) : nullptr;
  const std::uint8_t turn = next_turn(seat);
  wait(id);
  adapter_.hub().enter(
      channel, member(seat),
      later([id, turn, name = std::string(channel)](
                NativeSession& self, const std::expected<std::uint64_t, hub::HubError>& result) {
        if (result) return self.reply(id, encode_ok(self.format_, id));
        self.reply_error(id, refusal_of(result.error()), name);
        Seat* refused = self.find(name);
        if (refused == nullptr || refused->presence_turn != turn) return;
        refused->present = false;
        refused->info.reset();
        self.drop_if_empty(*refused);
      }));
}

void NativeSession::run(std::uint64_t id, const Leave& leave) {
  Seat* seat = find(leave.channel);
  if (seat == nullptr || !seat->present) {
    return send_error(id, {ErrorCode::kNotPresent, "this client had not entered"}, leave.channel);
  }
  adapter_.hub().leave(leave.channel, client_.text());
  seat->present = false;
  seat->info.reset();
  next_turn(*seat);
  drop_if_empty(*seat);
  send(encode_ok(format_, id));
}

void NativeSession::run(std::uint64_t id, const Members& members) {
  const std::string_view channel = members.channel;
  if (const auto refusal = may_be_present(channel)) return send_error(id, *refusal, channel);
  wait(id);
  adapter_.hub().members(
      channel, members.after, members.limit,
      later([id, name = std::string(channel)](
                NativeSession& self, const std::expected<hub::PresencePage, hub::HubError>& page) {
        if (!page) return self.reply_error(id, refusal_of(page.error()), name);
        self.reply(id, encode_members(self.format_, id, name, *page));
      }));
}

// Enters again wherever the session it has taken over was: the hub takes that for no change, but
// knows where the member is now. Then leaves what the new token does not allow.
void NativeSession::return_to(const Estate& estate) {
  for (const Presence& presence : estate.presences) {
    Seat& seat = seat_for(presence.channel);
    seat.present = true;
    if (presence.info) seat.info = std::make_unique<std::string>(*presence.info);
    adapter_.hub().enter(presence.channel, member(seat));
    if (!may_be_present(presence.channel)) continue;
    adapter_.hub().leave(presence.channel, client_.text());
    seat.present = false;
    drop_if_empty(seat);
  }
}

void NativeSession::vanish() {
  for (const Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (seat->present) adapter_.hub().vanish(seat->channel(), client_.text());
  }
}

// The session that was to take it over has gone meanwhile: the grace begins now, and here.
void NativeSession::abandon(NativeAdapter& adapter, const Estate& estate) {
  for (const Presence& presence : estate.presences) {
    adapter.hub().enter(presence.channel, {.client_id = estate.client.text(),
                                           .user_id = estate.user,
                                           .info = presence.info.value_or(estate.info),
                                           .loop = adapter.loop().index()});
    adapter.hub().vanish(presence.channel, estate.client.text());
  }
}

}  // namespace anywire::protocol::native
