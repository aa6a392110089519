#include "codec/msgpack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "codec/testing/exact.h"

namespace anywire::codec {
namespace {

using std::string_literals::operator""s;

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int byte : list) out += static_cast<char>(byte);
  return out;
}

template <typename Write>
std::string written(Write write) {
  std::string out;
  MsgpackWriter writer(out);
  write(writer);
  return out;
}

bool is_one_value(std::string_view text, MsgpackText check = MsgpackText::kUtf8) {
  const Exact input(text);
  MsgpackReader in(input.view());
  return in.skip(check) && in.at_end();
}

// One value of every form the specification has, the first of them the shortest of its family.
const std::vector<std::string>& every_form() {
  static const std::vector<std::string> forms = {
      bytes({0x00}),
      bytes({0x7f}),
      bytes({0xe0}),
      bytes({0xff}),
      bytes({0xc0}),
      bytes({0xc2}),
      bytes({0xc3}),
      bytes({0x80}),
      bytes({0x81, 0xa1, 'k', 0x01}),
      bytes({0x90}),
      bytes({0x92, 0xc0, 0x91, 0x05}),
      bytes({0xa0}),
      bytes({0xa3, 'a', 'b', 'c'}),
      bytes({0xc4, 2, 0xff, 0xfe}),
      bytes({0xc5, 0, 1, 9}),
      bytes({0xc6, 0, 0, 0, 1, 9}),
      bytes({0xc7, 3, 5, 1, 2, 3}),
      bytes({0xc8, 0, 1, 5, 1}),
      bytes({0xc9, 0, 0, 0, 1, 5, 1}),
      bytes({0xca, 0x3f, 0x80, 0, 0}),
      bytes({0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0}),
      bytes({0xcc, 1}),
      bytes({0xcd, 0, 1}),
      bytes({0xce, 0, 0, 0, 1}),
      bytes({0xcf, 0, 0, 0, 0, 0, 0, 0, 1}),
      bytes({0xd0, 1}),
      bytes({0xd1, 0, 1}),
      bytes({0xd2, 0, 0, 0, 1}),
      bytes({0xd3, 0, 0, 0, 0, 0, 0, 0, 1}),
      bytes({0xd4, 5, 1}),
      bytes({0xd5, 5, 1, 2}),
      bytes({0xd6, 0xff, 1, 2, 3, 4}),
      bytes({0xd7, 0xff, 1, 2, 3, 4, 5, 6, 7, 8}),
      bytes({0xd8, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}),
      bytes({0xd9, 1, 'a'}),
      bytes({0xda, 0, 1, 'a'}),
      bytes({0xdb, 0, 0, 0, 1, 'a'}),
      bytes({0xdc, 0, 1, 0xc0}),
      bytes({0xdd, 0, 0, 0, 1, 0xc0}),
      bytes({0xde, 0, 1, 0xa0, 0xc0}),
      bytes({0xdf, 0, 0, 0, 1, 0xa0, 0xc0}),
  };
  return forms;
}

TEST(MsgpackReader, ReadsAnEnvelope) {
  const std::string message = written([](MsgpackWriter& out) {
    out.begin_map(3).string("id").u64(7).string("data").begin_array(2).nil().string("x");
    out.string("more").boolean(true);
  });
  MsgpackReader in(as_bytes(message));
  EXPECT_EQ(in.read_map(), 3U);
  EXPECT_EQ(in.read_string(), "id");
  EXPECT_EQ(in.read_u64(), 7U);
  EXPECT_EQ(in.read_string(), "data");
  const auto payload = in.read_raw();
  ASSERT_TRUE(payload);
  EXPECT_EQ(as_text(*payload), bytes({0x92, 0xc0, 0xa1, 'x'}));
  EXPECT_EQ(in.read_string(), "more");
  EXPECT_FALSE(in.at_end());
  EXPECT_EQ(in.read_boolean(), true);
  EXPECT_TRUE(in.at_end());
  EXPECT_EQ(in.position(), message.size());
}

TEST(MsgpackReader, WalksOverEveryForm) {
  for (const std::string& form : every_form()) {
    EXPECT_TRUE(is_one_value(form)) << testing::PrintToString(form);
    const Exact twice(form + form);
    MsgpackReader in(twice.view());
    const auto raw = in.read_raw();
    ASSERT_TRUE(raw);
    EXPECT_EQ(as_text(*raw), form);
    EXPECT_EQ(in.position(), form.size());
  }
}

