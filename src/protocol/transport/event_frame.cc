#include "protocol/transport/event_frame.h"

#include <algorithm>

#include "base/assert.h"

namespace anywire::protocol {
namespace {

constexpr std::string_view kBegin = "data: ";
constexpr std::string_view kEnd = "\n\n";

}  // namespace

BufferRef encode_event(std::string_view json) {
  BufferRef event = Buffer::allocate(kBegin.size() + json.size() + kEnd.size());
  event->append(as_bytes(kBegin));
  event->append(as_bytes(json));
  std::uint8_t* const text = event->mutable_data() + kBegin.size();
  std::replace_if(
      text, text + json.size(), [](std::uint8_t c) { return c == '\n' || c == '\r'; },
      std::uint8_t{' '});
  event->append(as_bytes(kEnd));
  return event;
}

std::string_view next_event(std::string_view& rest) {
  AW_ASSERT(rest.starts_with(kBegin));
  const std::size_t end = rest.find('\n');
  AW_ASSERT(end != std::string_view::npos && rest.substr(end).starts_with(kEnd));
  const std::string_view json = rest.substr(kBegin.size(), end - kBegin.size());
  rest.remove_prefix(end + kEnd.size());
  return json;
}

}  // namespace anywire::protocol
