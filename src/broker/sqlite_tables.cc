#include "broker/sqlite_tables.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "broker/history.h"
#include "broker/memory.h"
#include "broker/sqlite_rows.h"

namespace anywire::broker {

namespace {

// A loop's cache begins with so much; it grows as messages come.
constexpr std::size_t kRecentMessages = 256;
constexpr std::size_t kRecentBytes = 256 * 1024;
// Made up for in one go when the disk turns out to hold more than was known.
constexpr std::uint64_t kMissedMax = 10'000;
// Looked after in one transaction, so that it does not keep publishers waiting; but always twice
// of what has come since the last one, so that what has had its time does not pile up.
constexpr std::uint64_t kKeysPerExpire = 5000;
constexpr std::uint64_t kStreamsPerExpire = 1000;

}  // namespace

void SqliteTables::attach(Database* database) {
  database_ = database;
  just_attached_ = true;
  invalidate();
}

void SqliteTables::invalidate() {
  ++generation_;
  changed_.clear();
}

void SqliteTables::note(const StoreRequest& request) {
  using Kind = StoreRequest::Kind;
  if (request.kind == Kind::kLoad || request.kind == Kind::kOptions) {
    request.stream->options = request.options;
  }
  if (request.kind == Kind::kLoad) held_[request.stream->channel] = request.stream;
  if (request.kind == Kind::kRelease) {
    const auto found = held_.find(request.stream->channel);
    if (found != held_.end() && found->second == request.stream) held_.erase(found);
  }
}

StoreReply SqliteTables::execute(StoreRequest& request) {
  using Kind = StoreRequest::Kind;
  StoreReply reply;
  switch (request.kind) {
    case Kind::kLoad:
      load(request, reply);
      break;
    case Kind::kPublish:
      bring_up(*request.stream, reply);
      publish(request, reply);
      break;
    case Kind::kRead:
      bring_up(*request.stream, reply);
      trim_held(request);
      read(*request.stream, request.query, reply.page);
      break;
    case Kind::kOptions:
      bring_up(*request.stream, reply);
      change(request.stream);
      break;
    case Kind::kClear:
      clear(request, reply);
      break;
    case Kind::kRelease:
      release(request);
      break;
    case Kind::kExpire:
      expire(request);
      break;
    case Kind::kFlush:
      break;
  }
  return reply;
}

void SqliteTables::change(const std::shared_ptr<StoredStream>& stream) {
  if (stream->row.changed) return;
  stream->row.changed = true;
  changed_.push_back(stream);
}

void SqliteTables::flush(std::uint64_t now_ms) {
  for (const std::shared_ptr<StoredStream>& stream : changed_) {
    StreamRow& row = stream->row;
    if (!row.changed) continue;
    trim(row, stream->options, now_ms);
    schedule(row, stream->options);
    update(row, stream->options);
  }
  changed_.clear();
}

void SqliteTables::committed(std::span<StoreRequest> requests, std::span<StoreReply> replies) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    StoredStream* stream = requests[i].stream.get();
    if (stream == nullptr || !current(*stream)) continue;
    stream->told = {stream->row.epoch, stream->row.top};
    replies[i].oldest = stream->row.oldest;
  }
}

// Reads the stream's row unless it is known; makes one for a stream without.
void SqliteTables::bring_up(StoredStream& stream, StoreReply& reply) {
  if (current(stream)) return;
  StreamOptions stored;
  stream.row = {};
  if (!find_row(*database_, stream.channel, stream.row, stored)) {
    stream.row.epoch = new_epoch(nullptr);
    insert_row(*database_, stream.channel, stream.row, stream.options);
    ++streams_added_;
  }
  if (database_->failed()) return;
  stream.generation = generation_;
  reconcile(stream, reply);
}

// After a failure: a commit that was reported as failed may have reached the disk, and the file may
// have been replaced by another or by an older copy.
void SqliteTables::reconcile(StoredStream& stream, StoreReply& reply) {
  StreamRow& row = stream.row;
  if (stream.told.epoch == 0 || stream.told == Position{row.epoch, row.top}) return;
  if (row.epoch == stream.told.epoch && row.top < stream.told.offset) {
    // The offsets above are taken: they must not be given out once more within this epoch.
    row.epoch = new_epoch(nullptr);
    update(row, stream.options);
  }
  const std::uint64_t first = stream.told.offset + 1;
  if (row.epoch == stream.told.epoch && row.oldest <= first && row.top - first < kMissedMax) {
    fetch(*database_, stream, {.after = stream.told.offset, .limit = kMissedMax,
                               .bytes_max = std::numeric_limits<std::size_t>::max()},
          first, row.top, reply.page);
    reply.missed = std::exchange(reply.page, {}).publications;
  } else {
    reply.reset = Position{row.epoch, row.top};
  }
}

