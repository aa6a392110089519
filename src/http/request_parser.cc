#include "http/request_parser.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "base/assert.h"
#include "http/chars.h"
#include "http/head_scan.h"
#include "http/request_target.h"

namespace anywire::http {

// Headers the parser reads itself, or that may come only once because a second one would let two
// readers pick different values.
enum class RequestParser::Known : std::uint8_t {
  kHost, kContentLength, kTransferEncoding, kConnection, kUpgrade, kExpect,
  kOrigin, kAuthorization, kContentType, kWebSocketKey, kWebSocketVersion, kNone,
};

namespace {

// The longest request line around a target: the longest method, spaces, version, and some room so
// that a line is only called too long when its target is.
constexpr std::size_t kRequestLineOverheadMax = 32;

bool find_method(std::string_view text, Method& method) {
  static constexpr std::pair<std::string_view, Method> kMethods[] = {
      {"GET", Method::kGet},         {"POST", Method::kPost},       {"HEAD", Method::kHead},
      {"PUT", Method::kPut},         {"DELETE", Method::kDelete},   {"OPTIONS", Method::kOptions},
      {"PATCH", Method::kPatch},
  };
  for (const auto& [name, value] : kMethods) {
    if (text != name) continue;
    method = value;
    return true;
  }
  return false;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits only, any number of them; a value beyond 64 bits becomes the largest one, which no limit
// allows.
bool parse_content_length(std::string_view text, std::uint64_t& length) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return false;
  length = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    length = length > (kMax - digit) / 10 ? kMax : length * 10 + digit;
  }
  return true;
}

}  // namespace

ParseResult RequestParser::feed(Bytes input) {
  switch (stage_) {
    case Stage::kRequestLine:
    case Stage::kHeaders:
      return feed_head(input);
    case Stage::kHeadDone:
      // The head has been handed out; now say what follows it.
      if (head_.chunked) {
        chunks_.reset(body_bytes_max_);
        stage_ = Stage::kChunkedBody;
        return feed_chunked_body(input);
      }
      body_left_ = head_.content_length;
      stage_ = Stage::kSizedBody;
      return feed_sized_body(input);
    case Stage::kSizedBody:
      return feed_sized_body(input);
    case Stage::kChunkedBody:
      return feed_chunked_body(input);
    case Stage::kComplete:
      return {ParseStatus::kComplete, 0, {}};
    case Stage::kError:
      break;
  }
  return {ParseStatus::kError, 0, {}};
}

ParseResult RequestParser::feed_head(Bytes input) {
  const bool in_place = buffer_.empty();
  const std::size_t before = buffer_.size();
  std::string_view data = as_text(input);
  if (!in_place) {
    // One byte over the limit is enough to know that it is broken.
    append_to_buffer(data.substr(0, limits_.head_bytes_max + 1 - before));
    data = {buffer_.data(), buffer_.size()};
  }
  switch (scan_lines(data)) {
    case Scan::kError:
      return {ParseStatus::kError, 0, {}};
    case Scan::kNeedMore:
      if (in_place && !data.empty()) {
        append_to_buffer(data);
        move_views(data, buffer_.data());
      }
      return {ParseStatus::kNeedMore, input.size(), {}};
    case Scan::kComplete:
      break;
  }
  in_place_ = in_place;
  if (in_place) {
    input_head_ = data.substr(0, line_start_);
  } else {
    buffer_.resize(line_start_);  // shrinking moves nothing
  }
  stage_ = Stage::kHeadDone;
  return {ParseStatus::kHead, line_start_ - before, {}};
}

ParseResult RequestParser::feed_sized_body(Bytes input) {
  if (body_left_ == 0) {
    stage_ = Stage::kComplete;
    return {ParseStatus::kComplete, 0, {}};
  }
  if (input.empty()) return {ParseStatus::kNeedMore, 0, {}};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
  body_left_ -= size;
  return {ParseStatus::kBody, size, input.first(size)};
}

ParseResult RequestParser::feed_chunked_body(Bytes input) {
  const ChunkDecoder::Output out = chunks_.feed(input);
  switch (out.status) {
    case ChunkDecoder::Status::kNeedMore:
      return {ParseStatus::kNeedMore, out.consumed, {}};
    case ChunkDecoder::Status::kData:
      return {ParseStatus::kBody, out.consumed, out.data};
    case ChunkDecoder::Status::kDone:
      stage_ = Stage::kComplete;
      return {ParseStatus::kComplete, out.consumed, {}};
    case ChunkDecoder::Status::kError:
      break;
  }
  refuse(out.error.status, out.error.reason);
  return {ParseStatus::kError, 0, {}};
}

