// Rows: the statements that read and write single rows, and how a publication is laid out in one.
// Internal to the SQLite broker. Errors show in the Database. Thread: the writer's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/sqlite_database.h"
#include "broker/sqlite_request.h"

namespace anywire::broker {

// False when there is none, or on an error.
bool find_row(Database& database, std::string_view channel, StreamRow& row, StreamOptions& stored);
void insert_row(Database& database, std::string_view channel, StreamRow& row,
                const StreamOptions& options);
void update_row(Database& database, const StreamRow& row, const StreamOptions& options);
void delete_row(Database& database, std::uint64_t stream);

void insert_publication(Database& database, std::uint64_t stream, const Publication& publication,
                        std::size_t cost);
void delete_before(Database& database, std::uint64_t stream, std::uint64_t offset);
// When the publication was ordered; it must exist.
std::uint64_t time_of(Database& database, std::uint64_t stream, std::uint64_t offset);
// Adds the publications from `low` to `high` to the page, in the order and within the limits of
// the query. Every one of them must exist: a hole is a corrupt file, never a shorter page.
void fetch(Database& database, const StoredStream& stream, const HistoryQuery& query,
           std::uint64_t low, std::uint64_t high, HistoryPage& page);

void insert_key(Database& database, std::uint64_t stream, std::string_view key,
                const Digest& digest, Position position, std::uint64_t until_ms);
bool has_keys(Database& database, std::uint64_t stream);

// Tags as one value: for each name and value its length (32 bits, little-endian), then its bytes.
std::string encode_tags(const std::vector<Tag>& tags);
// False when the bytes are not what encode_tags makes.
bool decode_tags(Bytes bytes, std::vector<Tag>& tags);

}  // namespace anywire::broker
