// Event frames: the form in which a frame of JSON messages (section 1 of docs/protocol.md: a
// message, or an array of them) waits for, and goes to, clients without WebSocket: an event of
// text/event-stream (HTML standard, section 9.2) with one line of data,
//
//   data: {"type":"message",...}\n\n
//
// A Server-Sent Events response sends it as it is; a long-poll answer takes the JSON out again. So
// one buffer serves all such receivers of a loop, and events may stand back to back in it.
//
// Pure functions. Thread: any. Lifetime: arguments are read during the call; next_event returns
// views into its argument.
#pragma once

#include <string_view>

#include "base/buffer.h"

namespace anywire::protocol {

// `json` is one JSON text. Line breaks in it, which JSON allows between tokens only, become spaces,
// because in an event stream they would end the line.
BufferRef encode_event(std::string_view json);

// The JSON of the first event of `rest`, which is moved behind it. Call while `rest` is not empty;
// it holds whole events.
std::string_view next_event(std::string_view& rest);

}  // namespace anywire::protocol
