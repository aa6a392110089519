#include "protocol/transport/http_streams.h"

#include <utility>

#include "codec/json_writer.h"
#include "protocol/transport/event_stream.h"
#include "protocol/transport/long_poll.h"

namespace anywire::protocol {
namespace {

http::Response json_response(int status, std::string body) {
  http::Response response{
      .status = status, .content_type = "application/json", .body = std::move(body)};
  // A browser must not guess what it is, nor keep it.
  response.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  if (status == 429 || status == 503) response.headers.push_back({"Retry-After", "1"});
  return response;
}

http::Response problem(int status, std::string_view code, std::string_view message) {
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object();
  json.key("code").string(code);
  json.key("message").string(message);
  json.end_object();
  return json_response(status, std::move(body));
}

http::Response gone() { return problem(404, "stream_gone", "there is no such stream"); }
http::Response overloaded() { return problem(503, "overloaded", "too much is waiting"); }

// Both can be sent by a browser; the second one without a preflight.
bool is_taken_type(const http::RequestHead& head) {
  const std::string_view value = head.header("Content-Type");
  const std::string_view type = http::trim_whitespace(value.substr(0, value.find(';')));
  return type.empty() || http::equals_ignore_case(type, "application/json") ||
         http::equals_ignore_case(type, "text/plain");
}

}  // namespace

class HttpStreams::EventStreamRequest final : public http::Exchange {
 public:
  EventStreamRequest(HttpStreams& streams, MakeSession make)
      : streams_(streams), make_(std::move(make)) {}

  void on_request(const http::RequestHead& head, BufferRef) override {
    streams_.start_event_stream(*this, head);
  }
  void on_drained() override {
    if (stream_ != nullptr) stream_->on_drained();
  }
  void on_gone() override {
    if (stream_ != nullptr) stream_->on_gone();
  }

 private:
  friend class HttpStreams;
  HttpStreams& streams_;
  MakeSession make_;
  EventStream* stream_ = nullptr;  // as long as this is pending
};

class HttpStreams::PostRequest final : public http::Exchange {
 public:
  PostRequest(HttpStreams& streams, bool polls, MakeSession make)
      : streams_(streams),
        polls_(polls),
        make_(std::move(make)),
        id_(streams.requests_.add(*this)) {}
  ~PostRequest() override { streams_.requests_.remove(id_); }

  void on_request(const http::RequestHead& head, BufferRef body) override {
    streams_.take_post(*this, head, std::move(body));
  }
  void on_gone() override {
    if (!polled_) return;
    streams_.go_to(polled_->loop, [id = *polled_, asker = asker()](HttpStreams& there) {
      if (HttpStream* stream = there.find(id)) stream->forget_poll(asker);
    });
  }

 private:
  friend class HttpStreams;
  Asker asker() const { return {streams_.loop_.index(), id_}; }

