// The endpoints: what they take, what they refuse, and how requests find their stream.
#include "protocol/transport/http_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "protocol/transport/testing/http_world.h"

namespace anywire::protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HttpStreamsTest : public ::testing::Test {
 protected:
  std::string ask(std::string_view path, std::string_view body, std::uint32_t loop = 0,
                  std::string_view headers = {}) {
    Client& client = world.connect(loop);
    client.ask("POST", path, body, headers);
    world.run();
    return client.answer();
  }
  std::string open_events(std::uint32_t loop) {
    Client& client = world.connect(loop).ask("GET", "/sse");
    world.run();
    return stream_in(client.wire.sent);
  }
  static std::string to(std::string_view stream, std::string_view messages = "[1]") {
    return R"({"stream":")" + std::string(stream) + R"(","messages":)" + std::string(messages) +
           "}";
  }

  HttpWorld world{{.message_bytes_max = 200, .streams_max = 3}};
};

TEST_F(HttpStreamsTest, SayWhatIsWrongWithABody) {
  const std::string id = open_events(0);
  const struct {
    const char* path;
    std::string body;
    const char* says;
  } cases[] = {
      {"/send", "", ""},
      {"/send", "{", ""},
      {"/send", "[]", "the body is not an object"},
      {"/send", "null", "the body is not an object"},
      {"/send", "{}", R"(\"stream\" is missing)"},
      {"/send", R"({"messages":[]})", R"(\"stream\" is missing)"},
      {"/send", R"({"stream":7,"messages":[]})", R"(\"stream\" is not a string)"},
      {"/send", R"({"stream":")" + id + R"("})", R"(\"messages\" is missing)"},
      {"/send", to(id, "{}"), R"(\"messages\" is not an array)"},
      {"/send", to(id, "[1,]"), ""},
      {"/send", to(id, "[1]") + "x", ""},
      {"/poll", "{}", R"(\"messages\" is missing)"},
      {"/poll", R"({"messages":null})", R"(\"messages\" is not an array)"},
      {"/poll", to(id), R"(\"messages\" are sent by \"send\")"},
      {"/poll", R"({"stream":")" + id + R"(","ack":-1})", R"(\"ack\" is not a whole number)"},
      {"/poll", R"({"stream":")" + id + R"(","ack":"1"})", R"(\"ack\" is not a whole number)"},
      {"/poll", R"({"stream":")" + id + R"(","ack":1.5})", R"(\"ack\" is not a whole number)"},
  };
  for (const auto& one : cases) {
    const std::string answer = ask(one.path, one.body);
    EXPECT_TRUE(answer.starts_with(R"(400 {"code":"bad_message","message":")")) << one.body;
    EXPECT_THAT(answer, HasSubstr(one.says)) << one.body;
  }
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse")) << "nobody else notices";
  EXPECT_EQ(world.talks.size(), 1u);
}

TEST_F(HttpStreamsTest, IgnoreMembersTheyDoNotKnow) {
  const std::string id = open_events(0);
  EXPECT_EQ(ask("/send", R"({"new":{"a":[1]},"messages":[1],"stream":")" + id + R"(","x":null})"),
            "204 ");
  EXPECT_EQ(world.talk(0).log.back(), "message [1]");
}

TEST_F(HttpStreamsTest, TakeTheTypesABrowserSends) {
  const std::string id = open_events(0);
  for (const char* type : {"application/json", "text/plain", "Text/Plain;charset=UTF-8",
                           "application/json ; charset=utf-8", ""}) {
    EXPECT_EQ(ask("/send", to(id), 0, "Content-Type: " + std::string(type) + "\r\n"), "204 ")
        << type;
  }
  EXPECT_EQ(ask("/send", to(id)), "204 ");
  for (const char* type : {"application/x-www-form-urlencoded", "multipart/form-data",
                           "application/jsonx", "text", "application/msgpack"}) {
    EXPECT_THAT(ask("/send", to(id), 0, "Content-Type: " + std::string(type) + "\r\n"),
                HasSubstr(R"(415 {"code":"bad_message")"))
        << type;
  }
}

TEST_F(HttpStreamsTest, TakeABodyOfTheLargestMessageAndNoMore) {
  const std::string id = open_events(0);
  const std::string empty = to(id, "[\"\"]");
  const std::string fits = to(id, "[\"" + std::string(200 - empty.size(), 'x') + "\"]");
  EXPECT_EQ(ask("/send", fits), "204 ");
  EXPECT_TRUE(ask("/send", fits + " ").starts_with("413 "));
  EXPECT_TRUE(ask("/poll", fits + " ").starts_with("413 "));
}

TEST_F(HttpStreamsTest, KnowOnlyTheStreamsTheyHave) {
  const std::string id = open_events(1);
  EXPECT_EQ(ask("/send", to(id)), "204 ");
  StreamId other_secret = *parse_stream_id(id);
  other_secret.secret[15] ^= 1;
  StreamId other_slot = *parse_stream_id(id);
  other_slot.slot.slot = 2;
  StreamId other_generation = *parse_stream_id(id);
  ++other_generation.slot.generation;
  StreamId other_loop = *parse_stream_id(id);
  other_loop.loop = 0;
  StreamId no_loop = *parse_stream_id(id);
  no_loop.loop = 2;
  StreamId far_loop = *parse_stream_id(id);
  far_loop.loop = UINT32_MAX;
  std::vector<std::string> strangers = {"", "x", std::string(38, 'A'), id + "A"};
  for (const StreamId& one :
       {other_secret, other_slot, other_generation, other_loop, no_loop, far_loop}) {
    strangers.push_back(to_text(one));
  }
  for (const std::string& stranger : strangers) {
    for (const std::uint32_t loop : {0u, 1u}) {
      EXPECT_THAT(ask("/send", to(stranger), loop), HasSubstr(R"(404 {"code":"stream_gone")"));
      EXPECT_THAT(ask("/poll", R"({"stream":")" + stranger + R"("})", loop),
                  HasSubstr(R"(404 {"code":"stream_gone")"));
    }
  }
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "message [1]"));
}

