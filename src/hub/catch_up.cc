// Hub: the readers. One way to join with a position, to recover and to catch up: a page from the
// cursor on, handed out as fast as it is taken, until the cursor is at the live edge.
#include <algorithm>
#include <span>
#include <utility>

#include "hub/hub.h"
#include "hub/steps.h"

namespace anywire::hub {
namespace {

// After the broker has failed a reader that was behind already.
constexpr Duration kRetryDelay{1000};

// The position right before the first message of the page, or the end of what it could say.
std::uint64_t begin_of(const Fetched& fetched, std::uint64_t edge) {
  const std::uint64_t begin = fetched.publications.empty()
                                  ? fetched.complete_to
                                  : fetched.publications.front()->offset - 1;
  return std::min(begin, edge);
}

}  // namespace

Reader& Hub::add_reader(const Reader& reader) {
  Reader& added = readers_.add(reader);
  added.subscriber->channel_ = added.channel;
  added.subscriber->index_ = added.id | Subscriber::kAside;
  ++added.channel->readers;
  return added;
}

void Hub::ask(const Reader& reader, bool join) {
  auto fetch = std::make_unique<Fetch>(Fetch{.channel = reader.channel->name,
                                             .loop = loop_.index(),
                                             .join = join,
                                             .joining = join ? reader.channel->joining : 0,
                                             .reader = reader.id,
                                             .rewind = reader.rewind});
  if (reader.rewind == 0) fetch->since = reader.cursor;
  ++counters_.pages;
  mail(std::move(fetch));
}

void Hub::ask_later(Reader& reader) {
  if (retries_.empty()) retry_at_ = loop_.now() + kRetryDelay;
  retries_.push_back(reader.id);
  arm(retry_at_);
}

void Hub::retry_readers() {
  for (const ReaderId id : std::exchange(retries_, {})) {
    if (const Reader* reader = readers_.find(id)) ask(*reader);
  }
}

void Hub::fail(ReaderId id, HubError error) {
  Reader& reader = *readers_.find(id);
  if (reader.state != Reader::State::kJoining) return ask_later(reader);
  Subscriber& subscriber = *reader.subscriber;
  unsubscribe(subscriber);
  subscriber.on_refused(error);
}

void Hub::resume(Subscriber& subscriber) {
  if (subscriber.channel_ == nullptr || (subscriber.index_ & Subscriber::kAside) == 0) return;
  const ReaderId id = subscriber.index_ & ~Subscriber::kAside;
  Reader* reader = readers_.find(id);
  if (reader->state != Reader::State::kStalled) return;
  reader->state = Reader::State::kReading;
  deliver_pending(*reader->channel);
  reader = readers_.find(id);
  if (reader == nullptr) return;
  LocalChannel& channel = *reader->channel;
  const SlowConsumer policy = channel.rule.slow_consumer;
  if (reader->cursor != channel.delivered) {
    if (channel.keeps_history() && policy != SlowConsumer::kDrop) {
      reader->latest = policy == SlowConsumer::kLatest;
      reader->rewind = reader->latest ? 1 : 0;
      return ask(*reader);
    }
    const bool recovers = policy == SlowConsumer::kRecover;
    reader = skip_to(id, channel.delivered, recovers ? Gap::Reason::kEvicted : Gap::Reason::kSlow);
    if (reader == nullptr) return;
  }
  go_live(*reader);
}

// Null if the reader is none any more.
Reader* Hub::skip_to(ReaderId id, const broker::Position& position, Gap::Reason reason) {
  Reader& reader = *readers_.find(id);
  const std::optional<Gap> gap = gap_between(reader.cursor, position, reason);
  reader.cursor = position;
  if (!gap) return &reader;
  tell_gap(*reader.subscriber, *gap);
  return readers_.find(id);
}

void Hub::go_live(Reader& reader) {
  LocalChannel& channel = *reader.channel;
  Subscriber& subscriber = *reader.subscriber;
  readers_.remove(reader.id);
  --channel.readers;
  channel.add(subscriber);
}

void Hub::serve(ReaderId id, Fetched& fetched) {
  Reader* reader = readers_.find(id);
  // Who has what is pending here already must not get it again.
  if (reader->cursor.epoch == reader->channel->delivered.epoch &&
      reader->cursor.offset > reader->channel->delivered.offset) {
    deliver_pending(*reader->channel);
    reader = readers_.find(id);
    if (reader == nullptr) return;
  }
  const broker::Position edge = reader->channel->delivered;
  if (fetched.top.epoch != edge.epoch) return ask(*reader);
  // What is pending here comes live.
  std::vector<broker::PublicationPtr>& page = fetched.publications;
  while (!page.empty() && page.back()->offset > edge.offset) page.pop_back();
  fetched.complete_to = std::min(fetched.complete_to, edge.offset);
  const broker::Position before = reader->cursor;
  reader = reader->state == Reader::State::kJoining ? begin_joined(id, fetched)
                                                    : begin_again(id, fetched);
  if (reader == nullptr) return;
  reader->rewind = 0;
  reader = hand_out(id, fetched);
  if (reader == nullptr) return;
  if (reader->cursor == before && before != reader->channel->delivered) {
    // Neither there nor said to be gone. It cannot be had, so say so rather than ask for ever.
    reader = skip_to(id, edge, Gap::Reason::kEvicted);
    if (reader == nullptr) return;
  }
  if (reader->cursor == reader->channel->delivered) return go_live(*reader);
  ask(*reader);
}

// Tells the subscriber where it begins.
Reader* Hub::begin_joined(ReaderId id, const Fetched& fetched) {
  Reader& reader = *readers_.find(id);
  const LocalChannel& channel = *reader.channel;
  const broker::Position since = reader.cursor;
  const std::uint64_t edge = channel.delivered.offset;
  const bool foreign = since.epoch != fetched.top.epoch || since.offset > edge;
  Joined joined = joined_at_edge(channel);
  std::uint64_t begin = begin_of(fetched, edge);
  if (reader.since) {
    // A position of the future is not one of this stream; what it has is all new then, but was not
    // asked for.
    if (!foreign) begin = std::max(begin, since.offset);
    if (since.epoch == fetched.top.epoch && foreign) begin = edge;
    joined.position = {fetched.top.epoch, begin};
    joined.gap = foreign ? Gap{since.offset + 1, 0, Gap::Reason::kNewEpoch, joined.position}
                         : gap_between(since, joined.position, Gap::Reason::kEvicted);
    joined.recovered = !joined.gap;
    ++(joined.recovered ? counters_.recoveries : counters_.lost_joining);
  } else {
    joined.position = {fetched.top.epoch, begin};
  }
  reader.state = Reader::State::kReading;
  reader.cursor = joined.position;
  tell_subscribed(*reader.subscriber, joined);
  return readers_.find(id);
}

// Tells it when the stream has begun anew meanwhile.
Reader* Hub::begin_again(ReaderId id, const Fetched& fetched) {
  Reader& reader = *readers_.find(id);
  if (reader.cursor.epoch == fetched.top.epoch) return &reader;
  const std::uint64_t begin = begin_of(fetched, reader.channel->delivered.offset);
  return skip_to(id, {fetched.top.epoch, begin}, Gap::Reason::kNewEpoch);
}

// Null if the reader has had enough, or is none any more.
Reader* Hub::hand_out(ReaderId id, const Fetched& fetched) {
  Reader* reader = readers_.find(id);
  const Gap::Reason reason = reader->latest ? Gap::Reason::kSlow : Gap::Reason::kEvicted;
  const bool may_stall = reader->channel->rule.slow_consumer != SlowConsumer::kDisconnect;
  Delivery::Publications page = fetched.publications;
  while (!page.empty() && page.front()->offset <= reader->cursor.offset) page = page.subspan(1);
  reader->latest = false;
  std::shared_ptr<SharedPage> shared;  // another may be handed out inside a callback
  if (!page.empty()) {
    if (!last_page_ || !last_page_->is(page, reader->cursor, reason)) {
      last_page_ = std::make_shared<SharedPage>(page, reader->cursor, reason);
    }
    shared = last_page_;
  }
  for (Step& step : shared ? std::span<Step>(shared->steps) : std::span<Step>()) {
    if (step.gap) {
      reader = skip_to(id, step.gap->position, step.gap->reason);
      if (reader == nullptr) return nullptr;
    }
    reader->cursor = step.last();
    const bool more = reader->subscriber->on_delivery(step.delivery);
    reader = readers_.find(id);
    if (reader == nullptr) return nullptr;
    if (more || !may_stall) continue;
    ++counters_.stalls;
    reader->state = Reader::State::kStalled;
    return nullptr;
  }
  if (reader->cursor.offset < fetched.complete_to) {
    return skip_to(id, {fetched.top.epoch, fetched.complete_to}, reason);
  }
  return reader;
}

}  // namespace anywire::hub
