// A second opinion on requests: llhttp, the parser of Node.js. Included by tests and fuzzers only.
//
// llhttp tolerates more than RequestParser on purpose, so the rule is one-sided: whatever
// RequestParser accepts, llhttp accepts too, and both see the same request.
#pragma once

#include <llhttp.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/request.h"

namespace anywire::http {

class LlhttpOracle {
 public:
  // Parses the first request of `input`; what follows it is ignored.
  explicit LlhttpOracle(std::string_view input) {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_method = append<&LlhttpOracle::method>;
    settings.on_url = append<&LlhttpOracle::target>;
    settings.on_header_field = append<&LlhttpOracle::name_>;
    settings.on_header_value = append<&LlhttpOracle::value_>;
    settings.on_header_value_complete = on_header;
    settings.on_headers_complete = on_headers;
    settings.on_body = append<&LlhttpOracle::body>;
    settings.on_message_complete = on_message;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = this;
    const llhttp_errno_t error = llhttp_execute(&parser, input.data(), input.size());
    // A complete request pauses the parser, an upgrade pauses it by itself.
    is_accepted = error == HPE_OK || error == HPE_PAUSED || error == HPE_PAUSED_UPGRADE;
    if (!is_accepted) reason = llhttp_errno_name(error);
  }

  bool is_accepted = false;  // no error so far, complete or not
  bool has_head = false;
  bool is_complete = false;
  bool keep_alive = false;
  bool is_upgrade = false;
  int version_minor = -1;
  std::string reason;
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

 private:
  template <std::string LlhttpOracle::* Field>
  static int append(llhttp_t* parser, const char* text, std::size_t size) {
    (static_cast<LlhttpOracle*>(parser->data)->*Field).append(text, size);
    return 0;
  }

  static int on_header(llhttp_t* parser) {
    auto& self = *static_cast<LlhttpOracle*>(parser->data);
    // Trailers are not headers; RequestParser drops them. llhttp leaves trailing tabs in a value.
    if (!self.has_head) self.headers.emplace_back(self.name_, trim_whitespace(self.value_));
    self.name_.clear();
    self.value_.clear();
    return 0;
  }

  static int on_headers(llhttp_t* parser) {
    auto& self = *static_cast<LlhttpOracle*>(parser->data);
    self.has_head = true;
    self.keep_alive = llhttp_should_keep_alive(parser) != 0;
    self.is_upgrade = parser->upgrade != 0;
    self.version_minor = parser->http_minor;
    return 0;
  }

  static int on_message(llhttp_t* parser) {
    static_cast<LlhttpOracle*>(parser->data)->is_complete = true;
    return HPE_PAUSED;
  }

  std::string name_;
  std::string value_;
};

}  // namespace anywire::http
