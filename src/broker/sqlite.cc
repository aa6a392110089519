#include "broker/sqlite.h"

#include <algorithm>

#include "base/assert.h"

namespace anywire::broker {

using Kind = StoreRequest::Kind;

// One opening of a durable channel. Kept by requests that wait, too.
struct SqliteBroker::Durable {
  Durable(HistoryPool& pool, std::string_view name)
      : stored(std::make_shared<StoredStream>(name)), recent(pool, nullptr) {}

  // Drops what is not allowed any more from the cache, and from what the disk is known to have.
  void trim(std::uint64_t now_ms, std::size_t incoming_cost = 0) {
    const bool whole = holds_all();
    recent.trim(options, now_ms, incoming_cost);
    const std::uint64_t first = recent.empty() ? top.offset + 1 : recent.first_offset();
    const std::uint64_t allowed =
        top.offset >= options.history_messages ? top.offset - options.history_messages + 1 : 1;
    oldest = whole ? first : std::min(std::max(oldest, allowed), first);
  }
  // The cache has everything the disk has.
  bool holds_all() const {
    return recent.empty() ? oldest > top.offset : recent.first_offset() <= oldest;
  }

  const std::shared_ptr<StoredStream> stored;
  StreamOptions options;       // as of the last answer: what comes next was stored under them
  StreamOptions wanted;
  StreamSink* sink = nullptr;  // null once the handle is gone
  bool in_sink = false;
  bool loaded = false;
  bool load_failed = false;    // and nobody has tried again yet
  bool announce = false;       // a reset tells the sink where the stream stands
  Position top;
  std::uint64_t oldest = 1;    // first offset on disk, as far as known
  History recent;              // the newest ones, up to `top`
  std::uint64_t due_ms = 0;    // 0 = not in due_
};

class SqliteBroker::Handle final : public Stream {
 public:
  Handle(SqliteBroker& broker, std::string_view channel, const StreamOptions& options,
         StreamSink& sink)
      : broker_(broker), channel_(channel), sink_(sink) {
    go_to(options, false);
  }
  ~Handle() override { leave(); }

  Position top() const override { return memory_ ? memory_->top() : durable_->top; }
  void publish(PublishRequest request, PublishDone done) override {
    if (memory_) return memory_->publish(std::move(request), std::move(done));
    broker_.publish(durable_, std::move(request), std::move(done));
  }
  void read(const HistoryQuery& query, HistoryDone done) override {
    if (memory_) return memory_->read(query, std::move(done));
    broker_.read(durable_, query, std::move(done));
  }
  void set_options(const StreamOptions& options) override {
    if (options.durable != (memory_ == nullptr)) {
      leave();
      go_to(options, true);
    } else if (memory_) {
      memory_->set_options(options);
    } else {
      broker_.apply(durable_, options);
    }
  }

 private:
  void go_to(const StreamOptions& options, bool announce) {
    if (options.durable) {
      durable_ = broker_.open_durable(channel_, options, sink_, announce);
      return;
    }
    memory_ = broker_.memory_.open(channel_, options, sink_);
    if (announce) sink_.on_reset(memory_->top());
  }
  void leave() {
    memory_.reset();
    if (durable_) broker_.release(*std::exchange(durable_, nullptr));
  }

