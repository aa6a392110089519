#include "broker/sqlite_rows.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace anywire::broker {

namespace {

std::uint64_t milliseconds(Duration duration) {
  return static_cast<std::uint64_t>(std::max<Duration::rep>(duration.count(), 0));
}

// SQLite's integers are signed; a limit beyond them is no limit.
std::uint64_t capped(std::uint64_t value) {
  return std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max());
}

std::shared_ptr<Publication> publication_at(Database& database, Query& row,
                                            const StoredStream& stream) {
  auto publication = std::make_shared<Publication>();
  Publication& p = *publication;
  p.channel = stream.channel;
  p.epoch = stream.row.epoch;
  p.offset = row.number_at(0);
  p.time_ms = row.number_at(1);
  const std::uint64_t kind = row.number_at(2);
  if (kind > static_cast<std::uint64_t>(PayloadKind::kBinary)) database.fail(SQLITE_CORRUPT);
  p.kind = static_cast<PayloadKind>(kind);
  p.event = row.text_at(3);
  p.id = row.text_at(4);
  p.client_id = row.text_at(5);
  p.user_id = row.text_at(6);
  p.key = row.text_at(7);
  if (!decode_tags(row.bytes_at(8), p.tags)) database.fail(SQLITE_CORRUPT);
  p.extras = row.text_at(9);
  p.payload = Buffer::copy_of(row.bytes_at(10));
  p.payload->make_shared();
  return publication;
}

constexpr const char* kForward =
    "SELECT offset, time_ms, kind, event, id, client_id, user_id, key, tags, extras, payload "
    "FROM publications WHERE stream = ? AND offset BETWEEN ? AND ? ORDER BY offset";
constexpr const char* kBackward =
    "SELECT offset, time_ms, kind, event, id, client_id, user_id, key, tags, extras, payload "
    "FROM publications WHERE stream = ? AND offset BETWEEN ? AND ? ORDER BY offset DESC";

void append_sized(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<char>(size >> 8 * i & 0xff));
  out.append(text);
}

bool take_sized(Bytes& in, std::string& text) {
  if (in.size() < 4) return false;
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= std::size_t{in[i]} << 8 * i;
  in = in.subspan(4);
  if (in.size() < size) return false;
  text = as_text(in.first(size));
  in = in.subspan(size);
  return true;
}

}  // namespace

bool find_row(Database& database, std::string_view channel, StreamRow& row,
              StreamOptions& stored) {
  Query query(database, "SELECT id, epoch, top, oldest, bytes, last_ms, due_ms, messages_max, "
                        "bytes_max, ttl_ms FROM streams WHERE channel = ?");
  query.bytes(as_bytes(channel));
  if (!query.next()) return false;
  row = {.id = query.number_at(0), .epoch = query.number_at(1), .top = query.number_at(2),
         .oldest = query.number_at(3), .bytes = query.number_at(4), .last_ms = query.number_at(5)};
  if (!query.null_at(6)) row.due_ms = query.number_at(6);
  stored.history_messages = query.number_at(7);
  stored.history_bytes_max = query.number_at(8);
  stored.history_ttl = Duration(static_cast<Duration::rep>(query.number_at(9)));
  if (row.epoch == 0 || row.oldest == 0 || row.oldest > row.top + 1) {
    database.fail(SQLITE_CORRUPT);
    return false;
  }
  return true;
}