TEST(MsgpackReader, RefusesEveryTruncationOfEveryForm) {
  for (const std::string& form : every_form()) {
    for (std::size_t size = 0; size < form.size(); ++size) {
      const Exact cut(std::string_view(form).substr(0, size));
      MsgpackReader in(cut.view());
      EXPECT_FALSE(in.read_raw()) << testing::PrintToString(form) << size;
      EXPECT_EQ(in.position(), 0U);
    }
  }
}

// Each typed read over each prefix of each form: it answers only whole values, and moves only then.
TEST(MsgpackReader, TypedReadsMoveOnlyWhenTheyAnswer) {
  for (const std::string& form : every_form()) {
    for (std::size_t size = 0; size <= form.size(); ++size) {
      const Exact cut(std::string_view(form).substr(0, size));
      const auto check = [&](auto read, std::size_t whole) {
        MsgpackReader in(cut.view());
        if (read(in)) {
          EXPECT_GE(in.position(), whole);
          EXPECT_LE(in.position(), size);
        } else {
          EXPECT_EQ(in.position(), 0U) << testing::PrintToString(form) << size;
        }
      };
      check([](MsgpackReader& in) { return in.read_nil(); }, form.size());
      check([](MsgpackReader& in) { return in.read_boolean().has_value(); }, form.size());
      check([](MsgpackReader& in) { return in.read_u64().has_value(); }, form.size());
      check([](MsgpackReader& in) { return in.read_i64().has_value(); }, form.size());
      check([](MsgpackReader& in) { return in.read_number().has_value(); }, form.size());
      check([](MsgpackReader& in) { return in.read_string().has_value(); }, form.size());
      check([](MsgpackReader& in) { return in.read_binary().has_value(); }, form.size());
      check([](MsgpackReader& in) { return in.read_extension().has_value(); }, form.size());
      check([](MsgpackReader& in) { return in.read_array().has_value(); }, 1);
      check([](MsgpackReader& in) { return in.read_map().has_value(); }, 1);
    }
  }
}

TEST(MsgpackReader, AnswersOnlyTheTypeThatIsThere) {
  for (const std::string& form : every_form()) {
    const auto kind = MsgpackReader(as_bytes(form)).peek();
    ASSERT_TRUE(kind);
    const auto reads = [&](auto read) {
      MsgpackReader in(as_bytes(form));
      return static_cast<bool>(read(in));
    };
    using enum MsgpackKind;
    EXPECT_EQ(reads([](auto& in) { return in.read_nil(); }), kind == kNil);
    EXPECT_EQ(reads([](auto& in) { return in.read_boolean(); }), kind == kBoolean);
    EXPECT_EQ(reads([](auto& in) { return in.read_i64(); }), kind == kInteger);
    EXPECT_EQ(reads([](auto& in) { return in.read_number(); }), kind == kInteger || kind == kFloat);
    EXPECT_EQ(reads([](auto& in) { return in.read_string(); }), kind == kString);
    EXPECT_EQ(reads([](auto& in) { return in.read_binary(); }), kind == kBinary);
    EXPECT_EQ(reads([](auto& in) { return in.read_extension(); }), kind == kExtension);
    EXPECT_EQ(reads([](auto& in) { return in.read_array(); }), kind == kArray);
    EXPECT_EQ(reads([](auto& in) { return in.read_map(); }), kind == kMap);
  }
}