  SqliteBroker& broker_;
  const std::string channel_;
  StreamSink& sink_;
  std::unique_ptr<Stream> memory_;     // this one,
  std::shared_ptr<Durable> durable_;   // or this
};

SqliteBroker::SqliteBroker(SqliteStore& store, SqliteStore::Post post, const BrokerLimits& limits,
                           WallClock& clock, Random* random)
    : store_(store),
      clock_(clock),
      forget_after_(limits.forget_after),
      memory_(limits, clock, random),
      client_(std::make_shared<SqliteStore::Client>(SqliteStore::Client{
          std::move(post),
          std::make_shared<SqliteStore::Receive>(
              [this](std::vector<StoreReply> replies) { receive(std::move(replies)); })})) {}

SqliteBroker::~SqliteBroker() {
  // Answers that are on their way find nobody.
  *client_->receive = nullptr;
}

std::unique_ptr<Stream> SqliteBroker::open(std::string_view channel, const StreamOptions& options,
                                           StreamSink& sink) {
  return std::make_unique<Handle>(*this, channel, options, sink);
}

std::shared_ptr<SqliteBroker::Durable> SqliteBroker::open_durable(std::string_view channel,
                                                                  const StreamOptions& options,
                                                                  StreamSink& sink, bool announce) {
  auto stream = std::make_shared<Durable>(memory_.pool(), channel);
  stream->options = stream->wanted = options;
  stream->sink = &sink;
  stream->announce = announce;
  const bool added = open_.emplace(channel, stream).second;
  AW_ASSERT(added);
  load(stream);
  return stream;
}

void SqliteBroker::release(Durable& stream) {
  AW_ASSERT(!stream.in_sink);
  stream.sink = nullptr;
  unschedule(stream);
  stream.recent.clear();
  StoreRequest request{.kind = Kind::kRelease, .stream = stream.stored};
  submit(std::move(request), {.kind = Kind::kRelease}, true);
  open_.erase(open_.find(stream.stored->channel));
}

void SqliteBroker::load(const std::shared_ptr<Durable>& stream) {
  stream->load_failed = false;
  StoreRequest request{.kind = Kind::kLoad, .stream = stream->stored, .options = stream->wanted};
  submit(std::move(request),
         {.kind = Kind::kLoad, .stream = stream, .options = stream->wanted}, true);
}

void SqliteBroker::publish(const std::shared_ptr<Durable>& stream, PublishRequest request,
                           PublishDone done) {
  if (stream->load_failed) load(stream);
  StoreRequest asked{.kind = Kind::kPublish, .stream = stream->stored};
  if (!request.idempotency_key.empty()) {
    asked.digest = digest_of(request.draft);
    asked.key = std::move(request.idempotency_key);
  }
  asked.publication = std::make_shared<Publication>(std::move(request.draft),
                                                    stream->stored->channel, 0u, 0u, 0u);
  asked.bytes = cost_of(*asked.publication);
  submit(std::move(asked),
         {.kind = Kind::kPublish, .stream = stream, .published = std::move(done)}, false);
}

void SqliteBroker::read(const std::shared_ptr<Durable>& stream, const HistoryQuery& query,
                        HistoryDone done) {
  Durable& s = *stream;
  if (s.loaded) {
    s.trim(clock_.unix_ms());
    s.recent.touch();
    HistoryPage page;
    page.top = s.top;
    page.oldest = s.oldest;
    s.recent.fill(query, page);
    const bool begins_in_cache =
        s.holds_all() ||
        (!s.recent.empty() &&
         ((query.after && *query.after >= s.recent.first_offset() - 1) ||
          (query.from_ms && *query.from_ms > s.recent.front()->time_ms)));
    const bool full = query.order == HistoryQuery::Order::kBackward && page.more;
    if (begins_in_cache || full) return done(std::move(page));
  }
  if (s.load_failed) load(stream);
  StoreRequest request{.kind = Kind::kRead, .stream = s.stored, .query = query};
  submit(std::move(request), {.kind = Kind::kRead, .stream = stream, .read = std::move(done)},
         false);
}

void SqliteBroker::apply(const std::shared_ptr<Durable>& stream, const StreamOptions& options) {
  stream->wanted = options;
  StoreRequest request{.kind = Kind::kOptions, .stream = stream->stored, .options = options};
  submit(std::move(request),
         {.kind = Kind::kOptions, .stream = stream, .options = options}, true);
}

void SqliteBroker::clear(std::string_view channel) {
  memory_.clear(channel);
  const auto found = open_.find(channel);
  const bool held = found != open_.end();
  StoreRequest request{.kind = Kind::kClear,
                       .stream = held ? found->second->stored
                                      : std::make_shared<StoredStream>(channel)};
  submit(std::move(request),
         {.kind = Kind::kClear, .stream = held ? found->second : nullptr}, true);
}

void SqliteBroker::expire() {
  memory_.expire();
  const std::uint64_t now_ms = clock_.unix_ms();
  while (!due_.empty() && due_.begin()->first <= now_ms) {
    Durable& stream = *due_.begin()->second;
    unschedule(stream);
    stream.trim(now_ms);
    schedule(stream);
  }
  for (const std::weak_ptr<Durable>& one : std::exchange(not_loaded_, {})) {
    const std::shared_ptr<Durable> stream = one.lock();
    if (stream && stream->sink != nullptr && stream->load_failed) load(stream);
  }
  if (std::exchange(expiring_, true)) return;
  submit({.kind = Kind::kExpire}, {.kind = Kind::kExpire}, true);
}

void SqliteBroker::flush(Task done) {
  submit({.kind = Kind::kFlush}, {.kind = Kind::kFlush, .flushed = std::move(done)}, true);
}

bool SqliteBroker::submit(StoreRequest request, Waiting waiting, bool must) {
  request.now_ms = clock_.unix_ms();
  request.forget_after = forget_after_;
  if (store_.submit(client_, std::move(request), must)) {
    waiting_.push_back(std::move(waiting));
    return true;
  }
  if (waiting.published) waiting.published(std::unexpected(BrokerError::kOverloaded));
  if (waiting.read) waiting.read(std::unexpected(BrokerError::kOverloaded));
  return false;
}

void SqliteBroker::receive(std::vector<StoreReply> replies) {
  for (StoreReply& reply : replies) {
    Waiting waiting = std::move(waiting_.front());
    waiting_.pop_front();
    answer(waiting, reply);
  }
}

void SqliteBroker::answer(Waiting& waiting, StoreReply& reply) {
  if (waiting.stream) catch_up(*waiting.stream, reply);
  switch (waiting.kind) {
    case Kind::kLoad:
      loaded(waiting.stream, reply);
      change_options(*waiting.stream, waiting.options);
      break;
    case Kind::kPublish:
      if (reply.publication) {
        deliver(*waiting.stream, reply.publication);
        waiting.stream->oldest = std::min(std::max(waiting.stream->oldest, reply.oldest),
                                          waiting.stream->recent.empty()
                                              ? waiting.stream->top.offset + 1
                                              : waiting.stream->recent.first_offset());
      }
      if (!waiting.published) break;
      if (reply.error) {
        waiting.published(std::unexpected(*reply.error));
      } else {
        waiting.published(reply.published);
      }
      break;
    case Kind::kRead:
      if (reply.error) {
        waiting.read(std::unexpected(*reply.error));
      } else {
        waiting.read(std::move(reply.page));
      }
      break;
    case Kind::kClear:
      if (waiting.stream && !reply.error) reset(*waiting.stream, reply.top);
      break;
    case Kind::kExpire:
      expiring_ = false;
      break;
    case Kind::kOptions:
      change_options(*waiting.stream, waiting.options);
      break;
    case Kind::kRelease:
      break;
    case Kind::kFlush:
      waiting.flushed();
      break;
  }
}

void SqliteBroker::change_options(Durable& stream, const StreamOptions& options) {
  if (stream.sink == nullptr || stream.options == options) return;
  stream.options = options;
  if (stream.loaded) stream.trim(clock_.unix_ms());
  schedule(stream);
}

void SqliteBroker::catch_up(Durable& stream, StoreReply& reply) {
  if (reply.reset) reset(stream, *reply.reset);
  for (const PublicationPtr& publication : reply.missed) deliver(stream, publication);
}

void SqliteBroker::loaded(const std::shared_ptr<Durable>& stream, StoreReply& reply) {
  Durable& s = *stream;
  if (s.loaded || s.sink == nullptr) return;
  if (reply.error) {
    s.load_failed = true;
    not_loaded_.push_back(stream);
    return;
  }
  s.loaded = true;
  s.top = reply.top;
  s.oldest = reply.page.oldest;
  for (PublicationPtr& publication : reply.page.publications) s.recent.push(std::move(publication));
  schedule(s);
  if (std::exchange(s.announce, false)) {
    s.in_sink = true;
    s.sink->on_reset(s.top);
    s.in_sink = false;
  }
}

void SqliteBroker::deliver(Durable& stream, const PublicationPtr& publication) {
  if (stream.sink == nullptr) return;
  if (!stream.loaded) {
    // Loading failed, this got through: the disk has come back in between.
    stream.loaded = true;
    stream.top = {publication->epoch, publication->offset - 1};
    stream.oldest = 1;
  }
  const std::uint64_t now_ms = clock_.unix_ms();
  const std::size_t cost = cost_of(*publication);
  const bool kept = stream.options.history_messages > 0 && cost <= stream.options.history_bytes_max;
  stream.trim(now_ms, cost);
  stream.top = publication->position();
  if (kept) {
    stream.recent.push(publication);
    schedule(stream);
  } else {
    stream.oldest = stream.top.offset + 1;
  }
  stream.in_sink = true;
  stream.sink->on_publication(publication);
  stream.in_sink = false;
}

void SqliteBroker::reset(Durable& stream, Position top) {
  if (stream.sink == nullptr) return;
  stream.recent.clear();
  stream.loaded = true;
  stream.announce = false;
  stream.top = top;
  // Nothing is known of what is left, so that reads go to the disk; after a clear there is nothing.
  stream.oldest = 1;
  stream.in_sink = true;
  stream.sink->on_reset(top);
  stream.in_sink = false;
}

// As in MemoryBroker: early is fine.
void SqliteBroker::schedule(Durable& stream) {
  if (stream.options.history_ttl.count() <= 0 || stream.recent.empty()) return;
  const std::uint64_t due_ms = stream.recent.front()->time_ms +
                               static_cast<std::uint64_t>(stream.options.history_ttl.count());
  if (stream.due_ms != 0 && stream.due_ms <= due_ms) return;
  unschedule(stream);
  stream.due_ms = due_ms;
  due_.emplace(due_ms, &stream);
}

void SqliteBroker::unschedule(Durable& stream) {
  if (stream.due_ms != 0) due_.erase({stream.due_ms, &stream});
  stream.due_ms = 0;
}

}  // namespace anywire::broker
