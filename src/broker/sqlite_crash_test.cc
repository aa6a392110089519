// kill -9 at any moment: whatever was acknowledged is there, and no key is there twice.
// ANYWIRE_KILL_TRIALS sets the number of trials.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

#include "broker/testing/sqlite_fixture.h"

namespace anywire::broker {
namespace {

constexpr int kStreams = 3;

struct Acknowledged {
  int stream = 0;
  int number = 0;
  Position position;
};

std::string channel(int stream) { return "stream" + std::to_string(stream); }

// The child: publishes number after number, each under its own key, some at a time, and writes down
// what was acknowledged. Ends only by being killed.
[[noreturn]] void publish_for_ever(const std::string& file, std::array<int, kStreams> next,
                                   int out) {
  const auto opened = SqliteStore::open({.path = file});
  if (!opened) _exit(1);
  TestLoop loop;
  ManualWallClock clock;
  SqliteBroker broker(**opened, [&](Task task) { loop.post(std::move(task)); }, {}, clock);
  std::vector<std::unique_ptr<Listener>> streams;
  for (int s = 0; s < kStreams; ++s) {
    streams.push_back(std::make_unique<Listener>(broker, channel(s), durable(1'000'000)));
  }
  for (;;) {
    for (int s = 0; s < kStreams; ++s) {
      const int number = next[static_cast<std::size_t>(s)]++;
      const std::string text = std::to_string(number);
      streams[static_cast<std::size_t>(s)]->stream->publish(
          {draft_of(text), text}, [out, s, number](auto result) {
            if (!result) _exit(2);
            const Acknowledged line{s, number, result->position};
            if (write(out, &line, sizeof line) != sizeof line) _exit(3);
          });
    }
    while (broker.waiting() > 40) loop.run_one();
  }
}

// Reads lines until `wanted` have come, then kills the child and reads what is left.
std::vector<Acknowledged> kill_after(pid_t child, int in, std::size_t wanted) {
  std::vector<Acknowledged> lines;
  Acknowledged line;
  while (read(in, &line, sizeof line) == sizeof line) {
    lines.push_back(line);
    if (lines.size() == wanted) kill(child, SIGKILL);
  }
  return lines;
}

TEST(SqliteCrash, EveryAcknowledgedMessageIsThereOnceAfterKill9) {
  const char* asked = std::getenv("ANYWIRE_KILL_TRIALS");
  const int trials = asked != nullptr ? std::atoi(asked) : 8;
  const TemporaryFolder folder;
  std::mt19937 random(std::random_device{}());
  std::array<int, kStreams> next{1, 1, 1};
  std::vector<Acknowledged> all;
  for (int trial = 0; trial < trials; ++trial) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      publish_for_ever(folder.file(), next, ends[1]);
    }
    close(ends[1]);
    const auto lines = kill_after(child, ends[0], 1 + random() % 300);
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
    // The next child begins with what it does not know to be published, which may well be.
    for (const Acknowledged& line : lines) {
      next[static_cast<std::size_t>(line.stream)] = line.number + 1;
      all.push_back(line);
    }
  }

  SqliteUnderTest server({.path = folder.file()}, {});
  for (int s = 0; s < kStreams; ++s) {
    Listener stream(server.broker(), channel(s), durable(1'000'000));
    stream.read({.after = 0, .limit = 1'000'000, .bytes_max = 1'000'000'000});
    server.settle();
    ASSERT_EQ(stream.pages.size(), 1u);
    ASSERT_TRUE(stream.pages[0].has_value());
    const auto& kept = stream.pages[0]->publications;
    // Published in order and retried in order: number and offset are the same throughout, unless
    // something was lost or doubled.
    for (std::size_t i = 0; i < kept.size(); ++i) {
      ASSERT_EQ(kept[i]->offset, i + 1);
      ASSERT_EQ(text_of(*kept[i]), std::to_string(i + 1));
    }
    for (const Acknowledged& line : all) {
      if (line.stream != s) continue;
      ASSERT_LE(line.position.offset, kept.size()) << "an acknowledged message was lost";
      EXPECT_EQ(line.position, kept[line.position.offset - 1]->position());
      EXPECT_EQ(text_of(*kept[line.position.offset - 1]), std::to_string(line.number));
    }
    EXPECT_GE(kept.size(), static_cast<std::size_t>(next[static_cast<std::size_t>(s)] - 1));
  }
  std::printf("%d trials, %zu acknowledged messages\n", trials, all.size());
  std::fflush(stdout);
}

}  // namespace
}  // namespace anywire::broker
