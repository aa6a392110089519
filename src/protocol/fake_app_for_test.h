// FakeApp: a customer's application that answers when the test says so. Only tests include it.
//
// Thread: the loop's. Lifetime: outlives the sessions. A question's texts are kept as one line each
// in `asked`, its `done` in the order of asking.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "protocol/app_hook.h"

namespace anywire::protocol {

class FakeApp : public AppHook {
 public:
  bool asks_connect() const override { return connects; }
  bool asks_rpc() const override { return true; }
  void connect(const ConnectQuestion& question, ConnectDone done) override {
    asked.push_back("connect by " + std::string(question.client.user) + " with " +
                    std::string(question.token));
    note(question.client);
    connecting.push_back(std::move(done));
  }
  void subscribe(const SubscribeQuestion& question, SubscribeDone done) override {
    asked.push_back("subscribe " + std::string(question.channel) + " by " +
                    std::string(question.client.user));
    note(question.client);
    subscribing.push_back(std::move(done));
  }
  void publish(const PublishQuestion& question, PublishVerdictDone done) override {
    asked.push_back("publish " + std::string(question.channel) + " " +
                    std::string(as_text(question.draft.payload->bytes())));
    note(question.client);
    publishing.push_back(std::move(done));
  }
  void rpc(const RpcQuestion& question, RpcDone done) override {
    asked.push_back(std::string(question.method) + "(" + std::string(question.data) + ") by " +
                    std::string(question.client.user));
    note(question.client);
    calling.push_back(std::move(done));
  }
  void disconnected(const AppClient& client) override { gone.emplace_back(client.user); }
  void act(AppActions actions, std::string_view client) override {
    for (AppAction& action : actions) {
      acted.push_back(action.channel + " by " + std::string(client));
    }
  }
  void blame(const AppFault& fault) override {
    const char* const of = fault.what == AppFault::What::kResult        ? "result of "
                           : fault.what == AppFault::What::kPublication ? "publication to "
                                                                        : "rewrite for ";
    blamed.push_back(of + std::string(fault.name) + " " + std::string(fault.rule));
  }
  ByteBudget& waiting() override { return budget; }

  // Answers the oldest question of its kind.
  void allow_connect(ConnectAnswer answer = {}) { take(connecting)(std::move(answer)); }
  void refuse_connect(AppRefusal refused) { take(connecting)(std::unexpected(std::move(refused))); }
  void allow_subscribe() { take(subscribing)({}); }
  void refuse_subscribe(AppRefusal refused) {
    take(subscribing)(std::unexpected(std::move(refused)));
  }
  void allow_publish(PublishAnswer answer = {}) { take(publishing)(std::move(answer)); }
  void refuse_publish(AppRefusal refused) { take(publishing)(std::unexpected(std::move(refused))); }
  void answer_call(std::string json) { take(calling)(std::move(json)); }
  void refuse_call(AppRefusal refused) { take(calling)(std::unexpected(std::move(refused))); }

  static AppRefusal no(std::string message, std::string reason = {}) {
    return {.code = AppRefusal::Code::kRefused,
            .message = std::move(message),
            .reason = std::move(reason)};
  }

  bool connects = false;
  std::vector<std::string> asked;
  std::string last_client, last_info, last_protocol, last_address, last_origin;
  std::vector<std::string> gone, acted, blamed;
  std::deque<ConnectDone> connecting;
  std::deque<SubscribeDone> subscribing;
  std::deque<PublishVerdictDone> publishing;
  std::deque<RpcDone> calling;
  ByteBudget budget{1024 * 1024};

 private:
  void note(const AppClient& client) {
    last_client = client.id;
    last_info = client.info;
    last_protocol = client.protocol;
    last_address = client.address;
    last_origin = client.origin;
  }
  template <typename Done>
  static Done take(std::deque<Done>& waiting) {
    Done done = std::move(waiting.front());
    waiting.pop_front();
    return done;
  }
};

}  // namespace anywire::protocol
