// KnownSession: what the customer's application is asked before it happens.
#include <algorithm>
#include <utility>

#include "protocol/raw/known_session.h"

namespace anywire::protocol::raw {
namespace {

// While a message waits no other is read, so there are never many.
constexpr std::size_t kLineMax = 256;

constexpr std::string_view kUnavailable = "the application cannot be asked at the moment";

}  // namespace

AppClientCard KnownSession::card() const {
  return {.id = std::string(client()),
          .user = user_,
          .info = info_,
          .protocol = std::string(protocol()),
          .address = adapter().clients().address(*this),
          .origin = origin_};
}

void KnownSession::ask_to_connect(const std::string& token, const auth::TokenStamp& stamp) {
  AppClientCard who = card();
  who.id.clear();  // nobody knows it by that yet
  adapter().app()->connect(
      {.client = who.view(), .token = token},
      later([stamp](KnownSession& self, std::expected<ConnectAnswer, AppRefusal> answer) {
        self.on_connect_answer(std::move(answer), stamp);
      }));
}

void KnownSession::on_connect_answer(std::expected<ConnectAnswer, AppRefusal> answer,
                                     const auth::TokenStamp& stamp) {
  if (!answer) {
    const AppRefusal& refused = answer.error();
    if (refused.code != AppRefusal::Code::kRefused) {
      return close(Close::kAppUnavailable, kUnavailable);
    }
    return close(refused.retry ? Close::kAppUnavailable : Close::kNotWanted, refused.message);
  }
  if (answer->user && *answer->user != user_) {
    // Among the Clients it stands under its user's name.
    adapter().clients().remove(*this);
    user_ = *std::move(answer->user);
    join_clients(stamp);
  }
  if (answer->info) info_ = *std::move(answer->info);
  if (answer->capability) capability_ = *std::move(answer->capability);
  if (answer->channels) {
    named_ = std::ranges::find(*answer->channels, channel_) != answer->channels->end();
  }
  if (answer->expires_ms) {
    const auto grace = static_cast<std::uint64_t>(adapter().options().expiry_grace.count());
    const std::uint64_t ends = *answer->expires_ms + grace;
    ends_at_ms_ = ends_at_ms_ == 0 ? ends : std::min(ends_at_ms_, ends);
  }
  AppActions actions = std::move(answer->actions);
  come_in();
  if (!closed() && !actions.empty()) adapter().app()->act(std::move(actions), client());
}

void KnownSession::ask_to_subscribe() {
  if (adapter().app() == nullptr) return close(Close::kAppUnavailable, kUnavailable);
  const AppClientCard who = card();
  adapter().app()->subscribe(
      {.client = who.view(), .channel = channel_},
      later([](KnownSession& self, std::expected<void, AppRefusal> verdict) {
        if (verdict) {
          self.in_ = true;
          return self.join(self.channel_, self.may(auth::Operation::kPublish));
        }
        const AppRefusal& refused = verdict.error();
        if (refused.code != AppRefusal::Code::kRefused) {
          return self.close(Close::kAppUnavailable, kUnavailable);
        }
        self.close(Close::kNotWanted, refused.message);
      }));
}

// The client's next message is not read before this one has had its verdict: so its messages keep
// their order, and what waits waits in its own machine.
void KnownSession::ask(broker::Draft&& draft) {
  if (adapter().app() == nullptr) return adapter().count_refused();
  std::shared_ptr<PublishLine> line = line_.lock();
  if (line == nullptr) {
    line = PublishLine::create(*adapter().app(), adapter().hub(), adapter().validation(), card());
    line_ = line;
  }
  // Where it cannot be told the client is gone, and only the count is left.
  PublishLine::Entry entry{
      .channel = channel_,
      .request = {.draft = std::move(draft), .idempotency_key = {}},
      .asks = true,
      .done = [&adapter = this->adapter(), slot = slot_](const PublishLine::Outcome& outcome) {
        if (!outcome) adapter.count_refused();
        KnownSession* self = adapter.known().find(slot);
        if (self != nullptr && !self->closed()) self->on_published(outcome);
      }};
  if (line->push(std::move(entry), kLineMax) != PublishLine::Taken::kYes) {
    return adapter().count_refused();
  }
  transport().hold_input(true);
}

void KnownSession::on_published(const PublishLine::Outcome& outcome) {
  if (!outcome) {
    const auto* refused = std::get_if<AppRefusal>(&outcome.error());
    if (refused != nullptr && refused->disconnect) {
      return close(Close::kNotWanted, refused->message);
    }
  }
  const std::shared_ptr<PublishLine> line = line_.lock();
  if (line == nullptr || line->size() == 0) transport().hold_input(false);
}

}  // namespace anywire::protocol::raw
