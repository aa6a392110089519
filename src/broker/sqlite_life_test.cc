// Random lives of a server with a bad disk: streams open and close, options change, histories are
// cleared, the disk fails and heals, the server restarts. Whatever is seen must fit together.
// ANYWIRE_BROKER_LIVES sets the number of lives; a failure names its seed, and ANYWIRE_BROKER_SEED
// begins there. The store's thread keeps its own time, so a seed need not fail each time.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "base/log.h"
#include "broker/testing/bad_disk.h"
#include "broker/testing/sqlite_fixture.h"

namespace anywire::broker {
namespace {

constexpr std::size_t kStreams = 4;
using Place = std::tuple<std::size_t, std::uint64_t, std::uint64_t>;  // stream, epoch, offset

class Life {
 public:
  explicit Life(unsigned seed) : random_(seed) { restart(); }

  void live(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
    finish();
  }
  int retries() const { return retries_; }
  int duplicates() const { return duplicates_; }

 private:
  struct Refused {
    std::size_t stream;
    std::string text;
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  static std::string name(std::size_t stream) { return "stream" + std::to_string(stream); }

  StreamOptions any_options(std::size_t stream) {
    StreamOptions options = durable(below(5) == 0 ? 0 : below(60));
    options.durable = stream != 0;  // one for the memory side
    if (below(3) == 0) options.history_ttl = Duration(1 + below(5000));
    if (below(4) == 0) options.history_bytes_max = 400 + below(10'000);
    return options;
  }

  void restart() {
    for (auto& one : open_) one.reset();
    server_.reset();
    disk_.heal();
    BrokerLimits limits;
    limits.history_bytes_max = 20'000;
    limits.forget_after = Duration(3000);
    const SqliteOptions options{.path = folder_.file(),
                                .batch_requests_max = 1 + below(20),
                                .retry_after = Duration(0),
                                .vfs = BadDisk::kName};
    server_ = std::make_unique<SqliteUnderTest>(options, limits);
    server_->clock().set(now_ms_);
  }

  void step() {
    const std::size_t s = below(kStreams);
    auto& stream = open_[s];
    switch (below(40)) {
      case 0:
        disk_.fail_at(static_cast<int>(1 + below(30)),
                      below(2) == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE, below(2) == 0);
        return;
      case 1:
        return disk_.heal();
      case 2:
        return stream.reset();
      case 3:
        return server_->broker().clear(name(s));
      case 4:
        if (stream) stream->stream->set_options(any_options(s));
        return;
      case 5:
        if (below(4) == 0) restart();
        return;
      case 6:
      case 7:
        return pass(below(1500));
      case 8:
      case 9:
      case 10:
        return server_->settle();
      case 11:
      case 12:
      case 13:
        return read(s);
      case 14:
      case 15:
        return retry();
      default:
        return publish(s, std::to_string(++published_));
    }
  }

  void pass(std::uint64_t by_ms) {
    now_ms_ += by_ms;
    server_->clock().set(now_ms_);
    server_->broker().expire();
  }

  Listener& at(std::size_t s) {
    auto& stream = open_[s];
    if (!stream) {
      stream = std::make_unique<Listener>(server_->broker(), name(s), any_options(s));
      stream->then = [this, s](const Publication& p) { see(s, p); };
    }
    return *stream;
  }

  // One place, one text; and one text, one place: nothing is changed, nothing is doubled.
  void see(std::size_t s, const Publication& p) {
    const Place place{s, p.epoch, p.offset};
    const std::string text = text_of(p);
    EXPECT_EQ(texts_.emplace(place, text).first->second, text) << "an offset was given out twice";
    // What was published in memory alone may be retried after a restart.
    if (s == 0) return;
    EXPECT_EQ(places_.emplace(text, place).first->second, place) << text << " was doubled";
  }

  void publish(std::size_t s, const std::string& text) {
    at(s).stream->publish({draft_of(text), text}, [this, s, text](auto result) {
      if (!result) return refused_.push_back({s, text});
      duplicates_ += result->duplicate ? 1 : 0;
      const Place place{s, result->position.epoch, result->position.offset};
      EXPECT_EQ(texts_.emplace(place, text).first->second, text) << "the place is another's";
      if (s != 0) {
        EXPECT_EQ(places_.emplace(text, place).first->second, place) << text << " was doubled";
      }
    });
  }

  void retry() {
    for (const Refused& one : std::exchange(refused_, {})) {
      ++retries_;
      publish(one.stream, one.text);
    }
  }

  void read(std::size_t s) {
    HistoryQuery query{.limit = 1 + below(80)};
    if (below(2) == 0) query.order = HistoryQuery::Order::kBackward;
    if (below(2) == 0) query.after = below(100);
    if (below(3) == 0) query.from_ms = now_ms_ - below(3000);
    at(s).stream->read(query, [this, s, query](auto page) {
      if (!page) return;
      const bool forward = query.order == HistoryQuery::Order::kForward;
      std::uint64_t next = 0;
      for (const PublicationPtr& p : page->publications) {
        see(s, *p);
        EXPECT_EQ(p->epoch, page->top.epoch);
        EXPECT_LE(p->offset, page->top.offset);
        EXPECT_GE(p->offset, page->oldest);
        EXPECT_TRUE(next == 0 || p->offset == next) << "a hole in a page";
        next = forward ? p->offset + 1 : p->offset - 1;
      }
    });
  }

  // With a good disk everything refused can be published, and a restart changes nothing.
  void finish() {
    disk_.heal();
    for (int i = 0; i < 3; ++i) {
      server_->settle();
      retry();
      pass(0);  // what could not be loaded is tried again
    }
    server_->settle();
    EXPECT_TRUE(refused_.empty());
    std::array<Position, kStreams> tops;
    for (std::size_t s = 1; s < kStreams; ++s) {
      at(s);
      server_->settle();
      tops[s] = at(s).stream->top();
    }
    restart();
    for (std::size_t s = 1; s < kStreams; ++s) {
      at(s);
      read(s);
      server_->settle();
      EXPECT_EQ(at(s).stream->top(), tops[s]);
    }
  }

  std::mt19937 random_;
  TemporaryFolder folder_;
  BadDisk disk_;
  std::uint64_t now_ms_ = 1'700'000'000'000;
  std::unique_ptr<SqliteUnderTest> server_;
  std::array<std::unique_ptr<Listener>, kStreams> open_;
  std::vector<Refused> refused_;
  std::map<Place, std::string> texts_;
  std::map<std::string, Place> places_;
  int published_ = 0;
  int retries_ = 0;
  int duplicates_ = 0;
};

TEST(SqliteLife, WhateverIsSeenFitsTogether) {
  log::configure({.level = log::Level::kError, .fd = -1});
  const char* asked = std::getenv("ANYWIRE_BROKER_LIVES");
  const unsigned lives = asked != nullptr ? static_cast<unsigned>(std::atoi(asked)) : 40;
  int retries = 0, duplicates = 0;
  const char* first = std::getenv("ANYWIRE_BROKER_SEED");
  const unsigned begin = first != nullptr ? static_cast<unsigned>(std::atoi(first)) : 1;
  for (unsigned seed = begin; seed < begin + lives; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Life life(seed);
    life.live(400);
    retries += life.retries();
    duplicates += life.duplicates();
    if (HasFailure()) break;
  }
  log::configure({});
  if (lives < 20) return;  // a single seed looked at
  EXPECT_GT(retries, static_cast<int>(lives)) << "the disk was too good";
  EXPECT_GT(duplicates, 0) << "no refused message had reached the disk";
}

}  // namespace
}  // namespace anywire::broker
