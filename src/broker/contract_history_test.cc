// The sentences of broker.h about history: what is kept, what a page holds, how loss is seen.
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "broker/testing/contract.h"

namespace anywire::broker {
namespace {

using Order = HistoryQuery::Order;
constexpr auto kLargest = std::numeric_limits<std::uint64_t>::max();

// ---- what is kept

TEST_P(BrokerContract, WithoutHistoryNothingIsKept) {
  const auto a = open("a", no_history());
  publish_numbers(*a, 3);
  const HistoryPage page = read(*a);
  EXPECT_TRUE(page.publications.empty());
  EXPECT_EQ(page.top, a->stream->top());
  EXPECT_EQ(page.oldest, 4u);
  EXPECT_FALSE(page.more);
}

TEST_P(BrokerContract, TheNewestMessagesAreKept) {
  const auto a = open("a", keeping(3));
  publish_numbers(*a, 10);
  const HistoryPage page = read(*a);
  EXPECT_EQ(texts_of(page.publications), "8 9 10");
  EXPECT_EQ(page.oldest, 8u);
  EXPECT_EQ(page.top, (Position{a->last.epoch, 10}));
  EXPECT_FALSE(page.more);
}

TEST_P(BrokerContract, HistoryIsBoundedByBytes) {
  StreamOptions options = keeping(1000);
  options.history_bytes_max = 10'000;
  const auto a = open("a", options);
  for (int i = 0; i < 30; ++i) a->publish(std::string(1000, 'x'));
  settle();
  HistoryPage page = read(*a);
  EXPECT_LE(page.publications.size(), 9u);
  EXPECT_GE(page.publications.size(), 6u);
  EXPECT_EQ(page.oldest, 31 - page.publications.size());
  // One large message pushes several small ones out.
  a->publish(std::string(8000, 'y'));
  settle();
  page = read(*a);
  EXPECT_EQ(page.publications.back()->offset, 31u);
  EXPECT_LE(page.publications.size(), 2u);
}

TEST_P(BrokerContract, AMessageLargerThanTheHistoryIsDeliveredAndNotKept) {
  StreamOptions options = keeping(1000);
  options.history_bytes_max = 1000;
  const auto a = open("a", options);
  publish(*a, "small");
  publish(*a, std::string(2000, 'x'));
  EXPECT_EQ(a->got.size(), 2u);
  const HistoryPage page = read(*a);
  EXPECT_TRUE(page.publications.empty());
  EXPECT_EQ(page.oldest, 3u);
  publish(*a, "next");
  EXPECT_EQ(texts(*a), "next");
}

TEST_P(BrokerContract, MessagesGoWithAge) {
  StreamOptions options = keeping(100);
  options.history_ttl = Duration(10'000);
  const auto a = open("a", options);
  publish(*a, "1");
  clock().advance(Duration(6000));
  publish(*a, "2");
  clock().advance(Duration(3999));
  EXPECT_EQ(texts(*a), "1 2");
  clock().advance(Duration(1));
  EXPECT_EQ(texts(*a), "2") << "without waiting for expire()";
  EXPECT_EQ(read(*a).oldest, 2u);
  pass(Duration(6000));
  EXPECT_EQ(texts(*a), "");
  EXPECT_EQ(read(*a).oldest, 3u);
  EXPECT_EQ(broker().history_bytes(), 0u);
  EXPECT_EQ(a->stream->top().offset, 2u) << "the stream goes on";
  publish(*a, "3");
  EXPECT_EQ(texts(*a), "3");
}

TEST_P(BrokerContract, AgeCountsWhileNobodyHoldsTheStream) {
  StreamOptions options = keeping(100);
  options.history_ttl = Duration(10'000);
  auto a = open("a", options);
  publish(*a, "1");
  a.reset();
  pass(Duration(10'001));
  a = open("a", options);
  EXPECT_EQ(texts(*a), "");
}

TEST_P(BrokerContract, HistoryOfIdleStreamsIsReleasedWhenItsTimeIsOver) {
  StreamOptions options = keeping(100);
  options.history_ttl = Duration(10'000);
  for (int i = 0; i < 100; ++i) {
    auto a = open("a" + std::to_string(i), options);
    publish(*a, "1");
  }
  pass(Duration(10'001));
  EXPECT_EQ(broker().history_bytes(), 0u);
  for (int i = 0; i < 3; ++i) pass(Duration(61'000));
  EXPECT_EQ(broker().streams(), 0u);
}

TEST_P(BrokerContract, SmallerOptionsDropWhatTheyDoNotAllow) {
  const auto a = open("a", keeping(10));
  publish_numbers(*a, 10);
  a->stream->set_options(keeping(4));
  settle();
  EXPECT_EQ(texts(*a), "7 8 9 10");
  EXPECT_EQ(read(*a).oldest, 7u);
  a->stream->set_options(keeping(10));
  settle();
  publish(*a, "11");
  EXPECT_EQ(texts(*a), "7 8 9 10 11");
  a->stream->set_options(no_history());
  settle();
  EXPECT_EQ(texts(*a), "");
  EXPECT_EQ(read(*a).oldest, 12u);
  EXPECT_EQ(a->resets, 0) << "other limits are no other stream";
}

TEST_P(BrokerContract, OptionsMayChangeWhileTheStreamIsClosed) {
  auto a = open("a", keeping(10));
  publish_numbers(*a, 10);
  a.reset();
  a = open("a", keeping(2));
  EXPECT_EQ(texts(*a), "9 10");
  EXPECT_EQ(read(*a).oldest, 9u);
}

TEST_P(BrokerContract, AnAgeLimitMayBeSetLater) {
  const auto a = open("a", keeping(10));
  publish(*a, "1");
  clock().advance(Duration(5000));
  publish(*a, "2");
  StreamOptions options = keeping(10);
  options.history_ttl = Duration(5000);
  a->stream->set_options(options);
  settle();
  EXPECT_EQ(texts(*a), "2");
  pass(Duration(5000));
  EXPECT_EQ(broker().history_bytes(), 0u);
}

TEST_P(BrokerContract, HistoryCanBeTurnedOnLater) {
  const auto a = open("a", no_history());
  publish_numbers(*a, 3);
  a->stream->set_options(keeping(10));
  publish(*a, "4");
  const HistoryPage page = read(*a);
  EXPECT_EQ(texts_of(page.publications), "4");
  EXPECT_EQ(page.oldest, 4u);
}

TEST_P(BrokerContract, HistoryTurnedOffAndOnAtOnceBeginsAnew) {
  const auto a = open("a", keeping(10));
  publish_numbers(*a, 3);
  a->stream->set_options(no_history());
  a->publish("4");
  a->stream->set_options(keeping(10));
  a->publish("5");
  settle();
  auto page = read(*a);
  EXPECT_EQ(texts_of(page.publications), "5");
  EXPECT_EQ(page.oldest, 5u);
  page = read(*a, {.after = 0, .limit = 1});
  EXPECT_EQ(texts_of(page.publications), "5");
}

TEST_P(BrokerContract, MemoryStaysWithinTheTotalAndLossIsSeen) {
  BrokerLimits limits;
  limits.history_bytes_max = 50'000;
  start(limits);
  std::vector<std::unique_ptr<Listener>> all;
  for (int i = 0; i < 10; ++i) all.push_back(open("a" + std::to_string(i), keeping(100)));
  for (int round = 0; round < 20; ++round) {
    for (auto& one : all) {
      one->publish(std::string(500, 'x'));
      settle();
      EXPECT_LE(broker().history_bytes(), 50'000u);
    }
  }
  std::size_t kept = 0;
  for (auto& one : all) {
    const HistoryPage page = read(*one);
    EXPECT_EQ(page.top.offset, 20u);
    EXPECT_EQ(page.publications.size(), page.top.offset + 1 - page.oldest);
    if (!page.publications.empty()) {
      EXPECT_EQ(page.publications[0]->offset, page.oldest);
    }
    kept += page.publications.size();
    EXPECT_EQ(one->resets, 0);
  }
  if (GetParam().history_outlives_memory) {
    EXPECT_EQ(kept, 200u);
  } else {
    EXPECT_LT(kept, 100u);
    EXPECT_GT(kept, 40u);
  }
}

// ---- pages by offset

TEST_P(BrokerContract, APageForwardBeginsAboveAfter) {
  const auto a = open("a", keeping(10));
  publish_numbers(*a, 10);
  EXPECT_EQ(texts(*a, {.after = 7}), "8 9 10");
  EXPECT_EQ(texts(*a, {.after = 0}), "1 2 3 4 5 6 7 8 9 10");
  EXPECT_EQ(texts(*a, {.after = 10}), "");
  EXPECT_EQ(texts(*a, {.after = 999}), "");
  EXPECT_EQ(texts(*a, {.after = kLargest}), "");
  EXPECT_EQ(texts(*a, {.after = 3, .before = 6}), "4 5");
  EXPECT_EQ(texts(*a, {.after = 3, .before = 4}), "");
  EXPECT_EQ(texts(*a, {.after = 6, .before = 3}), "");
}

TEST_P(BrokerContract, APageBackwardBeginsBelowBefore) {
  const auto a = open("a", keeping(10));
  publish_numbers(*a, 10);
  EXPECT_EQ(texts(*a, {.order = Order::kBackward}), "10 9 8 7 6 5 4 3 2 1");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .before = 4}), "3 2 1");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .before = 999}), "10 9 8 7 6 5 4 3 2 1");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .before = kLargest}), "10 9 8 7 6 5 4 3 2 1");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .before = 1}), "");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .before = 0}), "");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .after = 3, .before = 6}), "5 4");
}

