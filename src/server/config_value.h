// Config values: how durations, sizes, addresses and the like are written in a configuration.
//
// Thread: any; pure functions. Views are read during the call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "server/config.h"

namespace anywire::server {

// A whole number and a unit: "250ms", "10s", "2m", "1h", "30d" (of 24 hours each); also "0".
// Nothing if it is anything else or does not fit.
std::optional<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration duration);

// A whole number and a binary unit: "4096", "512B", "64KiB", "1MiB", "2GiB".
std::optional<std::size_t> parse_size(std::string_view text);
std::string format_size(std::size_t bytes);

// "100/s", "100/s burst 300", "6000/m", "5/h"; with `bytes` also "1MiB/s burst 4MiB"; empty: no
// limit.
std::optional<Rate> parse_rate(std::string_view text, bool bytes);
std::string format_rate(const Rate& rate, bool bytes);

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<bool> parse_bool(std::string_view text);  // true/false, yes/no, on/off, 1/0

// "off", "echo" or "channel:NAME".
std::optional<RawRoot> parse_root(std::string_view text);
std::string format_root(const RawRoot& root);

// UTF-8 without control characters.
bool is_plain_text(std::string_view text);

// What net::Address::parse takes: "127.0.0.1:3001", "[::1]:3001", ":3001", "localhost:3001" or
// "unix:/run/anywire.sock". Port 0 asks the kernel for a free one.
bool is_listen_address(std::string_view text);

// The address itself, or for "localhost:PORT" both loopback addresses: what a browser means by
// localhost depends on the machine, so a server that takes only one is found by some tabs only.
std::vector<std::string> expand_listen_address(const std::string& text);

// What net::Cidr::parse takes: "10.0.0.0/8", "::1", "fd00::/8" or "unix".
bool is_cidr(std::string_view text);

// The path of a URL with something behind its first slash, as a request line has it: no query, no
// percent-encoding, no empty, "." or ".." segments.
bool is_url_path(std::string_view text);

// Of the adapters whose channels rules may be about: "native" or "raw".
bool is_channel_protocol(std::string_view text);

// `text` in double quotes with control characters, quotes and backslashes escaped, so that it is a
// TOML string and one safe line on a terminal.
std::string in_quotes(std::string_view text);

// For error messages: as in_quotes(), but at most some 60 characters.
std::string in_quotes_short(std::string_view text);

}  // namespace anywire::server
