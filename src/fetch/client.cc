#include "fetch/client.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/assert.h"
#include "fetch/transfer.h"

namespace anywire::fetch {
namespace {

// Easy handles kept for the next requests; each costs some kilobytes.
constexpr std::size_t kIdleHandlesMax = 32;

struct MultiCloser {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};

struct UrlCloser {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlCloser>;

struct TextCloser {
  void operator()(char* text) const { curl_free(text); }
};

bool library_ready() {
  static std::once_flag once;
  static CURLcode result = CURLE_FAILED_INIT;
  std::call_once(once, [] { result = curl_global_init(CURL_GLOBAL_DEFAULT); });
  return result == CURLE_OK;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  const std::unique_ptr<char, TextCloser> owned(text);
  return text;
}

UrlHandle parsed(std::string_view text) {
  UrlHandle url(curl_url());
  if (url == nullptr) return nullptr;
  if (text.find('\0') != text.npos) return nullptr;
  // Other schemes are told from nonsense, so that the complaint can name what is wrong.
  const CURLUcode set = curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(),
                                     CURLU_NON_SUPPORT_SCHEME);
  if (set != CURLUE_OK) return nullptr;
  return url;
}

bool readable(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return false;
  std::fclose(file);
  return true;
}

}  // namespace

std::string_view Response::header(std::string_view name) const {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  for (const Header& header : headers) {
    if (std::ranges::equal(header.name, name, {}, lower, lower)) return header.value;
  }
  return {};
}

Result<void> check_url(std::string_view text) {
  const auto wrong = [](const char* why) {
    return fail(anywire::ErrorCode::kInvalidArgument, why);
  };
  const UrlHandle url = parsed(text);
  if (url == nullptr) return wrong("it is not a URL");
  const std::string scheme = part_of(url.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return wrong("the URL must begin with http or https");
  if (part_of(url.get(), CURLUPART_HOST).empty()) return wrong("the URL names no host");
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return wrong("the URL must not hold a user name or a password");
  }
  if (text.find('#') != text.npos) return wrong("the URL must not have a fragment");
  return {};
}

std::string origin_of(std::string_view text) {
  const UrlHandle url = parsed(text);
  if (url == nullptr) return {};
  const std::string port = part_of(url.get(), CURLUPART_PORT);
  return part_of(url.get(), CURLUPART_SCHEME) + "://" + part_of(url.get(), CURLUPART_HOST) +
         (port.empty() ? "" : ":" + port);
}

// What stands between libcurl's multi interface and the loop: one watcher per socket, one timer.
//
// libcurl must not be entered from its own callbacks, so these only take notes; everything that
// makes it work comes from the loop, and what has finished is told afterwards.
class Client::Engine final : private reactor::Timer {
 public:
  Engine(reactor::Loop& loop, ClientOptions options)
      : loop_(loop), options_(std::move(options)), alive_(std::make_shared<Engine*>(this)) {}
  ~Engine() override;

  bool start();
  void send(Request request, Done done);
  std::size_t pending() const { return transfers_.size(); }

 private:
  // Told of readiness for libcurl. Outlives its engine by a turn if it must.
  class Socket final : public reactor::Watcher {
   public:
    Socket(Engine& engine, curl_socket_t fd) : engine_(&engine), fd_(fd) {}
    void on_ready(std::uint32_t ready) override {
      if (engine_ != nullptr) engine_->on_socket(fd_, ready | errors_as(ready));
    }
    void watch(std::uint32_t interest) {
      if (interest == interest_) return;
      // libcurl may have closed the descriptor and got the number anew, so nothing is assumed.
      if (interest_ != 0) engine_->loop_.unwatch(fd_);
      interest_ = interest;
      if (!engine_->loop_.watch(fd_, interest, *this)) interest_ = 0;
    }
    void release() {
      if (interest_ != 0) engine_->loop_.unwatch(fd_);
      interest_ = 0;
      engine_ = nullptr;
    }

   private:
    // An error shows when the socket is read from or written to, which gives its reason, too.
    std::uint32_t errors_as(std::uint32_t ready) const {
      return (ready & reactor::kError) != 0 ? interest_ : 0;
    }
    Engine* engine_;
    curl_socket_t fd_;
    std::uint32_t interest_ = 0;
  };

  static int on_watch(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timeout(CURLM*, long timeout_ms, void* self);
  void on_timer() override { act(CURL_SOCKET_TIMEOUT, 0); }
  void on_socket(curl_socket_t fd, std::uint32_t ready);
  void act(curl_socket_t fd, int events);
  void act_soon();
  void tell_finished();
  void finish(Transfer& transfer, CURLcode result);
  EasyHandle easy_handle();

  reactor::Loop& loop_;
  const ClientOptions options_;
  std::unordered_map<curl_socket_t, std::unique_ptr<Socket>> sockets_;
  std::unordered_map<Transfer*, std::unique_ptr<Transfer>> transfers_;
  std::vector<EasyHandle> idle_;
  std::shared_ptr<Engine*> alive_;  // for what is posted to the loop
  bool soon_ = false;               // act_soon is under way
  std::unique_ptr<CURLM, MultiCloser> multi_;
};

bool Client::Engine::start() {
  multi_.reset(curl_multi_init());
  if (multi_ == nullptr) return false;
  CURLM* multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Engine::on_watch);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Engine::on_timeout);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(this));
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_max));
  return true;
}

