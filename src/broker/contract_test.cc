// The sentences of broker.h, for every implementation. contract_history_test.cc has those about
// reading; what only one implementation promises is in its own tests.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "broker/testing/contract.h"

namespace anywire::broker {
namespace {

// ---- order, epochs, offsets

TEST_P(BrokerContract, AStreamBeginsAtOffsetZeroOfAnEpochThatIsNotZero) {
  const auto a = open("a", no_history());
  EXPECT_NE(a->stream->top().epoch, 0u);
  EXPECT_EQ(a->stream->top().offset, 0u);
}

TEST_P(BrokerContract, OffsetsGrowByOneInTheOrderOfTheCalls) {
  const auto a = open("a", no_history());
  for (int i = 0; i < 50; ++i) a->publish(std::to_string(i));
  settle();
  ASSERT_EQ(a->got.size(), 50u);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(text_of(*a->got[i]), std::to_string(i));
    EXPECT_EQ(a->got[i]->offset, i + 1);
    EXPECT_EQ(a->answers[i]->position, a->got[i]->position());
    EXPECT_FALSE(a->answers[i]->duplicate);
  }
}

TEST_P(BrokerContract, TheSinkIsToldBeforeThePublisherIsAnswered) {
  const auto a = open("a", keeping(10));
  a->publish("1");
  a->publish("2");
  settle();
  EXPECT_EQ(a->log, (std::vector<std::string>{"pub 1", "done", "pub 2", "done"}));
}

TEST_P(BrokerContract, APublisherNeedNotAsk) {
  const auto a = open("a", keeping(10));
  a->stream->publish({draft_of("1"), ""}, {});
  settle();
  EXPECT_EQ(a->texts(), "1");
}

TEST_P(BrokerContract, TopIsTheLastPositionHandedToTheSink) {
  const auto a = open("a", no_history());
  publish(*a, "1");
  EXPECT_EQ(a->stream->top(), a->got[0]->position());
  publish(*a, "2");
  EXPECT_EQ(a->stream->top(), a->got[1]->position());
}

TEST_P(BrokerContract, APublicationCarriesAllOfItsDraft) {
  const auto a = open("room:1", keeping(5));
  for (const PayloadKind kind : {PayloadKind::kJson, PayloadKind::kText, PayloadKind::kBinary}) {
    PublishRequest request{draft_of(std::string_view("\0bytes\xff", 7)), ""};
    request.draft.kind = kind;
    request.draft.event = "event";
    request.draft.id = "id";
    request.draft.client_id = "client";
    request.draft.user_id = "user";
    request.draft.key = "key";
    request.draft.tags = {{"name", "value"}, {"", ""}};
    request.draft.extras = std::string("ex\0tras", 7);
    a->stream->publish(std::move(request), {});
  }
  settle();
  const HistoryPage page = read(*a);
  ASSERT_EQ(page.publications.size(), 3u);
  for (const auto& list : {a->got, page.publications}) {
    for (std::size_t i = 0; i < 3; ++i) {
      const Publication& p = *list[i];
      EXPECT_EQ(p.kind, static_cast<PayloadKind>(i));
      EXPECT_EQ(text_of(p), std::string("\0bytes\xff", 7));
      EXPECT_EQ(p.event, "event");
      EXPECT_EQ(p.id, "id");
      EXPECT_EQ(p.client_id, "client");
      EXPECT_EQ(p.user_id, "user");
      EXPECT_EQ(p.key, "key");
      EXPECT_EQ(p.tags, (std::vector<Tag>{{"name", "value"}, {"", ""}}));
      EXPECT_EQ(p.extras, std::string("ex\0tras", 7));
      EXPECT_EQ(p.channel, "room:1");
      EXPECT_EQ(p.position(), (Position{a->last.epoch, i + 1}));
    }
  }
}

TEST_P(BrokerContract, AnEmptyPayloadIsAPayload) {
  const auto a = open("a", keeping(5));
  a->stream->publish({Draft{}, ""}, {});
  publish(*a, "");
  const HistoryPage page = read(*a);
  ASSERT_EQ(page.publications.size(), 2u);
  EXPECT_EQ(text_of(*page.publications[1]), "");
}

TEST_P(BrokerContract, TimeIsWhenItWasOrdered) {
  const auto a = open("a", no_history());
  publish(*a, "1");
  EXPECT_EQ(a->got[0]->time_ms, clock().unix_ms());
  clock().advance(Duration(1234));
  publish(*a, "2");
  EXPECT_EQ(a->got[1]->time_ms, a->got[0]->time_ms + 1234);
}

TEST_P(BrokerContract, TimeStandsStillForAStreamWhenTheClockIsSetBack) {
  const auto a = open("a", keeping(10));
  publish(*a, "1");
  clock().advance(Duration(-60'000));
  publish(*a, "2");
  EXPECT_EQ(a->got[1]->time_ms, a->got[0]->time_ms);
}

TEST_P(BrokerContract, StreamsHaveNothingToDoWithEachOther) {
  const auto a = open("a", keeping(10));
  const auto b = open("b", keeping(10));
  EXPECT_NE(a->stream->top().epoch, b->stream->top().epoch);
  publish(*a, "a1", "key");
  publish(*a, "a2");
  publish(*b, "b1", "key");
  EXPECT_EQ(a->texts(), "a1 a2");
  EXPECT_EQ(b->texts(), "b1");
  EXPECT_EQ(b->last.offset, 1u);
  EXPECT_EQ(texts(*b), "b1");
  broker().clear("a");
  settle();
  EXPECT_EQ(b->resets, 0);
  EXPECT_EQ(texts(*b), "b1");
}

TEST_P(BrokerContract, ChannelNamesAreBytes) {
  const std::vector<std::string> names = {"x", "X", "x ", std::string("x\0", 2), "\xc3\xa9",
                                          std::string(500, 'n'), "'; DROP TABLE streams; --"};
  std::vector<std::unique_ptr<Listener>> all;
  for (const std::string& name : names) {
    all.push_back(open(name, keeping(5)));
    publish(*all.back(), name);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(all[i]->texts(), names[i]);
    EXPECT_EQ(texts(*all[i]), names[i]);
    EXPECT_EQ(all[i]->got[0]->channel, names[i]);
  }
}

// ---- calling from inside callbacks

TEST_P(BrokerContract, WhatASinkPublishesComesAfterWhatItIsJustHandling) {
  const auto a = open("a", keeping(10));
  a->then = [&](const Publication& p) {
    if (text_of(p) == "1") {
      a->publish("from 1");
      a->publish("also from 1");
      a->log.push_back("end of 1");
    }
  };
  a->publish("1");
  a->publish("2");
  settle();
  EXPECT_EQ(a->got.size(), 4u);
  const auto at = [&](const char* entry) {
    return std::find(a->log.begin(), a->log.end(), entry) - a->log.begin();
  };
  EXPECT_LT(at("end of 1"), at("pub from 1"));
  EXPECT_LT(at("pub from 1"), at("pub also from 1"));
  EXPECT_EQ(a->answers.size(), 4u);
}

TEST_P(BrokerContract, APublisherMayPublishAgainWhenAnswered) {
  const auto a = open("a", keeping(10));
  a->stream->publish({draft_of("1"), ""}, [&](auto) {
    a->publish("2");
    a->publish("3");
  });
  settle();
  EXPECT_EQ(a->texts(), "1 2 3");
  EXPECT_EQ(a->answers.size(), 2u);
}

TEST_P(BrokerContract, ASinkMayReadItsStream) {
  const auto a = open("a", keeping(10));
  a->then = [&](const Publication&) { a->read({}); };
  a->publish("1");
  a->publish("2");
  settle();
  ASSERT_EQ(a->pages.size(), 2u);
  EXPECT_FALSE(a->pages[0]->publications.empty());
  EXPECT_EQ(texts_of(a->pages[1]->publications), "1 2");
}

TEST_P(BrokerContract, ASinkMayPublishToAndDropOtherStreams) {
  const auto a = open("a", keeping(10));
  auto b = open("b", keeping(10));
  a->then = [&](const Publication& p) {
    if (text_of(p) != "1") return;
    b->publish("to b");
    b->stream.reset();
  };
  publish(*a, "1");
  publish(*a, "2");
  EXPECT_EQ(a->texts(), "1 2");
  EXPECT_EQ(b->answers.size(), 1u);
  b = open("b", keeping(10));
  EXPECT_EQ(texts(*b), "to b");
}

TEST_P(BrokerContract, SinksMayPublishToEachOtherForAWhile) {
  const auto a = open("a", no_history());
  const auto b = open("b", no_history());
  const auto to = [](Listener& other) {
    return [&other](const Publication& p) {
      const int n = std::stoi(text_of(p));
      if (n < 500) other.publish(std::to_string(n + 1));
    };
  };
  a->then = to(*b);
  b->then = to(*a);
  a->publish("1");
  for (int i = 0; i < 600; ++i) settle();
  EXPECT_EQ(a->got.size() + b->got.size(), 500u);
}

TEST_P(BrokerContract, APublisherMayDropItsStreamWhenAnswered) {
  const auto a = open("a", keeping(10));
  int answered = 0;
  a->stream->publish({draft_of("1"), ""}, [&](auto result) {
    EXPECT_TRUE(result.has_value());
    ++answered;
    a->stream.reset();
  });
  settle();
  EXPECT_EQ(answered, 1);
  EXPECT_EQ(a->texts(), "1");
}

TEST_P(BrokerContract, AReaderMayDropItsStreamWhenAnswered) {
  const auto a = open("a", keeping(10));
  publish(*a, "1");
  bool answered = false;
  a->stream->read({}, [&](auto page) {
    EXPECT_EQ(texts_of(page->publications), "1");
    answered = true;
    a->stream.reset();
  });
  settle();
  EXPECT_TRUE(answered);
}

TEST_P(BrokerContract, APublisherMayReopenItsStreamWhenAnswered) {
  const auto a = open("a", keeping(10));
  std::unique_ptr<Listener> again;
  a->stream->publish({draft_of("1"), ""}, [&](auto) {
    a->stream.reset();
    again = std::make_unique<Listener>(broker(), "a", keeping(10));
    again->publish("2");
  });
  settle();
  ASSERT_TRUE(again);
  EXPECT_EQ(a->texts(), "1");
  EXPECT_EQ(again->texts(), "2");
  EXPECT_EQ(texts(*again), "1 2");
}

TEST_P(BrokerContract, AnswersComeThoughTheHandleIsGone) {
  auto a = open("a", keeping(10));
  int answers = 0;
  for (int i = 0; i < 5; ++i) {
    a->stream->publish({draft_of("x"), ""}, [&](auto result) {
      EXPECT_TRUE(result.has_value());
      ++answers;
    });
  }
  a->stream->read({}, [&](auto page) {
    EXPECT_TRUE(page.has_value());
    ++answers;
  });
  a.reset();
  settle();
  EXPECT_EQ(answers, 6);
}

TEST_P(BrokerContract, ASinkIsNotCalledOnceItsHandleIsGone) {
  const auto a = open("a", keeping(10));
  a->publish("1");
  a->stream.reset();
  const std::size_t had = a->got.size();
  const auto again = open("a", keeping(10));
  publish(*again, "2");
  broker().clear("a");
  settle();
  EXPECT_EQ(a->got.size(), had);
  EXPECT_EQ(a->resets, 0);
  EXPECT_EQ(again->texts(), "2");
  EXPECT_EQ(again->resets, 1);
}

TEST_P(BrokerContract, ABrokerMayGoWhileAnswersAreDue) {
  // Dropped, not called: whoever would be told may be gone, too.
  const auto answered = std::make_shared<int>(0);
  auto a = open("a", keeping(10));
  a->stream->publish({draft_of("1"), ""}, [answered](auto) { ++*answered; });
  a.reset();
  const int before = *answered;
  start();
  EXPECT_EQ(*answered, before);
  EXPECT_EQ(answered.use_count(), 1);
}

// ---- reopening, forgetting

TEST_P(BrokerContract, AReopenedStreamGoesOnWhereItWas) {
  auto a = open("a", keeping(10));
  publish(*a, "1");
  publish(*a, "2");
  const Position top = a->stream->top();
  a.reset();
  settle();
  a = open("a", keeping(10));
  EXPECT_EQ(a->stream->top(), top);
  EXPECT_TRUE(a->got.empty());
  EXPECT_EQ(publish(*a, "3").position, (Position{top.epoch, 3}));
  EXPECT_EQ(texts(*a), "1 2 3");
}

TEST_P(BrokerContract, ReopeningAtOnceLosesNothing) {
  auto a = open("a", keeping(10));
  a->publish("1");
  a.reset();
  a = std::make_unique<Listener>(broker(), "a", keeping(10));
  a->publish("2");
  settle();
  EXPECT_EQ(a->last.offset, 2u);
  EXPECT_EQ(texts(*a), "1 2");
}

TEST_P(BrokerContract, AnIdleStreamKeepsItsPositionForAWhileAndIsThenForgotten) {
  BrokerLimits limits;
  limits.forget_after = Duration(60'000);
  start(limits);
  auto a = open("a", no_history());
  publish(*a, "1");
  const Position top = a->stream->top();
  a.reset();
  pass(Duration(59'000));
  a = open("a", no_history());
  EXPECT_EQ(a->stream->top(), top);
  a.reset();
  // Being opened has started the time anew.
  pass(Duration(59'000));
  a = open("a", no_history());
  EXPECT_EQ(a->stream->top(), top);
  a.reset();
  settle();
  pass(Duration(61'000));
  pass(Duration(1000));
  EXPECT_EQ(broker().streams(), 0u);
  a = open("a", no_history());
  EXPECT_NE(a->stream->top().epoch, top.epoch);
  EXPECT_EQ(a->stream->top().offset, 0u);
}

TEST_P(BrokerContract, AHeldStreamIsNeverForgotten) {
  const auto a = open("a", no_history());
  publish(*a, "1");
  const Position top = a->stream->top();
  for (int i = 0; i < 5; ++i) pass(Duration(3'600'000));
  EXPECT_EQ(a->stream->top(), top);
  EXPECT_EQ(publish(*a, "2").position, (Position{top.epoch, 2}));
}

TEST_P(BrokerContract, AStreamWithHistoryIsNotForgotten) {
  auto a = open("a", keeping(10));
  publish(*a, "1");
  const Position top = a->stream->top();
  a.reset();
  for (int i = 0; i < 5; ++i) pass(Duration(3'600'000));
  a = open("a", keeping(10));
  EXPECT_EQ(a->stream->top(), top);
  EXPECT_EQ(texts(*a), "1");
}

TEST_P(BrokerContract, AStreamWhoseHistoryHasOutlivedItsTimeIsForgotten) {
  StreamOptions options = keeping(10);
  options.history_ttl = Duration(10'000);
  auto a = open("a", options);
  publish(*a, "1");
  const Position top = a->stream->top();
  a.reset();
  pass(Duration(11'000));
  pass(Duration(50'000));
  a = open("a", options);
  EXPECT_EQ(a->stream->top(), top) << "forgotten before its time";
  a.reset();
  settle();
  for (int i = 0; i < 3; ++i) pass(Duration(61'000));
  a = open("a", options);
  EXPECT_NE(a->stream->top().epoch, top.epoch);
}

TEST_P(BrokerContract, AStreamWithALiveKeyIsNotForgotten) {
  auto a = open("a", no_history());
  const Position first = publish(*a, "1", "key").position;
  a.reset();
  pass(Duration(120'000));
  pass(Duration(120'000));
  a = open("a", no_history());
  const PublishResult again = publish(*a, "1", "key");
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.position, first);
}

// ---- clear

TEST_P(BrokerContract, ClearForgetsHistoryAndBeginsANewEpoch) {
  const auto a = open("a", keeping(10));
  publish(*a, "1");
  const Position before = a->stream->top();
  broker().clear("a");
  settle();
  EXPECT_EQ(a->resets, 1);
  EXPECT_NE(a->last.epoch, before.epoch);
  EXPECT_EQ(a->stream->top(), (Position{a->last.epoch, 0}));
  const HistoryPage page = read(*a);
  EXPECT_TRUE(page.publications.empty());
  EXPECT_EQ(page.top, a->last);
  EXPECT_EQ(page.oldest, 1u);
  EXPECT_EQ(publish(*a, "2").position.offset, 1u);
  EXPECT_EQ(texts(*a), "2");
}

TEST_P(BrokerContract, ClearReachesAStreamNobodyHolds) {
  auto a = open("a", keeping(10));
  publish(*a, "1");
  const Position before = a->stream->top();
  a.reset();
  broker().clear("a");
  settle();
  a = open("a", keeping(10));
  EXPECT_NE(a->stream->top().epoch, before.epoch);
  EXPECT_EQ(texts(*a), "");
  EXPECT_EQ(a->resets, 0);
}

TEST_P(BrokerContract, ClearOfAnUnknownStreamDoesNothing) {
  broker().clear("nobody");
  settle();
  EXPECT_EQ(broker().streams(), 0u);
}

TEST_P(BrokerContract, ClearInsideASinkComesAfterIt) {
  const auto a = open("a", keeping(10));
  a->then = [&](const Publication& p) {
    if (text_of(p) == "1") broker().clear("a");
  };
  a->publish("1");
  settle();
  EXPECT_EQ(a->log.front(), "pub 1");
  EXPECT_EQ(a->resets, 1);
  EXPECT_EQ(texts(*a), "");
}

TEST_P(BrokerContract, KeysOutliveAClear) {
  const auto a = open("a", keeping(10));
  const Position first = publish(*a, "1", "key").position;
  broker().clear("a");
  settle();
  const PublishResult again = publish(*a, "1", "key");
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.position, first);
}

// ---- idempotency

TEST_P(BrokerContract, ARepeatedKeyPublishesNothingAndAnswersWithTheFirstPosition) {
  const auto a = open("a", keeping(10));
  const PublishResult first = publish(*a, "1", "key");
  EXPECT_FALSE(first.duplicate);
  publish(*a, "2");
  const PublishResult again = publish(*a, "1", "key");
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.position, first.position);
  EXPECT_EQ(a->texts(), "1 2");
}

TEST_P(BrokerContract, ARepeatThatOvertakesTheAnswerIsARepeatStill) {
  const auto a = open("a", keeping(10));
  for (int i = 0; i < 3; ++i) a->publish("1", "key");
  settle();
  ASSERT_EQ(a->answers.size(), 3u);
  EXPECT_FALSE(a->answers[0]->duplicate);
  EXPECT_TRUE(a->answers[1]->duplicate);
  EXPECT_TRUE(a->answers[2]->duplicate);
  EXPECT_EQ(a->answers[2]->position, a->answers[0]->position);
  EXPECT_EQ(a->texts(), "1");
}

TEST_P(BrokerContract, TheSameKeyWithOtherDataIsAConflict) {
  const auto a = open("a", keeping(10));
  publish(*a, "1", "key");
  EXPECT_EQ(publish_error(*a, "other", "key"), BrokerError::kIdempotencyConflict);

  const auto publish_as = [&](PayloadKind kind, std::string event) {
    PublishRequest request{draft_of("1"), "key"};
    request.draft.kind = kind;
    request.draft.event = std::move(event);
    std::optional<BrokerError> error;
    a->stream->publish(std::move(request), [&](auto result) {
      if (!result) error = result.error();
    });
    settle();
    return error;
  };
  EXPECT_EQ(publish_as(PayloadKind::kJson, ""), BrokerError::kIdempotencyConflict);
  EXPECT_EQ(publish_as(PayloadKind::kText, "event"), BrokerError::kIdempotencyConflict);
  EXPECT_EQ(publish_as(PayloadKind::kText, ""), std::nullopt);
  EXPECT_EQ(a->texts(), "1");
  EXPECT_EQ(publish(*a, "2").position.offset, 2u) << "a conflict takes no offset";
}

TEST_P(BrokerContract, AKeyIsFreeAgainWhenItsWindowEnds) {
  StreamOptions options = keeping(10);
  options.idempotency_window = Duration(5000);
  const auto a = open("a", options);
  publish(*a, "1", "key");
  pass(Duration(4999));
  EXPECT_TRUE(publish(*a, "1", "key").duplicate);
  clock().advance(Duration(1));
  EXPECT_FALSE(publish(*a, "other", "key").duplicate) << "without waiting for expire()";
  pass(Duration(4999));
  EXPECT_TRUE(publish(*a, "other", "key").duplicate) << "the second use has a window of its own";
  EXPECT_EQ(a->texts(), "1 other");
}

TEST_P(BrokerContract, KeysWorkWithoutHistory) {
  const auto a = open("a", no_history());
  const PublishResult first = publish(*a, "1", "key");
  EXPECT_EQ(publish(*a, "1", "key").position, first.position);
  EXPECT_EQ(a->texts(), "1");
}

TEST_P(BrokerContract, KeysOutliveTheirPublication) {
  const auto a = open("a", keeping(1));
  const PublishResult first = publish(*a, "1", "key");
  publish(*a, "2");
  EXPECT_EQ(publish(*a, "1", "key").position, first.position);
  EXPECT_EQ(texts(*a), "2");
}

TEST_P(BrokerContract, KeysAreBytes) {
  const auto a = open("a", keeping(10));
  const std::vector<std::string> keys = {"k", std::string("k\0", 2), "K", std::string(64, 'k')};
  for (const std::string& key : keys) EXPECT_FALSE(publish(*a, "1", key).duplicate);
  for (const std::string& key : keys) EXPECT_TRUE(publish(*a, "1", key).duplicate);
}

TEST_P(BrokerContract, KeysOutliveTheHandle) {
  auto a = open("a", keeping(10));
  const PublishResult first = publish(*a, "1", "key");
  a.reset();
  a = open("a", keeping(10));
  const PublishResult again = publish(*a, "1", "key");
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.position, first.position);
  EXPECT_TRUE(a->got.empty());
}

// ---- everything at once

TEST_P(BrokerContract, ManyStreamsInRandomOrderKeepTheirOwnCount) {
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Listener>> streams(40);
  std::vector<std::uint64_t> counts(streams.size());
  for (int step = 0; step < 3000; ++step) {
    const std::size_t i = random() % streams.size();
    auto& one = streams[i];
    const std::string name = "stream" + std::to_string(i);
    switch (random() % 10) {
      case 0:
        one.reset();
        break;
      case 1:
        settle();
        break;
      default:
        if (!one) one = std::make_unique<Listener>(broker(), name, keeping(i));
        one->publish(std::to_string(++counts[i]));
    }
  }
  settle();
  for (std::size_t i = 0; i < streams.size(); ++i) {
    streams[i].reset();
    const auto one = open("stream" + std::to_string(i), keeping(i));
    EXPECT_EQ(one->stream->top().offset, counts[i]);
    const HistoryPage page = read(*one);
    EXPECT_EQ(page.publications.size(), std::min<std::uint64_t>(i, counts[i]));
    for (const auto& p : page.publications) EXPECT_EQ(text_of(*p), std::to_string(p->offset));
  }
}

}  // namespace
}  // namespace anywire::broker
