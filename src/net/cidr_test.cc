#include "net/cidr.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace anywire::net {
namespace {

Address ip(std::string_view text) { return *Address::parse_ip(text); }

struct Case {
  const char* block;
  const char* address;
  bool is_inside;
};

TEST(Cidr, KnowsWhatIsInside) {
  const Case cases[] = {
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.0.0.0/8", "9.255.255.255", false},
      {"192.168.4.0/22", "192.168.7.255", true},
      {"192.168.4.0/22", "192.168.8.0", false},
      {"1.2.3.4", "1.2.3.4", true},
      {"1.2.3.4/32", "1.2.3.5", false},
      {"1.2.3.4/31", "1.2.3.5", true},
      {"0.0.0.0/0", "255.1.2.3", true},
      {"0.0.0.0/0", "::1", false},
      {"128.0.0.0/1", "200.0.0.1", true},
      {"128.0.0.0/1", "100.0.0.1", false},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::1", "::1", true},
      {"::1", "::2", false},
      {"::/0", "2001:db8::1", true},
      // Mapped IPv4 is IPv4 on both sides.
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"::ffff:10.0.0.0/104", "10.1.2.3", true},
      {"::ffff:10.0.0.0/104", "::ffff:10.1.2.3", true},
      {"::ffff:0:0/96", "8.8.8.8", true},
      {"::/0", "::ffff:10.1.2.3", false},
      {"::/0", "10.1.2.3", false},
  };
  for (const Case& c : cases) {
    const Result<Cidr> block = Cidr::parse(c.block);
    ASSERT_TRUE(block) << c.block;
    EXPECT_EQ(block->contains(ip(c.address)), c.is_inside) << c.block << " " << c.address;
  }
}

TEST(Cidr, IgnoresPortAndZone) {
  EXPECT_TRUE(Cidr::parse("10.0.0.0/8")->contains(*Address::parse("10.0.0.1:80")));
  EXPECT_TRUE(Cidr::parse("fe80::/10")->contains(*Address::parse("[fe80::1%3]:80")));
}

TEST(Cidr, HoldsUnixSocketsOnlyWhenItSaysSo) {
  const Address unix_socket = *Address::parse("unix:/a");
  EXPECT_TRUE(Cidr::parse("unix")->contains(unix_socket));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(unix_socket));
  EXPECT_FALSE(Cidr::parse("unix")->contains(ip("127.0.0.1")));
  EXPECT_FALSE(Cidr::parse("0.0.0.0/0")->contains(Address()));
  EXPECT_FALSE(Cidr::parse("unix")->contains(Address()));
}

TEST(Cidr, RefusesTheRest) {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8",
                           "10.0.0.0/08", "10.0.0.0/8/8", "10.0.0.0/8 ", "10.0.0/8", "10.0.0.1/8",
                           "10.0.0.0:80", "::1/129", "2001:db8::1/32", "fe80::%1/10", "localhost",
                           "unix:/a", "*", "10.0.0.0/99999999999"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

TEST(Cidr, PrintsWhatItHolds) {
  EXPECT_EQ(Cidr::parse("10.0.0.0/8")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(Cidr::parse("::1")->to_string(), "::1/128");
  EXPECT_EQ(Cidr::parse("::ffff:10.0.0.0/104")->to_string(), "10.0.0.0/8");
  EXPECT_EQ(Cidr::parse("unix")->to_string(), "unix");
}

TEST(CidrList, HoldsWhatAnyOfItsBlocksHolds) {
  const std::vector<std::string> entries = {"10.0.0.0/8", "::1"};
  const Result<CidrList> list = CidrList::parse(entries);
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->contains(ip("10.1.1.1")));
  EXPECT_TRUE(list->contains(ip("::1")));
  EXPECT_FALSE(list->contains(ip("11.1.1.1")));
  EXPECT_FALSE(list->empty());
  EXPECT_TRUE(CidrList().empty());
  EXPECT_FALSE(CidrList().contains(ip("127.0.0.1")));
}

TEST(CidrList, NamesTheEntryItCannotRead) {
  const std::vector<std::string> entries = {"10.0.0.0/8", "10.0.0.0/99"};
  const Result<CidrList> list = CidrList::parse(entries);
  ASSERT_FALSE(list);
  EXPECT_NE(list.error().message.find("10.0.0.0/99"), std::string::npos);
}

}  // namespace
}  // namespace anywire::net
