// PublishLine: the publications of one session that wait for the application's word on them, and
// those that wait behind these, so that a session's messages keep their order. One question is
// under way at a time. Other commands of the session do not wait.
//
// It outlives its session: what was taken in is asked about and published also when the client has
// gone meanwhile, as it would have been without a hook.
//
// Thread: the loop's. Lifetime: owned by what waits for the application; a session holds a weak
// pointer, which finds nobody once nothing waits. The hook, the hub and the validation outlive it.
// Limits: `entries_max` of `push`, and the bytes that AppHook::waiting() has left.
#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "hub/hub.h"
#include "protocol/app_hook.h"
#include "protocol/validation.h"

namespace anywire::protocol {

// An AppClient that owns its texts.
struct AppClientCard {
  std::string id, user, info, protocol, address, origin;

  AppClient view() const { return {id, user, info, protocol, address, origin}; }
};

class PublishLine : public std::enable_shared_from_this<PublishLine> {
 public:
  // Nothing but the application's refusal and the hub's can come between. What the application has
  // dropped has the position 0.
  using Outcome =
      std::expected<broker::PublishResult, std::variant<AppRefusal, hub::HubError>>;
  using Done = std::move_only_function<void(Outcome)>;

  struct Entry {
    std::string channel;
    broker::PublishRequest request;
    bool asks = false;  // of this one; else it only waits for its turn
    // Told how it went in any case; `published` says whether also that it is published is wanted,
    // which costs a mail.
    bool published = true;
    Done done;
  };
  enum class Taken { kYes, kTooMany, kNoRoom };

  static std::shared_ptr<PublishLine> create(AppHook& app, hub::Hub& hub,
                                             const Validation* validation, AppClientCard client);
  ~PublishLine();
  PublishLine(const PublishLine&) = delete;
  PublishLine& operator=(const PublishLine&) = delete;

  // May tell `done` inside the call. Refused, `entry` is as it was.
  Taken push(Entry&& entry, std::size_t entries_max);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Waiting {
    Entry entry;
    std::size_t bytes;
  };

  PublishLine(AppHook& app, hub::Hub& hub, const Validation* validation, AppClientCard client)
      : app_(app), hub_(hub), validation_(validation), client_(std::move(client)) {}

  void go_on();
  void ask();
  void on_verdict(std::expected<PublishAnswer, AppRefusal> verdict);
  bool apply(Entry& entry, PublishAnswer& answer) const;
  void publish(Entry entry);
  Entry pop();

  AppHook& app_;
  hub::Hub& hub_;
  const Validation* const validation_;
  const AppClientCard client_;
  std::deque<Waiting> entries_;  // the first is asked about, if anything is
  bool asking_ = false;
};

}  // namespace anywire::protocol
