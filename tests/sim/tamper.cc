#include "sim/tamper.h"

#include <fmt/core.h>

namespace anywire::sim {
namespace {

bool is(std::string_view text, std::string_view type) {
  return text.starts_with(fmt::format("{{\"type\":\"{}\"", type));
}

std::string_view between(std::string_view text, std::string_view begin, std::string_view end) {
  const std::size_t at = text.find(begin);
  if (at == text.npos) return {};
  text.remove_prefix(at + begin.size());
  return text.substr(0, text.find_first_of(end));
}

// What the client is made to believe instead of a message.
std::string lie(std::string_view message, std::string_view epoch, bool gap) {
  const std::string_view channel = between(message, "\"channel\":\"", "\"");
  const std::string_view offset = between(message, "\"offset\":", ",}");
  if (!gap) {
    return fmt::format(R"({{"type":"advance","channel":"{}","offset":{}}})", channel, offset);
  }
  return fmt::format(
      R"({{"type":"gap","channel":"{0}","from":{1},"to":{1},"reason":"evicted",)"
      R"("epoch":"{2}","offset":{1}}})",
      channel, offset, epoch);
}

}  // namespace

std::vector<std::string> Tamper::instead_of(std::string text, std::string_view epoch) {
  if (fault_ == Fault::kNone) return {std::move(text)};
  if (is(text, "message")) {
    if (strikes(Fault::kDropMessage)) return {};
    if (strikes(Fault::kRepeatMessage)) return {text, text};
    const bool cursor = !epoch.empty();
    if (cursor && strikes(Fault::kFalseAdvance)) return {lie(text, epoch, false)};
    if (cursor && strikes(Fault::kFalseGap)) return {lie(text, epoch, true)};
    const std::size_t at = text.find("\"event\":\"say");
    if (at != text.npos && strikes(Fault::kChangeContent)) text.replace(at + 9, 3, "lay");
    return {std::move(text)};
  }
  const bool reply = is(text, "published") || is(text, "ok") || is(text, "history");
  if (reply && strikes(Fault::kLoseReply)) return {};
  if (reply && strikes(Fault::kRepeatReply)) return {text, text};
  if (is(text, "presence") && strikes(Fault::kLoseLeave)) {
    const std::size_t begin = text.find("\"leave\":[");
    if (begin == text.npos) return {std::move(text)};
    const std::size_t end = text.find(']', begin);
    text.replace(begin, end - begin, "\"leave\":[");
  }
  return {std::move(text)};
}

}  // namespace anywire::sim
