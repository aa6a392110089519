// The queries of GET calls.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "codec/percent.h"
#include "codec/utf8.h"
#include "protocol/api/object_reader.h"
#include "protocol/api/requests.h"

namespace anywire::protocol::api {
namespace {

using std::string_view;

constexpr std::uint64_t kOffsetMax = (std::uint64_t{1} << 53) - 1;
constexpr string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kEpochDigits = 16;

constexpr std::array<string_view, 8> kHistoryNames = {"channel", "limit", "order", "after",
                                                      "before",  "from",  "to",    "epoch"};
constexpr std::array<string_view, 4> kPresenceNames = {"channel", "after", "limit", "counts"};
constexpr std::array<string_view, 3> kChannelsNames = {"pattern", "after", "limit"};
constexpr std::array<string_view, 1> kConnectionsNames = {"user"};

// One value: percent-encoded UTF-8, where "+" is a space as forms and URLSearchParams write it.
std::optional<std::string> decode(string_view text) {
  std::string plain(text);
  std::ranges::replace(plain, '+', ' ');
  auto decoded = codec::percent_decode(plain);
  if (!decoded || !codec::is_valid_utf8(as_bytes(*decoded))) return std::nullopt;
  return *std::move(decoded);
}

// Parameters by name, each at most once, none unknown. Keeps the first fault.
class QueryReader {
 public:
  QueryReader(string_view query, std::span<const string_view> known) {
    while (!query.empty()) {
      const std::size_t end = std::min(query.find('&'), query.size());
      const string_view pair = query.substr(0, end);
      query.remove_prefix(std::min(end + 1, query.size()));
      if (pair.empty()) continue;
      if (!add(pair, known)) return;
    }
  }

  bool has(string_view name) const { return find(name) != nullptr; }
  string_view text(string_view name) const {
    const std::string* value = find(name);
    return value == nullptr ? string_view() : *value;
  }
  std::optional<std::uint64_t> number(string_view name, std::uint64_t least, std::uint64_t most) {
    const std::string* value = find(name);
    if (value == nullptr) return std::nullopt;
    std::uint64_t number = 0;
    const char* const end = value->data() + value->size();
    const auto [stop, error] = std::from_chars(value->data(), end, number);
    if (error == std::errc() && stop == end && number >= least && number <= most) return number;
    refuse(fmt::format("\"{}\" must be a whole number from {} to {}", name, least, most));
    return std::nullopt;
  }
  std::uint32_t page(const ApiLimits& limits) {
    const auto limit = number("limit", 1, limits.page_max);
    return static_cast<std::uint32_t>(limit.value_or(limits.page_default));
  }
  std::string channel(const ApiLimits& limits) {
    const string_view name = text("channel");
    if (!has("channel")) {
      refuse("\"channel\" is missing");
    } else if (!is_channel_name(name, limits.channel_bytes_max)) {
      refuse(fmt::format("a channel's name has 1 to {} bytes and no control characters",
                         limits.channel_bytes_max),
             Code::kBadChannel);
    }
    return std::string(name);
  }

  void refuse(std::string message, Code code = Code::kBadRequest) {
    if (!problem_) problem_ = {.code = code, .message = std::move(message)};
  }
  const std::optional<Problem>& problem() const { return problem_; }

 private:
  const std::string* find(string_view name) const {
    const auto found = std::ranges::find(values_, name, &Value::first);
    return found == values_.end() ? nullptr : &found->second;
  }
  bool add(string_view pair, std::span<const string_view> known) {
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, equals));
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())));
    if (!name || !value) {
      refuse("the query is not percent-encoded UTF-8");
    } else if (std::ranges::find(known, *name) == known.end()) {
      if (!problem_) problem_ = unknown_name("parameter", *name, known);
    } else if (has(*name)) {
      refuse(fmt::format("\"{}\" is there twice", *name));
    } else {
      values_.emplace_back(*std::move(name), *std::move(value));
    }
    return !problem_;
  }

  using Value = std::pair<std::string, std::string>;
  std::vector<Value> values_;
  std::optional<Problem> problem_;
};

}  // namespace

std::string epoch_text(std::uint64_t epoch) {
  std::string text(kEpochDigits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, epoch >>= 4) {
    *digit = kHexDigits[epoch & 15];
  }
  return text;
}

std::uint64_t parse_epoch(string_view text) {
  if (text.size() != kEpochDigits) return 0;
  std::uint64_t epoch = 0;
  for (const char c : text) {
    const std::size_t digit = kHexDigits.find(c);
    if (digit == kHexDigits.npos) return 0;
    epoch = epoch << 4 | digit;
  }
  return epoch;
}

Read<HistoryCall> read_history(string_view query, const ApiLimits& limits) {
  QueryReader in(query, kHistoryNames);
  HistoryCall call;
  call.channel = in.channel(limits);
  if (in.has("epoch")) call.epoch = parse_epoch(in.text("epoch"));
  const string_view order = in.text("order");
  if (order == "backward") {
    call.query.order = broker::HistoryQuery::Order::kBackward;
  } else if (in.has("order") && order != "forward") {
    in.refuse("\"order\" is \"forward\" or \"backward\"");
  }
  call.query.after = in.number("after", 0, kOffsetMax);
  call.query.before = in.number("before", 0, kOffsetMax);
  call.query.from_ms = in.number("from", 0, kOffsetMax);
  call.query.to_ms = in.number("to", 0, kOffsetMax);
  call.query.limit = in.page(limits);
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

Read<PresenceCall> read_presence(string_view query, const ApiLimits& limits) {
  QueryReader in(query, kPresenceNames);
  PresenceCall call;
  call.channel = in.channel(limits);
  call.after = in.text("after");
  call.limit = in.page(limits);
  const string_view counts = in.text("counts");
  call.counts = counts == "true";
  if (in.has("counts") && !call.counts && counts != "false") {
    in.refuse("\"counts\" is \"true\" or \"false\"");
  }
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

Read<ChannelsCall> read_channels(string_view query, const ApiLimits& limits) {
  QueryReader in(query, kChannelsNames);
  ChannelsCall call;
  if (in.has("pattern")) {
    auto pattern = auth::Glob::parse(in.text("pattern"));
    if (pattern) {
      call.pattern = *std::move(pattern);
    } else {
      in.refuse(fmt::format("a pattern has 1 to {} bytes and no control characters",
                            auth::kGlobBytesMax),
                Code::kBadChannel);
    }
  }
  call.after = in.text("after");
  call.limit = in.page(limits);
  if (in.problem()) return std::unexpected(*in.problem());
  return call;
}

Read<ConnectionsCall> read_connections(string_view query, const ApiLimits& limits) {
  QueryReader in(query, kConnectionsNames);
  const string_view user = in.text("user");
  if (!in.has("user")) in.refuse("\"user\" is missing");
  if (user.empty() || user.size() > limits.user_bytes_max) {
    in.refuse(fmt::format("a user's id has 1 to {} bytes", limits.user_bytes_max));
  }
  if (in.problem()) return std::unexpected(*in.problem());
  return ConnectionsCall{std::string(user)};
}

}  // namespace anywire::protocol::api
