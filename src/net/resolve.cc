#include "net/resolve.h"

#include <netdb.h>

#include <mutex>
#include <thread>
#include <utility>

namespace anywire::net {

// What the thread of a look-up holds. Null pointers once the resolver is gone.
struct Resolver::Shared {
  std::mutex mutex;
  reactor::Loop* loop;
  Resolver* resolver;
};

namespace {

Resolver::Answer look_up(const std::string& name, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = ::getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) return fail(ErrorCode::kNotFound, ::gai_strerror(status));
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (auto address = Address::from_sockaddr(one->ai_addr, one->ai_addrlen)) {
      addresses.push_back(*std::move(address));
    }
  }
  ::freeaddrinfo(found);
  if (addresses.empty()) return fail(ErrorCode::kNotFound, "the name has no address");
  return addresses;
}

}  // namespace

Resolver::Resolver(reactor::Loop& loop) : shared_(std::make_shared<Shared>()) {
  shared_->loop = &loop;
  shared_->resolver = this;
}

Resolver::~Resolver() {
  const std::lock_guard lock(shared_->mutex);
  shared_->loop = nullptr;
  shared_->resolver = nullptr;
}

void Resolver::resolve(std::string name, std::uint16_t port, Done done) {
  busy_ = true;
  done_ = std::move(done);
  // Detached: a name server that does not answer must not hold up the end of the process.
  std::thread([shared = shared_, name = std::move(name), port] {
    auto answer = std::make_shared<Answer>(look_up(name, port));
    const std::lock_guard lock(shared->mutex);
    if (shared->loop == nullptr) return;
    shared->loop->post([shared, answer] {
      // The resolver lives on this thread, so it cannot go between this look and the call.
      if (shared->resolver != nullptr) shared->resolver->finish(std::move(*answer));
    });
  }).detach();
}

void Resolver::finish(Answer answer) {
  busy_ = false;
  std::exchange(done_, nullptr)(std::move(answer));
}

}  // namespace anywire::net
