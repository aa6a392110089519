// Application: the customer's application as the hooks see it (docs/hooks.md), as quick as one can
// be: it answers every question with `{}` in the turn in which it came, over kept connections, and
// counts them. The signature is not looked at: that would be work of the application's.
//
// Thread: the engine's. Lifetime: destroyed before the engine, and not inside its callbacks.
// Limits: it is asked about publications only, of at most kBodyBytesMax; anything else, and
// anything that is no HTTP/1.1, fails the run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "engine.h"
#include "net/listener.h"
#include "net/stream.h"

namespace anywire::bench {

class Application final : private net::AcceptHandler {
 public:
  static constexpr std::uint64_t kBodyBytesMax = std::uint64_t{128} << 20;

  // Listens on 127.0.0.1; port 0 takes a free one.
  static Result<std::unique_ptr<Application>> open(Engine& engine, std::uint16_t port);
  ~Application();

  std::uint16_t port() const { return listener_->address().port(); }
  // Answered so far.
  std::uint64_t questions() const { return questions_; }
  std::size_t connections() const { return lines_.size(); }

 private:
  class Line;

  explicit Application(Engine& engine);
  void on_accept(int fd, const net::Address& peer) override;
  void on_shed() override;
  void end(Line& line);

  Engine& engine_;
  std::unique_ptr<net::Listener> listener_;
  std::unordered_map<Line*, std::unique_ptr<Line>> lines_;
  std::uint64_t questions_ = 0;
};

}  // namespace anywire::bench
