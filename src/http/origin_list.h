// OriginList: which pages may talk to this server, by their Origin (RFC 6454): one list for CORS
// and for WebSocket upgrades, so that the two cannot contradict each other.
//
//   https://app.example         that origin
//   https://*.app.example       every name below it, with one label more or several; never
//                               https://app.example itself
//   http://localhost:*          on any port; also together with the former
//   *                           every origin
//   null                        the origin of sandboxed frames and files; any site can make such a
//                               frame, so it lets in and names nobody
//
// An Origin that is not written the way browsers write one (RFC 6454 6.2) is taken by `*` only.
//
// Thread: any, once made. Lifetime: owns its patterns; views are read during the call. Limits: none
// of its own; a look costs one pass over the Origin for each pattern.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/request.h"

namespace anywire::http {

// Whether it is one of the above.
bool is_origin_pattern(std::string_view text);

class OriginList {
 public:
  OriginList() = default;  // takes none
  static Result<OriginList> parse(std::span<const std::string> patterns);

  // `*` is in the list.
  bool any() const { return any_; }
  // Something else is in the list, so that answers depend on the Origin.
  bool selective() const { return !any_ || null_ || !patterns_.empty(); }

  bool allows(std::string_view origin) const {
    return any_ || (null_ && origin == "null") || names(origin);
  }
  // By an entry that only pages of that site can be: what a page must be to act in the name of the
  // user's cookies. Neither `*` nor `null` is one.
  bool names(std::string_view origin) const;

  // Of a request. Who sends no Origin is not a browser's page: it is allowed, and not named.
  bool allows(const RequestHead& head) const;
  bool names(const RequestHead& head) const;

 private:
  struct Pattern {
    std::string scheme;
    std::string host;  // behind "*." if `below`
    std::string port;  // as written; empty: the scheme's own
    bool below = false;
    bool any_port = false;
  };
  friend bool is_origin_pattern(std::string_view text);
  static Result<Pattern> parse_pattern(std::string_view text);
  static bool matches(const Pattern& pattern, std::string_view origin);

  bool any_ = false;
  bool null_ = false;
  std::vector<Pattern> patterns_;
};

}  // namespace anywire::http
