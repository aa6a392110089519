#include "broker/sqlite_database.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

namespace anywire::broker {

namespace {

constexpr int kSchemaVersion = 1;
constexpr int kApplicationId = 0x416e7977;  // "Anyw"
// A file of this size is read as a whole within a second when the server starts; of a larger one
// only the small tables are.
constexpr std::uint64_t kInspectedWhole = 256 * 1024 * 1024;
// Below this many free pages (4 MiB) the file stays as it is.
constexpr std::uint64_t kFreePagesKept = 1024;

// Payloads stand last: a row's small columns are read without following its overflow pages.
constexpr const char* kSchema = R"(
CREATE TABLE streams(
  id INTEGER PRIMARY KEY,
  channel BLOB NOT NULL UNIQUE,
  epoch INTEGER NOT NULL,
  top INTEGER NOT NULL,         -- offset of the last publication
  oldest INTEGER NOT NULL,      -- offset of the first one kept; top + 1 if none
  bytes INTEGER NOT NULL,       -- sum of cost
  last_ms INTEGER NOT NULL,     -- time of the last publication
  messages_max INTEGER NOT NULL,
  bytes_max INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL,
  due_ms INTEGER);              -- when there may be something to drop; NULL = not for its age
CREATE INDEX streams_due ON streams(due_ms) WHERE due_ms IS NOT NULL;
CREATE TABLE publications(
  stream INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  time_ms INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  event TEXT, id TEXT, client_id TEXT, user_id TEXT, key TEXT, tags BLOB, extras TEXT,
  payload BLOB,
  UNIQUE(stream, offset));
CREATE TABLE keys(
  stream INTEGER NOT NULL,
  key BLOB NOT NULL,
  digest BLOB NOT NULL,
  epoch INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  UNIQUE(stream, key));
CREATE INDEX keys_until ON keys(until_ms);
)";

// A relative path is one, though SQLite has special names that begin otherwise (":memory:").
std::string file_name(const std::string& path) {
  return path.starts_with('/') ? path : "./" + path;
}

constexpr const char* kDamaged =
    "the file is damaged ({}): put a copy of it in its place, or move it away to begin anew";

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database);
  std::error_code ignored;
  const bool existed = std::filesystem::exists(options.path, ignored);
  const int code = sqlite3_open_v2(
      file_name(options.path).c_str(), &database->handle_,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (code != SQLITE_OK) {
    database->fail(code);
    return std::unexpected(database->open_error());
  }
  if (!existed) {
    // People's messages are nobody else's to read. The log files take over these permissions.
    using std::filesystem::perms;
    std::filesystem::permissions(options.path, perms::owner_read | perms::owner_write, ignored);
  }
  if (Result<void> ready = database->set_up(options); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  return database;
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Result<void> Database::set_up(const DatabaseOptions& options) {
  // Exclusive before the first access: the file then belongs to this process until it ends, however
  // it ends, and the index of the write-ahead log needs no shared memory.
  run("PRAGMA locking_mode = EXCLUSIVE");
  // SQLite opens for reading what it may not write.
  if (sqlite3_db_readonly(handle_, "main") == 1) fail(SQLITE_READONLY);
  // Before anything is written: what is not ours is left as it is.
  const Result<bool> is_new = check_version();
  if (!is_new) return std::unexpected(is_new.error());
  // Only now possible: it lets the file become smaller again.
  if (*is_new) run("PRAGMA auto_vacuum = INCREMENTAL");
  {
    Query mode(*this, "PRAGMA journal_mode = WAL");
    const bool answered = mode.next();
    if (answered && mode.text_at(0) != "wal") fail(SQLITE_CANTOPEN);
  }
  run(options.sync_every_commit ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  run("PRAGMA temp_store = MEMORY");
  run("PRAGMA journal_size_limit = 67108864");
  if (*is_new) {
    begin();
    run(kSchema);
    run(fmt::format("PRAGMA user_version = {}", kSchemaVersion).c_str());
    run(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str());
    commit();
  }
  if (options.file_bytes_max > 0) limit_file(options.file_bytes_max);
  if (options.inspect && !failed()) {
    if (Result<void> sound = inspect(options.path); !sound) return sound;
  }
  if (failed()) return std::unexpected(open_error());
  return {};
}

void Database::limit_file(std::uint64_t bytes_max) {
  const std::uint64_t page_bytes = std::max<std::uint64_t>(answer_to("PRAGMA page_size"), 1);
  run(fmt::format("PRAGMA max_page_count = {}", bytes_max / page_bytes).c_str());
}

// The first column of the one row.
std::uint64_t Database::answer_to(const char* sql) {
  Query query(*this, sql);
  return query.next() ? query.number_at(0) : 0;
}

// Damage that is found now stops the start; what is found later fails the requests that meet it.
Result<void> Database::inspect(const std::string& path) {
  const auto damaged = [](std::string_view how) {
    return anywire::fail(ErrorCode::kIo, fmt::format(kDamaged, how));
  };
  // All of the write-ahead log into the file: then its length must be what its head says, and the
  // log begins empty.
  run("PRAGMA wal_checkpoint(TRUNCATE)");
  const std::uint64_t pages = answer_to("PRAGMA page_count");
  const std::uint64_t bytes = pages * answer_to("PRAGMA page_size");
  if (failed()) return {};
  std::error_code unknown;
  const std::uint64_t length = std::filesystem::file_size(file_name(path), unknown);
  if (!unknown && length < bytes) {
    return damaged(fmt::format("{} bytes are missing at its end", bytes - length));
  }
  const auto check = [&](const char* sql) {
    Query query(*this, sql);
    std::string found = query.next() ? query.text_at(0) : "ok";
    std::ranges::replace(found, '\n', ' ');
    return found;
  };
  std::string found = bytes <= kInspectedWhole ? check("PRAGMA quick_check(1)")
                                               : check("PRAGMA quick_check(streams)");
  if (found == "ok" && bytes > kInspectedWhole) found = check("PRAGMA quick_check(keys)");
  if (found != "ok") return damaged(found);
  return {};
}

// True for a file that is empty.
Result<bool> Database::check_version() {
  const std::uint64_t version = answer_to("PRAGMA user_version");
  const std::uint64_t application = answer_to("PRAGMA application_id");
  const std::uint64_t tables = answer_to("SELECT count(*) FROM sqlite_schema");
  if (failed()) return std::unexpected(open_error());
  if (version == 0 && application == 0 && tables == 0) return true;
  if (application != kApplicationId) {
    return anywire::fail(ErrorCode::kInvalidArgument, "the file is another application's database");
  }
  if (version != kSchemaVersion) {
    return anywire::fail(ErrorCode::kInvalidArgument,
                         fmt::format("the file has schema version {}, this server knows {}; it was "
                                     "written by a newer one",
                                     version, kSchemaVersion));
  }
  return false;
}

Error Database::open_error() const {
  const int system = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  switch (error()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kIo, "another process uses the file, perhaps a second server", 0};
    case SQLITE_NOTADB:
      return {ErrorCode::kInvalidArgument, "the file is not an SQLite database", 0};
    case SQLITE_CORRUPT:
      return {ErrorCode::kIo, fmt::format(kDamaged, message_), 0};
    case SQLITE_FULL:
      return {ErrorCode::kIo, "the disk is full", system};
    case SQLITE_READONLY:
      return {ErrorCode::kIo, "the file may not be written", system};
    default:
      break;
  }
  const std::string what =
      error() == SQLITE_CANTOPEN ? "the file, or its log, cannot be opened or made" : message_;
  if (system == 0) return {ErrorCode::kIo, what, 0};
  return {ErrorCode::kIo, fmt::format("{}: {}", what, std::generic_category().message(system)),
          system};
}

void Database::fail(int code) {
  if (failed()) return;
  error_ = code;
  // The connection has words for its own last error only.
  const bool own = handle_ != nullptr && sqlite3_extended_errcode(handle_) == code;
  message_ = own ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
}

void Database::run(const char* sql) {
  if (failed()) return;
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

bool Database::commit() {
  run("COMMIT");
  if (failed()) return false;
  // The file itself becomes smaller when the log goes into it; if not now, then another time.
  if (std::exchange(shrinks_, false)) sqlite3_wal_checkpoint(handle_, nullptr);
  return true;
}

void Database::rollback() {
  // SQLite has rolled back by itself after some errors.
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  error_ = SQLITE_OK;
  message_.clear();
  shrinks_ = false;
}

void Database::shrink() {
  const std::uint64_t free_pages = answer_to("PRAGMA freelist_count");
  if (free_pages <= kFreePagesKept) return;
  if (free_pages * 2 <= answer_to("PRAGMA page_count")) return;
  run("PRAGMA incremental_vacuum(256)");
  shrinks_ = true;
}

std::uint64_t Database::last_id() const {
  return static_cast<std::uint64_t>(sqlite3_last_insert_rowid(handle_));
}

sqlite3_stmt* Database::prepared(const char* sql) {
  if (failed()) return nullptr;
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code =
        sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) fail(code);
  }
  return statement;
}

Query::Query(Database& database, const char* sql)
    : database_(database), statement_(database.prepared(sql)) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void Query::check(int code) {
  if (code != SQLITE_OK) database_.fail(code);
}

Query& Query::number(std::uint64_t value) {
  if (statement_ != nullptr) {
    check(sqlite3_bind_int64(statement_, ++bound_, static_cast<std::int64_t>(value)));
  }
  return *this;
}

Query& Query::null() {
  if (statement_ != nullptr) check(sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

Query& Query::bytes(Bytes value) {
  // An empty view may have no address, which would be bound as NULL.
  const void* data = value.empty() ? "" : static_cast<const void*>(value.data());
  if (statement_ != nullptr) {
    check(sqlite3_bind_blob64(statement_, ++bound_, data, value.size(), SQLITE_STATIC));
  }
  return *this;
}

Query& Query::text(std::string_view value) {
  if (value.empty()) return null();
  if (statement_ != nullptr) {
    check(sqlite3_bind_text64(statement_, ++bound_, value.data(), value.size(), SQLITE_STATIC,
                              SQLITE_UTF8));
  }
  return *this;
}

bool Query::next() {
  if (statement_ == nullptr || database_.failed()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.fail(code);
  return false;
}

std::uint64_t Query::number_at(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

bool Query::null_at(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Bytes Query::bytes_at(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  return {static_cast<const std::uint8_t*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string Query::text_at(int column) const {
  return std::string(as_text(bytes_at(column)));
}

}  // namespace anywire::broker
