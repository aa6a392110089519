#include "protocol/native/session_table.h"

#include <array>
#include <utility>

#include "base/random.h"
#include "codec/base64url.h"

namespace anywire::protocol::native {
namespace {

// Of a secret: loop, slot and generation, four bytes each, then the signature of these.
constexpr std::size_t kPlaceBytes = 12;
// So many deadlines of sessions that have been taken over are not worth a search.
constexpr std::size_t kDeadlinesLeft = 64;

// What is kept for it, roughly: allocators take some more.
std::size_t bytes_of(const Estate& estate) {
  std::size_t bytes = sizeof estate + estate.user.size() + estate.info.size();
  for (const Presence& presence : estate.presences) {
    bytes += sizeof presence + presence.channel.size();
    if (presence.info) bytes += presence.info->size();
  }
  for (const Grant& grant : estate.grants) bytes += sizeof grant + grant.capability.bytes();
  for (const std::string& channel : estate.given_channels) bytes += sizeof channel + channel.size();
  return bytes;
}

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

SessionTable::Left* SessionTable::left_at(SessionRef ref) {
  const auto found = slot_of(ref) != nullptr ? left_.find(ref.slot) : left_.end();
  return found != left_.end() ? &found->second : nullptr;
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
  const SessionRef ref{index, slot.generation};
  if (const auto left = left_.extract(index)) {
    left.mapped().heir ? void(--led_) : count_out(left.mapped());
  }
  slot.live = nullptr;
  ++slot.generation;
  free_.push_back(index);
  confirm(ref);
}

void SessionTable::detach(SessionRef ref, Estate estate, Duration window) {
  Slot* slot = slot_of(ref);
  if (slot == nullptr) return;
  if (window.count() <= 0) return free(ref.slot);
  slot->live = nullptr;
  const std::size_t bytes = bytes_of(estate);
  left_[ref.slot] = Left{std::move(estate), bytes, std::nullopt};
  deadlines_.push_back({loop_.now() + window, ref});
  ++detached_;
  detached_bytes_ += bytes;
  while (detached_ > kDetachedMax || detached_bytes_ > kDetachedBytesMax) forget_oldest();
  if (!armed()) loop_.arm(*this, window);
}

// Without a connection, and nobody has taken it over.
bool SessionTable::waits(SessionRef ref) {
  const Left* left = left_at(ref);
  return left != nullptr && !left->heir;
}

// The slot has it no more.
void SessionTable::count_out(const Left& left) {
  --detached_;
  detached_bytes_ -= left.bytes;
  if (deadlines_.size() <= 2 * detached_ + kDeadlinesLeft) return;
  std::erase_if(deadlines_, [this](const Deadline& one) { return !waits(one.ref); });
}

void SessionTable::forget_oldest() {
  while (!deadlines_.empty()) {
    const SessionRef ref = deadlines_.front().ref;
    deadlines_.pop_front();
    if (waits(ref)) return free(ref.slot);
  }
}

// Leaves the slot without anything.
std::optional<Estate> SessionTable::estate_of(SessionRef ref, std::string_view user) {
  Slot& slot = slots_[ref.slot];
  std::optional<Estate> estate;
  if (slot.live != nullptr) {
    if (slot.live->user() != user) return std::nullopt;
    estate = slot.live->hand_over();
    if (estate) slot.live = nullptr;
  } else if (const Left* left = left_at(ref);
             left != nullptr && !left->heir && left->estate.user == user) {
    auto taken = left_.extract(ref.slot);
    count_out(taken.mapped());
    estate = std::move(taken.mapped().estate);
  }
  return estate;
}

std::optional<Estate> SessionTable::take(SessionRef ref, std::string_view user) {
  if (slot_of(ref) == nullptr) return std::nullopt;
  std::optional<Estate> estate = estate_of(ref, user);
  if (estate) free(ref.slot);
  return estate;
}

SessionTable::Taken SessionTable::take(SessionRef ref, std::string_view user,
                                       const SessionPlace& heir) {
  if (slot_of(ref) == nullptr) return {};
  if (Left* left = left_at(ref); left != nullptr && left->heir) {
    if (left->estate.user != user) return {};
    return {std::nullopt, std::exchange(left->heir, heir)};
  }
  Taken taken{estate_of(ref, user), std::nullopt};
  if (!taken.estate) return taken;
  left_[ref.slot] = Left{{.client = {}, .user = std::string(user)}, 0, heir};
  ++led_;
  // Who has this session's secret needs no earlier one.
  confirm(ref);
  return taken;
}

void SessionTable::inherit(SessionRef ref, const SessionPlace& former) {
  if (slot_of(ref) != nullptr) former_[ref.slot] = former;
}

bool SessionTable::inherited(SessionRef ref, const SessionPlace& former) const {
  const auto found = former_.find(ref.slot);
  return found != former_.end() && found->second == former && ref.slot < slots_.size() &&
         slots_[ref.slot].generation == ref.generation;
}

void SessionTable::confirm(SessionRef ref) {
  const auto found = former_.find(ref.slot);
  if (found == former_.end()) return;
  const SessionPlace former = found->second;
  former_.erase(found);
  forget_(former, ref);
}

void SessionTable::forget(SessionRef ref, const SessionPlace& heir) {
  const Left* left = left_at(ref);
  if (left != nullptr && left->heir == heir) free(ref.slot);
}

// Those that were taken over meanwhile are found to be gone.
void SessionTable::on_timer() {
  while (!deadlines_.empty() && deadlines_.front().at <= loop_.now()) {
    const SessionRef ref = deadlines_.front().ref;
    deadlines_.pop_front();
    if (waits(ref)) free(ref.slot);
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
  for (reactor::Loop* loop : loops) {
    const auto index = static_cast<std::uint32_t>(tables_.size());
    tables_.push_back(std::make_unique<SessionTable>(
        *loop, [this, index](const SessionPlace& former, SessionRef heir) {
          forget(former, {index, heir});
        }));
  }
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

std::optional<SessionPlace> SessionGroup::open(std::string_view secret) const {
  const Result<std::string> bytes = codec::base64url_decode(secret);
  if (!bytes || bytes->size() <= kPlaceBytes) return std::nullopt;
  const std::string_view text = *bytes;
  if (!key_.verify(text.substr(0, kPlaceBytes), text.substr(kPlaceBytes))) return std::nullopt;
  return SessionPlace{get32(text, 0), {get32(text, 4), get32(text, 8)}};
}

template <typename Work>
void SessionGroup::run_on(std::uint32_t loop, std::uint32_t from, Work&& work) {
  if (loop == from) return work();
  tables_[loop]->loop().post(std::forward<Work>(work));
}

void SessionGroup::claim(const SessionPlace& heir, std::string_view secret, std::string_view user,
                         Claimed done) {
  const std::optional<SessionPlace> former = open(secret);
  if (!former) {
    done(std::nullopt);
    return;
  }
  run_on(former->loop, heir.loop,
         [this, claim = Claim{*former, heir, std::string(user), std::move(done)}]() mutable {
           look(std::move(claim));
         });
}

// On the former place's loop.
void SessionGroup::look(Claim claim) {
  const SessionPlace former = claim.former;
  SessionTable::Taken taken = tables_[former.loop]->take(former.ref, claim.user, claim.heir);
  const std::optional<SessionPlace> at = taken.heir;
  if (!at) {
    return run_on(claim.heir.loop, former.loop,
                  [this, claim = std::move(claim), estate = std::move(taken.estate)]() mutable {
                    finish(std::move(claim), std::move(estate));
                  });
  }
  run_on(at->loop, former.loop, [this, at = *at, claim = std::move(claim)]() mutable {
    // An heir that came too late itself has begun a session of its own, which nobody may have.
    SessionTable& table = *tables_[at.loop];
    std::optional<Estate> estate;
    if (table.inherited(at.ref, claim.former)) estate = table.take(at.ref, claim.user);
    run_on(claim.heir.loop, at.loop,
           [this, claim = std::move(claim), estate = std::move(estate)]() mutable {
             finish(std::move(claim), std::move(estate));
           });
  });
}

// On the heir's loop.
void SessionGroup::finish(Claim claim, std::optional<Estate> estate) {
  const bool found = estate.has_value();
  if (found) tables_[claim.heir.loop]->inherit(claim.heir.ref, claim.former);
  if (claim.done(std::move(estate)) && found) return;
  forget(claim.former, claim.heir);
}

void SessionGroup::forget(const SessionPlace& former, const SessionPlace& heir) {
  tables_[former.loop]->loop().post(
      [this, former, heir] { tables_[former.loop]->forget(former.ref, heir); });
}

}  // namespace anywire::protocol::native
