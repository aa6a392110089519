// One value, from JSON to MessagePack and back, so that peers of both subprotocols share a channel.
// Payloads that stay within their own form are never converted; see codec/json_reader.h.
//
//   JSON                          MessagePack
//   null, true, false             nil, boolean
//   whole number within 64 bits   integer, exactly, beyond 2^53 too
//   any other number              float: the nearest double, as every receiver would read it
//   string                        str
//   array, object                 array, map
//
// What has no counterpart is refused, never replaced: numbers beyond the range of a double, NaN and
// infinities, bin (binary payloads travel by their own kind), extensions with the timestamp, maps
// with keys that are not strings. Refused, too, is what only one side would notice: a repeated key,
// strings that are not UTF-8, nesting beyond kJsonDepthMax, bytes behind the value.
//
// A value that came through once converts to the same bytes from then on: from MessagePack it comes
// back in its shortest form; from JSON without white space, with minimal escapes and its numbers in
// their shortest form. A float that holds a whole number is written 1.0, so that it stays a float.
//
// Thread: any; each thread keeps one reader's scratch memory (see json_reader.h). Lifetime: the
// input is read during the call. Limits: the caller limits the input; JSON is at most eight times
// as large as the MessagePack it is made of, MessagePack at most three times as large as the JSON.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "codec/json_reader.h"

namespace anywire::codec {

[[nodiscard]] std::optional<std::string> json_to_msgpack(Bytes json);

// The same for a value that a reader has checked already, appended to `out`; false, with `out` as
// it was, for a number beyond the range of a double, the only reason left.
[[nodiscard]] bool append_msgpack(std::string& out, JsonValue value);

[[nodiscard]] std::optional<std::string> msgpack_to_json(Bytes msgpack);

}  // namespace anywire::codec