TEST_P(BrokerContract, PagesFollowEachOtherUntilThereIsNoMore) {
  const auto a = open("a", keeping(10));
  publish_numbers(*a, 10);
  for (const Order order : {Order::kForward, Order::kBackward}) {
    HistoryQuery query{.order = order, .limit = 4};
    std::vector<std::uint64_t> seen;
    std::vector<std::size_t> sizes;
    for (bool more = true; more;) {
      const HistoryPage page = read(*a, query);
      for (const auto& p : page.publications) seen.push_back(p->offset);
      sizes.push_back(page.publications.size());
      more = page.more;
      (order == Order::kForward ? query.after : query.before) = seen.back();
      ASSERT_LE(sizes.size(), 5u);
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{4, 4, 2}));
    if (order == Order::kBackward) std::reverse(seen.begin(), seen.end());
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  }
}

TEST_P(BrokerContract, ThereIsNoMoreWhenTheLimitIsJustMet) {
  const auto a = open("a", keeping(10));
  publish_numbers(*a, 4);
  EXPECT_FALSE(read(*a, {.limit = 4}).more);
  EXPECT_TRUE(read(*a, {.limit = 3}).more);
  EXPECT_FALSE(read(*a, {.order = Order::kBackward, .limit = 4}).more);
  EXPECT_FALSE(read(*a, {.before = 4, .limit = 3}).more);
}

