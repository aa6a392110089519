// NativeSession: who is present.
#include <utility>
#include <vector>

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
  return {.client_id = client(),
          .user_id = user(),
          .info = seat.info ? std::string_view(*seat.info) : token_info(),
          .loop = adapter_.loop().index(),
          .made = seat.info ? hub::MemberPtr() : me_};
}

void NativeSession::run(std::uint64_t id, const Enter& enter) {
  const std::string_view channel = enter.channel;
  std::optional<Refusal> refusal = may_be_present(channel);
  const Seat* there = find(channel);
  if (!refusal && there == nullptr) refusal = no_place();
  if (!refusal && (there == nullptr || !there->present)) refusal = no_presence_place();
  if (!refusal && adapter_.validation() != nullptr) refusal = violation_of(enter);
  if (refusal) return send_error(id, *refusal, channel);
  Seat& seat = seat_for(channel);
  std::unique_ptr<std::string> before = std::move(seat.info);
  if (enter.info) seat.info = std::make_unique<std::string>(*enter.info);
  wait(id);
  this->enter(seat, id, std::move(before));
}

// Of the token's info, too, where that is what the others would see.
std::optional<Refusal> NativeSession::violation_of(const Enter& enter) const {
  auto violation = adapter_.validation()->check_presence(enter.channel,
                                                         enter.info.value_or(token_info()));
  if (!violation) return std::nullopt;
  return refusal_of(*std::move(violation));
}

// `id` is 0 when nobody asked now: then the client is told only what it would not expect. `before`
// is what it has as long as the owner does not accept this.
void NativeSession::enter(Seat& seat, std::uint64_t id, std::unique_ptr<std::string> before) {
  // From here on, so that the end of the connection ends this, too, whenever it comes.
  seat.present = true;
  const std::uint8_t turn = next_turn(seat);
  adapter_.hub().enter(
      seat.channel(), member(seat),
      later([id, turn, before = std::move(before), name = std::string(seat.channel())](
                NativeSession& self,
                const std::expected<std::uint64_t, hub::HubError>& result) mutable {
        Seat* entered = self.find(name);
        const bool latest = entered != nullptr && entered->presence_turn == turn;
        if (result) {
          if (latest) entered->entered = true;
          return id == 0 ? void() : self.reply(id, encode_ok(self.format_, id));
        }
        const Refusal refusal = refusal_of(result.error());
        if (id != 0) {
          self.reply_error(id, refusal, name);
        } else if (latest) {
          self.send(encode_left(self.format_, name, refusal));
        }
        if (latest) self.refused_to_enter(*entered, result.error(), std::move(before));
      }));
}

// Who was present stays so, with what it had. For anybody else the owner is told: it may still have
// the member of the session that this one has taken over. Who finds no place has none.
void NativeSession::refused_to_enter(Seat& seat, hub::HubError error,
                                     std::unique_ptr<std::string> before) {
  if (seat.entered && error != hub::HubError::kTooManyMembers) {
    seat.info = std::move(before);
    return;
  }
  adapter_.hub().leave(seat.channel(), client());
  end_presence(seat);
}

// The owner has been told, or knows.
void NativeSession::end_presence(Seat& seat) {
  seat.present = seat.entered = false;
  seat.info.reset();
  next_turn(seat);
  drop_if_empty(seat);
}

// After a new token: what that one does not allow.
void NativeSession::leave_forbidden() {
  std::vector<std::pair<Seat*, Refusal>> left;
  for (Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (!seat->present) continue;
    if (auto refusal = may_be_present(seat->channel())) left.emplace_back(seat, *refusal);
  }
  for (const auto& [seat, refusal] : left) {
    adapter_.hub().leave(seat->channel(), client());
    send(encode_left(format_, seat->channel(), refusal));
    end_presence(*seat);
  }
}

void NativeSession::run(std::uint64_t id, const Leave& leave) {
  Seat* seat = find(leave.channel);
  if (seat == nullptr || !seat->present) {
    return send_error(id, {ErrorCode::kNotPresent, "this client had not entered"}, leave.channel);
  }
  adapter_.hub().leave(leave.channel, client());
  end_presence(*seat);
  send(encode_ok(format_, id));
}

void NativeSession::run(std::uint64_t id, const Members& members) {
  const std::string_view channel = members.channel;
  std::optional<Refusal> refusal = may_be_present(channel);
  if (!refusal) refusal = no_room_for_a_page();
  if (refusal) return send_error(id, *refusal, channel);
  wait(id);
  adapter_.hub().members(
      channel, members.after, members.limit,
      later([id, name = std::string(channel)](
                NativeSession& self, const std::expected<hub::PresencePage, hub::HubError>& page) {
        if (!page) return self.reply_error(id, refusal_of(page.error()), name);
        if (const auto full = self.no_room_for_a_page()) {
          return self.reply_error(id, *full, name);
        }
        self.reply(id, encode_members(self.format_, id, name, *page));
      }));
}

// Enters again wherever the session it has taken over was: within the grace the hub takes that for
// no change, but knows where the member is now. Then leaves what the new token does not allow.
// Whatever comes of it, the client is present where it entered, unless it is told that it is not.
void NativeSession::return_to(const Estate& estate) {
  for (const Presence& presence : estate.presences) {
    Seat& seat = seat_for(presence.channel);
    if (presence.info) seat.info = std::make_unique<std::string>(*presence.info);
    enter(seat, 0, nullptr);
  }
  leave_forbidden();
}

void NativeSession::vanish() {
  for (const Seat* seat = seats_.get(); seat != nullptr; seat = seat->next.get()) {
    if (seat->present) adapter_.hub().vanish(seat->channel(), client());
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