TEST(MsgpackReader, ReadsIntegersOfAnyWidth) {
  struct Case {
    std::string input;
    std::optional<std::uint64_t> unsigned_value;
    std::optional<std::int64_t> signed_value;
  };
  constexpr auto kMax = std::numeric_limits<std::uint64_t>::max();
  const Case cases[] = {
      {bytes({0x7f}), 127, 127},
      {bytes({0xe0}), {}, -32},
      {bytes({0xff}), {}, -1},
      {bytes({0xcc, 0xff}), 255, 255},
      {bytes({0xcd, 0xff, 0xfe}), 65534, 65534},
      {bytes({0xce, 0xff, 0, 0, 0}), 0xff000000, 0xff000000},
      {bytes({0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), kMax, {}},
      {bytes({0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), kMax / 2,
       std::numeric_limits<std::int64_t>::max()},
      {bytes({0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0}), kMax / 2 + 1, {}},
      {bytes({0xd0, 0x80}), {}, -128},
      {bytes({0xd0, 0x7f}), 127, 127},
      {bytes({0xd1, 0x80, 0}), {}, -32768},
      {bytes({0xd2, 0xff, 0xff, 0xff, 0xff}), {}, -1},
      {bytes({0xd2, 0x7f, 0xff, 0xff, 0xff}), 0x7fffffff, 0x7fffffff},
      {bytes({0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}), {}, std::numeric_limits<std::int64_t>::min()},
      {bytes({0xd3, 0, 0, 0, 0, 0, 0, 0, 1}), 1, 1},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(MsgpackReader(as_bytes(c.input)).read_u64(), c.unsigned_value);
    EXPECT_EQ(MsgpackReader(as_bytes(c.input)).read_i64(), c.signed_value);
    const double expected = c.signed_value ? static_cast<double>(*c.signed_value)
                                           : static_cast<double>(*c.unsigned_value);
    EXPECT_EQ(MsgpackReader(as_bytes(c.input)).read_number(), expected);
  }
}

TEST(MsgpackReader, ReadsFloats) {
  const auto number = [](const std::string& input) {
    return MsgpackReader(as_bytes(input)).read_number();
  };
  EXPECT_EQ(number(bytes({0xca, 0xbf, 0xc0, 0, 0})), -1.5);
  EXPECT_EQ(number(bytes({0xcb, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a})), 0.1);
  EXPECT_EQ(number(bytes({0xca, 0x7f, 0x80, 0, 0})), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(*number(bytes({0xca, 0x7f, 0xc0, 0, 0}))));
  EXPECT_TRUE(std::signbit(*number(bytes({0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0}))));
  EXPECT_FALSE(number(bytes({0xa1, '1'})));
}

TEST(MsgpackReader, ReadsExtensions) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 8U, 15U, 16U, 17U, 255U, 256U, 65536U}) {
    const std::string data(size, 'd');
    for (const int type : {-128, -1, 0, 127}) {
      const std::string value = written([&](MsgpackWriter& out) {
        out.extension(static_cast<std::int8_t>(type), as_bytes(data));
      });
      MsgpackReader in(as_bytes(value));
      const auto extension = in.read_extension();
      ASSERT_TRUE(extension);
      EXPECT_EQ(extension->type, type);
      EXPECT_EQ(as_text(extension->data), data);
      EXPECT_TRUE(in.at_end());
    }
  }
}

TEST(MsgpackReader, ChecksTextWhenAsked) {
  const std::string broken = bytes({0xa2, 0xc3, 0x28});
  MsgpackReader in(as_bytes(broken));
  EXPECT_FALSE(in.read_string());
  EXPECT_EQ(in.position(), 0U);
  EXPECT_FALSE(in.skip());
  EXPECT_EQ(in.position(), 0U);
  EXPECT_EQ(in.read_string(MsgpackText::kAnyBytes), "\xc3\x28");

  for (const std::string& around : {bytes({0x91}), bytes({0x81, 0x01}), bytes({0x92, 0x90})}) {
    EXPECT_FALSE(is_one_value(around + broken));
    EXPECT_TRUE(is_one_value(around + broken, MsgpackText::kAnyBytes));
  }
  EXPECT_FALSE(is_one_value(bytes({0x81}) + broken + bytes({0xc0})));  // a key
  EXPECT_TRUE(is_one_value(bytes({0xc4, 2, 0xc3, 0x28})));             // binary is no text
  EXPECT_TRUE(is_one_value(bytes({0xa3, 0xe2, 0x82, 0xac})));
}

TEST(MsgpackReader, RefusesTheByteThatIsNeverUsed) {
  EXPECT_FALSE(MsgpackReader(as_bytes("\xc1")).peek());
  EXPECT_FALSE(is_one_value("\xc1"));
  EXPECT_FALSE(is_one_value(bytes({0x91, 0xc1})));
  EXPECT_FALSE(is_one_value(bytes({0x81, 0xc1, 0xc0})));
}

TEST(MsgpackReader, BelievesNoClaimedLength) {
  for (const std::string& claim :
       {bytes({0xdd, 0xff, 0xff, 0xff, 0xff}), bytes({0xdf, 0xff, 0xff, 0xff, 0xff}),
        bytes({0xdb, 0xff, 0xff, 0xff, 0xff}), bytes({0xc6, 0xff, 0xff, 0xff, 0xff}),
        bytes({0xc9, 0xff, 0xff, 0xff, 0xff, 1}), bytes({0xdc, 0xff, 0xff}), bytes({0xde, 0, 6}),
        bytes({0x9f}), bytes({0x86}), bytes({0xbf})}) {
    const Exact input(claim + std::string(11, '\xc0'));
    MsgpackReader in(input.view());
    EXPECT_FALSE(in.read_array());
    EXPECT_FALSE(in.read_map());
    EXPECT_FALSE(in.read_string(MsgpackText::kAnyBytes));
    EXPECT_FALSE(in.read_binary());
    EXPECT_FALSE(in.read_extension());
    EXPECT_FALSE(in.skip());
    EXPECT_EQ(in.position(), 0U);
  }
  // A map of five members needs ten more bytes, and here they are.
  const std::string fits = bytes({0xde, 0, 5}) + std::string(10, '\x01');
  EXPECT_EQ(MsgpackReader(as_bytes(fits)).read_map(), 5U);
  EXPECT_TRUE(is_one_value(fits));
}