TEST_P(BrokerContract, ALimitOfNoneAsksOnlyWhereTheStreamStands) {
  const auto a = open("a", keeping(2));
  publish_numbers(*a, 4);
  const HistoryPage page = read(*a, {.limit = 0});
  EXPECT_TRUE(page.publications.empty());
  EXPECT_TRUE(page.more);
  EXPECT_EQ(page.top, a->stream->top());
  EXPECT_EQ(page.oldest, 3u);
}

TEST_P(BrokerContract, AHugeLimitIsNoHugeAllocation) {
  const auto a = open("a", keeping(10));
  publish_numbers(*a, 2);
  EXPECT_EQ(texts(*a, {.limit = std::numeric_limits<std::size_t>::max()}), "1 2");
}

TEST_P(BrokerContract, APageEndsBeforeTheMessageThatWouldMakeItTooLarge) {
  const auto a = open("a", keeping(10));
  for (int i = 0; i < 6; ++i) a->publish(std::string(100, static_cast<char>('a' + i)));
  settle();
  for (const Order order : {Order::kForward, Order::kBackward}) {
    HistoryPage page = read(*a, {.order = order, .bytes_max = 300});
    EXPECT_EQ(page.publications.size(), 3u);
    EXPECT_TRUE(page.more);
    page = read(*a, {.order = order, .bytes_max = 299});
    EXPECT_EQ(page.publications.size(), 2u);
    page = read(*a, {.order = order, .bytes_max = 600});
    EXPECT_EQ(page.publications.size(), 6u);
    EXPECT_FALSE(page.more);
    page = read(*a, {.order = order, .bytes_max = 1});
    EXPECT_EQ(page.publications.size(), 1u) << "one at least";
    EXPECT_TRUE(page.more);
  }
}