void insert_row(Database& database, std::string_view channel, StreamRow& row,
                const StreamOptions& options) {
  Query(database, "INSERT INTO streams(channel, epoch, top, oldest, bytes, last_ms, messages_max, "
                  "bytes_max, ttl_ms) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bytes(as_bytes(channel))
      .number(row.epoch)
      .number(row.top)
      .number(row.oldest)
      .number(row.bytes)
      .number(row.last_ms)
      .number(capped(options.history_messages))
      .number(capped(options.history_bytes_max))
      .number(milliseconds(options.history_ttl))
      .run();
  row.id = database.last_id();
}

void update_row(Database& database, const StreamRow& row, const StreamOptions& options) {
  Query query(database, "UPDATE streams SET epoch = ?, top = ?, oldest = ?, bytes = ?, "
                        "last_ms = ?, messages_max = ?, bytes_max = ?, ttl_ms = ?, due_ms = ? "
                        "WHERE id = ?");
  query.number(row.epoch)
      .number(row.top)
      .number(row.oldest)
      .number(row.bytes)
      .number(row.last_ms)
      .number(capped(options.history_messages))
      .number(capped(options.history_bytes_max))
      .number(milliseconds(options.history_ttl));
  if (row.due_ms) {
    query.number(*row.due_ms);
  } else {
    query.null();
  }
  query.number(row.id).run();
}

void delete_row(Database& database, std::uint64_t stream) {
  Query(database, "DELETE FROM streams WHERE id = ?").number(stream).run();
}

void insert_publication(Database& database, std::uint64_t stream, const Publication& p,
                        std::size_t cost) {
  const std::string tags = encode_tags(p.tags);
  Query(database, "INSERT INTO publications(stream, offset, time_ms, cost, kind, event, id, "
                  "client_id, user_id, key, tags, extras, payload) "
                  "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .number(stream)
      .number(p.offset)
      .number(p.time_ms)
      .number(cost)
      .number(static_cast<std::uint64_t>(p.kind))
      .text(p.event)
      .text(p.id)
      .text(p.client_id)
      .text(p.user_id)
      .text(p.key)
      .bytes(as_bytes(tags))
      .text(p.extras)
      .bytes(p.payload ? p.payload->bytes() : Bytes{})
      .run();
}

void delete_before(Database& database, std::uint64_t stream, std::uint64_t offset) {
  Query(database, "DELETE FROM publications WHERE stream = ? AND offset < ?")
      .number(stream)
      .number(offset)
      .run();
}

std::uint64_t time_of(Database& database, std::uint64_t stream, std::uint64_t offset) {
  Query query(database, "SELECT time_ms FROM publications WHERE stream = ? AND offset = ?");
  query.number(stream).number(offset);
  if (query.next()) return query.number_at(0);
  database.fail(SQLITE_CORRUPT);
  return 0;
}

void fetch(Database& database, const StoredStream& stream, const HistoryQuery& query,
           std::uint64_t low, std::uint64_t high, HistoryPage& page) {
  const bool forward = query.order == HistoryQuery::Order::kForward;
  Query rows(database, forward ? kForward : kBackward);
  rows.number(stream.row.id).number(low).number(high);
  std::size_t bytes = 0;
  while (low <= high) {
    if (page.publications.size() >= query.limit) {
      page.more = true;
      return;
    }
    if (!rows.next() || rows.number_at(0) != (forward ? low : high)) {
      return database.fail(SQLITE_CORRUPT);
    }
    bytes += rows.bytes_at(10).size();
    if (bytes > query.bytes_max && !page.publications.empty()) {
      page.more = true;
      return;
    }
    page.publications.push_back(publication_at(database, rows, stream));
    forward ? ++low : --high;
  }
}

void insert_key(Database& database, std::uint64_t stream, std::string_view key,
                const Digest& digest, Position position, std::uint64_t until_ms) {
  Query(database, "INSERT OR REPLACE INTO keys(stream, key, digest, epoch, offset, until_ms) "
                  "VALUES(?, ?, ?, ?, ?, ?)")
      .number(stream)
      .bytes(as_bytes(key))
      .bytes(digest)
      .number(position.epoch)
      .number(position.offset)
      .number(until_ms)
      .run();
}

bool has_keys(Database& database, std::uint64_t stream) {
  Query query(database, "SELECT 1 FROM keys WHERE stream = ? LIMIT 1");
  return query.number(stream).next();
}

std::string encode_tags(const std::vector<Tag>& tags) {
  std::string out;
  for (const Tag& tag : tags) {
    append_sized(out, tag.name);
    append_sized(out, tag.value);
  }
  return out;
}

bool decode_tags(Bytes bytes, std::vector<Tag>& tags) {
  tags.clear();
  while (!bytes.empty()) {
    Tag tag;
    if (!take_sized(bytes, tag.name) || !take_sized(bytes, tag.value)) return false;
    tags.push_back(std::move(tag));
  }
  return true;
}

}  // namespace anywire::broker
