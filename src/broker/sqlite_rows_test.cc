#include "broker/sqlite_rows.h"

#include <gtest/gtest.h>

#include "broker/testing/sqlite_fixture.h"

namespace anywire::broker {
namespace {

TEST(EncodeTags, ComesBackAsItWas) {
  for (const std::vector<Tag>& tags :
       {std::vector<Tag>{}, std::vector<Tag>{{"", ""}}, std::vector<Tag>{{"a", "b"}, {"c", ""}},
        std::vector<Tag>{{std::string("\0\xff", 2), std::string(100'000, 'x')}}}) {
    std::vector<Tag> decoded = {{"left", "over"}};
    EXPECT_TRUE(decode_tags(as_bytes(encode_tags(tags)), decoded));
    EXPECT_EQ(decoded, tags);
  }
}

TEST(DecodeTags, RefusesEverythingCutShort) {
  const std::string whole = encode_tags({{"name", "value"}});
  std::vector<Tag> tags;
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_tags(as_bytes(std::string_view(whole).substr(0, size)), tags)) << size;
  }
  EXPECT_FALSE(decode_tags(as_bytes("\xff\xff\xff\xff name"), tags)) << "a length beyond the end";
}

class RowsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::open({.path = folder_.file()});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    database_ = std::move(*opened);
  }
  void publish(std::uint64_t offset, std::uint64_t time_ms) {
    Publication p(draft_of("x"), "a", 1, offset, time_ms);
    insert_publication(*database_, 7, p, 1);
  }

  TemporaryFolder folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(RowsTest, AStreamsRowComesBackAsItWas) {
  StreamOptions options = durable(5), stored;
  options.history_ttl = Duration(1234);
  options.history_bytes_max = std::numeric_limits<std::size_t>::max();
  StreamRow row{.epoch = 0xffff'ffff'ffff'fffe, .top = 9, .oldest = 5, .bytes = 100, .last_ms = 77};
  insert_row(*database_, "a", row, options);
  row.due_ms = 99;
  update_row(*database_, row, options);
  StreamRow found;
  ASSERT_TRUE(find_row(*database_, "a", found, stored));
  EXPECT_EQ(found.id, row.id);
  EXPECT_EQ(found.epoch, row.epoch);
  EXPECT_EQ(found.top, 9u);
  EXPECT_EQ(found.oldest, 5u);
  EXPECT_EQ(found.bytes, 100u);
  EXPECT_EQ(found.last_ms, 77u);
  EXPECT_EQ(found.due_ms, 99u);
  EXPECT_EQ(stored.history_messages, 5u);
  EXPECT_EQ(stored.history_ttl, Duration(1234));
  EXPECT_GE(stored.history_bytes_max, std::size_t{1} << 62);
  delete_row(*database_, row.id);
  EXPECT_FALSE(find_row(*database_, "a", found, stored));
  EXPECT_FALSE(database_->failed());
}

TEST_F(RowsTest, ARowThatCannotBeIsACorruptFile) {
  StreamRow row{.epoch = 1, .top = 3, .oldest = 9};
  insert_row(*database_, "a", row, {});
  StreamOptions stored;
  EXPECT_FALSE(find_row(*database_, "a", row, stored));
  EXPECT_EQ(database_->error(), SQLITE_CORRUPT);
}

TEST_F(RowsTest, AMissingPublicationIsACorruptFile) {
  publish(1, 10);
  publish(3, 30);
  StoredStream stream("a");
  stream.row.id = 7;
  HistoryPage page;
  fetch(*database_, stream, {}, 1, 3, page);
  EXPECT_EQ(database_->error(), SQLITE_CORRUPT);
  database_->rollback();
  EXPECT_EQ(time_of(*database_, 7, 3), 30u);
  time_of(*database_, 7, 2);
  EXPECT_TRUE(database_->failed());
}

TEST_F(RowsTest, ErrorsStickUntilTheRollback) {
  database_->begin();
  publish(1, 10);
  publish(1, 10);
  EXPECT_EQ(database_->error(), SQLITE_CONSTRAINT);
  EXPECT_NE(database_->message().find("UNIQUE"), std::string::npos);
  publish(2, 10);
  EXPECT_FALSE(database_->commit());
  database_->rollback();
  EXPECT_FALSE(database_->failed());
  time_of(*database_, 7, 1);
  EXPECT_TRUE(database_->failed()) << "nothing of it is left";
}

TEST_F(RowsTest, AKeyUsedAgainTakesThePlaceOfTheFirst) {
  insert_key(*database_, 7, "key", {}, {1, 1}, 100);
  insert_key(*database_, 7, "key", {}, {1, 2}, 200);
  EXPECT_TRUE(has_keys(*database_, 7));
  EXPECT_FALSE(has_keys(*database_, 8));
  EXPECT_FALSE(database_->failed());
}

}  // namespace
}  // namespace anywire::broker