// Takes whole lines as long as there are any. Each check is made at the first byte that decides it
// and limits are checked in the order of the bytes, so that no cut into reads changes the verdict.
RequestParser::Scan RequestParser::scan_lines(std::string_view data) {
  const std::size_t head_end = std::min(data.size(), limits_.head_bytes_max);
  for (;;) {
    std::size_t end = head_end;
    if (stage_ == Stage::kRequestLine) {
      end = std::min(end, line_start_ + limits_.target_bytes_max + kRequestLineOverheadMax);
    }
    scanned_ = find_forbidden(data, scanned_, end);
    const bool line_may_end = scanned_ == end || (data[scanned_] == '\r' && scanned_ + 1 == end);
    if (line_may_end) {
      if (data.size() <= end) return Scan::kNeedMore;
      refuse_oversized_head(data);
      return Scan::kError;
    }
    if (data[scanned_] != '\r' || data[scanned_ + 1] != '\n') {
      refuse(400, "the request head holds a control character or a line that does not end in CRLF");
      return Scan::kError;
    }
    const std::string_view line = data.substr(line_start_, scanned_ - line_start_);
    scanned_ += 2;
    line_start_ = scanned_;
    if (line.empty() && stage_ == Stage::kHeaders) {
      return finish_head() ? Scan::kComplete : Scan::kError;
    }
    if (!take_line(line)) return Scan::kError;
  }
}

bool RequestParser::take_line(std::string_view line) {
  if (stage_ == Stage::kHeaders) return take_header(line);
  if (!line.empty()) return take_request_line(line);
  // RFC 9112 section 2.2 asks for tolerance of one empty line; a flood of them is an attack.
  if (blank_line_seen_) return refuse(400, "more than one empty line before the request line");
  blank_line_seen_ = true;
  return true;
}

bool RequestParser::take_request_line(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return refuse(400, "the request line is not a method, a target and a version");
  }
  head_.method_text = line.substr(0, first);
  head_.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_token(head_.method_text)) return refuse(400, "the method is not a token");
  if (head_.target.size() > limits_.target_bytes_max) return refuse(414, "the target is too long");
  if (version == "HTTP/1.1" || version == "HTTP/1.0") {
    head_.version_minor = version.back() - '0';
  } else if (version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
             version[6] == '.' && is_digit(version[7])) {
    return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
  } else {
    return refuse(400, "the HTTP version is malformed");
  }
  if (!find_method(head_.method_text, head_.method)) {
    return refuse(501, "the method is not implemented");
  }
  TargetParts parts;
  if (!split_target(head_.target, head_.method, parts)) {
    return refuse(400, "the target is malformed");
  }
  head_.raw_path = parts.raw_path;
  head_.query = parts.query;
  head_.host = parts.host;
  head_.target_is_https = parts.is_https;
  head_.path = parts.raw_path == "*" ? parts.raw_path : normalize_path(parts.raw_path, path_);
  if (head_.path.empty() && !(limits_.opaque_paths && is_opaque_path(parts.raw_path))) {
    return refuse(400, "the path is malformed");
  }
  stage_ = Stage::kHeaders;
  return true;
}

bool RequestParser::take_header(std::string_view line) {
  if (head_.headers.size() >= limits_.headers_max) return refuse(431, "too many header fields");
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  // A line that begins with white space (a folded one) ends up here as well: its name is empty.
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return refuse(400, "a header field has no valid name");
  }
  const std::string_view padded = line.substr(colon + 1);
  const Header& header =
      head_.headers.emplace_back(Header{line.substr(0, colon), trim_whitespace(padded)});

  static constexpr std::pair<std::string_view, Known> kKnown[] = {
      {"host", Known::kHost},
      {"connection", Known::kConnection},
      {"upgrade", Known::kUpgrade},
      {"origin", Known::kOrigin},
      {"sec-websocket-key", Known::kWebSocketKey},
      {"sec-websocket-version", Known::kWebSocketVersion},
      {"content-length", Known::kContentLength},
      {"transfer-encoding", Known::kTransferEncoding},
      {"content-type", Known::kContentType},
      {"authorization", Known::kAuthorization},
      {"expect", Known::kExpect},
  };
  for (const auto& [name, known] : kKnown) {
    if (!equals_ignore_case(header.name, name)) continue;
    // A tab is white space by the grammar, but not to every parser: llhttp 8.1 refuses
    // "chunked<tab>" as an unknown coding. No client sends one here.
    const bool is_framing = known == Known::kContentLength || known == Known::kTransferEncoding;
    if (is_framing && padded.find('\t') != std::string_view::npos) {
      return refuse(400, "a field that frames the body holds a tab");
    }
    return take_known_header(known, header.value);
  }
  return true;
}

bool RequestParser::take_known_header(Known known, std::string_view value) {
  const auto bit = static_cast<std::uint16_t>(1U << static_cast<unsigned>(known));
  const bool is_repeated = (seen_ & bit) != 0;
  seen_ |= bit;
  const bool is_list =
      known == Known::kConnection || known == Known::kUpgrade || known == Known::kExpect;
  if (is_repeated && !is_list) return refuse(400, "a header field that must be single is repeated");
  switch (known) {
    case Known::kHost:
      if (!is_host(value)) return refuse(400, "the Host field is malformed");
      host_header_ = value;
      return true;
    case Known::kContentLength:
      has_content_length_ = true;
      if (parse_content_length(value, head_.content_length)) return true;
      return refuse(400, "the Content-Length field is not a number");
    case Known::kTransferEncoding:
      head_.chunked = true;
      if (equals_ignore_case(value, "chunked")) return true;
      // RFC 9112 section 6.3: without chunked at its end nobody knows where the body ends, which is
      // worse than a coding that is merely not implemented.
      if (!equals_ignore_case(trim_whitespace(value.substr(value.rfind(',') + 1)), "chunked")) {
        return refuse(400, "chunked is not the last transfer coding");
      }
      return refuse(501, "the only transfer coding implemented is chunked");
    case Known::kConnection:
      if (list_has_token(value, "close")) head_.keep_alive = false;
      if (list_has_token(value, "upgrade")) head_.upgrades_connection = true;
      return true;
    case Known::kUpgrade:
      if (list_has_token(value, "websocket")) head_.upgrades_to_websocket = true;
      return true;
    case Known::kExpect:
      if (list_has_token(value, "100-continue")) head_.expects_continue = true;
      return true;
    default:
      return true;
  }
}

