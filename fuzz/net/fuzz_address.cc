// Addresses and blocks: what parses prints as something that parses to the same.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "net/address.h"
#include "net/cidr.h"

using anywire::Result;
using anywire::net::Address;
using anywire::net::Cidr;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<Address> address = Address::parse(text)) {
    const Result<Address> again = Address::parse(address->to_string());
    AW_ASSERT(again && *again == *address);
    sockaddr_storage storage;
    const socklen_t length = address->to_sockaddr(storage);
    const Result<Address> back =
        Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
    AW_ASSERT(back && *back == *address);
  }
  if (const Result<Address> address = Address::parse_ip(text)) {
    const Result<Address> again = Address::parse_ip(address->host());
    AW_ASSERT(again && *again == *address);
  }
  if (const Result<Cidr> block = Cidr::parse(text)) {
    const Result<Cidr> again = Cidr::parse(block->to_string());
    AW_ASSERT(again && again->to_string() == block->to_string());
  }
  if (size >= sizeof(sa_family_t) && size <= sizeof(sockaddr_storage)) {
    (void)Address::from_sockaddr(reinterpret_cast<const sockaddr*>(data),
                                 static_cast<socklen_t>(size));
  }
  return 0;
}
