#include "schema/format.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace anywire::schema {
namespace {

void expect(Format format, bool wanted, std::initializer_list<const char*> texts) {
  for (const char* text : texts) EXPECT_EQ(matches(format, text), wanted) << text;
}

TEST(SchemaFormat, KnowsItsNames) {
  for (const char* name :
       {"date-time", "date", "time", "email", "uuid", "uri", "ipv4", "ipv6"}) {
    const auto format = find_format(name);
    ASSERT_TRUE(format) << name;
    EXPECT_FALSE(words_for(*format).empty());
  }
  EXPECT_FALSE(find_format("hostname"));
  EXPECT_FALSE(find_format(""));
}

TEST(SchemaFormat, ReadsDates) {
  expect(Format::kDate, true, {"2026-01-31", "2024-02-29", "2000-02-29", "0000-01-01"});
  expect(Format::kDate, false,
         {"2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1",
          "26-01-01", "2026-01-31T", "", "2026/01/31"});
}

TEST(SchemaFormat, ReadsTimes) {
  expect(Format::kTime, true,
         {"12:00:00Z", "23:59:59.123+02:00", "00:00:00z", "23:59:60Z", "15:59:60-08:00"});
  expect(Format::kTime, false,
         {"12:00:00", "24:00:00Z", "12:60:00Z", "12:00:61Z", "22:59:60Z", "12:00Z", "12:00:00.Z",
          "12:00:00+24:00", "12:00:00+2:00", ""});
}

TEST(SchemaFormat, ReadsDatesWithTimes) {
  expect(Format::kDateTime, true,
         {"2026-01-31T12:00:00Z", "2026-01-31t12:00:00.5z", "2026-01-31 12:00:00+01:00"});
  expect(Format::kDateTime, false,
         {"2026-01-31", "2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "T12:00:00Z", ""});
}

TEST(SchemaFormat, ReadsAddressesOfPeople) {
  expect(Format::kEmail, true,
         {"ann@example.com", "a.b+c@sub.example.org", "o'brien@example.ie", "_@x.yz"});
  expect(Format::kEmail, false,
         {"ann", "@example.com", "ann@", "ann@localhost", "a..b@example.com", ".a@example.com",
          "a@-x.com", "a@x-.com", "a b@example.com", "ann@example..com", ""});
}

TEST(SchemaFormat, ReadsUuids) {
  expect(Format::kUuid, true,
         {"2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380",
          "urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380"});
  expect(Format::kUuid, false,
         {"2eb8aa08-aa98-11ea-b4aa-73b441d1638", "2eb8aa08aa9811eab4aa73b441d16380",
          "2eb8aa08-aa98-11ea-b4aa73b441d163800", "geb8aa08-aa98-11ea-b4aa-73b441d16380", ""});
}

TEST(SchemaFormat, ReadsUris) {
  expect(Format::kUri, true,
         {"https://example.com/a?b=c#d", "mailto:ann@example.com", "urn:isbn:1", "tel:+1-816",
          "http://[2001:db8::7]:80/", "http://user:pw@example.com:8080/%20", "ftp://x//y"});
  expect(Format::kUri, false,
         {"/relative", "example.com", "://x", "1http://x", "http://a b", "http://x/%2",
          "http://[::1", "http://[zz]/", "http://x#a#b", "http://x/<>", "http://x:8a/", ""});
}

TEST(SchemaFormat, ReadsAddressesOfMachines) {
  expect(Format::kIpv4, true, {"0.0.0.0", "255.255.255.255", "192.168.0.1"});
  expect(Format::kIpv4, false, {"256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "0x7f.1", "",
                                "::1"});
  expect(Format::kIpv6, true, {"::", "::1", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4"});
  expect(Format::kIpv6, false, {"1::2::3", ":::1", "fe80::1%eth0", "12345::", "1.2.3.4", ""});
  EXPECT_FALSE(matches(Format::kIpv4, std::string_view("1.2.3.4\0x", 9)));
}

}  // namespace
}  // namespace anywire::schema
