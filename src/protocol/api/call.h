// ApiCall: one request of the HTTP API, from its head to its answer.
//
// What it asks of the hub and of other loops may be answered when it has gone, because its client
// left: such callbacks name it by SlotId.
//
// Thread: the loop's. Lifetime: see http::Exchange. Limits: ApiOptions; a call holds what its body
// asks for and no more than one page of an answer.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/api/adapter.h"
#include "protocol/api/answers.h"
#include "protocol/api/principal.h"

namespace anywire::protocol::api {

class ApiCall;

// A path behind the adapter's, and what is done there: one of the two.
struct Endpoint {
  std::string_view path;
  std::string_view methods;
  void (ApiCall::*run)(const http::RequestHead& head, codec::JsonValue body) = nullptr;
  void (ApiCall::*read)(const http::RequestHead& head) = nullptr;  // instead, without a body

  constexpr bool has_body() const { return run != nullptr; }
};

class ApiCall final : public http::Exchange {
 public:
  ApiCall(ApiAdapter& adapter, const Endpoint& endpoint, Principal principal)
      : adapter_(adapter),
        endpoint_(endpoint),
        principal_(std::move(principal)),
        id_(adapter.calls().add(*this)) {}
  ~ApiCall() override { adapter_.calls().remove(id_); }

  void on_request(const http::RequestHead& head, BufferRef body) override;
  std::optional<http::Response> refusal(const http::HttpError& error) const override;
  void on_gone() override {}

  // Messages: call_messages.cc.
  void publish(const http::RequestHead& head, codec::JsonValue body);
  void publish_batch(const http::RequestHead& head, codec::JsonValue body);
  void broadcast(const http::RequestHead& head, codec::JsonValue body);
  void read_history(const http::RequestHead& head);
  void read_presence(const http::RequestHead& head);
  void read_channels(const http::RequestHead& head);

  // Clients: call_clients.cc.
  void read_connections(const http::RequestHead& head);
  void disconnect(const http::RequestHead& head, codec::JsonValue body);
  void subscribe(const http::RequestHead& head, codec::JsonValue body);
  void unsubscribe(const http::RequestHead& head, codec::JsonValue body);
  void change_grants(const http::RequestHead& head, codec::JsonValue body);
  void revoke(const http::RequestHead& head, codec::JsonValue body);
  void issue_ticket(const http::RequestHead& head, codec::JsonValue body);
  void call_client(const http::RequestHead& head, codec::JsonValue body);

 private:
  using Calls = std::vector<Read<PublishCall>>;

  std::optional<Problem> may_publish(const PublishCall& call) const;
  void publish_all(Calls calls);
  void publish_now();
  void on_published(std::size_t index, Published result);
  void end_publishing();
  std::optional<Problem> may_enter(const Whom& whom, const std::string& channel) const;
  void visit(Whom whom, ClientGroup::Visit visit, std::string_view counted);

  void refuse(const Problem& problem) { respond(problem_answer(problem)); }
  void answer(std::string body) { respond(json_answer(std::move(body))); }
  auth::WallTime now() const;

  // Calls `then(call, args...)` if this call still waits when the answer comes.
  template <typename Then>
  auto later(Then then) {
    return [&calls = adapter_.calls(), id = id_, then = std::move(then)](auto&&... args) mutable {
      ApiCall* const call = calls.find(id);
      if (call != nullptr) then(*call, std::forward<decltype(args)>(args)...);
    };
  }

  ApiAdapter& adapter_;
  const Endpoint& endpoint_;
  const Principal principal_;
  const SlotId id_;
  bool single_ = false;             // of one publication the answer is that, not a list
  Calls publications_;              // until they are handed to the hub
  std::vector<Published> results_;  // in their order
  std::size_t missing_ = 0;         // of the results
};

}  // namespace anywire::protocol::api
