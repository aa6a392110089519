// X-Forwarded-*: whatever the headers hold, the answer is the peer or an address that a trusted one
// vouched for, and an untrusted peer is never talked out of its address.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/forwarded.h"

using anywire::http::Client;
using anywire::http::RequestHead;
using anywire::net::Address;
using anywire::net::CidrList;

// The input is lines; a line that begins with 'p' is a scheme header, any other one addresses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kBlocks[] = {"10.0.0.0/8", "::1", "unix"};
  static const CidrList kTrusted = *CidrList::parse(kBlocks);
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  RequestHead head;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (line.starts_with('p')) {
      head.headers.push_back({"X-Forwarded-Proto", line.substr(1)});
    } else {
      head.headers.push_back({"x-forwarded-for", line});
    }
  }
  const Address outsider = *Address::parse("192.0.2.1:5");
  const Client direct = find_client(head, outsider, true, kTrusted);
  AW_ASSERT(direct.address == outsider && direct.is_secure);
  const Address proxy = *Address::parse("10.0.0.1:5");
  const Client behind = find_client(head, proxy, false, kTrusted);
  AW_ASSERT(behind.address.is_ip() && behind.address.unmapped() == behind.address);
  return 0;
}
