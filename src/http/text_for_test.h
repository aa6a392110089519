// Requests and answers as text, for the tests of connections and exchanges.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace anywire::http {

inline std::string get(std::string_view path, std::string_view headers = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

// How often `what` is in `text`.
inline std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; at += what.size()) ++found;
  return found;
}

// Tests take time, and answers say when they were made.
inline std::string undated(std::string text) {
  for (std::size_t at; (at = text.find("Date: ")) != text.npos;) {
    text.erase(at, text.find("\r\n", at) + 2 - at);
  }
  return text;
}

}  // namespace anywire::http