TEST_F(HttpStreamsTest, BoundTheNumberOfStreams) {
  for (int i = 0; i < 2; ++i) open_events(0);
  Client& third = world.connect(0);
  third.post("/poll", R"({"messages":[]})");
  world.run();
  EXPECT_EQ(world.streams(0).size(), 3u);
  EXPECT_THAT(ask("/poll", R"({"messages":[1]})"), HasSubstr(R"(503 {"code":"overloaded")"));
  Client& events = world.connect(0).ask("GET", "/sse");
  world.run();
  EXPECT_THAT(events.answer(), HasSubstr("503 "));
  EXPECT_THAT(events.wire.sent, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(open_events(1).size(), 38u) << "each loop has its own";
  // One goes, another may come.
  world.streams(0).abort();
  world.run();
  EXPECT_EQ(open_events(0).size(), 38u);
}

TEST_F(HttpStreamsTest, TurnAClientAwayThatMayHaveNoSession) {
  world.manners.refuse = true;
  EXPECT_THAT(ask("/poll", R"({"messages":[1]})"),
              HasSubstr(R"(429 {"code":"too_many_connections"})"));
  EXPECT_EQ(world.streams(0).size(), 0u);
}

TEST_F(HttpStreamsTest, KeepTheOrderOfWhatOneClientSendsOneAfterTheOther) {
  const std::string id = open_events(1);
  Client& near = world.connect(1);
  Client& far = world.connect(0);
  std::vector<std::string> expected = {"attached /sse"};
  for (int i = 0; i < 20; ++i) {
    const std::string frame = "[" + std::to_string(i) + "]";
    (i % 2 == 0 ? near : far).post("/send", to(id, frame));
    world.run();
    expected.push_back("message " + frame);
  }
  EXPECT_EQ(world.talk(0).log, expected);
  EXPECT_EQ(near.answers().size() + far.answers().size(), 20u);
}

TEST_F(HttpStreamsTest, AnswerPipelinedRequestsInOrder) {
  const std::string id = open_events(1);
  Client& client = world.connect(0);
  client.ask("POST", "/send", to(id, "[1]"));
  client.ask("POST", "/send", to("nobody"));
  client.ask("GET", "/else");
  client.ask("POST", "/send", to(id, "[2]"));
  for (int i = 0; i < 4; ++i) world.run();
  std::vector<int> statuses;
  for (const Answer& answer : client.answers()) statuses.push_back(answer.status);
  EXPECT_THAT(statuses, ElementsAre(204, 404, 200, 204));
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "message [1]", "message [2]"));
}

