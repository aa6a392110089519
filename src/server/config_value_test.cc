#include "server/config_value.h"

#include <gtest/gtest.h>

namespace anywire::server {
namespace {

using namespace std::chrono_literals;

TEST(ConfigDuration, ReadsEveryUnit) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("30d"), 720h);
  EXPECT_EQ(parse_duration("0s"), 0ms);
}

TEST(ConfigDuration, NeedsAUnitExceptForZero) {
  EXPECT_EQ(parse_duration("0"), 0ms);
  EXPECT_EQ(parse_duration("10"), std::nullopt);
}

TEST(ConfigDuration, RefusesEverythingElse) {
  for (const char* text : {"", "s", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1S", "1D", "1w",
                           "1sec", "0x1s", "1s1s", "99999999999999999999s",
                           "9223372036854775807h", "9223372036854775807d"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

TEST(ConfigDuration, PrintsTheLargestUnitThatFits) {
  EXPECT_EQ(format_duration(0ms), "0s");
  EXPECT_EQ(format_duration(250ms), "250ms");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(10s), "10s");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(2min), "2m");
  EXPECT_EQ(format_duration(1h), "1h");
  EXPECT_EQ(format_duration(24h), "1d");
  EXPECT_EQ(format_duration(36h), "36h");
}

TEST(ConfigSize, ReadsEveryUnit) {
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("512B"), 512u);
  EXPECT_EQ(parse_size("64KiB"), 65'536u);
  EXPECT_EQ(parse_size("1MiB"), 1'048'576u);
  EXPECT_EQ(parse_size("2GiB"), 2'147'483'648u);
  EXPECT_EQ(parse_size("0"), 0u);
}

TEST(ConfigSize, RefusesEverythingElse) {
  for (const char* text : {"", "KiB", "-1", "1KB", "1K", "1kib", "1.5MiB", "1 MiB", "1TiB", "1MiBs",
                           "9223372036854775808", "9223372036854775807GiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(ConfigSize, PrintsTheLargestUnitThatFits) {
  EXPECT_EQ(format_size(0), "0B");
  EXPECT_EQ(format_size(200), "200B");
  EXPECT_EQ(format_size(1024), "1KiB");
  EXPECT_EQ(format_size(1536), "1536B");
  EXPECT_EQ(format_size(1024 * 1024), "1MiB");
  EXPECT_EQ(format_size(std::size_t{2} << 30), "2GiB");
}

TEST(ConfigInteger, ReadsWholeNumbersOnly) {
  EXPECT_EQ(parse_integer("0"), 0);
  EXPECT_EQ(parse_integer("-12"), -12);
  for (const char* text : {"", "1.0", "1x", " 1", "1 ", "+1", "0x10", "9223372036854775808"}) {
    EXPECT_EQ(parse_integer(text), std::nullopt) << text;
  }
}

TEST(ConfigBool, ReadsTheUsualWords) {
  for (const char* text : {"true", "yes", "on", "1"}) EXPECT_EQ(parse_bool(text), true) << text;
  for (const char* text : {"false", "no", "off", "0"}) EXPECT_EQ(parse_bool(text), false) << text;
  for (const char* text : {"", "True", "2", "y", "enable"}) {
    EXPECT_EQ(parse_bool(text), std::nullopt) << text;
  }
}

TEST(ConfigRoot, ReadsItsThreeForms) {
  EXPECT_EQ(parse_root("off"), (RawRoot{RawRoot::Kind::kOff, ""}));
  EXPECT_EQ(parse_root("echo"), (RawRoot{RawRoot::Kind::kEcho, ""}));
  EXPECT_EQ(parse_root("channel:lobby"), (RawRoot{RawRoot::Kind::kChannel, "lobby"}));
  EXPECT_EQ(parse_root("channel:a:b/é"), (RawRoot{RawRoot::Kind::kChannel, "a:b/é"}));
}

TEST(ConfigRoot, RefusesChannelsThatCannotExist) {
  for (const char* text : {"", "channel", "channel:", "Channel:x", "channel:a\nb", "channel:\xff",
                           "on", "echo "}) {
    EXPECT_EQ(parse_root(text), std::nullopt) << text;
  }
}

TEST(ConfigRoot, PrintsWhatItReads) {
  for (const char* text : {"off", "echo", "channel:lobby", "channel:a:b"}) {
    EXPECT_EQ(format_root(*parse_root(text)), text);
  }
}

TEST(ConfigAddress, AcceptsIpAddressesAndLocalhostWithAPort) {
  for (const char* text : {"127.0.0.1:3001", "0.0.0.0:0", "[::]:80", "[::1]:3001", ":3001",
                           "[2001:db8::1]:443", "localhost:3001"}) {
    EXPECT_TRUE(is_listen_address(text)) << text;
  }
}

// The grammar is net::Address', which has its own tests.
TEST(ConfigAddress, RefusesWhatCannotBeListenedOn) {
  for (const char* text : {"", ":", "3001", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:3001 ",
                           "256.0.0.1:1", "::1:3001", "[::1]", "example.com:80",
                           "ws://127.0.0.1:1"}) {
    EXPECT_FALSE(is_listen_address(text)) << text;
  }
}

TEST(ConfigAddress, AcceptsUnixPathsThatArePlainText) {
  EXPECT_TRUE(is_listen_address("unix:/run/anywire.sock"));
  EXPECT_TRUE(is_listen_address("unix:@anywire"));
  EXPECT_FALSE(is_listen_address("unix:"));
  EXPECT_FALSE(is_listen_address("unix:/" + std::string(107, 'x')));
  EXPECT_FALSE(is_listen_address("unix:/a\nb"));
  EXPECT_FALSE(is_listen_address("unix:/\xff"));
  EXPECT_FALSE(is_listen_address(std::string_view("unix:/a\0b", 9)));
}

TEST(ConfigAddress, ExpandsLocalhostToBothFamilies) {
  EXPECT_EQ(expand_listen_address("localhost:80"),
            (std::vector<std::string>{"127.0.0.1:80", "[::1]:80"}));
  EXPECT_EQ(expand_listen_address("0.0.0.0:80"), std::vector<std::string>{"0.0.0.0:80"});
  EXPECT_EQ(expand_listen_address("unix:/localhost:1"),
            std::vector<std::string>{"unix:/localhost:1"});
}

TEST(ConfigCidr, AcceptsAddressesAndNetworks) {
  for (const char* text : {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "::1", "fd00::/8", "unix"}) {
    EXPECT_TRUE(is_cidr(text)) << text;
  }
}

TEST(ConfigCidr, RefusesEverythingElse) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "localhost",
                           "10.0.0.0/8 ", "10.0.0.1:80"}) {
    EXPECT_FALSE(is_cidr(text)) << text;
  }
}

TEST(ConfigText, IsUtf8WithoutControls) {
  EXPECT_TRUE(is_plain_text(""));
  EXPECT_TRUE(is_plain_text("/etc/clé.pem"));
  EXPECT_FALSE(is_plain_text("a\nb"));
  EXPECT_FALSE(is_plain_text("a\x7f"));
  EXPECT_FALSE(is_plain_text("\xff"));
}

TEST(ConfigRate, ReadsAnAmountATimeAndABurst) {
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  EXPECT_EQ(parse_rate("", false), Rate());
  EXPECT_EQ(parse_rate("100/s", false), (Rate{100, seconds(1), 0}));
  EXPECT_EQ(parse_rate("100/s burst 300", false), (Rate{100, seconds(1), 300}));
  EXPECT_EQ(parse_rate("6000/m", false), (Rate{6000, minutes(1), 0}));
  EXPECT_EQ(parse_rate("5/h burst 1", false), (Rate{5, hours(1), 1}));
  EXPECT_EQ(parse_rate("1MiB/s burst 4MiB", true), (Rate{1 << 20, seconds(1), 4 << 20}));
  EXPECT_EQ(parse_rate("4096/s", true), (Rate{4096, seconds(1), 0}));
  EXPECT_EQ(parse_rate("100/s burst 100", false), (Rate{100, seconds(1), 0})) << "said twice";
}

TEST(ConfigRate, RefusesEverythingElse) {
  for (const char* text :
       {"100", "/s", "100/", "100/d", "100/ms", "100/10s", "0/s", "-1/s", "1.5/s", "100 /s",
        "100/ s", " 100/s",
        "100/s ", "100/s burst", "100/s burst ", "100/s burst 0", "100/s burst x",
        "100/s  burst 3", "100/s, burst 3", "100/s burst 3 burst 4", "1MiB/s", "burst 3", "off",
        "9999999999999/s", "99999999999999999999/s", "1/h burst 1000000000"}) {
    EXPECT_EQ(parse_rate(text, false), std::nullopt) << text;
  }
  EXPECT_EQ(parse_rate("1MB/s", true), std::nullopt);
}

TEST(ConfigRate, PrintsWhatItReads) {
  for (const char* text : {"", "100/s", "100/s burst 300", "6000/m", "5/h burst 1"}) {
    EXPECT_EQ(format_rate(*parse_rate(text, false), false), text);
  }
  for (const char* text : {"1MiB/s burst 4MiB", "100B/m", "64KiB/h"}) {
    EXPECT_EQ(format_rate(*parse_rate(text, true), true), text);
  }
}

TEST(ConfigQuotes, EscapeWhatEndsAStringOrALine) {
  EXPECT_EQ(in_quotes("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(in_quotes("a\nb\x7f"), "\"a\\u000ab\\u007f\"");
}

TEST(ConfigQuotes, ShortenLongTextBetweenCharacters) {
  EXPECT_EQ(in_quotes_short(std::string(60, 'x')), '"' + std::string(60, 'x') + '"');
  EXPECT_EQ(in_quotes_short(std::string(61, 'x')), '"' + std::string(60, 'x') + "...\"");
  EXPECT_EQ(in_quotes_short(std::string(59, 'x') + "éé"), '"' + std::string(59, 'x') + "...\"");
}

TEST(ConfigQuotes, DoNotRepeatBytesThatAreNotText) {
  EXPECT_EQ(in_quotes_short("a\xff"), "text that is not UTF-8");
}

TEST(ConfigUrlPath, TakesPlainPathsBelowTheRoot) {
  for (const char* path : {"/anywire", "/a/b/c", "/v1.2", "/a-b_c~d", "/a:b@c;d=e"}) {
    EXPECT_TRUE(is_url_path(path)) << path;
  }
  for (const char* path : {"", "/", "a", "a/b", "//", "/a/", "/a//b", "/.", "/..", "/a/../b",
                           "/a?b", "/a#b", "/%61", "/a b", "/\xc3\xa9", "/a\\b", "/a\nb"}) {
    EXPECT_FALSE(is_url_path(path)) << path;
  }
  EXPECT_TRUE(is_url_path('/' + std::string(1'023, 'a')));
  EXPECT_FALSE(is_url_path('/' + std::string(1'024, 'a')));
}

TEST(ConfigChannelProtocol, TakesProtocolsThatHaveChannels) {
  EXPECT_TRUE(is_channel_protocol("native"));
  EXPECT_TRUE(is_channel_protocol("raw"));
  for (const char* text : {"", "echo", "Native", "raw ", "*"}) {
    EXPECT_FALSE(is_channel_protocol(text)) << text;
  }
}

}  // namespace
}  // namespace anywire::server