// What can only be judged when all headers are known.
bool RequestParser::finish_head() {
  const bool is_http_1_0 = head_.version_minor == 0;
  // RFC 9110 section 7.8: Upgrade is to be ignored there.
  if (is_http_1_0) head_.upgrades_connection = head_.upgrades_to_websocket = false;
  if (head_.chunked && has_content_length_) {
    return refuse(400, "Content-Length and Transfer-Encoding exclude each other");
  }
  if (head_.chunked && is_http_1_0) return refuse(400, "HTTP/1.0 has no Transfer-Encoding");
  if (host_header_.empty() && !is_http_1_0) return refuse(400, "the Host field is missing");
  if (!head_.host.empty() && !host_header_.empty() &&
      !equals_ignore_case(head_.host, host_header_)) {
    // RFC 9112 section 3.2 makes clients send the two alike; whoever differs wants a proxy and us
    // to disagree.
    return refuse(400, "the Host field differs from the target");
  }
  if (head_.host.empty()) head_.host = host_header_;
  if (head_.upgrades_to_websocket && head_.has_body()) {
    return refuse(400, "a request that upgrades to WebSocket must not have a body");
  }
  if (head_.content_length > limits_.body_bytes_max) {
    return refuse(413, "the request body is too large");
  }
  body_bytes_max_ = limits_.body_bytes_max;
  if (is_http_1_0) head_.keep_alive = false;
  if (is_http_1_0 || !head_.has_body()) head_.expects_continue = false;
  return true;
}

bool RequestParser::refuse(int status, const char* reason) {
  error_ = {status, reason};
  stage_ = Stage::kError;
  return false;
}

bool RequestParser::refuse_oversized_head(std::string_view data) {
  if (stage_ != Stage::kRequestLine) return refuse(431, "the request head is too large");
  const std::string_view start = data.substr(line_start_, kRequestLineOverheadMax);
  if (start.find(' ') == std::string_view::npos) {
    return refuse(400, "the request line is not a method, a target and a version");
  }
  return refuse(414, "the target is too long");
}

void RequestParser::append_to_buffer(std::string_view more) {
  const std::size_t needed = buffer_.size() + more.size();
  if (needed > buffer_.capacity()) {
    std::vector<char> bigger;
    bigger.reserve(std::max(needed, buffer_.capacity() * 2));
    bigger.insert(bigger.end(), buffer_.begin(), buffer_.end());
    move_views({buffer_.data(), buffer_.size()}, bigger.data());
    buffer_.swap(bigger);
  }
  buffer_.insert(buffer_.end(), more.begin(), more.end());
}

// Points every view into `from` at the same place of a copy at `to`. Views of other memory (the
// decoded path, the static "/") stay.
void RequestParser::move_views(std::string_view from, const char* to) {
  const auto move = [&](std::string_view& view) {
    const std::less<const char*> less;
    if (from.empty() || less(view.data(), from.data())) return;
    if (!less(view.data(), from.data() + from.size())) return;
    view = {to + (view.data() - from.data()), view.size()};
  };
  for (std::string_view* view : {&head_.method_text, &head_.target, &head_.raw_path, &head_.path,
                                 &head_.query, &head_.host, &host_header_}) {
    move(*view);
  }
  for (Header& header : head_.headers) {
    move(header.name);
    move(header.value);
  }
}

bool RequestParser::limit_body(std::uint64_t bytes_max) {
  AW_ASSERT(stage_ == Stage::kHeadDone);
  body_bytes_max_ = std::min(body_bytes_max_, bytes_max);
  return head_.content_length <= body_bytes_max_;
}

void RequestParser::detach() {
  AW_ASSERT(stage_ == Stage::kHeadDone);
  if (!in_place_) return;
  append_to_buffer(input_head_);
  move_views(input_head_, buffer_.data());
  in_place_ = false;
  input_head_ = {};
}

void RequestParser::reset() {
  stage_ = Stage::kRequestLine;
  blank_line_seen_ = false;
  has_content_length_ = false;
  in_place_ = false;
  seen_ = 0;
  line_start_ = 0;
  scanned_ = 0;
  input_head_ = {};
  buffer_.clear();
  path_.clear();
  head_.clear();
  host_header_ = {};
  body_left_ = 0;
  error_ = {};
}

}  // namespace anywire::http
