// Database: one connection to an SQLite file that belongs to this process alone, and Query, one run
// of a statement.
//
// Errors stick: after the first one nothing runs any more until `rollback`, so that whoever makes a
// transaction asks once, at its end. Failures are values here; nothing throws.
//
// Thread: one at a time. Lifetime: a Query does not outlive its Database, nor what was bound to it
// the Query.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace anywire::broker {

struct DatabaseOptions {
  std::string path;
  bool sync_every_commit = true;      // survives a power cut, not only the end of the process
  std::uint64_t file_bytes_max = 0;   // 0 = as the disk allows
  std::string vfs;                    // SQLite's file layer; empty = the system's
  bool inspect = false;               // look for damage; takes up to a second
};

class Database {
 public:
  // Opens the file, makes it if need be, takes it for this process, checks that it is ours and of
  // a version we know. The error does not name the file.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool failed() const { return error_ != SQLITE_OK; }
  // SQLite's primary result code and its words for it.
  int error() const { return error_ & 0xff; }
  const std::string& message() const { return message_; }
  void fail(int code);

  void begin() { run("BEGIN"); }
  bool commit();
  // Undoes the transaction and forgets the error.
  void rollback();
  void run(const char* sql);
  std::uint64_t last_id() const;
  // Gives room that has become free back to the system, a little with each transaction that asks,
  // while most of the file is free. Less is kept for what comes.
  void shrink();

 private:
  friend class Query;
  Database() = default;
  Result<void> set_up(const DatabaseOptions& options);
  void limit_file(std::uint64_t bytes_max);
  Result<bool> check_version();
  Result<void> inspect(const std::string& path);
  Error open_error() const;
  std::uint64_t answer_to(const char* sql);
  sqlite3_stmt* prepared(const char* sql);

  sqlite3* handle_ = nullptr;
  int error_ = SQLITE_OK;
  std::string message_;
  bool shrinks_ = false;  // in this transaction
  std::map<const char*, sqlite3_stmt*> statements_;  // by the address of their text
};

class Query {
 public:
  // `sql` is a literal: the statement is prepared once per literal.
  Query(Database& database, const char* sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // In the order of the question marks. Empty text is stored as NULL, which takes no room.
  Query& number(std::uint64_t value);
  Query& null();
  Query& bytes(Bytes value);
  Query& text(std::string_view value);

  // The next row; false when there is none, or on an error.
  bool next();
  // For statements without rows.
  void run() { next(); }

  // Columns of the row, from 0. Views are valid until the next row.
  std::uint64_t number_at(int column) const;
  bool null_at(int column) const;
  Bytes bytes_at(int column) const;
  std::string text_at(int column) const;

 private:
  void check(int code);

  Database& database_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

}  // namespace anywire::broker
