#include "http/response_parser.h"

#include <algorithm>

#include "http/chars.h"
#include "http/head_scan.h"

namespace anywire::http {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits only; nothing when there are others or the value is beyond what 64 bits hold.
std::optional<std::uint64_t> parse_length(std::string_view text) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (length > (kMax - digit) / 10) return std::nullopt;
    length = length * 10 + digit;
  }
  return length;
}

}  // namespace

std::string_view ReceivedHead::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (equals_ignore_case(header.name, name)) return header.value;
  }
  return {};
}

void ResponseParser::reset(bool to_head) {
  stage_ = Stage::kStatusLine;
  to_head_ = to_head;
  carriage_return_ = says_close_ = says_keep_alive_ = false;
  head_bytes_ = line_start_ = 0;
  buffer_.clear();
  places_.clear();
  std::vector<Header> kept = std::move(head_.headers);
  kept.clear();
  head_ = {};
  head_.headers = std::move(kept);
  body_left_ = 0;
  error_ = {};
}

ParseResult ResponseParser::feed(Bytes input) {
  switch (stage_) {
    case Stage::kStatusLine:
    case Stage::kHeaders:
      return feed_head(input);
    case Stage::kHeadDone:
      return begin_body(input);
    case Stage::kSizedBody:
      return feed_sized_body(input);
    case Stage::kChunkedBody:
      return feed_chunked_body(input);
    case Stage::kOpenBody:
      return feed_open_body(input);
    case Stage::kComplete:
      return {ParseStatus::kComplete, 0, {}};
    case Stage::kError:
      break;
  }
  return error_result();
}

ParseResult ResponseParser::end_of_input() {
  switch (stage_) {
    case Stage::kHeadDone:
      // The head has been handed out and nobody has asked yet what follows it.
      if (begin_body({}).status == ParseStatus::kComplete) break;
      return end_of_input();
    case Stage::kOpenBody:
      stage_ = Stage::kComplete;
      break;
    case Stage::kComplete:
      break;
    case Stage::kError:
      return error_result();
    default:
      refuse("the connection ended in the middle of the response");
      return error_result();
  }
  return {ParseStatus::kComplete, 0, {}};
}

// Byte after byte in their order, so that no cut into reads changes the verdict.
ParseResult ResponseParser::feed_head(Bytes input) {
  const std::string_view data = as_text(input);
  std::size_t at = 0;
  while (at < data.size()) {
    if (head_bytes_ == limits_.head_bytes_max) {
      refuse("the response head is too large");
      return error_result();
    }
    if (carriage_return_) {
      if (data[at] != '\n') {
        refuse("a line of the response head does not end in CRLF");
        return error_result();
      }
      carriage_return_ = false;
      ++at;
      ++head_bytes_;
      if (!take_line()) return error_result();
      if (stage_ == Stage::kHeadDone) return {ParseStatus::kHead, at, {}};
      continue;
    }
    const std::size_t end = std::min(data.size(), at + (limits_.head_bytes_max - head_bytes_));
    const std::size_t stop = find_forbidden(data, at, end);
    buffer_.append(data, at, stop - at);
    head_bytes_ += stop - at;
    at = stop;
    if (stop == end) continue;
    if (data[at] != '\r') {
      refuse("the response head holds a control character or a line that does not end in CRLF");
      return error_result();
    }
    carriage_return_ = true;
    ++at;
    ++head_bytes_;
  }
  return {ParseStatus::kNeedMore, data.size(), {}};
}

bool ResponseParser::take_line() {
  const std::string_view line = std::string_view(buffer_).substr(line_start_);
  bool taken = true;
  if (stage_ == Stage::kStatusLine) {
    taken = take_status_line(line);
  } else if (line.empty()) {
    taken = finish_head();
  } else {
    taken = take_header(line);
  }
  line_start_ = buffer_.size();
  return taken;
}

// RFC 9112 section 4: "HTTP/1.1 200 OK". Many servers leave out the space before an absent reason.
bool ResponseParser::take_status_line(std::string_view line) {
  if (!line.starts_with("HTTP/1.1 ") && !line.starts_with("HTTP/1.0 ")) {
    return refuse("the response does not begin with an HTTP/1.1 status line");
  }
  head_.version_minor = line[7] - '0';
  const std::string_view code = line.substr(9, 3);
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), is_digit) ||
      (line.size() > 12 && line[12] != ' ')) {
    return refuse("the status code is not three digits");
  }
  head_.status = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  if (head_.status < 100 || head_.status > 599) return refuse("the status code does not exist");
  stage_ = Stage::kHeaders;
  return true;
}