TEST(MsgpackReader, LimitsDepth) {
  const std::string arrays(kMsgpackDepthMax - 1, '\x91');
  EXPECT_TRUE(is_one_value(arrays + bytes({0x91, 0xc0})));
  EXPECT_TRUE(is_one_value(arrays + bytes({0x90})));
  EXPECT_FALSE(is_one_value(arrays + bytes({0x91, 0x91, 0xc0})));
  EXPECT_FALSE(is_one_value(arrays + bytes({0x91, 0x90})));
  EXPECT_FALSE(is_one_value(std::string(1'000'000, '\x91') + bytes({0xc0})));
  std::string maps;
  for (int i = 0; i < kMsgpackDepthMax; ++i) maps += bytes({0x81, 0xa0});
  EXPECT_TRUE(is_one_value(maps + bytes({0xc0})));
  EXPECT_FALSE(is_one_value(maps + bytes({0x80})));
  // Many containers side by side are not deep.
  EXPECT_TRUE(is_one_value(bytes({0xdc, 0x03, 0xe8}) + std::string(1000, '\x90')));
}

TEST(MsgpackReader, SurvivesRandomBytes) {
  std::mt19937 random(3);
  int whole = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random());
    const Exact input(text);
    MsgpackReader in(input.view());
    while (in.skip()) ++whole;
    EXPECT_LE(in.position(), text.size());
  }
  EXPECT_GT(whole, 10'000);
}

TEST(MsgpackWriter, ChoosesTheShortestForm) {
  const auto size_of = [](auto write) { return written(write).size(); };
  struct Case {
    std::int64_t value;
    std::size_t size;
  };
  for (const auto [value, size] :
       {Case{0, 1}, Case{127, 1}, Case{128, 2}, Case{255, 2}, Case{256, 3}, Case{65535, 3},
        Case{65536, 5}, Case{0xffffffff, 5}, Case{0x100000000, 9}, Case{-1, 1}, Case{-32, 1},
        Case{-33, 2}, Case{-128, 2}, Case{-129, 3}, Case{-32768, 3}, Case{-32769, 5},
        Case{-2147483648, 5}, Case{-2147483649, 9}}) {
    EXPECT_EQ(size_of([&](MsgpackWriter& out) { out.i64(value); }), size) << value;
  }
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.number(0.1); }), 9U);
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.number(0.5); }), 5U);
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.number(-0.0); }), 5U);
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.number(1e300); }), 9U);
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.number(16777217); }), 9U);
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.begin_array(15); }), 1U);
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.begin_array(16); }), 3U);
  EXPECT_EQ(size_of([](MsgpackWriter& out) { out.begin_map(65536); }), 5U);
}

TEST(MsgpackWriter, WritesNumbersThatReadBack) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 20'000; ++round) {
    const std::uint64_t bits = random() >> (random() % 64);
    const auto value = static_cast<std::int64_t>(random() % 2 == 0 ? bits : ~bits);
    const std::string whole = written([&](MsgpackWriter& out) { out.i64(value); });
    ASSERT_EQ(MsgpackReader(as_bytes(whole)).read_i64(), value);
    const std::string positive = written([&](MsgpackWriter& out) { out.u64(bits); });
    ASSERT_EQ(MsgpackReader(as_bytes(positive)).read_u64(), bits);
    const auto real = std::bit_cast<double>(random());
    const std::string number = written([&](MsgpackWriter& out) { out.number(real); });
    const auto read = MsgpackReader(as_bytes(number)).read_number();
    ASSERT_TRUE(read);
    ASSERT_TRUE(*read == real || std::isnan(real));
    ASSERT_EQ(std::isnan(*read), std::isnan(real));
  }
}

TEST(MsgpackWriter, AppendsToWhatIsThere) {
  std::string out = "kept";
  MsgpackWriter writer(out);
  writer.begin_array(2).raw(as_bytes("\xc0")).binary(as_bytes("\x01"));
  EXPECT_EQ(out, "kept"s + bytes({0x92, 0xc0, 0xc4, 1, 1}));
}

}  // namespace
}  // namespace anywire::codec