TEST_F(HttpStreamsTest, BearAClientThatLeavesAtAnyByteOfItsRequests) {
  const std::string id = open_events(1);
  const std::string send = to(id);
  const std::string requests[] = {
      "POST /send HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(send.size()) +
          "\r\n\r\n" + send,
      "POST /poll HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n{\"messages\":[1]}",
      "GET /sse HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (const std::string& request : requests) {
    for (std::size_t cut = 1; cut <= request.size(); ++cut) {
      for (const bool at_once : {true, false}) {
        Client& client = world.connect(0);
        client.wire.deliver(request.substr(0, cut));
        if (!at_once) world.run(1);
        client.wire.reset_by_peer();
        world.run(2);
        ASSERT_TRUE(client.wire.destroyed()) << cut;
        world.streams(0).abort();
      }
    }
  }
  world.run();
  EXPECT_TRUE(world.http(0).connections.empty());
  EXPECT_EQ(world.http(0).held_body_bytes, 0u);
  for (std::size_t i = 1; i < world.talks.size(); ++i) {
    ASSERT_FALSE(world.talks[i]->alive);
    ASSERT_EQ(world.talks[i]->log.back(), "closed 1006");
  }
  EXPECT_TRUE(world.talk(0).alive);
}

TEST_F(HttpStreamsTest, ForgetAStreamWhoseSessionClosesWhileMailIsUnderWay) {
  const std::string id = open_events(1);
  Client& far = world.connect(0);
  far.post("/send", to(id));
  world.streams(1).abort();
  world.run();
  EXPECT_THAT(far.answer(), HasSubstr("404 "));
  EXPECT_THAT(world.talk(0).log, ElementsAre("attached /sse", "closed 1006"));
}

// The real thing: each loop on a thread of its own. Mails carry bodies and answers both ways.
TEST(HttpStreams, MeetAcrossThreads) {
  SystemClock clock;
  HttpStreamGroup group;
  std::vector<std::unique_ptr<reactor::Loop>> loops;
  std::vector<std::unique_ptr<HttpStreams>> sides;
  for (std::uint32_t i = 0; i < 2; ++i) {
    loops.push_back(*reactor::Loop::create({.index = i}, clock));
    sides.push_back(std::make_unique<HttpStreams>(group, *loops[i], HttpStreamOptions()));
  }
  Manners manners{.echo = true};
  Talk talk;
  struct Door final : http::RequestHandler {
    HttpStreams* streams;
    Manners* manners;
    Talk* talk;
    void on_request(http::Connection& connection, const http::RequestHead& head,
                    http::Response&) override {
      if (head.path == "/send") return streams->serve_send(connection);
      const auto make = [this](Transport& transport) {
        talk->transport = &transport;
        return std::make_unique<TalkSession>(*talk, *manners);
      };
      streams->serve_poll(connection, make);
    }
  };
  std::vector<Door> doors(2);
  std::vector<std::unique_ptr<http::ConnectionContext>> contexts;
  for (std::uint32_t i = 0; i < 2; ++i) {
    doors[i].streams = sides[i].get();
    doors[i].manners = &manners;
    doors[i].talk = &talk;
    contexts.emplace_back(new http::ConnectionContext{.loop = *loops[i],
                                                      .options = {},
                                                      .handler = doors[i],
                                                      .parser = http::RequestParser(),
                                                      .connections = {}});
  }
  // The stream lives on loop 0, which turns on this thread; all else comes over loop 1.
  Client opener(*loops[0]);
  http::Connection::start(*contexts[0], opener.wire.make_stream(), {});
  opener.post("/poll", R"({"messages":[0]})");
  while (opener.answers().empty()) loops[0]->turn(Duration{1});
  const std::string id = stream_in(opener.answer());
  std::vector<std::string> fetched;
  std::thread far([&] {
    Client sender(*loops[1]);
    Client poller(*loops[1]);
    http::Connection::start(*contexts[1], sender.wire.make_stream(), {});
    http::Connection::start(*contexts[1], poller.wire.make_stream(), {});
    for (std::size_t i = 1; i <= 50; ++i) {
      poller.post("/poll", R"({"stream":")" + id + R"(","ack":)" + std::to_string(i) + "}");
      sender.post("/send", R"({"stream":")" + id + R"(","messages":[)" + std::to_string(i) + "]}");
      while (poller.answers().size() < i || sender.answers().size() < i) {
        loops[1]->turn(Duration{1});
      }
      fetched.push_back(poller.answer());
    }
    for (auto* one : contexts[1]->connections.snapshot()) one->abort();
    loops[1]->turn(Duration::zero());
    loops[0]->post([&] { loops[0]->stop(); });
  });
  loops[0]->run();
  far.join();
  ASSERT_EQ(fetched.size(), 50u);
  EXPECT_THAT(fetched[49], HasSubstr(R"("seq":51,"messages":[50]})"));
  sides[0]->abort();
  for (auto* one : contexts[0]->connections.snapshot()) one->abort();
  loops[0]->turn(Duration::zero());
}

}  // namespace
}  // namespace anywire::protocol
