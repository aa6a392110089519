#include "net/address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <string>

namespace anywire::net {
namespace {

TEST(Address, ReadsAndWritesWhatPeopleWrite) {
  struct Case {
    const char* text;
    Family family;
    const char* printed;
  };
  const Case cases[] = {
      {"127.0.0.1:3001", Family::kIpv4, "127.0.0.1:3001"},
      {"0.0.0.0:0", Family::kIpv4, "0.0.0.0:0"},
      {"255.255.255.255:65535", Family::kIpv4, "255.255.255.255:65535"},
      {"[::1]:3001", Family::kIpv6, "[::1]:3001"},
      {"[2001:DB8:0:0::1]:80", Family::kIpv6, "[2001:db8::1]:80"},
      {"[fe80::1%2]:80", Family::kIpv6, "[fe80::1%2]:80"},
      {"[::ffff:1.2.3.4]:80", Family::kIpv6, "[::ffff:1.2.3.4]:80"},
      {":3001", Family::kIpv6, "[::]:3001"},
      {"localhost:3001", Family::kIpv4, "127.0.0.1:3001"},
      {"unix:/run/anywire.sock", Family::kUnix, "unix:/run/anywire.sock"},
      {"unix:relative:path", Family::kUnix, "unix:relative:path"},
      {"unix:@name", Family::kUnix, "unix:@name"},
  };
  for (const Case& c : cases) {
    const Result<Address> address = Address::parse(c.text);
    ASSERT_TRUE(address) << c.text;
    EXPECT_EQ(address->family(), c.family) << c.text;
    EXPECT_EQ(address->to_string(), c.printed);
    EXPECT_EQ(*Address::parse(address->to_string()), *address) << c.text;
  }
}

TEST(Address, RefusesTheRest) {
  for (const char* text : {"", "3001", "127.0.0.1", "::1", "::1:3001", "[::1]", "[::1]3001",
                           "[::1:80",
                           "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "127.0.0.1:-1",
                           "127.0.0.1:080", "127.0.0.1: 80", "127.0.0.1:80 ", "127.1:80",
                           "0127.0.0.1:80", "0x7f.0.0.1:80", "1.2.3.4.5:80", "256.0.0.1:80",
                           "example.com:80", "[127.0.0.1]:80", "[]:80", "[::1%]:80",
                           "[::1%eth0]:80",
                           "[::1%0]:80", "[::1%4294967296]:80", "unix:", "unix:@", ":", "a:b",
                           "http://127.0.0.1:80"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
  EXPECT_FALSE(Address::parse(std::string_view("127.0.0.1\0:80", 13)));
  EXPECT_FALSE(Address::parse(std::string_view("unix:/a\0b", 9)));
}

TEST(Address, SaysWhatIsWrong) {
  const Result<Address> address = Address::parse("::1:3001");
  ASSERT_FALSE(address);
  EXPECT_NE(address.error().message.find("brackets"), std::string::npos);
  const std::string giant(100000, 'x');
  EXPECT_LT(Address::parse(giant).error().message.size(), 500U);
}

TEST(Address, ReadsBareAddresses) {
  EXPECT_EQ(Address::parse_ip("1.2.3.4")->to_string(), "1.2.3.4:0");
  EXPECT_EQ(Address::parse_ip("::1")->host(), "::1");
  EXPECT_EQ(Address::parse_ip("[::1]")->host(), "::1");
  for (const char* text : {"", "1.2.3.4:80", "[1.2.3.4]", "localhost", "[::1]:80", "[", "]",
                           "[]"}) {
    EXPECT_FALSE(Address::parse_ip(text)) << text;
  }
}

TEST(Address, ComesBackFromTheKernelsForm) {
  for (const char* text : {"1.2.3.4:80", "[fe80::1%7]:65535", "unix:/run/a", "unix:@a"}) {
    const Address address = *Address::parse(text);
    sockaddr_storage storage;
    const socklen_t size = address.to_sockaddr(storage);
    const auto back = Address::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage), size);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, address) << text;
  }
  sockaddr_storage storage;
  EXPECT_EQ(Address().to_sockaddr(storage), 0U);
}

TEST(Address, PutsBytesWhereTheKernelWantsThem) {
  sockaddr_storage storage;
  ASSERT_EQ(Address::parse("1.2.3.4:258")->to_sockaddr(storage), sizeof(sockaddr_in));
  sockaddr_in in;
  std::memcpy(&in, &storage, sizeof in);
  EXPECT_EQ(in.sin_family, AF_INET);
  EXPECT_EQ(in.sin_port, htons(258));
  EXPECT_EQ(in.sin_addr.s_addr, htonl(0x01020304));
}

TEST(Address, RefusesSocketAddressesThatAreCutShort) {
  sockaddr_storage storage{};
  const auto* raw = reinterpret_cast<const sockaddr*>(&storage);
  for (const int family : {AF_INET, AF_INET6}) {
    storage.ss_family = static_cast<sa_family_t>(family);
    const socklen_t full = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    for (socklen_t size = 0; size < full; ++size) EXPECT_FALSE(Address::from_sockaddr(raw, size));
    EXPECT_TRUE(Address::from_sockaddr(raw, full));
  }
  storage.ss_family = AF_NETLINK;
  EXPECT_FALSE(Address::from_sockaddr(raw, sizeof storage));
}

TEST(Address, KnowsUnnamedAndUnterminatedUnixSockets) {
  sockaddr_un un{};
  un.sun_family = AF_UNIX;
  const auto* raw = reinterpret_cast<const sockaddr*>(&un);
  const Result<Address> unnamed = Address::from_sockaddr(raw, offsetof(sockaddr_un, sun_path));
  ASSERT_TRUE(unnamed);
  EXPECT_EQ(unnamed->family(), Family::kUnix);
  EXPECT_EQ(unnamed->path(), "");
  std::memcpy(un.sun_path, "/abc", 4);
  EXPECT_EQ(Address::from_sockaddr(raw, offsetof(sockaddr_un, sun_path) + 3)->path(), "/ab");
}

TEST(Address, LimitsUnixPaths) {
  EXPECT_TRUE(Address::unix_path(std::string(107, 'x')));
  EXPECT_FALSE(Address::unix_path(std::string(108, 'x')));
  EXPECT_FALSE(Address::unix_path(std::string_view("a\0b", 3)));
  EXPECT_FALSE(Address::unix_path(std::string_view("\0", 1)));
  EXPECT_TRUE(Address::unix_path(std::string_view("\0a", 2)));
}

TEST(Address, UnwrapsMappedIpv4) {
  const Address mapped = *Address::parse("[::ffff:1.2.3.4]:80");
  EXPECT_EQ(mapped.unmapped().to_string(), "1.2.3.4:80");
  EXPECT_EQ(Address::parse("[::1.2.3.4]:80")->unmapped().family(), Family::kIpv6);
  EXPECT_EQ(Address::parse("1.2.3.4:80")->unmapped().to_string(), "1.2.3.4:80");
}

TEST(Address, KnowsLoopbackAndUnspecified) {
  for (const char* text : {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1",
                           "unix:/a"}) {
    EXPECT_TRUE(Address::parse(text)->is_loopback()) << text;
  }
  for (const char* text : {"128.0.0.1:1", "[::2]:1", "0.0.0.0:1", ":1", "[::ffff:1.2.3.4]:1"}) {
    EXPECT_FALSE(Address::parse(text)->is_loopback()) << text;
  }
  EXPECT_FALSE(Address().is_loopback());
  EXPECT_TRUE(Address::parse(":1")->is_unspecified());
  EXPECT_TRUE(Address::parse("0.0.0.0:1")->is_unspecified());
  EXPECT_FALSE(Address::parse("unix:/a")->is_unspecified());
}

TEST(Address, IsAValue) {
  Address address = *Address::parse("unix:/a");
  const Address copy = address;
  Address other = *Address::parse("1.2.3.4:5");
  other = copy;
  address = *Address::parse("unix:/b");
  EXPECT_EQ(copy, other);
  EXPECT_FALSE(copy == address);
  EXPECT_EQ(copy.path(), "/a");
  const Address& self = other;
  other = self;
  EXPECT_EQ(other.path(), "/a");
  const Address moved = std::move(other);
  EXPECT_EQ(moved.path(), "/a");
}

}  // namespace
}  // namespace anywire::net
