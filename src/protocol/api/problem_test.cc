#include "protocol/api/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/api/openapi.h"

namespace anywire::protocol::api {
namespace {

using hub::HubError;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string written(const Problem& problem) {
  std::string out;
  codec::JsonWriter json(out);
  append(json, problem);
  return out;
}

// The values of a header of the answer, in their order.
std::vector<std::string> values(const http::Response& response, std::string_view name) {
  std::vector<std::string> all;
  for (const http::Header& header : response.headers) {
    if (header.name == name) all.emplace_back(header.value);
  }
  return all;
}

std::string retry_after(Duration wait, Code code = Code::kRateLimited) {
  const auto all = values(problem_answer({.code = code, .retry_after = wait}), "Retry-After");
  return all.size() == 1 ? all[0] : "none";
}

// ---- As JSON ----

TEST(Problem, HasCodeTextAndWhetherToTryAgain) {
  EXPECT_EQ(written({.code = Code::kForbidden, .message = "not \"here\""}),
            R"({"code":"forbidden","message":"not \"here\"","retry":false})");
  EXPECT_EQ(written({.code = Code::kOverloaded, .message = "busy"}),
            R"({"code":"overloaded","message":"busy","retry":true})");
}

TEST(Problem, HasTheRestOnlyWhereThereIsAny) {
  EXPECT_EQ(written({.code = Code::kSchemaViolation,
                     .message = "must be a text",
                     .path = "/a~1b/0"}),
            R"({"code":"schema_violation","message":"must be a text","retry":false,)"
            R"("path":"/a~1b/0"})");
  EXPECT_EQ(written({.code = Code::kRefused, .message = "not now", .reason = "busy"}),
            R"({"code":"refused","message":"not now","retry":false,"reason":"busy"})");
  EXPECT_EQ(written({.code = Code::kRateLimited,
                     .message = "too fast",
                     .retry_after = Duration{1500}}),
            R"({"code":"rate_limited","message":"too fast","retry":true,"retryAfter":1500})");
}

// ---- As an answer ----

TEST(ProblemAnswer, IsOneObjectWithTheStatusOfItsCode) {
  const http::Response answer = problem_answer({.code = Code::kTooLarge, .message = "too much"});
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.content_type, "application/json");
  EXPECT_EQ(answer.body,
            R"({"error":{"code":"too_large","message":"too much","retry":false}})");
}

TEST(ProblemAnswer, IsKeptByNobodyAndGuessedByNobody) {
  for (const http::Response& answer :
       {json_answer("{}"), json_answer("{}", 201), problem_answer({})}) {
    EXPECT_THAT(values(answer, "Cache-Control"), ElementsAre("no-store"));
    EXPECT_THAT(values(answer, "X-Content-Type-Options"), ElementsAre("nosniff"));
  }
  EXPECT_EQ(json_answer("{}").status, 200);
  EXPECT_EQ(json_answer("{\"a\":1}", 201).body, "{\"a\":1}");
  EXPECT_EQ(json_answer("{}", 201).status, 201);
}

TEST(ProblemAnswer, SaysHowToShowWhoOneIs) {
  EXPECT_THAT(values(problem_answer({.code = Code::kUnauthorized}), "WWW-Authenticate"),
              ElementsAre(R"(Basic realm="anywire", charset="UTF-8")", "Bearer"));
  EXPECT_THAT(values(problem_answer({.code = Code::kForbidden}), "WWW-Authenticate"), IsEmpty());
}

TEST(ProblemAnswer, SaysWhenToTryAgainInWholeSeconds) {
  EXPECT_EQ(retry_after(Duration{1}), "1");
  EXPECT_EQ(retry_after(Duration{1000}), "1");
  EXPECT_EQ(retry_after(Duration{1001}), "2");
  EXPECT_EQ(retry_after(Duration{0}), "1") << "nobody knows, but not at once";
  EXPECT_EQ(retry_after(Duration{60'000}), "60");
  EXPECT_EQ(retry_after(Duration{60'001}), "120") << "in minutes from there on";
  EXPECT_EQ(retry_after(Duration{24 * 3'600'000}), "3600");
}

TEST(ProblemAnswer, SaysWhenToTryAgainOnlyWhereWaitingHelps) {
  EXPECT_EQ(retry_after(Duration{3000}, Code::kOverloaded), "3");
  EXPECT_EQ(retry_after(Duration{3000}, Code::kUnavailable), "3");
  EXPECT_EQ(retry_after(Duration{3000}, Code::kTooManyPending), "3");
  EXPECT_EQ(retry_after(Duration{3000}, Code::kTimeout), "none");
  EXPECT_EQ(retry_after(Duration{3000}, Code::kBadRequest), "none");
}

// ---- Of the hub ----

TEST(ProblemOfTheHub, HasACodeForEachOfItsErrors) {
  EXPECT_EQ(problem_of(HubError::kUnavailable).code, Code::kUnavailable);
  EXPECT_EQ(problem_of(HubError::kOverloaded).code, Code::kOverloaded);
  EXPECT_EQ(problem_of(HubError::kIdempotencyConflict).code, Code::kIdempotencyConflict);
  EXPECT_EQ(problem_of(HubError::kNoHistory).code, Code::kNoHistory);
  EXPECT_EQ(problem_of(HubError::kNoPresence).code, Code::kNoPresence);
  EXPECT_EQ(problem_of(HubError::kTooManyMembers).code, Code::kTooLarge);
  EXPECT_EQ(problem_of(HubError::kTooLarge).code, Code::kTooLarge);
  for (int i = 0; i <= static_cast<int>(HubError::kNoPresence); ++i) {
    EXPECT_FALSE(problem_of(static_cast<HubError>(i)).message.empty()) << i;
  }
}

// ---- The table ----

TEST(Codes, EachHasANameOfItsOwnAndAStatusThatRefuses) {
  std::set<std::string_view> names;
  for (const CodeName& code : kCodeNames) {
    EXPECT_TRUE(names.insert(code.name).second) << code.name;
    EXPECT_TRUE(code.status >= 400 && code.status < 600) << code.name;
    EXPECT_EQ(code.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), code.name.npos);
  }
}

// The server's fault, or a matter of time: then the same may succeed later, and otherwise not.
TEST(Codes, OnlyWhatPassesMayBeTriedAgain) {
  for (const CodeName& code : kCodeNames) {
    EXPECT_EQ(code.retry, code.status >= 500 || code.status == 408 || code.status == 429)
        << code.name;
  }
}

TEST(Codes, OfTheTableAreThoseOfTheirEnumerators) {
  EXPECT_EQ(name(Code::kBadRequest).name, "bad_request");
  EXPECT_EQ(name(Code::kNoHandler).name, "no_handler");
  EXPECT_EQ(name(Code::kRequestTimeout).name, "request_timeout");
  EXPECT_EQ(name(Code::kSchemaViolation).name, "schema_violation");
  EXPECT_EQ(name(Code::kRefused).name, "refused");
  EXPECT_EQ(name(Code::kTooManyPending).name, "too_many_pending");
  EXPECT_EQ(name(Code::kUnavailable).name, "unavailable");
}

TEST(Codes, AreAllInTheDocumentForMachines) {
  for (const CodeName& code : kCodeNames) {
    EXPECT_THAT(kOpenApiDocument, HasSubstr("\"" + std::string(code.name) + "\"")) << code.name;
  }
}

}  // namespace
}  // namespace anywire::protocol::api
