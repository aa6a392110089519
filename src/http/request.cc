#include "http/request.h"

#include <algorithm>

#include "http/chars.h"

namespace anywire::http {

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return to_lower(x) == to_lower(y);
         });
}

std::string_view trim_whitespace(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view next_list_member(std::string_view& rest) {
  const std::size_t comma = std::min(rest.find(','), rest.size());
  const std::string_view member = rest.substr(0, comma);
  rest.remove_prefix(std::min(comma + 1, rest.size()));
  return trim_whitespace(member);
}

bool list_has_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    if (equals_ignore_case(next_list_member(list), token)) return true;
  }
  return false;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_forbidden_in_head);
}

const Header* RequestHead::find(std::string_view name) const {
  for (const Header& header : headers) {
    if (equals_ignore_case(header.name, name)) return &header;
  }
  return nullptr;
}

std::string_view RequestHead::header(std::string_view name) const {
  const Header* found = find(name);
  return found ? found->value : std::string_view{};
}

bool RequestHead::has_token(std::string_view name, std::string_view token) const {
  return std::any_of(headers.begin(), headers.end(), [&](const Header& header) {
    return equals_ignore_case(header.name, name) && list_has_token(header.value, token);
  });
}

void RequestHead::clear() {
  std::vector<Header> kept = std::move(headers);
  kept.clear();
  *this = RequestHead{};
  headers = std::move(kept);
}

}  // namespace anywire::http
