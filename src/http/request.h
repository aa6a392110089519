// RequestHead: what a client asked, as views into bytes that somebody else owns.
//
// Filled by RequestParser (http/request_parser.h), which has already refused everything ambiguous,
// so a reader may trust what is written here: names are tokens, values hold no control byte but
// tab, and framing is settled.
//
// Thread: plain data, used on the thread that parses. Lifetime: every view ends when the parser
// says so; a handler that wants to keep something copies it. Limits: those of RequestLimits.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace anywire::http {

// ASCII only, independent of the locale.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
bool equals_ignore_case(std::string_view a, std::string_view b);

// Without the spaces and tabs on both sides ("OWS", RFC 9110 section 5.6.3).
std::string_view trim_whitespace(std::string_view text);

// Takes the next member off a comma-separated list (RFC 9110 section 5.6.1): the trimmed text up to
// the next comma, which `rest` is moved beyond. An empty member comes out as empty text. Call while
// `rest` is not empty. One pass over the text in total, whatever it holds.
std::string_view next_list_member(std::string_view& rest);

// True when one member of the comma-separated `list` is `token`, whatever the case.
bool list_has_token(std::string_view list, std::string_view token);

// RFC 9110 section 5.6.2. An empty text is not a token.
bool is_token(std::string_view text);

// True when `text` may stand as a field value (RFC 9110 section 5.5): no control byte but tab.
bool is_field_value(std::string_view text);

// The methods this server can answer. Any other token is refused with 501 before a handler runs:
// CONNECT because we are no proxy, TRACE because it reflects credentials.
enum class Method : std::uint8_t { kGet, kHead, kPost, kPut, kDelete, kOptions, kPatch };

struct Header {
  std::string_view name;   // as sent; compare with equals_ignore_case
  std::string_view value;  // without surrounding whitespace; may be empty
};

struct RequestHead {
  Method method = Method::kGet;
  std::string_view method_text;

  std::string_view target;    // as sent
  bool target_is_https = false;  // an absolute target, of that scheme
  std::string_view raw_path;  // the path within the target, as sent; "/" when the target has none
  // `raw_path` decoded once and without "." and ".." segments. Holds no control byte and no
  // backslash, and every '/' in it was sent as one. It need not be UTF-8. "*" for OPTIONS *. Empty
  // where RequestLimits::opaque_paths lets pass what cannot be decoded like that.
  std::string_view path;
  std::string_view query;  // what follows the first '?', as sent; empty when there is none
  // The host the client meant, with its port if it sent one: from Host or, the same, from an
  // absolute target. Empty only for an HTTP/1.0 request that named none.
  std::string_view host;

  int version_minor = 1;  // of HTTP/1.x
  std::vector<Header> headers;

  // What frames the body. At most one of the two; both empty means there is no body.
  bool chunked = false;
  std::uint64_t content_length = 0;

  bool keep_alive = true;           // may the connection be used again once this is answered?
  bool expects_continue = false;    // the client waits for "100 Continue" before it sends the body
  // Both are false on HTTP/1.0, where Upgrade is to be ignored (RFC 9110 section 7.8).
  bool upgrades_connection = false;    // Connection lists "upgrade"
  bool upgrades_to_websocket = false;  // Upgrade lists "websocket"

  bool has_body() const { return chunked || content_length > 0; }

  // The first header of that name, whatever the case; nullptr when there is none, which is not the
  // same as an empty value. Linear, which for the allowed number of headers beats a map.
  const Header* find(std::string_view name) const;

  // The value of the first header of that name, empty when there is none.
  std::string_view header(std::string_view name) const;

  // True when a header of that name, or several together, lists `token` (RFC 9110 section 5.3 makes
  // several lines of a list one list).
  bool has_token(std::string_view name, std::string_view token) const;

  // True when this asks for a WebSocket in the way RFC 6455 section 4.1 wants it: GET, HTTP/1.1,
  // Upgrade and Connection. Key and version are still for the handshake to judge.
  bool is_websocket_upgrade() const {
    return upgrades_to_websocket && upgrades_connection && method == Method::kGet &&
           version_minor == 1;
  }

  // Forgets everything but the memory of `headers`.
  void clear();
};

}  // namespace anywire::http
