#include "protocol/api/problem.h"

#include <utility>

#include "protocol/limits.h"

namespace anywire::protocol::api {
Problem problem_of(hub::HubError error) {
  using hub::HubError;
  switch (error) {
    case HubError::kUnavailable: break;
    case HubError::kOverloaded:
      return {.code = Code::kOverloaded, .message = "the server has more to do than it can hold"};
    case HubError::kIdempotencyConflict:
      return {.code = Code::kIdempotencyConflict,
              .message = "the idempotency key was used for another message"};
    case HubError::kNoHistory:
      return {.code = Code::kNoHistory, .message = "the channel keeps no history"};
    case HubError::kNoPresence:
      return {.code = Code::kNoPresence, .message = "the channel has no presence"};
    case HubError::kTooManyMembers:
    case HubError::kTooLarge:
      return {.code = Code::kTooLarge, .message = "more than the channel holds"};
  }
  return {.code = Code::kUnavailable,
          .message = "the store behind the channel cannot be reached"};
}

void append(codec::JsonWriter& json, const Problem& problem) {
  const CodeName& known = name(problem.code);
  json.begin_object();
  json.key("code").string(known.name);
  json.key("message").string(problem.message);
  json.key("retry").boolean(known.retry);
  if (!problem.path.empty()) json.key("path").string(problem.path);
  if (!problem.reason.empty()) json.key("reason").string(problem.reason);
  if (problem.retry_after.count() > 0) json.key("retryAfter").i64(problem.retry_after.count());
  json.end_object();
}

http::Response json_answer(std::string body, int status) {
  http::Response response{
      .status = status, .content_type = "application/json", .body = std::move(body)};
  // Nothing on the way may keep it, and a browser must not guess what it is.
  response.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  return response;
}

http::Response problem_answer(const Problem& problem) {
  std::string body;
  codec::JsonWriter json(body);
  json.begin_object().key("error");
  append(json, problem);
  json.end_object();
  http::Response response = json_answer(std::move(body), name(problem.code).status);
  // RFC 9110 11.6.1: a 401 says how to do better.
  if (response.status == 401) {
    response.headers.push_back({"WWW-Authenticate", R"(Basic realm="anywire", charset="UTF-8")"});
    response.headers.push_back({"WWW-Authenticate", "Bearer"});
  }
  if (response.status == 429 || response.status == 503) {
    response.headers.push_back({"Retry-After", retry_after_seconds(problem.retry_after)});
  }
  return response;
}

}  // namespace anywire::protocol::api
