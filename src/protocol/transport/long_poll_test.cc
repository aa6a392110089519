// Long-polling, section 9 of docs/protocol.md.
#include "protocol/transport/long_poll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "protocol/transport/event_frame.h"
#include "protocol/transport/testing/http_world.h"

namespace anywire::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LongPollTest : public ::testing::Test {
 protected:
  LongPollTest() { world.manners.on_message = [](Talk&, std::string_view) {}; }

  Client& ask(std::string_view body, std::uint32_t loop = 0) {
    Client& client = world.connect(loop);
    client.post("/poll", body);
    world.run();
    return client;
  }
  // Opens a stream, whose first poll waits.
  Client& open(std::string_view messages = "[]") {
    Client& client = ask(R"({"messages":)" + std::string(messages) + "}");
    return client;
  }
  Client& poll(int ack, std::uint32_t loop = 0) {
    return ask(R"({"stream":")" + id + R"(","ack":)" + std::to_string(ack) + "}", loop);
  }
  std::string send(std::string_view messages, std::uint32_t loop = 0) {
    Client& client = world.connect(loop);
    client.post("/send", R"({"stream":")" + id + R"(","messages":)" + std::string(messages) + "}");
    world.run();
    return client.answer();
  }
  // A stream whose first answer, [0], is had: the next poll names 1.
  void begin() {
    Client& client = open();
    say("0");
    world.run();
    id = stream_in(client.answer());
    ASSERT_EQ(client.answer(), with(1, "0"));
  }
  void say(std::string_view json) { world.talks.back()->transport->send_text(json); }
  std::string with(int seq, std::string_view messages, std::string_view more = {}) const {
    return R"({"stream":")" + id + R"(","seq":)" + std::to_string(seq) + R"(,"messages":[)" +
           std::string(messages) + "]" + std::string(more) + "}";
  }
  const std::vector<std::string>& log() const { return world.talks.back()->log; }

