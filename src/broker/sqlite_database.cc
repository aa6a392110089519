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

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database);
  std::error_code ignored;
  const bool existed = std::filesystem::exists(options.path, ignored);
  const int code = sqlite3_open_v2(
      options.path.c_str(), &database->handle_,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
      options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (code != SQLITE_OK) {
    database->fail(code);
    return std::unexpected(database->error_as(options));
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
  {
    Query mode(*this, "PRAGMA journal_mode = WAL");
    const bool answered = mode.next();
    if (answered && mode.text_at(0) != "wal") fail(SQLITE_CANTOPEN);
  }
  run(options.sync_every_commit ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  run("PRAGMA temp_store = MEMORY");
  run("PRAGMA journal_size_limit = 67108864");
  begin();
  if (!failed()) {
    if (Result<void> known = check_version(); !known) {
      rollback();
      return known;
    }
  }
  commit();
  if (options.file_bytes_max > 0 && !failed()) {
    std::uint64_t page_bytes = 4096;
    {
      Query page_size(*this, "PRAGMA page_size");
      if (page_size.next()) page_bytes = std::max<std::uint64_t>(page_size.number_at(0), 1);
    }
    run(fmt::format("PRAGMA max_page_count = {}", options.file_bytes_max / page_bytes).c_str());
  }
  if (failed()) return std::unexpected(error_as(options));
  return {};
}

Result<void> Database::check_version() {
  const auto pragma = [&](const char* sql) {
    Query query(*this, sql);
    return query.next() ? query.number_at(0) : 0;
  };
  const std::uint64_t version = pragma("PRAGMA user_version");
  const std::uint64_t application = pragma("PRAGMA application_id");
  const std::uint64_t tables = pragma("SELECT count(*) FROM sqlite_schema");
  if (failed()) return {};
  if (version == 0 && application == 0 && tables == 0) {
    run(kSchema);
    run(fmt::format("PRAGMA user_version = {}", kSchemaVersion).c_str());
    run(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str());
    return {};
  }
  if (application != kApplicationId) {
    return anywire::fail(ErrorCode::kInvalidArgument, "the file is another application's database");
  }
  if (version != kSchemaVersion) {
    return anywire::fail(ErrorCode::kInvalidArgument,
                         fmt::format("the file has schema version {}, this server knows {}; it was "
                                     "written by a newer one",
                                     version, kSchemaVersion));
  }
  return {};
}

Error Database::error_as(const DatabaseOptions& options) const {
  const int system = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  switch (error()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {ErrorCode::kIo, fmt::format("another process uses {}", options.path), 0};
    case SQLITE_NOTADB:
      return {ErrorCode::kInvalidArgument, fmt::format("{} is not an SQLite file", options.path),
              0};
    default:
      return {ErrorCode::kIo, fmt::format("{}: {}", options.path, message_), system};
  }
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
  return !failed();
}

void Database::rollback() {
  // SQLite has rolled back by itself after some errors.
  if (sqlite3_get_autocommit(handle_) == 0) {
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  error_ = SQLITE_OK;
  message_.clear();
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
