// ApiAdapter: `/api/v1`, by which the customer's application, and whoever has a token, acts without
// a connection of its own: publishes, reads, and reaches clients. docs/api.md for users,
// openapi.json for machines.
//
//   POST /api/v1/publish HTTP/1.1
//   Authorization: Basic d2ViLTIwMjY6...
//
// A request is refused by its head as far as that can be (who, where, how large, of what type), and
// then becomes an ApiCall, which waits for the body and for whoever has the answer.
//
// Thread: the loop's. Lifetime: outlives its calls; what ApiServices names outlives it. Answers of
// other loops find calls that have ended gone. Limits: ApiOptions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "auth/authority.h"
#include "base/clock.h"
#include "base/slot_table.h"
#include "codec/json_reader.h"
#include "hub/hub.h"
#include "protocol/adapter.h"
#include "protocol/api/principal.h"
#include "protocol/api/requests.h"
#include "protocol/clients.h"
#include "protocol/limits.h"
#include "protocol/validation.h"
#include "reactor/loop.h"

namespace anywire::protocol::api {

inline constexpr std::string_view kPath = "/api/v1";

struct ApiOptions {
  bool enabled = true;
  std::string path{kPath};
  std::string public_path{};  // as its document calls it; empty: the same
  std::size_t body_bytes_max = 2 * 1024 * 1024;
  std::size_t calls_max = 10'000;  // that wait for their answer, of this loop
  ApiLimits limits;
};

struct ApiServices {
  reactor::Loop& loop;
  WallClock& wall;
  hub::Hub& hub;
  ClientGroup& clients;
  auth::Authority& authority;
  LimitGroup* limits = nullptr;            // null: nothing is limited
  const Validation* validation = nullptr;  // null: nothing is checked
};

class ApiCall;
struct Endpoint;

class ApiAdapter final : public Adapter {
 public:
  static constexpr std::string_view kName = "api";

  ApiAdapter(ApiOptions options, const ApiServices& services);
  ~ApiAdapter() override;

  std::string_view name() const override { return kName; }
  std::optional<Route> route(const http::RequestHead& request, const Caller& caller) override;

  const ApiOptions& options() const { return options_; }
  const ApiServices& services() const { return services_; }
  hub::Hub& hub() const { return services_.hub; }
  std::uint32_t loop() const { return services_.loop.index(); }
  codec::JsonReader& reader() { return reader_; }
  SlotTable<ApiCall>& calls() { return calls_; }
  Problem too_large_body() const;

 private:
  void begin(const Endpoint& endpoint, const net::Address& client, http::Connection& connection,
             const http::RequestHead& head, http::Response& response);
  std::expected<Principal, Problem> check(const Endpoint& endpoint, const net::Address& client,
                                          const http::RequestHead& head) const;

  const ApiOptions options_;
  const ApiServices services_;
  const std::string document_;  // of OpenAPI
  codec::JsonReader reader_;
  SlotTable<ApiCall> calls_;
};

}  // namespace anywire::protocol::api
