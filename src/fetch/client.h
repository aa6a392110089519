// Client: HTTP requests to other servers from a loop, over HTTP/1.1 and, where TLS agrees on it,
// HTTP/2. Connections are pooled; nothing blocks the loop, names are resolved on threads.
//
//   client->send({.url = "https://app.example/hook", .body = body}, [](fetch::Outcome outcome) {
//     if (!outcome) return complain(outcome.error().text);
//     use(outcome->status, outcome->body);
//   });
//
// Only http and https; redirects are not followed; certificates and host names are verified; no
// cookies, no ambient credentials, no decompression. A request is sent once: when a pooled
// connection turns out to be dead after some of the body has left, that is an error, and `sent`
// says so. (Connections idle for longer than `idle_max` are not used again for this reason: Node
// closes its own after 5 s.)
//
// Thread: the loop's. Lifetime: destroyed before its loop, and not inside a `Done`, other than
// through Loop::defer_delete; what is under way then is dropped, its `Done` is not called.
// Limits: time and size per request; heads of at most kHeadBytesMax; `connections_max` kept open.
// How many requests are under way is the caller's to bound.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "reactor/loop.h"

namespace anywire::fetch {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method = "GET";  // a POST with an empty body is one, too
  std::string url;
  std::vector<Header> headers;
  std::string body;
  Duration timeout{10'000};  // for all of it, from the call on
  std::size_t response_bytes_max = 1024 * 1024;
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  std::string body;

  // The value of the first header of that name, whatever the case; empty when there is none.
  std::string_view header(std::string_view name) const;
};

enum class ErrorCode {
  kInvalidRequest,  // the URL, the method or a header is no such thing
  kResolve,         // the name is not known
  kConnect,         // nobody listens there, or no answer to the attempt
  kTls,             // no TLS, or a certificate that is not trusted
  kTimeout,         // no complete answer in time
  kTooLarge,        // the answer is larger than allowed
  kBroken,          // the connection broke, or what came is not HTTP
};

struct Error {
  ErrorCode code = ErrorCode::kBroken;
  std::string text;   // one sentence for an operator; names no URL and no header
  bool sent = false;  // the server may have got the request
};

using Outcome = std::expected<Response, Error>;
// Called once, never inside `send`. May call `send`.
using Done = std::move_only_function<void(Outcome)>;

struct ClientOptions {
  std::string ca_file;       // PEM; empty: what the system trusts
  std::size_t connections_max = 256;
  Duration idle_max{4'000};  // a pooled connection older than this is not used again
  Duration connect_timeout{5'000};
  bool proxy_from_environment = false;
  std::string user_agent = "anywire";
};

class Client {
 public:
  static constexpr std::size_t kHeadBytesMax = 64 * 1024;

  // Fails when the library cannot be set up or `ca_file` cannot be read.
  static Result<std::unique_ptr<Client>> create(reactor::Loop& loop, ClientOptions options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(Request request, Done done);

  // Sent and not answered.
  std::size_t pending() const;

 private:
  class Engine;
  explicit Client(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

// Whether `url` is one that `send` takes: http or https, a host, no user name or password (which
// would end up in logs), no fragment. The error is a sentence about it.
Result<void> check_url(std::string_view url);
// "https://app.example:8443", for logs: what follows it may be secret. Empty for what is no URL.
std::string origin_of(std::string_view url);

}  // namespace anywire::fetch
