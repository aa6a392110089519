#include "protocol/native/session_table.h"

#include <array>
#include <utility>

#include "base/random.h"
#include "codec/base64url.h"

namespace anywire::protocol::native {
namespace {

// Of a secret: loop, slot and generation, four bytes each, then the signature of these.
constexpr std::size_t kPlaceBytes = 12;

void put32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

std::uint32_t get32(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    value = value << 8 | static_cast<unsigned char>(text[i]);
  }
  return value;
}

}  // namespace

SessionRef SessionTable::add(LiveSession& session) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  slots_[index].live = &session;
  return {index, slots_[index].generation};
}

SessionTable::Slot* SessionTable::slot_of(SessionRef ref) {
  if (ref.slot >= slots_.size() || slots_[ref.slot].generation != ref.generation) return nullptr;
  return &slots_[ref.slot];
}

LiveSession* SessionTable::find(SessionRef ref) const {
  if (ref.slot >= slots_.size() || slots_[ref.slot].generation != ref.generation) return nullptr;
  return slots_[ref.slot].live;
}

void SessionTable::remove(SessionRef ref) {
  if (slot_of(ref) != nullptr) free(ref.slot);
}

void SessionTable::free(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.estate) --detached_;
  slot.estate.reset();
  slot.live = nullptr;
  ++slot.generation;
  free_.push_back(index);
}

void SessionTable::detach(SessionRef ref, Estate estate, Duration window) {
  Slot* slot = slot_of(ref);
  if (slot == nullptr) return;
  if (window.count() <= 0) return free(ref.slot);
  slot->live = nullptr;
  slot->estate = std::make_unique<Estate>(std::move(estate));
  deadlines_.push_back({loop_.now() + window, ref});
  if (++detached_ > kDetachedMax) forget_oldest();
  if (!armed()) loop_.arm(*this, window);
}

void SessionTable::forget_oldest() {
  while (!deadlines_.empty()) {
    const SessionRef ref = deadlines_.front().ref;
    deadlines_.pop_front();
    if (slot_of(ref) != nullptr) return free(ref.slot);
  }
}

std::optional<Estate> SessionTable::take(SessionRef ref, std::string_view user) {
  Slot* slot = slot_of(ref);
  if (slot == nullptr) return std::nullopt;
  std::optional<Estate> estate;
  if (slot->live != nullptr) {
    if (slot->live->user() != user) return std::nullopt;
    estate = slot->live->hand_over();
  } else {
    if (slot->estate->user != user) return std::nullopt;
    estate = std::move(*slot->estate);
  }
  free(ref.slot);
  return estate;
}

// Those that were taken over meanwhile are found to be gone.
void SessionTable::on_timer() {
  while (!deadlines_.empty() && deadlines_.front().at <= loop_.now()) {
    const SessionRef ref = deadlines_.front().ref;
    deadlines_.pop_front();
    if (slot_of(ref) != nullptr) free(ref.slot);
  }
  if (!deadlines_.empty()) loop_.arm(*this, deadlines_.front().at - loop_.now());
}

Result<std::unique_ptr<SessionGroup>> SessionGroup::create(
    const std::vector<reactor::Loop*>& loops) {
  std::array<std::uint8_t, auth::kSecretBytesMin> secret;
  secure_random(secret);
  Result<auth::Key> key = auth::Key::hs256("", as_text(secret));
  if (!key) return std::unexpected(key.error());
  return std::unique_ptr<SessionGroup>(new SessionGroup(loops, *std::move(key)));
}

SessionGroup::SessionGroup(const std::vector<reactor::Loop*>& loops, auth::Key key)
    : key_(std::move(key)) {
  for (reactor::Loop* loop : loops) tables_.push_back(std::make_unique<SessionTable>(*loop));
}

std::string SessionGroup::seal(std::uint32_t loop, SessionRef ref) const {
  std::string secret;
  put32(secret, loop);
  put32(secret, ref.slot);
  put32(secret, ref.generation);
  const Result<std::string> signature = key_.sign(secret);
  if (!signature) return {};
  return codec::base64url_encode(as_bytes(secret + *signature));
}

std::optional<SessionGroup::Place> SessionGroup::open(std::string_view secret) const {
  const Result<std::string> bytes = codec::base64url_decode(secret);
  if (!bytes || bytes->size() <= kPlaceBytes) return std::nullopt;
  const std::string_view text = *bytes;
  if (!key_.verify(text.substr(0, kPlaceBytes), text.substr(kPlaceBytes))) return std::nullopt;
  return Place{get32(text, 0), {get32(text, 4), get32(text, 8)}};
}

void SessionGroup::claim(std::uint32_t loop, std::string_view secret, std::string_view user,
                         Claimed done) {
  const std::optional<Place> place = open(secret);
  if (!place) return done(std::nullopt);
  SessionTable& from = *tables_[place->loop];
  if (place->loop == loop) return done(from.take(place->ref, user));
  from.loop().post([&from, &to = tables_[loop]->loop(), ref = place->ref,
                    user = std::string(user), done = std::move(done)]() mutable {
    to.post([done = std::move(done), estate = from.take(ref, user)]() mutable {
      done(std::move(estate));
    });
  });
}

}  // namespace anywire::protocol::native
