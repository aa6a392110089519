#include "hub/owner.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "hub/hub.h"

namespace anywire::hub {
namespace {

// Also how long a channel is held open that nobody needs.
constexpr Duration kTick{1000};
constexpr std::size_t kIdleMax = 10'000;
// A page for a reader. Small, because the rest is thrown away when the reader has had enough.
constexpr std::size_t kPageMessages = 256;
constexpr std::size_t kPageBytes = 256 * 1024;
// How often a page is read again because the stream was reset under it.
constexpr int kReadAttempts = 3;

broker::StreamOptions stream_options(const ChannelRule& rule, Duration idempotency_window) {
  return {.history_messages = static_cast<std::size_t>(rule.history_messages),
          .history_bytes_max = rule.history_bytes_max,
          .history_ttl = rule.history_ttl,
          .durable = rule.durable,
          .idempotency_window = idempotency_window};
}

HubError hub_error(broker::BrokerError error) {
  switch (error) {
    case broker::BrokerError::kIdempotencyConflict:
      return HubError::kIdempotencyConflict;
    case broker::BrokerError::kOverloaded:
      return HubError::kOverloaded;
    case broker::BrokerError::kUnavailable:
      break;
  }
  return HubError::kUnavailable;
}

// A publication that nobody hears, keeps or counts need not be ordered.
bool leaves_a_trace(const ChannelRule& rule, const broker::PublishRequest& request) {
  return rule.history_messages > 0 || rule.durable || !request.idempotency_key.empty();
}

broker::HistoryQuery query_of(const Fetch& fetch, const broker::Position& top) {
  broker::HistoryQuery query;
  query.limit = kPageMessages;
  query.bytes_max = kPageBytes;
  if (fetch.since) {
    query.after = fetch.since->epoch == top.epoch ? fetch.since->offset : 0;
  } else {
    query.after = top.offset - std::min<std::uint64_t>(top.offset, fetch.rewind);
  }
  return query;
}

}  // namespace

OwnedChannel::OwnedChannel(Owner& owner, std::string_view name) : owner_(owner), name_(name) {}

void OwnedChannel::on_publication(const broker::PublicationPtr& publication) {
  top_ = publication->position();
  owner_.deliver(*this, publication);
}

void OwnedChannel::on_reset(broker::Position top) {
  top_ = top;
  owner_.reset(*this, top);
}

bool OwnedChannel::takes(std::uint32_t loop) const {
  return std::ranges::find(pattern_loops_, loop, &PatternLoop::loop) != pattern_loops_.end();
}

Owner::Owner(Hub& hub, HubGroup& group, reactor::Loop& loop, broker::Broker& broker,
             const Rules& rules, Duration idempotency_window)
    : hub_(hub),
      group_(group),
      loop_(loop),
      broker_(broker),
      rules_(rules),
      idempotency_window_(idempotency_window),
      // By mail even to ourselves: listeners are told outside of whatever they are doing.
      presence_(loop, rules,
                [this](std::uint32_t index, const std::string& channel,
                       const PresenceDiffPtr& diff, std::uint64_t ask) {
                  Hub& asked = group_.hub(index);
                  asked.loop().post([&asked, channel, diff, ask] {
                    asked.on_presence(channel, diff, ask);
                  });
                }) {}

Owner::~Owner() = default;

OwnedChannel* Owner::find(std::string_view name) {
  const auto found = channels_.find(name);
  return found == channels_.end() ? nullptr : found->second.get();
}

OwnedChannel& Owner::open(std::string_view name) {
  if (OwnedChannel* channel = find(name)) return *channel;
  return open(name, rules_.find(name));
}

OwnedChannel& Owner::open(std::string_view name, const ChannelRule& rule) {
  auto made = std::make_unique<OwnedChannel>(*this, name);
  made->stream_ = broker_.open(made->name_, stream_options(rule, idempotency_window_), *made);
  if (!armed()) loop_.arm(*this, kTick);
  return *channels_.emplace(made->name_, std::move(made)).first->second;
}

void Owner::publish(std::string_view name, broker::PublishRequest&& request,
                    PublishDone&& done) {
  OwnedChannel* channel = find(name);
  if (channel == nullptr) {
    const ChannelRule& rule = rules_.find(name);
    if (!done && !leaves_a_trace(rule, request) && !matches_any(name)) return;
    channel = &open(name, rule);
  }
  ++channel->operations_;
  if (!done) {
    // Small enough to cost no memory of its own.
    channel->stream_->publish(std::move(request),
                              [this, channel](const auto&) { end_operation(*channel); });
    return;
  }
  channel->stream_->publish(
      std::move(request), [this, channel, done = std::move(done)](const auto& result) mutable {
        end_operation(*channel);
        if (result) {
          done(*result);
        } else {
          done(std::unexpected(hub_error(result.error())));
        }
      });
}

void Owner::history(std::string_view name, const broker::HistoryQuery& query, HistoryDone done) {
  OwnedChannel& channel = open(name);
  ++channel.operations_;
  channel.stream_->read(query, [this, &channel, done = std::move(done)](auto page) mutable {
    end_operation(channel);
    if (page) {
      done(std::move(*page));
    } else {
      done(std::unexpected(hub_error(page.error())));
    }
  });
}

broker::Position Owner::join(std::string_view name, std::uint32_t loop) {
  OwnedChannel& channel = open(name);
  AW_ASSERT(std::ranges::find(channel.loops_, loop) == channel.loops_.end());
  channel.loops_.push_back(loop);
  if (observer_ != nullptr && channel.loops_.size() == 1) observer_->on_occupied(name);
  return channel.top();
}

void Owner::leave(std::string_view name, std::uint32_t loop) {
  OwnedChannel* channel = find(name);
  AW_ASSERT(channel != nullptr);
  const auto found = std::ranges::find(channel->loops_, loop);
  AW_ASSERT(found != channel->loops_.end());
  channel->loops_.erase(found);
  if (observer_ != nullptr && channel->loops_.empty()) observer_->on_vacated(name);
  check_idle(*channel);
}

void Owner::end_operation(OwnedChannel& channel) {
  --channel.operations_;
  check_idle(channel);
}

void Owner::check_idle(OwnedChannel& channel) {
  if (!channel.loops_.empty() || channel.operations_ > 0 || channel.idle_) return;
  channel.idle_ = true;
  idle_.push_back(channel.name_);
}

// Never inside a call of the broker's, which must not lose the stream it calls for.
void Owner::close_idle() {
  for (const std::string& name : std::exchange(idle_, {})) {
    const auto found = channels_.find(name);
    AW_ASSERT(found != channels_.end());
    OwnedChannel& channel = *found->second;
    channel.idle_ = false;
    if (channel.loops_.empty() && channel.operations_ == 0) channels_.erase(found);
  }
}

void Owner::on_turn_end() {
  if (idle_.size() > kIdleMax) close_idle();
}

void Owner::on_timer() {
  close_idle();
  broker_.expire();
  if (!channels_.empty() || broker_.streams() > 0) loop_.arm(*this, kTick);
}

// A loop that wants the channel and patterns that take it gets both in one mail, so that the two
// never differ by a message when somebody subscribes.
void Owner::deliver(OwnedChannel& channel, const broker::PublicationPtr& publication) {
  match(channel);
  bool here = false;
  for (const std::uint32_t loop : channel.loops_) {
    Hub& hub = group_.hub(loop);
    if (&hub == &hub_) {
      here = true;
    } else if (channel.takes(loop)) {
      hub.post_counted(Inbox::cost_of(*publication), [&hub, publication] {
        hub.patterns_.receive(publication);
        hub.receive(publication);
      });
    } else {
      hub.post_publication(publication);
    }
  }
  for (const auto& [loop, pattern] : channel.pattern_loops_) {
    Hub& hub = group_.hub(loop);
    if (&hub == &hub_) {
      hub_.patterns_.receive(publication);
    } else if (std::ranges::find(channel.loops_, loop) == channel.loops_.end()) {
      hub.post_counted(Inbox::cost_of(*publication),
                       [&hub, publication] { hub.patterns_.receive(publication); });
    }
  }
  // Last, because it may end subscriptions, and with them the list this walks over.
  if (here) hub_.receive(publication);
}

void Owner::reset(OwnedChannel& channel, broker::Position top) {
  const std::vector<std::uint32_t> loops = channel.loops_;
  bool here = false;
  for (const std::uint32_t loop : loops) {
    Hub& hub = group_.hub(loop);
    if (&hub == &hub_) {
      here = true;
    } else {
      hub.loop().post([&hub, name = channel.name_, top] { hub.reset(name, top); });
    }
  }
  if (here) hub_.reset(channel.name_, top);
}

void Owner::fetch(std::unique_ptr<Fetch> fetch) {
  OwnedChannel& channel = open(fetch->channel);
  if (fetch->join) join(fetch->channel, fetch->loop);
  if (channel.top().epoch == 0) return ask_top(channel, std::move(fetch));
  if (fetch->reader != 0) return read(channel, std::move(fetch), 1);
  answer(channel, *fetch, {});
  check_idle(channel);
}

// The store has not said yet how far the stream is: any answer of its brings that along.
void Owner::ask_top(OwnedChannel& channel, std::unique_ptr<Fetch> fetch) {
  ++channel.operations_;
  broker::HistoryQuery last;
  last.order = broker::HistoryQuery::Order::kBackward;
  last.limit = 1;
  channel.stream_->read(last,
                        [this, &channel, fetch = std::move(fetch)](const auto& page) mutable {
                          end_operation(channel);
                          if (!page || channel.top().epoch == 0) {
                            const auto none = broker::BrokerError::kUnavailable;
                            answer_error(*fetch, page ? none : page.error());
                          } else if (fetch->reader != 0) {
                            read(channel, std::move(fetch), 1);
                          } else {
                            answer(channel, *fetch, {});
                          }
                        });
}

void Owner::read(OwnedChannel& channel, std::unique_ptr<Fetch> fetch, int attempt) {
  ++channel.operations_;
  const broker::HistoryQuery query = query_of(*fetch, channel.top());
  channel.stream_->read(
      query, [this, &channel, attempt, fetch = std::move(fetch)](auto page) mutable {
        end_operation(channel);
        if (!page) return answer_error(*fetch, page.error());
        // Reset between the question and the answer, of which we hear before or after this.
        const bool other = page->top.epoch != channel.top().epoch;
        if (!other) return answer(channel, *fetch, std::move(*page));
        if (attempt < kReadAttempts) return read(channel, std::move(fetch), attempt + 1);
        answer_error(*fetch, broker::BrokerError::kUnavailable);
      });
}

void Owner::answer(const OwnedChannel& channel, const Fetch& fetch, broker::HistoryPage page) {
  auto fetched = std::make_unique<Fetched>();
  fetched->channel = fetch.channel;
  fetched->joining = fetch.joining;
  fetched->reader = fetch.reader;
  fetched->top = channel.top();
  fetched->complete_to = page.more && !page.publications.empty()
                             ? page.publications.back()->offset
                             : page.top.offset;
  // What lies beyond is on its way as live messages.
  while (!page.publications.empty() && page.publications.back()->offset > fetched->top.offset) {
    page.publications.pop_back();
  }
  fetched->publications = std::move(page.publications);
  fetched->complete_to = std::min(fetched->complete_to, fetched->top.offset);
  send(fetch, std::move(fetched));
}

void Owner::answer_error(const Fetch& fetch, broker::BrokerError error) {
  auto fetched = std::make_unique<Fetched>();
  fetched->channel = fetch.channel;
  fetched->joining = fetch.joining;
  fetched->reader = fetch.reader;
  fetched->error = hub_error(error);
  send(fetch, std::move(fetched));
}

void Owner::send(const Fetch& fetch, std::unique_ptr<Fetched> fetched) {
  Hub& hub = group_.hub(fetch.loop);
  if (&hub == &hub_) return hub.on_fetched(std::move(fetched));
  hub.loop().post(
      [&hub, fetched = std::move(fetched)]() mutable { hub.on_fetched(std::move(fetched)); });
}

void Owner::add_pattern(const std::string& pattern, std::uint32_t loop) {
  const auto [at, added] = patterns_.try_emplace(
      std::pair(pattern, loop), Pattern{.glob = *auth::Glob::parse(pattern), .loop = loop});
  AW_ASSERT(added);
  index_.add(at->second);
}

void Owner::remove_pattern(const std::string& pattern, std::uint32_t loop) {
  const auto found = patterns_.find(std::pair(pattern, loop));
  AW_ASSERT(found != patterns_.end());
  index_.remove(found->second);
  patterns_.erase(found);
  ++patterns_removed_;
}

// Looks only at patterns that have come since the last time, unless the one has gone for which a
// loop was served: then there may be another of that loop's among the older ones.
void Owner::match(OwnedChannel& channel) const {
  auto& loops = channel.pattern_loops_;
  std::uint64_t since = std::exchange(channel.patterns_seen_, index_.last());
  if (std::exchange(channel.patterns_removed_, patterns_removed_) != patterns_removed_) {
    const auto gone = [this](const auto& one) { return !index_.has(one.pattern); };
    if (std::erase_if(loops, gone) > 0) since = 0;
  }
  index_.candidates(channel.name_, since, [&](const Pattern& one) {
    if (!channel.takes(one.loop) && one.glob.matches(channel.name_)) {
      loops.push_back({one.loop, one.number});
    }
    return true;
  });
}

bool Owner::matches_any(std::string_view channel) const {
  bool any = false;
  index_.candidates(channel, 0, [&](const Pattern& one) {
    any = one.glob.matches(channel);
    return !any;
  });
  return any;
}

}  // namespace anywire::hub