TEST_P(BrokerContract, AskingForWhatIsGoneBeginsAtTheOldest) {
  const auto a = open("a", keeping(3));
  publish_numbers(*a, 10);
  const HistoryPage page = read(*a, {.after = 2});
  EXPECT_EQ(texts_of(page.publications), "8 9 10");
  EXPECT_EQ(page.oldest, 8u);
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .before = 5}), "");
}

TEST_P(BrokerContract, AnEmptyStreamHasAnEmptyPage) {
  const auto a = open("a", keeping(3));
  for (const Order order : {Order::kForward, Order::kBackward}) {
    const HistoryPage page = read(*a, {.order = order, .after = 0});
    EXPECT_TRUE(page.publications.empty());
    EXPECT_FALSE(page.more);
    EXPECT_EQ(page.oldest, 1u);
    EXPECT_EQ(page.top, a->stream->top());
  }
}

TEST_P(BrokerContract, AReadSeesEverythingTheSinkWasGiven) {
  const auto a = open("a", keeping(1000));
  for (int i = 0; i < 100; ++i) {
    a->publish(std::to_string(i));
    const std::uint64_t given = a->last.offset;
    a->stream->read({.limit = 1000}, [given](auto page) {
      ASSERT_TRUE(page.has_value());
      EXPECT_GE(page->top.offset, given);
      EXPECT_EQ(page->publications.size(), page->top.offset);
    });
  }
  settle();
}

// ---- pages by time

TEST_P(BrokerContract, TimeBoundsAreInclusive) {
  const auto a = open("a", keeping(10));
  const std::uint64_t start_ms = clock().unix_ms();
  for (int i = 1; i <= 5; ++i) {
    publish(*a, std::to_string(i));
    clock().advance(Duration(10));
  }
  EXPECT_EQ(texts(*a, {.from_ms = start_ms + 20}), "3 4 5");
  EXPECT_EQ(texts(*a, {.from_ms = start_ms + 21}), "4 5");
  EXPECT_EQ(texts(*a, {.to_ms = start_ms + 20}), "1 2 3");
  EXPECT_EQ(texts(*a, {.to_ms = start_ms + 19}), "1 2");
  EXPECT_EQ(texts(*a, {.from_ms = start_ms + 10, .to_ms = start_ms + 30}), "2 3 4");
  EXPECT_EQ(texts(*a, {.from_ms = 0, .to_ms = kLargest}), "1 2 3 4 5");
  EXPECT_EQ(texts(*a, {.from_ms = kLargest}), "");
  EXPECT_EQ(texts(*a, {.to_ms = 0}), "");
  EXPECT_EQ(texts(*a, {.from_ms = start_ms + 30, .to_ms = start_ms + 10}), "");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .from_ms = start_ms + 10, .limit = 2}), "5 4");
  EXPECT_EQ(texts(*a, {.order = Order::kBackward, .to_ms = start_ms + 20}), "3 2 1");
}

