#include "protocol/api/adapter.h"

#include <fmt/core.h>

#include <array>
#include <iterator>
#include <memory>
#include <utility>

#include "protocol/api/call.h"
#include "protocol/api/openapi.h"

namespace anywire::protocol::api {
namespace {

using std::string_view;

constexpr string_view kGet = "GET, HEAD";
constexpr string_view kAnyMethod = "GET, HEAD, POST, PUT, PATCH, DELETE";
constexpr string_view kDocumentPath = "/openapi.json";

constexpr std::array kEndpoints = {
    Endpoint{.path = "/publish", .methods = "POST", .run = &ApiCall::publish},
    Endpoint{.path = "/batch", .methods = "POST", .run = &ApiCall::publish_batch},
    Endpoint{.path = "/broadcast", .methods = "POST", .run = &ApiCall::broadcast},
    Endpoint{.path = "/history", .methods = kGet, .read = &ApiCall::read_history},
    Endpoint{.path = "/presence", .methods = kGet, .read = &ApiCall::read_presence},
    Endpoint{.path = "/channels", .methods = kGet, .read = &ApiCall::read_channels},
    Endpoint{.path = "/connections", .methods = kGet, .read = &ApiCall::read_connections},
    Endpoint{.path = "/disconnect", .methods = "POST", .run = &ApiCall::disconnect},
    Endpoint{.path = "/subscribe", .methods = "POST", .run = &ApiCall::subscribe},
    Endpoint{.path = "/unsubscribe", .methods = "POST", .run = &ApiCall::unsubscribe},
    Endpoint{.path = "/grants", .methods = "POST, DELETE", .run = &ApiCall::change_grants},
    Endpoint{.path = "/revocations", .methods = "POST", .run = &ApiCall::revoke},
    Endpoint{.path = "/tickets", .methods = "POST", .run = &ApiCall::issue_ticket},
    Endpoint{.path = "/rpc", .methods = "POST", .run = &ApiCall::call_client},
};

// JSON is UTF-8 (RFC 8259 8.1), so a charset says nothing. Without a type it is taken for JSON.
bool is_json_type(const http::RequestHead& head) {
  const string_view value = head.header("Content-Type");
  const string_view type = http::trim_whitespace(value.substr(0, value.find(';')));
  return type.empty() || http::equals_ignore_case(type, "application/json");
}

// `response` has headers of the Gateway's already.
void fill(http::Response& response, http::Response answer) {
  response.status = answer.status;
  response.content_type = std::move(answer.content_type);
  response.body = std::move(answer.body);
  response.headers.insert(response.headers.end(), answer.headers.begin(), answer.headers.end());
}

void serve_nothing(http::Connection&, const http::RequestHead&, http::Response& response) {
  fill(response,
       problem_answer({.code = Code::kNotFound, .message = "the API has nothing at this path"}));
}

class RefusedCall final : public http::Exchange {
  void on_request(const http::RequestHead&, BufferRef) override {}
  void on_gone() override {}
};

// What the Gateway refuses, as everything else is said here.
void describe(http::Response& response) {
  response.body.resize(response.body.find_last_not_of('\n') + 1);
  http::Response answer = problem_answer(
      {.code = response.status == 405 ? Code::kMethodNotAllowed : Code::kForbidden,
       .message = std::move(response.body)});
  response.content_type = std::move(answer.content_type);
  response.body = std::move(answer.body);
}

// It says where the API is, which is the operator's choice.
std::string document_for(string_view path) {
  std::string document(kOpenApiDocument);
  constexpr string_view kServer = "\"url\": \"/api/v1\"";
  const std::size_t at = document.find(kServer);
  if (at != std::string::npos) {
    document.replace(at, kServer.size(), fmt::format("\"url\": \"{}\"", path));
  }
  return document;
}

}  // namespace

ApiAdapter::ApiAdapter(ApiOptions options, const ApiServices& services)
    : options_(std::move(options)),
      services_(services),
      document_(document_for(options_.public_path.empty() ? options_.path
                                                         : options_.public_path)) {}

ApiAdapter::~ApiAdapter() = default;

std::optional<Route> ApiAdapter::route(const http::RequestHead& request, const Caller& caller) {
  if (!options_.enabled || !request.path.starts_with(options_.path)) return std::nullopt;
  const string_view rest = request.path.substr(options_.path.size());
  if (!rest.empty() && rest.front() != '/') return std::nullopt;
  Route route;
  route.via = Via::kHttp;
  route.describe = describe;
  if (rest == kDocumentPath) {
    route.methods = kGet;
    route.handle = [this](http::Connection&, const http::RequestHead&, http::Response& response) {
      response.content_type = "application/json";
      response.body = document_;
      response.headers.push_back({"X-Content-Type-Options", "nosniff"});
    };
    return route;
  }
  for (const Endpoint& endpoint : kEndpoints) {
    if (endpoint.path != rest) continue;
    route.methods = endpoint.methods;
    route.handle = [this, &endpoint, client = caller.address](
                       http::Connection& connection, const http::RequestHead& head,
                       http::Response& response) {
      begin(endpoint, client, connection, head, response);
    };
    return route;
  }
  route.methods = kAnyMethod;
  route.handle = serve_nothing;
  return route;
}

void ApiAdapter::begin(const Endpoint& endpoint, const net::Address& client,
                       http::Connection& connection, const http::RequestHead& head,
                       http::Response& response) {
  auto principal = check(endpoint, client, head);
  if (!principal && !head.has_body()) return fill(response, problem_answer(principal.error()));
  if (!principal) {
    // So that a body too large to be skipped is no reason to say something else.
    auto refused = std::make_unique<RefusedCall>();
    RefusedCall& call = *refused;
    connection.answer_later(std::move(refused), {});
    return call.respond(problem_answer(principal.error()));
  }
  connection.answer_later(
      std::make_unique<ApiCall>(*this, endpoint, *std::move(principal)),
      {.body_bytes_max = endpoint.has_body() ? options_.body_bytes_max : 0});
}

// All that the head says.
std::expected<Principal, Problem> ApiAdapter::check(const Endpoint& endpoint,
                                                    const net::Address& client,
                                                    const http::RequestHead& head) const {
  auto principal = identify(head.header("Authorization"), services_.authority,
                            auth::wall_time(services_.wall.unix_ms()));
  if (services_.limits != nullptr) {
    // Whoever guesses is limited like everybody else.
    const string_view holder = !principal          ? string_view()
                               : principal->is_key ? string_view(principal->key)
                                                   : string_view(principal->user);
    const auto hit = services_.limits->admit_request(client, holder, head.content_length,
                                                     services_.loop.now());
    if (hit) {
      return std::unexpected(Problem{
          .code = Code::kRateLimited, .message = hit->text, .retry_after = hit->retry_after});
    }
  }
  if (!principal) return principal;
  if (endpoint.has_body() && !is_json_type(head)) {
    return std::unexpected(Problem{.code = Code::kUnsupportedMediaType,
                                   .message = "the body must be application/json"});
  }
  if (calls_.size() >= options_.calls_max) {
    return std::unexpected(Problem{.code = Code::kOverloaded,
                                   .message = "too many calls wait for their answer",
                                   .retry_after = Duration{1'000}});
  }
  return principal;
}

Problem ApiAdapter::too_large_body() const {
  return {.code = Code::kTooLarge,
          .message = fmt::format("a body has at most {} bytes", options_.body_bytes_max)};
}

}  // namespace anywire::protocol::api
