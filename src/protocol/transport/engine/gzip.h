// Gzip: texts as gzip members (RFC 1952), one after the other, by one zlib state: what answers to
// polls are compressed with. A state is 256 KiB, so a loop has one for all its sessions.
//
// Thread: the loop's. Lifetime: arguments are read during the call.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace anywire::protocol::engine {

class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // False, and `out` is empty, if zlib fails.
  bool compress(std::string_view text, std::string& out);

 private:
  std::unique_ptr<z_stream_s> stream_;
  bool ready_ = false;
};

// Whether a list such as Accept-Encoding (RFC 9110 section 12.5.3) names gzip, and not with q=0.
bool takes_gzip(std::string_view accept_encoding);

}  // namespace anywire::protocol::engine
