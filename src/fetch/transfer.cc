#include "fetch/transfer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace anywire::fetch {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != kMarks.npos;
  });
}

// RFC 9110 section 5.5: a value with a line end in it would begin another header.
bool is_field_value(std::string_view text) {
  return std::ranges::none_of(text, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

Error invalid(std::string text) { return {ErrorCode::kInvalidRequest, std::move(text), false}; }

ErrorCode code_of(CURLcode result) {
  switch (result) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT: return ErrorCode::kInvalidRequest;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return ErrorCode::kResolve;
    case CURLE_COULDNT_CONNECT: return ErrorCode::kConnect;
    case CURLE_OPERATION_TIMEDOUT: return ErrorCode::kTimeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return ErrorCode::kTls;
    default: return ErrorCode::kBroken;
  }
}

template <typename Value>
void set(CURL* easy, CURLoption option, Value value) {
  curl_easy_setopt(easy, option, value);
}

// For libcurl's callbacks of this shape: one object that is told of so many bytes.
constexpr std::size_t kRefused = 0;

}  // namespace

Transfer::Transfer(EasyHandle easy, Request request, Done done)
    : easy_(std::move(easy)), request_(std::move(request)), done_(std::move(done)) {}

std::expected<void, Error> Transfer::prepare(const ClientOptions& options) {
  if (const auto checked = check_url(request_.url); !checked) {
    return std::unexpected(invalid(checked.error().message));
  }
  if (!is_token(request_.method)) return std::unexpected(invalid("the method is not a token"));
  CURL* easy = easy_.get();
  set(easy, CURLOPT_PRIVATE, static_cast<void*>(this));
  set(easy, CURLOPT_ERRORBUFFER, problem_.data());
  set(easy, CURLOPT_URL, request_.url.c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  // Signals belong to the whole process, and a resolver that hangs must not hold the loop when the
  // request has timed out.
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_QUICK_EXIT, 1L);
  const auto timeout = std::max<Duration>(request_.timeout, Duration{1});
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::min(options.connect_timeout, timeout).count()));
  const auto idle_s = std::chrono::duration_cast<std::chrono::seconds>(options.idle_max);
  set(easy, CURLOPT_MAXAGE_CONN, static_cast<long>(std::max<std::int64_t>(idle_s.count(), 1)));
  if (!options.proxy_from_environment) set(easy, CURLOPT_PROXY, "");
  if (!options.ca_file.empty()) set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
  set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Rather wait for a connection under way than open another, as long as it may turn out to take
  // many requests at once.
  set(easy, CURLOPT_PIPEWAIT, request_.url.starts_with("https:") ? 1L : 0L);
  set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
  set(easy, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(easy, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  set_method_and_body();
  if (!set_headers()) {
    return std::unexpected(invalid("a header has a name or a value that cannot be sent"));
  }
  return {};
}

// The body goes through a callback that cannot be rewound: libcurl would otherwise send a request
// again, whatever its method, when a pooled connection ends before the answer.
void Transfer::set_method_and_body() {
  CURL* easy = easy_.get();
  if (request_.method == "HEAD") {
    set(easy, CURLOPT_NOBODY, 1L);
  } else if (request_.method == "POST" || !request_.body.empty()) {
    set(easy, CURLOPT_POST, 1L);
    set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(easy, CURLOPT_READFUNCTION, &Transfer::on_send);
    set(easy, CURLOPT_READDATA, static_cast<void*>(this));
    set(easy, CURLOPT_SEEKFUNCTION, &Transfer::on_rewind);
    set(easy, CURLOPT_SEEKDATA, static_cast<void*>(this));
  }
  set(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

bool Transfer::set_headers() {
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    if (longer == nullptr) return;
    list = longer;
  };
  // Waiting for "100 Continue" would cost a second where nobody says it.
  add("Expect:");
  bool typed = false;
  bool good = true;
  for (const Header& header : request_.headers) {
    good = good && is_token(header.name) && is_field_value(header.value);
    typed = typed || equal_ignoring_case(header.name, "content-type");
    if (!good) break;
    // The semicolon is libcurl's way of saying that a value is empty.
    add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  if (!typed) add("Content-Type:");
  list_.reset(list);
  set(easy_.get(), CURLOPT_HTTPHEADER, list);
  return good;
}

std::size_t Transfer::on_send(char* into, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view body = transfer.request_.body;
  const std::string_view rest = body.substr(transfer.body_sent_);
  const std::size_t taken = std::min(rest.size(), size * count);
  std::memcpy(into, rest.data(), taken);
  transfer.body_sent_ += taken;
  return taken;
}

int Transfer::on_rewind(void* self, curl_off_t offset, int origin) {
  auto& transfer = *static_cast<Transfer*>(self);
  const bool nothing_sent = transfer.body_sent_ == 0;
  return nothing_sent && offset == 0 && origin == SEEK_SET ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  std::string& body = transfer.response_.body;
  if (bytes > transfer.request_.response_bytes_max - body.size()) {
    transfer.too_large_ = true;
    return kRefused;
  }
  body.append(data, bytes);
  return bytes;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t bytes = size * count;
  return transfer.take_header({data, bytes}) ? bytes : kRefused;
}

bool Transfer::take_header(std::string_view line) {
  head_bytes_ += line.size();
  if (head_bytes_ > Client::kHeadBytesMax) {
    too_large_ = true;
    return false;
  }
  // Another head begins: what came before was an interim one, 100 or 103.
  if (line.starts_with("HTTP/")) response_.headers.clear();
  const std::size_t colon = line.find(':');
  if (colon == line.npos || line.starts_with("HTTP/")) return true;
  response_.headers.push_back({std::string(trimmed(line.substr(0, colon))),
                               std::string(trimmed(line.substr(colon + 1)))});
  return true;
}

// Once a connection stands libcurl writes at once, so a request that has begun counts as sent.
bool Transfer::was_sent() const {
  long head = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &head);
  return head > 0 || body_sent_ > 0;
}

Outcome Transfer::outcome(CURLcode result) {
  if (result == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return std::move(response_);
  }
  if (too_large_) {
    return std::unexpected(Error{ErrorCode::kTooLarge, "the answer is larger than allowed", true});
  }
  if (result == CURLE_OPERATION_TIMEDOUT) {
    return std::unexpected(
        Error{ErrorCode::kTimeout, "no complete answer came in time", was_sent()});
  }
  if (result == CURLE_SEND_FAIL_REWIND) {
    return std::unexpected(
        Error{ErrorCode::kBroken, "the connection broke before an answer", true});
  }
  return std::unexpected(Error{code_of(result), curl_easy_strerror(result), was_sent()});
}

}  // namespace anywire::fetch