TEST_P(BrokerContract, BoundsByTimeAndOffsetHoldTogether) {
  const auto a = open("a", keeping(10));
  const std::uint64_t start_ms = clock().unix_ms();
  for (int i = 1; i <= 6; ++i) {
    publish(*a, std::to_string(i));
    clock().advance(Duration(10));
  }
  EXPECT_EQ(texts(*a, {.after = 3, .from_ms = start_ms + 10, .to_ms = start_ms + 40}), "4 5");
  EXPECT_EQ(texts(*a, {.before = 4, .from_ms = start_ms + 10}), "2 3");
}

TEST_P(BrokerContract, SeveralMessagesOfOneMillisecondBelongTogether) {
  const auto a = open("a", keeping(10));
  publish(*a, "1");
  clock().advance(Duration(5));
  const std::uint64_t at_ms = clock().unix_ms();
  for (const char* text : {"2", "3", "4"}) publish(*a, text);
  clock().advance(Duration(5));
  publish(*a, "5");
  EXPECT_EQ(texts(*a, {.from_ms = at_ms, .to_ms = at_ms}), "2 3 4");
}

// ---- against a model that is too simple to be wrong

TEST_P(BrokerContract, RandomQueriesAgreeWithAPlainList) {
  BrokerLimits limits;
  // So that half of it has to be fetched.
  if (GetParam().history_outlives_memory) limits.history_bytes_max = 8000;
  start(limits);
  std::mt19937 random(11);
  const auto a = open("a", keeping(40));
  std::vector<PublicationPtr> model;
  for (int i = 1; i <= 60; ++i) {
    publish(*a, std::string(random() % 50, 'x'));
    if (random() % 2 != 0) clock().advance(Duration(random() % 20));
  }
  model.assign(a->got.end() - 40, a->got.end());
  const std::uint64_t first_ms = a->got.front()->time_ms;
  const auto maybe = [&](std::uint64_t base, std::uint64_t range) {
    return random() % 3 != 0 ? std::nullopt : std::optional(base + random() % range);
  };
  for (int round = 0; round < 300; ++round) {
    const HistoryQuery query{.order = random() % 2 != 0 ? Order::kForward : Order::kBackward,
                             .after = maybe(0, 70),
                             .before = maybe(0, 70),
                             .from_ms = maybe(first_ms, 400),
                             .to_ms = maybe(first_ms, 400),
                             .limit = random() % 50,
                             .bytes_max = random() % 2000};
    std::vector<PublicationPtr> wanted;
    for (const auto& p : model) {
      if (query.after && p->offset <= *query.after) continue;
      if (query.before && p->offset >= *query.before) continue;
      if (query.from_ms && p->time_ms < *query.from_ms) continue;
      if (query.to_ms && p->time_ms > *query.to_ms) continue;
      wanted.push_back(p);
    }
    if (query.order == Order::kBackward) std::reverse(wanted.begin(), wanted.end());
    std::size_t count = 0, bytes = 0;
    while (count < wanted.size() && count < query.limit) {
      bytes += wanted[count]->payload->size();
      if (bytes > query.bytes_max && count > 0) break;
      ++count;
    }
    const HistoryPage page = read(*a, query);
    ASSERT_EQ(page.publications.size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_EQ(page.publications[i]->offset, wanted[i]->offset);
      EXPECT_EQ(page.publications[i]->time_ms, wanted[i]->time_ms);
      EXPECT_EQ(text_of(*page.publications[i]), text_of(*wanted[i]));
    }
    EXPECT_EQ(page.more, count < wanted.size());
    EXPECT_EQ(page.oldest, 21u);
  }
}

}  // namespace
}  // namespace anywire::broker
