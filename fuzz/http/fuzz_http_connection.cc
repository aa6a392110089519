// Whole connections: requests with bodies that are wanted, skipped, streamed back or refused.
//
// Holds that the answers depend on the bytes alone: neither on how they were cut into reads nor on
// whether an answer comes at once or later; and that nothing is left behind afterwards, wherever
// the client goes away.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/clock.h"
#include "http/connection.h"
#include "net/testing/fake_stream.h"

namespace {

using namespace anywire;
using namespace anywire::http;

// Answers with what it got: at once, or when it is called upon.
class Job final : public Exchange {
 public:
  Job(std::vector<Job*>& waiting, bool late, bool streams)
      : waiting_(waiting), late_(late), streams_(streams) {}

  void on_request(const RequestHead& head, BufferRef body) override {
    text_ = "<" + std::string(head.method_text) + " " +
            (body ? std::string(as_text(body->bytes())) : std::string()) + ">";
    AW_ASSERT(text_.size() < 300);
    late_ ? waiting_.push_back(this) : answer();
  }
  void on_gone() override { std::erase(waiting_, this); }

  void answer() {
    if (!streams_) return respond({.content_type = "text/x", .body = text_});
    begin_stream({.content_type = "text/x"});
    const BufferRef shared = Buffer::copy_of(as_bytes(text_));
    write(shared);
    write(as_bytes(text_));
    finish();
  }

 private:
  std::vector<Job*>& waiting_;
  bool late_;
  bool streams_;
  std::string text_;
};

class Handler final : public RequestHandler {
 public:
  explicit Handler(bool late) : late_(late) {}

  void on_request(Connection& connection, const RequestHead& head, Response& response) override {
    if (head.path.size() % 3 == 0) {
      response.body = head.path;
      return;
    }
    const std::uint64_t bytes_max = head.path.ends_with('1') ? 8 : 200;
    connection.answer_later(std::make_unique<Job>(waiting, late_, head.path.size() % 3 == 1),
                            {.body_bytes_max = bytes_max});
  }

  std::vector<Job*> waiting;

 private:
  bool late_;
};

// Tests take time, and a client that asks whether to go on is told so only while it waits.
void drop_all(std::string& text, std::string_view what, std::string_view until) {
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos;) {
    text.erase(at, text.find(until, at) + until.size() - at);
  }
}

struct Run {
  bool late = false;
  std::size_t step = SIZE_MAX;         // bytes of one read
  std::size_t gone_after = SIZE_MAX;   // bytes, then the client resets
};

std::string answers_to(std::string_view input, const Run& run) {
  ManualClock clock;
  auto loop = *reactor::Loop::create({.index = 0, .receive_buffer_bytes = 4096}, clock);
  Handler handler(run.late);
  ConnectionContext context{.loop = *loop,
                            .options = {.limits = {.head_bytes_max = 512, .body_bytes_max = 256},
                                        .skipped_body_bytes_max = 100},
                            .handler = handler,
                            .parser = RequestParser({.head_bytes_max = 512, .body_bytes_max = 256}),
                            .connections = {}};
  net::FakeWire wire(*loop);
  wire.read_max = run.step;
  Connection::start(context, wire.make_stream(), {});
  wire.arrive(input.substr(0, run.gone_after));
  if (run.gone_after != SIZE_MAX) wire.pump();
  if (run.gone_after != SIZE_MAX) wire.reset_by_peer();
  // Each turn gets something done, or nothing is left to do.
  for (std::size_t idle = 0; idle < 4; ++idle) {
    const std::size_t before = wire.unread() + wire.sent.size();
    clock.advance(Duration{1});
    wire.pump();
    for (Job* job : std::exchange(handler.waiting, {})) job->answer();
    loop->turn(Duration::zero());
    if (wire.unread() + wire.sent.size() != before) idle = 0;
  }
  AW_ASSERT(handler.waiting.empty());
  for (Connection* one : context.connections.snapshot()) one->abort();
  clock.advance(Duration{1});
  loop->turn(Duration::zero());
  AW_ASSERT(context.connections.empty() && context.held_body_bytes == 0);
  AW_ASSERT(wire.destroyed());
  drop_all(wire.sent, "Date: ", "\r\n");
  drop_all(wire.sent, "HTTP/1.1 100 Continue", "\r\n\r\n");
  return wire.sent;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 4000) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = 1 + data[size - 1] % size;
  const std::string whole = answers_to(input, {});
  AW_ASSERT(answers_to(input, {.step = 1}) == whole);
  AW_ASSERT(answers_to(input, {.step = cut}) == whole);
  AW_ASSERT(answers_to(input, {.late = true}) == whole);
  AW_ASSERT(answers_to(input, {.late = true, .step = cut}) == whole);
  answers_to(input, {.late = true, .gone_after = cut});
  return 0;
}