void SqliteTables::load(StoreRequest& request, StoreReply& reply) {
  StoredStream& stream = *request.stream;
  bring_up(stream, reply);
  change(request.stream);  // the options may have changed
  trim_held(request);
  read(stream, {.order = HistoryQuery::Order::kBackward, .limit = kRecentMessages,
                .bytes_max = kRecentBytes}, reply.page);
  std::reverse(reply.page.publications.begin(), reply.page.publications.end());
  reply.top = {stream.row.epoch, stream.row.top};
}

void SqliteTables::publish(StoreRequest& request, StoreReply& reply) {
  if (!request.key.empty() && find_key(request, reply)) return;
  StoredStream& stream = *request.stream;
  StreamRow& row = stream.row;
  change(request.stream);
  row.last_ms = std::max(row.last_ms, request.now_ms);
  ++row.top;
  Publication& publication = *request.publication;
  publication.epoch = row.epoch;
  publication.offset = row.top;
  publication.time_ms = row.last_ms;
  if (stream.options.history_messages > 0) {
    const std::size_t cost = cost_of(publication);
    insert_publication(*database_, row.id, publication, cost);
    row.bytes += cost;
    if (row.oldest == row.top) row.front_ms = row.last_ms;
  } else {
    // At once: history may be turned on again within the batch, and must not begin with a hole.
    trim(row, stream.options, request.now_ms);
  }
  if (!request.key.empty()) {
    const auto window = std::max<Duration::rep>(stream.options.idempotency_window.count(), 0);
    insert_key(*database_, row.id, request.key, request.digest, {row.epoch, row.top},
               request.now_ms + static_cast<std::uint64_t>(window));
    ++keys_added_;
  }
  reply.published = {{row.epoch, row.top}, false};
  reply.publication = request.publication;
}

bool SqliteTables::find_key(StoreRequest& request, StoreReply& reply) {
  Query known(*database_, "SELECT digest, epoch, offset FROM keys "
                          "WHERE stream = ? AND key = ? AND until_ms > ?");
  known.number(request.stream->row.id).bytes(as_bytes(request.key)).number(request.now_ms);
  if (!known.next()) return false;
  if (std::ranges::equal(known.bytes_at(0), request.digest)) {
    reply.published = {{known.number_at(1), known.number_at(2)}, true};
  } else {
    reply.error = BrokerError::kIdempotencyConflict;
  }
  return true;
}

void SqliteTables::read(StoredStream& stream, const HistoryQuery& query, HistoryPage& page) {
  const StreamRow& row = stream.row;
  page.top = {row.epoch, row.top};
  page.oldest = row.oldest;
  std::uint64_t low = row.oldest, high = row.top;  // both inclusive
  if (query.after && *query.after >= low) low = std::min(*query.after, high) + 1;
  if (query.before && *query.before <= high) {
    if (*query.before <= low) return;
    high = *query.before - 1;
  }
  if (query.from_ms) low = std::max(low, first_not_before(row, *query.from_ms));
  if (query.to_ms && *query.to_ms < std::numeric_limits<std::int64_t>::max()) {
    high = std::min(high, first_not_before(row, *query.to_ms + 1) - 1);
  }
  if (low > high) return;
  fetch(*database_, stream, query, low, high, page);
}

