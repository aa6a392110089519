#include "hooks/app.h"

#include <type_traits>
#include <utility>

#include "base/log.h"

namespace anywire::hooks {
namespace {

using protocol::AppRefusal;

// What an answer has besides a payload of the largest size: escapes may make that six times as
// long, but a sane serialiser does not.
constexpr std::size_t kAnswerSlackBytes = 256 * 1024;

AppOptions completed(AppOptions options) {
  options.dispatcher.answer_bytes_max = 2 * options.message_bytes_max + kAnswerSlackBytes;
  return options;
}

ReplyLimits reply_limits(const AppOptions& options) {
  ReplyLimits limits;
  limits.message_bytes_max = options.message_bytes_max;
  return limits;
}

}  // namespace

Result<std::unique_ptr<App>> App::create(AppOptions options, const AppServices& services) {
  auto client = fetch::Client::create(
      services.loop, {.ca_file = options.ca_file,
                      .connections_max = options.dispatcher.requests_max});
  if (!client) return std::unexpected(client.error());
  auto signer = Signer::create(options.secret);
  if (!signer) return std::unexpected(signer.error());
  options.secret.clear();  // the signer has it
  return std::unique_ptr<App>(
      new App(completed(std::move(options)), services, *std::move(signer), *std::move(client)));
}

App::App(AppOptions options, const AppServices& services, Signer signer,
         std::unique_ptr<fetch::Client> client)
    : options_(std::move(options)),
      limits_(reply_limits(options_)),
      wall_(services.wall),
      faults_(services.faults),
      actions_(*this, {.loop = services.loop.index(),
                       .hub = services.hub,
                       .clients = services.clients,
                       .validation = services.validation}),
      dispatcher_(services.loop, services.wall, options_.dispatcher, std::move(signer),
                  std::move(client)),
      events_(services.loop, dispatcher_, [this](std::string_view body) {
        auto reply = read_events(reader_, body, limits_);
        if (!reply) return std::move(reply.error());
        actions_.run(std::move(reply->actions), {});
        return std::string();
      }) {}

// `read` reads the answer's body and `done(expected<Answer, AppRefusal>, actions)` is told of it.
template <typename Answer, typename Question, typename Read, typename Done>
void App::ask(std::string_view hook, const Question& question, Read read, Done done) {
  constexpr bool kIsRpc = std::is_same_v<Question, protocol::RpcQuestion>;
  std::string id = dispatcher_.next_id();
  std::string body = encode(id, question);
  dispatcher_.send(
      {.hook = hook, .id = std::move(id), .body = std::move(body), .repeatable = kIsRpc},
      [this, read, done = std::move(done)](std::expected<std::string, Failure> answer) mutable {
        std::string wrong;
        if (answer) {
          ReadReply<Answer> reply = read(reader_, *answer, limits_);
          if (reply) {
            done(std::move(reply->verdict), std::move(reply->actions));
            return wrong;
          }
          wrong = std::move(reply.error());
        }
        std::expected<Answer, AppRefusal> verdict;
        if (kIsRpc || !options_.allow_unavailable) {
          verdict = std::unexpected(AppRefusal{.code = AppRefusal::Code::kUnavailable});
        }
        done(std::move(verdict), {});
        return wrong;
      });
}

void App::connect(const protocol::ConnectQuestion& question, protocol::ConnectDone done) {
  ask<protocol::ConnectAnswer>(
      "connect", question, read_connect,
      [this, done = std::move(done)](auto verdict, protocol::AppActions actions) mutable {
        if (verdict) {
          verdict->actions = std::move(actions);
        } else {
          actions_.run(std::move(actions), {});
        }
        done(std::move(verdict));
      });
}

void App::subscribe(const protocol::SubscribeQuestion& question, protocol::SubscribeDone done) {
  ask<void>("subscribe", question, read_subscribe,
            [this, client = std::string(question.client.id), done = std::move(done)](
                auto verdict, protocol::AppActions actions) mutable {
              done(std::move(verdict));
              actions_.run(std::move(actions), client);
            });
}

void App::publish(const protocol::PublishQuestion& question, protocol::PublishVerdictDone done) {
  ask<protocol::PublishAnswer>(
      "publish", question, read_publish,
      [this, client = std::string(question.client.id), done = std::move(done)](
          auto verdict, protocol::AppActions actions) mutable {
        done(std::move(verdict));
        actions_.run(std::move(actions), client);
      });
}

void App::rpc(const protocol::RpcQuestion& question, protocol::RpcDone done) {
  ask<std::string>("rpc", question, read_rpc,
                   [this, client = std::string(question.client.id), done = std::move(done)](
                       auto verdict, protocol::AppActions actions) mutable {
                     done(std::move(verdict));
                     actions_.run(std::move(actions), client);
                   });
}

void App::act(protocol::AppActions actions, std::string_view client) {
  actions_.run(std::move(actions), client);
}

void App::blame(const protocol::AppFault& fault) {
  faults_.tell(fault, fetch::origin_of(options_.dispatcher.url), log::coarse_now());
}

void App::tell(Event::Type type, std::string_view channel, std::string_view client,
               std::string_view user) {
  if (!options_.tells_events) return;
  events_.add({.type = type,
               .channel = std::string(channel),
               .client = std::string(client),
               .user = std::string(user),
               .time_ms = wall_.unix_ms()});
}

void App::disconnected(const protocol::AppClient& client) {
  tell(Event::Type::kDisconnected, {}, client.id, client.user);
}
void App::on_occupied(std::string_view channel) { tell(Event::Type::kOccupied, channel, {}, {}); }
void App::on_vacated(std::string_view channel) { tell(Event::Type::kVacated, channel, {}, {}); }
void App::on_joined(std::string_view channel, std::string_view client, std::string_view user) {
  tell(Event::Type::kJoin, channel, client, user);
}
void App::on_left(std::string_view channel, std::string_view client, std::string_view user) {
  tell(Event::Type::kLeave, channel, client, user);
}

}  // namespace anywire::hooks
