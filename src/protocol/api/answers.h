// Answers of the HTTP API, as JSON. docs/api.md says what the members mean.
//
// Thread: any; pure functions. Lifetime: arguments are read during the call.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "hub/hub.h"
#include "protocol/api/problem.h"
#include "protocol/clients.h"

namespace anywire::protocol::api {

using Published = std::expected<broker::PublishResult, Problem>;

std::string encode_published(const broker::PublishResult& result);
std::string encode_results(std::span<const Published> results);
std::string encode_history(std::string_view channel, const broker::HistoryPage& page);
std::string encode_presence(std::string_view channel, const hub::PresencePage& page);
std::string encode_counts(std::string_view channel, const hub::Occupancy& occupancy);
std::string encode_channels(const hub::ChannelList& list);
std::string encode_connections(std::span<const ClientRecord> connections);
// {"<name>":<count>}
std::string encode_count(std::string_view name, std::uint64_t count);
std::string encode_ticket(std::string_view ticket, std::uint64_t expires_ms);
// `data` is JSON, or empty if there is none.
std::string encode_data(std::string_view data);

}  // namespace anywire::protocol::api