  HttpStreams& streams_;
  bool polls_;
  MakeSession make_;  // for a poll that opens a stream
  SlotId id_;
  std::optional<StreamId> polled_;
};

HttpStreams::HttpStreams(HttpStreamGroup& group, reactor::Loop& loop,
                         const HttpStreamOptions& options)
    : group_(group), loop_(loop), options_(options) {
  if (group_.members.size() <= loop_.index()) group_.members.resize(loop_.index() + 1);
  group_.members[loop_.index()] = this;
  loop_.add_turn_end_hook(*this);
}

HttpStreams::~HttpStreams() {
  loop_.remove_turn_end_hook(*this);
  group_.members[loop_.index()] = nullptr;
  for (HttpStream* stream : streams_.snapshot()) delete stream;
}

void HttpStreams::serve_event_stream(http::Connection& connection, MakeSession make) {
  connection.answer_later(std::make_unique<EventStreamRequest>(*this, std::move(make)), {});
}

void HttpStreams::serve_poll(http::Connection& connection, MakeSession make) {
  connection.answer_later(
      std::make_unique<PostRequest>(*this, true, std::move(make)),
      {.body_bytes_max = options_.message_bytes_max, .body_timeout = options_.body_timeout});
}

void HttpStreams::serve_send(http::Connection& connection) {
  connection.answer_later(
      std::make_unique<PostRequest>(*this, false, MakeSession()),
      {.body_bytes_max = options_.message_bytes_max, .body_timeout = options_.body_timeout});
}

void HttpStreams::start_event_stream(EventStreamRequest& request, const http::RequestHead& head) {
  if (full()) return request.respond(overloaded());
  auto stream = std::make_unique<EventStream>(*this, request);
  auto session = std::exchange(request.make_, nullptr)(*stream);
  if (!session) {
    remove(*stream);
    return request.respond(std::move(session.error()));
  }
  request.stream_ = stream.get();
  // Owns itself from here on.
  stream.release()->attach(*std::move(session), head);
}

void HttpStreams::take_post(PostRequest& request, const http::RequestHead& head, BufferRef body) {
  if (!is_taken_type(head)) {
    return request.respond(
        problem(415, "bad_message", "the body must be application/json or text/plain"));
  }
  const auto command = read_command(body ? body->bytes() : Bytes(), request.polls_);
  if (!command) return request.respond(problem(400, "bad_message", command.error().message));
  if (request.polls_ && !command->names_stream) {
    return open_poll(request, head, *command, std::move(body));
  }
  if (!command->stream) return request.respond(gone());
  const StreamId id = *command->stream;
  if (id.loop != loop_.index()) body->make_shared();
  bool there_is = false;
  if (request.polls_) {
    request.polled_ = id;
    there_is = go_to(id.loop, [id, ack = command->ack,
                               asker = request.asker()](HttpStreams& there) {
      HttpStream* stream = there.find(id);
      stream != nullptr ? stream->poll(ack, asker) : there.answer_gone(asker);
    });
  } else {
    StreamInput input{.body = std::move(body), .asker = request.asker()};
    input.bytes = command->messages.size();
    input.offset = static_cast<std::size_t>(
        command->messages.data() - reinterpret_cast<const char*>(input.body->data()));
    // Nothing to hand over, but the client learns whether its stream is there.
    const bool empty = command->message_count == 0;
    there_is = go_to(id.loop, [id, empty, input = std::move(input)](HttpStreams& there) mutable {
      HttpStream* stream = there.find(id);
      if (stream == nullptr) return there.answer_gone(*input.asker);
      if (empty) return there.answer_taken(*input.asker);
      stream->take(std::move(input));
    });
  }
  if (!there_is) request.respond(gone());
}

Result<HttpStreams::Command> HttpStreams::read_command(Bytes body, bool polls) {
  const auto value = reader_.read(body);
  if (!value) return std::unexpected(value.error());
  if (value->kind() != codec::JsonKind::kObject) {
    return fail(ErrorCode::kInvalidArgument, "the body is not an object");
  }
  Command command;
  for (const auto [name, member] : value->members()) {
    if (name == "stream") {
      const auto text = member.string();
      if (!text) return fail(ErrorCode::kInvalidArgument, "\"stream\" is not a string");
      command.names_stream = true;
      command.stream = parse_stream_id(*text);
    } else if (name == "ack") {
      const auto ack = member.u64();
      if (!ack) return fail(ErrorCode::kInvalidArgument, "\"ack\" is not a whole number");
      command.ack = *ack;
    } else if (name == "messages") {
      if (member.kind() != codec::JsonKind::kArray) {
        return fail(ErrorCode::kInvalidArgument, "\"messages\" is not an array");
      }
      command.messages = member.raw();
      command.message_count = member.size();
    }
  }
  const bool has_messages = command.messages.data() != nullptr;
  if (!polls && !command.names_stream) {
    return fail(ErrorCode::kInvalidArgument, "\"stream\" is missing");
  }
  // A poll has one or the other: messages would come twice if it had to be repeated.
  if (has_messages == (polls && command.names_stream)) {
    return fail(ErrorCode::kInvalidArgument,
                has_messages ? "\"messages\" are sent by \"send\"" : "\"messages\" is missing");
  }
  return command;
}

void HttpStreams::open_poll(PostRequest& request, const http::RequestHead& head,
                            const Command& command, BufferRef body) {
  if (full()) return request.respond(overloaded());
  auto owned = std::make_unique<LongPoll>(*this);
  auto session = std::exchange(request.make_, nullptr)(*owned);
  if (!session) {
    remove(*owned);
    return request.respond(std::move(session.error()));
  }
  LongPoll& stream = *owned.release();  // owns itself from here on
  stream.attach(*std::move(session), head);
  request.polled_ = stream.id();
  stream.poll(0, request.asker());
  if (command.message_count == 0) return;
  StreamInput input{.body = std::move(body), .bytes = command.messages.size(), .asker = {}};
  input.offset = static_cast<std::size_t>(
      command.messages.data() - reinterpret_cast<const char*>(input.body->data()));
  stream.take(std::move(input));
}

template <typename Task>
bool HttpStreams::go_to(std::uint32_t loop, Task&& task) {
  if (loop == loop_.index()) {
    task(*this);
    return true;
  }
  if (loop >= group_.members.size() || group_.members[loop] == nullptr) return false;
  HttpStreams& there = *group_.members[loop];
  there.loop_.post([&there, task = std::forward<Task>(task)]() mutable { task(there); });
  return true;
}

StreamId HttpStreams::add(HttpStream& stream) {
  return {.secret = make_secret(), .loop = loop_.index(), .slot = streams_.add(stream)};
}

HttpStream* HttpStreams::find(const StreamId& id) {
  HttpStream* stream = streams_.find(id.slot);
  return stream != nullptr && same_secret(stream->id().secret, id.secret) ? stream : nullptr;
}

void HttpStreams::answer(const Asker& asker, http::Response response) {
  // A poll that is answered is nobody's any more, should its client leave before it has it all.
  go_to(asker.loop, [request = asker.request, response = std::move(response)](
                        HttpStreams& there) mutable {
    if (PostRequest* found = there.requests_.find(request)) found->respond(std::move(response));
  });
}

void HttpStreams::answer_json(const Asker& asker, int status, std::string body) {
  answer(asker, json_response(status, std::move(body)));
}

void HttpStreams::answer_gone(const Asker& asker) { answer(asker, gone()); }

void HttpStreams::answer_overloaded(const Asker& asker) { answer(asker, overloaded()); }

void HttpStreams::answer_bad(const Asker& asker, std::string_view message) {
  answer(asker, problem(400, "bad_message", message));
}

void HttpStreams::on_turn_end() {
  // Flushing one may touch others.
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    HttpStream* stream = streams_.find(touched_[i]);
    if (stream == nullptr) continue;
    stream->touched_ = false;
    stream->flush();
  }
  touched_.clear();
}

void HttpStreams::drain() {
  for (HttpStream* stream : streams_.snapshot()) {
    stream->close(ws::CloseCode::kGoingAway, "server is shutting down");
  }
}

void HttpStreams::abort() {
  for (HttpStream* stream : streams_.snapshot()) stream->abort();
}

}  // namespace anywire::protocol