// Offsets have no holes and times never fall, so a time is found by halving.
std::uint64_t SqliteTables::first_not_before(const StreamRow& row, std::uint64_t time_ms) {
  std::uint64_t low = row.oldest, high = row.top + 1;
  while (low < high && !database_->failed()) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (time_of(*database_, row.id, middle) < time_ms) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void SqliteTables::clear(StoreRequest& request, StoreReply& reply) {
  StoredStream& stream = *request.stream;
  const bool held = holds(stream);
  if (held) {
    bring_up(stream, reply);
  } else if (!find_row(*database_, stream.channel, stream.row, stream.options)) {
    return;
  }
  StreamRow& row = stream.row;
  row.oldest = row.top + 1;
  delete_before(*database_, row.id, row.oldest);
  row.epoch = new_epoch(nullptr);
  row.top = row.bytes = 0;
  row.oldest = 1;
  row.front_ms.reset();
  reply.top = {row.epoch, 0};
  if (held) return change(request.stream);
  row.due_ms = request.now_ms + static_cast<std::uint64_t>(request.forget_after.count());
  update(row, stream.options);
}

void SqliteTables::release(StoreRequest& request) {
  StoredStream& stream = *request.stream;
  StreamOptions stored;
  if (!current(stream) && !find_row(*database_, stream.channel, stream.row, stored)) return;
  StreamRow& row = stream.row;
  trim(row, stream.options, request.now_ms);
  schedule(row, stream.options);
  if (row.oldest > row.top) {
    row.due_ms = request.now_ms + static_cast<std::uint64_t>(request.forget_after.count());
  }
  update(row, stream.options);
}

void SqliteTables::expire(const StoreRequest& request) {
  const auto forget_ms =
      request.now_ms + static_cast<std::uint64_t>(request.forget_after.count());
  if (just_attached_) {
    // Nobody held anything while the server was down. Everything gets its time once more, so that
    // those who come back find their positions known.
    Query(*database_, "UPDATE streams SET due_ms = ?1 "
                      "WHERE due_ms IS NULL OR (oldest > top AND due_ms < ?1)")
        .number(forget_ms)
        .run();
    just_attached_ = false;
  }
  Query(*database_, "DELETE FROM keys WHERE rowid IN "
                    "(SELECT rowid FROM keys WHERE until_ms <= ? LIMIT ?)")
      .number(request.now_ms)
      .number(kKeysPerExpire + 2 * std::exchange(keys_added_, 0))
      .run();
  std::vector<std::string> due;
  {
    Query query(*database_, "SELECT channel FROM streams WHERE due_ms <= ? "
                            "ORDER BY due_ms LIMIT ?");
    query.number(request.now_ms).number(kStreamsPerExpire + 2 * std::exchange(streams_added_, 0));
    while (query.next()) due.push_back(query.text_at(0));
  }
  for (const std::string& channel : due) look_after(channel, request.now_ms, forget_ms);
  database_->shrink();
}

void SqliteTables::look_after(const std::string& channel, std::uint64_t now_ms,
                              std::uint64_t forget_ms) {
  const auto found = held_.find(channel);
  StoredStream* held = found == held_.end() ? nullptr : found->second.get();
  StreamRow own;
  StreamOptions options;
  if (!find_row(*database_, channel, own, options)) return;
  // A held stream's row is newer in memory within a batch. Where it is not known, it stays unknown:
  // reconciling is for a request that can carry the outcome to its loop.
  const bool known = held != nullptr && current(*held);
  StreamRow& row = known ? held->row : own;
  if (held != nullptr) options = held->options;
  row.due_ms.reset();
  const bool was_empty = row.oldest > row.top;
  trim(row, options, now_ms);
  schedule(row, options);
  if (held == nullptr && row.oldest > row.top) {
    if (was_empty && !has_keys(*database_, row.id)) return delete_row(*database_, row.id);
    row.due_ms = forget_ms;
  }
  update(row, options);
}

void SqliteTables::trim_held(const StoreRequest& request) {
  if (trim(request.stream->row, request.stream->options, request.now_ms)) change(request.stream);
}

// Drops from the head what the options do not allow. True if there was something.
bool SqliteTables::trim(StreamRow& row, const StreamOptions& options, std::uint64_t now_ms) {
  const std::uint64_t first_allowed =
      row.top >= options.history_messages ? row.top - options.history_messages + 1 : 1;
  const auto ttl = static_cast<std::uint64_t>(std::max<Duration::rep>(
      options.history_ttl.count(), 0));
  const auto too_old = [&](std::uint64_t time_ms) { return ttl > 0 && time_ms + ttl <= now_ms; };
  const bool may_be_too_old = ttl > 0 && (!row.front_ms || too_old(*row.front_ms));
  const bool look = row.oldest < first_allowed || row.bytes > options.history_bytes_max ||
                    (row.oldest <= row.top && may_be_too_old);
  if (!look || database_->failed()) return false;
  std::uint64_t oldest = row.top + 1, bytes = row.bytes;
  row.front_ms.reset();
  {
    Query kept(*database_, "SELECT offset, cost, time_ms FROM publications "
                           "WHERE stream = ? AND offset >= ? ORDER BY offset");
    kept.number(row.id).number(row.oldest);
    while (kept.next()) {
      const std::uint64_t offset = kept.number_at(0), time_ms = kept.number_at(2);
      if (offset >= first_allowed && bytes <= options.history_bytes_max && !too_old(time_ms)) {
        oldest = offset;
        row.front_ms = time_ms;
        break;
      }
      bytes -= std::min(bytes, kept.number_at(1));
    }
  }
  if (oldest == row.oldest) return false;
  delete_before(*database_, row.id, oldest);
  row.oldest = oldest;
  row.bytes = oldest > row.top ? 0 : bytes;
  return true;
}

// Sees to it that expire() looks at the stream when its first publication has had its time. Too
// early is fine, so a publish seldom changes anything here.
void SqliteTables::schedule(StreamRow& row, const StreamOptions& options) {
  if (options.history_ttl.count() <= 0 || row.oldest > row.top) return;
  if (!row.front_ms) row.front_ms = time_of(*database_, row.id, row.oldest);
  const std::uint64_t due = *row.front_ms + static_cast<std::uint64_t>(options.history_ttl.count());
  row.due_ms = std::min(due, row.due_ms.value_or(due));
}

void SqliteTables::update(StreamRow& row, const StreamOptions& options) {
  update_row(*database_, row, options);
  row.changed = false;
}

}  // namespace anywire::broker