bool ResponseParser::take_header(std::string_view line) {
  if (places_.size() >= limits_.headers_max) return refuse("too many header fields");
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  // A folded line ends up here as well: its name is empty.
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return refuse("a header field has no valid name");
  }
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim_whitespace(line.substr(colon + 1));
  const auto offset = [&](std::string_view part) {
    return static_cast<std::size_t>(part.data() - buffer_.data());
  };
  places_.push_back({offset(name), name.size(), offset(value), value.size()});
  return take_known_header(name, value);
}

bool ResponseParser::take_known_header(std::string_view name, std::string_view value) {
  if (equals_ignore_case(name, "content-length")) {
    if (head_.content_length) return refuse("Content-Length is repeated");
    head_.content_length = parse_length(value);
    return head_.content_length ? true : refuse("the Content-Length field is not a number");
  }
  if (equals_ignore_case(name, "transfer-encoding")) {
    if (head_.chunked) return refuse("Transfer-Encoding is repeated");
    head_.chunked = true;
    return equals_ignore_case(value, "chunked")
               ? true
               : refuse("the only transfer coding implemented is chunked");
  }
  if (equals_ignore_case(name, "connection")) {
    if (list_has_token(value, "close")) says_close_ = true;
    if (list_has_token(value, "keep-alive")) says_keep_alive_ = true;
  }
  return true;
}

bool ResponseParser::finish_head() {
  if (head_.chunked && head_.content_length) {
    return refuse("Content-Length and Transfer-Encoding exclude each other");
  }
  const bool is_http_1_0 = head_.version_minor == 0;
  if (head_.chunked && is_http_1_0) return refuse("HTTP/1.0 has no Transfer-Encoding");
  // RFC 9112 section 6.3, in its order.
  head_.has_body =
      !to_head_ && head_.status >= 200 && head_.status != 204 && head_.status != 304;
  head_.until_close = head_.has_body && !head_.chunked && !head_.content_length;
  if (head_.has_body && head_.content_length.value_or(0) > limits_.body_bytes_max) {
    return refuse("the response body is too large");
  }
  head_.keep_alive =
      !head_.until_close && !says_close_ && (!is_http_1_0 || says_keep_alive_);
  const std::string_view all(buffer_);
  for (const Place& place : places_) {
    head_.headers.push_back({all.substr(place.name_at, place.name_size),
                             all.substr(place.value_at, place.value_size)});
  }
  stage_ = Stage::kHeadDone;
  return true;
}

ParseResult ResponseParser::begin_body(Bytes input) {
  if (!head_.has_body) {
    stage_ = Stage::kComplete;
    return {ParseStatus::kComplete, 0, {}};
  }
  if (head_.chunked) {
    chunks_.reset(limits_.body_bytes_max);
    stage_ = Stage::kChunkedBody;
    return feed_chunked_body(input);
  }
  if (head_.until_close) {
    body_left_ = limits_.body_bytes_max;
    stage_ = Stage::kOpenBody;
    return feed_open_body(input);
  }
  body_left_ = *head_.content_length;
  stage_ = Stage::kSizedBody;
  return feed_sized_body(input);
}

ParseResult ResponseParser::feed_sized_body(Bytes input) {
  if (body_left_ == 0) {
    stage_ = Stage::kComplete;
    return {ParseStatus::kComplete, 0, {}};
  }
  if (input.empty()) return {ParseStatus::kNeedMore, 0, {}};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
  body_left_ -= size;
  return {ParseStatus::kBody, size, input.first(size)};
}

ParseResult ResponseParser::feed_chunked_body(Bytes input) {
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
  refuse(out.error.reason);
  return error_result();
}

ParseResult ResponseParser::feed_open_body(Bytes input) {
  if (input.empty()) return {ParseStatus::kNeedMore, 0, {}};
  if (body_left_ == 0) {
    refuse("the response body is too large");
    return error_result();
  }
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
  body_left_ -= size;
  return {ParseStatus::kBody, size, input.first(size)};
}

bool ResponseParser::refuse(const char* reason) {
  error_ = {502, reason};
  stage_ = Stage::kError;
  return false;
}

}  // namespace anywire::http