Client::Engine::~Engine() {
  for (const auto& [transfer, owned] : transfers_) {
    curl_multi_remove_handle(multi_.get(), transfer->easy());
  }
  transfers_.clear();
  multi_.reset();  // which unwatches and closes the pooled connections
  for (auto& [fd, socket] : sockets_) {
    socket->release();
    loop_.defer_delete(std::move(socket));
  }
}

EasyHandle Client::Engine::easy_handle() {
  if (idle_.empty()) return EasyHandle(curl_easy_init());
  EasyHandle handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

void Client::Engine::send(Request request, Done done) {
  EasyHandle easy = easy_handle();
  AW_ASSERT(easy != nullptr);
  auto owned = std::make_unique<Transfer>(std::move(easy), std::move(request), std::move(done));
  Transfer& transfer = *owned;
  if (auto prepared = transfer.prepare(options_); !prepared) {
    // Told later, as everything is.
    return loop_.post([done = transfer.take_done(), error = std::move(prepared.error()),
                       alive = std::weak_ptr(alive_)]() mutable {
      if (!alive.expired()) done(std::unexpected(std::move(error)));
    });
  }
  transfers_.emplace(&transfer, std::move(owned));
  const CURLMcode added = curl_multi_add_handle(multi_.get(), transfer.easy());
  AW_ASSERT(added == CURLM_OK);
}

int Client::Engine::on_watch(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& engine = *static_cast<Engine*>(self);
  const auto found = engine.sockets_.find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (found == engine.sockets_.end()) return 0;
    found->second->release();
    engine.loop_.defer_delete(std::move(found->second));
    engine.sockets_.erase(found);
    return 0;
  }
  Socket* socket = found == engine.sockets_.end() ? nullptr : found->second.get();
  if (socket == nullptr) {
    auto made = std::make_unique<Socket>(engine, fd);
    socket = made.get();
    engine.sockets_.emplace(fd, std::move(made));
  }
  std::uint32_t interest = 0;
  if ((what & CURL_POLL_IN) != 0) interest |= reactor::kReadable;
  if ((what & CURL_POLL_OUT) != 0) interest |= reactor::kWritable;
  socket->watch(interest);
  return 0;
}

int Client::Engine::on_timeout(CURLM*, long timeout_ms, void* self) {
  auto& engine = *static_cast<Engine*>(self);
  engine.disarm();
  if (timeout_ms == 0) engine.act_soon();
  if (timeout_ms > 0) engine.loop_.arm(engine, Duration(timeout_ms));
  return 0;
}

// The timer wheel would wait for its next tick, which is up to a millisecond of each request.
void Client::Engine::act_soon() {
  if (std::exchange(soon_, true)) return;
  loop_.post([alive = std::weak_ptr(alive_)] {
    const std::shared_ptr<Engine*> engine = alive.lock();
    if (engine == nullptr) return;
    (*engine)->soon_ = false;
    (*engine)->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void Client::Engine::on_socket(curl_socket_t fd, std::uint32_t ready) {
  int events = 0;
  if ((ready & reactor::kReadable) != 0) events |= CURL_CSELECT_IN;
  if ((ready & reactor::kWritable) != 0) events |= CURL_CSELECT_OUT;
  act(fd, events);
}

void Client::Engine::act(curl_socket_t fd, int events) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, events, &running);
  tell_finished();
}

void Client::Engine::tell_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    char* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    // `message` is gone once the handle is removed.
    const CURLcode result = message->data.result;
    finish(*reinterpret_cast<Transfer*>(self), result);
  }
}

void Client::Engine::finish(Transfer& transfer, CURLcode result) {
  auto node = transfers_.extract(&transfer);
  AW_ASSERT(!node.empty());
  Outcome outcome = transfer.outcome(result);
  Done done = transfer.take_done();
  curl_multi_remove_handle(multi_.get(), transfer.easy());
  EasyHandle easy = transfer.take_easy();
  if (idle_.size() < kIdleHandlesMax) {
    curl_easy_reset(easy.get());
    idle_.push_back(std::move(easy));
  }
  done(std::move(outcome));
}

Result<std::unique_ptr<Client>> Client::create(reactor::Loop& loop, ClientOptions options) {
  if (!library_ready()) return fail(anywire::ErrorCode::kIo, "the HTTP client cannot start");
  if (!options.ca_file.empty() && !readable(options.ca_file)) {
    return fail(anywire::ErrorCode::kNotFound, "the file of certificates cannot be read");
  }
  auto engine = std::make_unique<Engine>(loop, std::move(options));
  if (!engine->start()) return fail(anywire::ErrorCode::kIo, "the HTTP client cannot start");
  return std::unique_ptr<Client>(new Client(std::move(engine)));
}

Client::Client(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Client::~Client() = default;

void Client::send(Request request, Done done) {
  engine_->send(std::move(request), std::move(done));
}

std::size_t Client::pending() const { return engine_->pending(); }

}  // namespace anywire::fetch