  HttpWorld world{{.high_watermark_bytes = 1'000,
                   .low_watermark_bytes = 500,
                   .queue_bytes_max = 5'000}};
  std::string id;
};

TEST_F(LongPollTest, OpensWithTheFirstMessagesAndAnswersWithTheirReplies) {
  world.manners.on_message = [](Talk& talk, std::string_view message) {
    talk.transport->send_text(message);
    talk.transport->send_text("2");
  };
  world.origin = "*";
  Client& client = open(R"([{"type":"connect"}])");
  id = stream_in(client.answer());
  EXPECT_TRUE(parse_stream_id(id));
  EXPECT_EQ(client.answer(), with(1, R"({"type":"connect"},2)"));
  const std::string head = client.answers()[0].head;
  EXPECT_THAT(head, HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(head, HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(log(), ElementsAre("attached /poll", R"(message [{"type":"connect"}])"));
}

TEST_F(LongPollTest, AnswersAsSoonAsThereIsAMessage) {
  Client& client = open();
  EXPECT_EQ(client.answer(), "none");
  say("1");
  world.run(1);
  EXPECT_EQ(client.answer().substr(51), R"("seq":1,"messages":[1]})");
}

TEST_F(LongPollTest, AnswersWithNothingAfterAWhile) {
  Client& client = open();
  world.advance(Duration{24'900});
  EXPECT_EQ(client.answer(), "none");
  world.advance(Duration{200});
  id = stream_in(client.answer());
  EXPECT_EQ(client.answer(), with(0, "")) << "nothing to acknowledge";
  Client& second = poll(0);
  say("1");
  world.run();
  EXPECT_EQ(second.answer(), with(1, "1"));
}

TEST_F(LongPollTest, JoinsAllThatATurnBrings) {
  begin();
  Client& client = poll(1);
  say("1");
  const std::string two = std::string(as_text(encode_event("2")->bytes())) +
                          std::string(as_text(encode_event("[ 3 , {\"a\":[]}\n]")->bytes()));
  world.talk(0).transport->send_frame(Buffer::copy_of(as_bytes(two)));
  world.talk(0).transport->send_text(" [ ] ");
  world.talk(0).transport->send(true, Buffer::copy_of(as_bytes("\"x\"")));
  world.run();
  EXPECT_EQ(client.answer(), with(2, R"(1,2,3 , {"a":[]},"x")"));
}

TEST_F(LongPollTest, KeepsMessagesUntilThePollThatFetchesThem) {
  begin();
  say("1");
  world.run();
  say("2");
  world.run();
  EXPECT_EQ(poll(1).answer(), with(2, "1,2"));
}

TEST_F(LongPollTest, GivesAnAnswerAgainUntilItIsNamed) {
  begin();
  EXPECT_EQ(poll(0).answer(), with(1, "0"));
  say("1");
  EXPECT_EQ(poll(0, 1).answer(), with(1, "0")) << "the same, whatever has come since";
  EXPECT_EQ(poll(1).answer(), with(2, "1"));
  EXPECT_EQ(poll(1, 1).answer(), with(2, "1"));
  Client& client = poll(2);
  EXPECT_EQ(client.answer(), "none");
  say("2");
  world.run();
  EXPECT_EQ(client.answer(), with(3, "2"));
}

TEST_F(LongPollTest, ASecondPollEndsTheFirst) {
  begin();
  for (const std::uint32_t loop : {0u, 1u}) {
    Client& first = poll(1, loop);
    Client& second = poll(1, 1 - loop);
    EXPECT_EQ(first.answer(), with(1, ""));
    EXPECT_EQ(second.answer(), "none");
  }
}

TEST_F(LongPollTest, ALatePollOfOldTakesNothingAway) {
  begin();
  say("1");
  poll(1);
  Client& current = poll(2);
  // A proxy sends a request of long ago once more; the client will never see its answer.
  Client& old = poll(0);
  EXPECT_EQ(current.answer(), with(2, ""));
  say("2");
  world.run();
  EXPECT_EQ(old.answer(), with(3, "2"));
  EXPECT_EQ(poll(2).answer(), with(3, "2"));
}

TEST_F(LongPollTest, RefusesTheNumberOfAnAnswerThatNeverWas) {
  begin();
  EXPECT_THAT(poll(2).answer(), HasSubstr(R"(400 {"code":"bad_message")"));
  EXPECT_EQ(poll(0).answer(), with(1, "0")) << "nothing is lost by it";
}

TEST_F(LongPollTest, LosesNothingWhenAClientLeavesInTheMiddle) {
  begin();
  Client& gone = poll(1);
  gone.wire.end_input();
  say("1");
  world.run();
  Client& far = poll(1, 1);
  EXPECT_EQ(far.answer(), with(2, "1"));
  Client& far_and_gone = poll(2, 1);
  far_and_gone.wire.reset_by_peer();
  world.run();
  say("2");
  world.run();
  EXPECT_EQ(poll(2).answer(), with(3, "2"));
}

TEST_F(LongPollTest, LosesNothingWhenAnAnswerCrossesALeavingClient) {
  begin();
  Client& far = poll(1, 1);
  say("1");
  world.clock.advance(Duration{1});
  world.streams(0).loop().turn(Duration::zero());  // the answer is in the mail
  far.wire.end_input();
  world.run();
  EXPECT_EQ(far.answer(), "none");
  EXPECT_EQ(poll(1).answer(), with(2, "1"));
}

TEST_F(LongPollTest, CountsTheTimeWithoutAPollOnly) {
  begin();
  for (int i = 0; i < 5; ++i) {
    world.advance(Duration{29'000});
    Client& client = poll(1);
    world.advance(Duration{24'000});
    EXPECT_EQ(client.answer(), "none");
    client.wire.end_input();
    world.run();
  }
  EXPECT_TRUE(world.talk(0).alive);
  world.advance(Duration{30'100});
  EXPECT_EQ(log().back(), "closed 1006");
  EXPECT_FALSE(world.talk(0).alive);
  EXPECT_THAT(poll(1).answer(), HasSubstr(R"(404 {"code":"stream_gone")"));
  EXPECT_THAT(send("[1]"), HasSubstr(R"(404 {"code":"stream_gone")"));
  EXPECT_EQ(world.streams(0).size(), 0u);
}

TEST_F(LongPollTest, WaitsForTheSessionToOpen) {
  world.manners.open_at_once = false;
  Client& client = open("[1]");
  EXPECT_THAT(log(), ElementsAre("attached /poll"));
  world.talk(0).transport->send_text("too early");
  world.talk(0).transport->open();
  world.talk(0).transport->open();
  EXPECT_THAT(log(), ElementsAre("attached /poll", "message [1]"));
  say("2");
  world.run();
  EXPECT_THAT(client.answer(), HasSubstr(R"("messages":[2]})"));
}

TEST_F(LongPollTest, SaysHowItEndsInTheAnswerThatWaits) {
  begin();
  Client& client = poll(1);
  world.manners.on_message = [](Talk& talk, std::string_view) {
    talk.transport->send_text("1");
    talk.transport->close(static_cast<ws::CloseCode>(4400), "\"bad\"");
    talk.transport->close(ws::CloseCode::kNormal, "");
    talk.transport->send_text("2");
    EXPECT_EQ(talk.log.size(), 2u) << "the session is not told inside its own call";
  };
  EXPECT_EQ(send("[1]"), "204 ");
  const std::string last = with(2, "1", R"(,"close":{"code":4400,"reason":"\"bad\""})");
  EXPECT_EQ(client.answer(), last);
  EXPECT_EQ(log().back(), "closed 4400");
  EXPECT_FALSE(world.talk(0).alive);
  EXPECT_EQ(poll(1, 1).answer(), last) << "until it is named";
  EXPECT_THAT(send("[1]"), HasSubstr("404 ")) << "but nothing is taken any more";
  EXPECT_THAT(poll(2).answer(), HasSubstr("404 "));
  EXPECT_EQ(world.streams(0).size(), 0u);
}

TEST_F(LongPollTest, KeepsTheEndForTheNextPoll) {
  begin();
  world.talk(0).transport->close(static_cast<ws::CloseCode>(4452), "");
  world.run();
  EXPECT_EQ(log().back(), "closed 4452");
  EXPECT_FALSE(world.talk(0).alive) << "the session need not wait for that";
  const std::string last = with(2, "", R"(,"close":{"code":4452,"reason":""})");
  EXPECT_EQ(poll(1).answer(), last);
  world.advance(Duration{30'100});
  EXPECT_THAT(poll(1).answer(), HasSubstr("404 "));
  EXPECT_EQ(world.streams(0).size(), 0u);
}

TEST_F(LongPollTest, ClosesInPlaceOfTheOpening) {
  world.manners.open_at_once = false;
  world.manners.on_attached = [](Talk& talk) {
    talk.transport->close(static_cast<ws::CloseCode>(4403), "no");
  };
  Client& client = open("[1]");
  EXPECT_THAT(client.answer(), HasSubstr(R"("messages":[],"close":{"code":4403,"reason":"no"}})"));
  EXPECT_THAT(log(), ElementsAre("attached /poll", "closed 4403"));
}

TEST_F(LongPollTest, MakesInputWaitWhileNobodyFetches) {
  begin();
  Transport& transport = *world.talk(0).transport;
  say(std::string(980, '1'));
  EXPECT_FALSE(transport.congested());
  say("2");
  EXPECT_TRUE(transport.congested());
  Client& sender = world.connect(1);
  sender.post("/send", R"({"stream":")" + id + R"(","messages":[7]})");
  world.run();
  EXPECT_EQ(sender.answer(), "none");
  EXPECT_EQ(poll(1).answer(), with(2, std::string(980, '1') + ",2"));
  EXPECT_TRUE(transport.congested()) << "given is not had";
  EXPECT_EQ(sender.answer(), "none");
  poll(2);
  EXPECT_FALSE(transport.congested());
  EXPECT_EQ(sender.answer(), "204 ");
  EXPECT_THAT(log(), ElementsAre("attached /poll", "message [7]", "writable"));
}

TEST_F(LongPollTest, MakesInputWaitWhileTheSessionHoldsIt) {
  begin();
  world.talk(0).transport->hold_input(true);
  Client& sender = world.connect(1);
  sender.post("/send", R"({"stream":")" + id + R"(","messages":[1]})");
  Client& poller = poll(1);
  say("2");
  world.run();
  EXPECT_EQ(poller.answer(), with(2, "2")) << "output does not wait";
  EXPECT_EQ(sender.answer(), "none");
  EXPECT_THAT(log(), ElementsAre("attached /poll"));
  world.talk(0).transport->hold_input(false);
  world.run();
  EXPECT_EQ(sender.answer(), "204 ");
  EXPECT_THAT(log(), ElementsAre("attached /poll", "message [1]"));
}

TEST_F(LongPollTest, AnswersWithSoMuchAndNoMore) {
  begin();
  for (int i = 0; i < 3; ++i) say(std::string(990, static_cast<char>('1' + i)));
  EXPECT_EQ(poll(1).answer(), with(2, std::string(990, '1') + "," + std::string(990, '2')));
  EXPECT_EQ(poll(2).answer(), with(3, std::string(990, '3')));
}

TEST_F(LongPollTest, EndsAClientThatLetsTheQueueOverflow) {
  begin();
  for (int i = 0; i < 10; ++i) say(std::string(990, '1'));
  EXPECT_TRUE(world.talk(0).alive);
  EXPECT_EQ(log().size(), 1u) << "not in the middle of a broadcast";
  world.run();
  EXPECT_EQ(log().back(), "closed 1013");
  EXPECT_EQ(poll(1).answer(),
            with(2, "", R"(,"close":{"code":1013,"reason":"too slow a reader"})"));
}

TEST_F(LongPollTest, CarriesOnlyText) {
  begin();
  world.talk(0).transport->send_binary(as_bytes("b"));
  EXPECT_THAT(poll(1).answer(), HasSubstr(R"("close":{"code":1003,)"));
}

TEST_F(LongPollTest, SaysGoodbyeWhenDrained) {
  begin();
  Client& far = poll(1, 1);
  world.streams(0).drain();
  world.run();
  EXPECT_THAT(far.answer(), HasSubstr(R"("close":{"code":1001,)"));
}

TEST_F(LongPollTest, TellsWhoWaitsWhenItIsAborted) {
  begin();
  Client& far = poll(1, 1);
  world.streams(0).abort();
  world.run();
  EXPECT_THAT(far.answer(), HasSubstr(R"(404 {"code":"stream_gone")"));
  EXPECT_EQ(log().back(), "closed 1006");
}

TEST_F(LongPollTest, OneConnectionCanDoAllPolls) {
  world.manners.echo = true;
  Client& client = open("[0]");
  id = stream_in(client.answer());
  for (int seq = 1; seq < 50; ++seq) {
    client.post("/poll", R"({"stream":")" + id + R"(","ack":)" + std::to_string(seq) + "}");
    EXPECT_EQ(send("[" + std::to_string(seq) + "]", static_cast<std::uint32_t>(seq) % 2), "204 ");
    ASSERT_EQ(client.answer(), with(seq + 1, std::to_string(seq)));
  }
  EXPECT_EQ(client.answers().size(), 50u);
}

// A client that does as section 9 says, over connections that break anywhere.
TEST_F(LongPollTest, BringsEveryMessageOnceAndInOrderOverBadConnections) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    begin();
    int next = 1, said = 0, seen = 0;
    for (int step = 0; step < 60; ++step) {
      if (said < 40 && random.below(2) == 0) say(std::to_string(++said));
      Client& client = poll(next, static_cast<std::uint32_t>(random.below(2)));
      if (said < 40 && random.below(2) == 0) say(std::to_string(++said));
      if (random.below(3) == 0) client.wire.window = random.below(300);
      if (random.below(2) == 0) world.run(static_cast<int>(random.below(3)));
      if (random.below(4) == 0) client.wire.reset_by_peer();
      world.run();
      const std::vector<Answer> answers = client.answers();
      if (answers.empty()) continue;  // nothing, or cut off
      const std::string& body = answers[0].body;
      ASSERT_EQ(answers[0].status, 200) << body;
      for (std::size_t at = body.find('[') + 1; body[at] != ']';) {
        ASSERT_EQ(std::stoi(body.substr(at)), ++seen);
        at = body.find_first_of(",]", at);
        if (body[at] == ',') ++at;
      }
      next = std::stoi(body.substr(body.find("\"seq\":") + 6));
    }
    while (seen < said) {
      const std::string body = poll(next).answer();
      ASSERT_THAT(body, HasSubstr(std::to_string(said) + "]"));
      seen = said;
    }
    EXPECT_GT(said, 20);
  }
}

}  // namespace
}  // namespace anywire::protocol
