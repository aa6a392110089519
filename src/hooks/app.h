// App: the customer's application behind signed HTTP requests. It asks and reads what is answered;
// what waits, how long and how often is the Dispatcher's.
//
// While the application cannot be asked, the configured verdict holds: everything is refused with
// kUnavailable, or everything is allowed as it is. An rpc has no answer without it, so it is always
// refused.
//
// Thread: the loop's. Lifetime: see protocol::AppHook; destroyed before its loop. Limits:
// DispatcherOptions and ReplyLimits.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "codec/json_reader.h"
#include "hooks/actions.h"
#include "hooks/dispatcher.h"
#include "hooks/event_batch.h"
#include "hooks/fault_log.h"
#include "hooks/reply.h"
#include "hub/channel_observer.h"
#include "protocol/app_hook.h"

namespace anywire::hooks {

struct AppOptions {
  DispatcherOptions dispatcher;
  std::string secret;
  std::string ca_file;  // PEM; empty: what the system trusts
  bool asks_connect = false;
  bool asks_rpc = false;
  bool tells_events = false;
  bool allow_unavailable = false;  // the verdict while it cannot be asked
  std::size_t message_bytes_max = 1024 * 1024;
};

struct AppServices {
  reactor::Loop& loop;
  WallClock& wall;
  hub::Hub& hub;
  protocol::ClientGroup& clients;
  FaultLog& faults;
  const protocol::Validation* validation = nullptr;  // null: nothing is checked
};

class App final : public protocol::AppHook, public hub::ChannelObserver {
 public:
  // Fails when the file of certificates cannot be read.
  static Result<std::unique_ptr<App>> create(AppOptions options, const AppServices& services);

  bool asks_connect() const override { return options_.asks_connect; }
  bool asks_rpc() const override { return options_.asks_rpc; }
  bool tells_events() const { return options_.tells_events; }

  void connect(const protocol::ConnectQuestion& question, protocol::ConnectDone done) override;
  void subscribe(const protocol::SubscribeQuestion& question,
                 protocol::SubscribeDone done) override;
  void publish(const protocol::PublishQuestion& question,
               protocol::PublishVerdictDone done) override;
  void rpc(const protocol::RpcQuestion& question, protocol::RpcDone done) override;
  void disconnected(const protocol::AppClient& client) override;
  void act(protocol::AppActions actions, std::string_view client) override;
  void blame(const protocol::AppFault& fault) override;
  protocol::ByteBudget& waiting() override { return dispatcher_.waiting(); }

  // From the channels this loop owns, so each event has one loop that tells it.
  void on_occupied(std::string_view channel) override;
  void on_vacated(std::string_view channel) override;
  void on_joined(std::string_view channel, std::string_view client,
                 std::string_view user) override;
  void on_left(std::string_view channel, std::string_view client, std::string_view user) override;

  const Dispatcher& dispatcher() const { return dispatcher_; }
  const EventBatch& events() const { return events_; }

 private:
  App(AppOptions options, const AppServices& services, Signer signer,
      std::unique_ptr<fetch::Client> client);

  template <typename Answer, typename Question, typename Read, typename Done>
  void ask(std::string_view hook, const Question& question, Read read, Done done);
  void tell(Event::Type type, std::string_view channel, std::string_view client,
            std::string_view user);

  AppOptions options_;
  const ReplyLimits limits_;
  WallClock& wall_;
  FaultLog& faults_;
  codec::JsonReader reader_;
  Actions actions_;
  Dispatcher dispatcher_;
  EventBatch events_;
};

}  // namespace anywire::hooks
