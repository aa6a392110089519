// The official test suite, in the drafts that Debian has of it: 06 and 07. What 2020-12 means
// otherwise, and what is not fetched, is named here with its reason; all else must agree.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "schema/testing/checking.h"

namespace anywire::schema {
namespace {

const std::filesystem::path kSuite = "/usr/share/json-schema-test-suite/tests";

// By the group's description. Everything else is run.
const std::map<std::string, std::string> kOtherwise = {
    {"ref overrides any sibling keywords", "since 2019-09 siblings of $ref count"},
    {"remote ref, containing refs itself", "nothing is fetched"},
    {"valid definition", "nothing is fetched"},
    {"invalid definition", "nothing is fetched"},
};

const std::set<std::string> kFilesLeftOut = {"refRemote.json"};  // nothing is fetched

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

struct Counts {
  int tests = 0;
  int left_out = 0;
};

void run_group(const std::string& file, codec::JsonValue group, Counts& counts) {
  const std::string name(*group.find("description")->string());
  if (kOtherwise.contains(name)) {
    ++counts.left_out;
    return;
  }
  auto schema = Schema::compile(*group.find("schema"));
  if (!schema) {
    ADD_FAILURE() << file << ": " << name << ": " << schema.error().pointer << " "
                  << schema.error().text;
    return;
  }
  for (const codec::JsonValue test : group.find("tests")->elements()) {
    ++counts.tests;
    EXPECT_EQ(!schema->check(*test.find("data")), *test.find("valid")->boolean())
        << file << ": " << name << ": " << *test.find("description")->string();
  }
}

Counts run_file(const std::filesystem::path& path) {
  Counts counts;
  const std::string text = text_of(path);
  codec::JsonReader reader;
  const auto groups = reader.read(as_bytes(text));
  EXPECT_TRUE(groups) << path;
  if (!groups) return counts;
  for (const codec::JsonValue group : groups->elements()) {
    run_group(path.filename().string(), group, counts);
  }
  return counts;
}

Counts run_folder(const std::filesystem::path& folder) {
  Counts counts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || kFilesLeftOut.contains(name)) continue;
    const Counts file = run_file(entry.path());
    counts.tests += file.tests;
    counts.left_out += file.left_out;
  }
  return counts;
}

TEST(SchemaSuite, AgreesWithDraft07) {
  if (!std::filesystem::exists(kSuite)) GTEST_SKIP() << "json-schema-test-suite is not installed";
  const Counts counts = run_folder(kSuite / "draft7");
  EXPECT_GT(counts.tests, 390);
  std::cout << counts.tests << " tests, " << counts.left_out << " groups left out\n";
}

TEST(SchemaSuite, AgreesWithDraft06) {
  if (!std::filesystem::exists(kSuite)) GTEST_SKIP() << "json-schema-test-suite is not installed";
  const Counts counts = run_folder(kSuite / "draft6");
  EXPECT_GT(counts.tests, 370);
  std::cout << counts.tests << " tests, " << counts.left_out << " groups left out\n";
}

TEST(SchemaSuite, AgreesAboutOptionalParts) {
  const auto folder = kSuite / "draft7" / "optional";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the suite is not installed";
  for (const char* file : {"bignum.json", "zeroTerminatedFloats.json"}) {
    EXPECT_GT(run_file(folder / file).tests, 0) << file;
  }
}

TEST(SchemaSuite, AgreesAboutFormats) {
  const auto folder = kSuite / "draft7" / "optional" / "format";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the suite is not installed";
  for (const char* file : {"date-time.json", "date.json", "time.json", "email.json", "uri.json",
                           "ipv4.json", "ipv6.json"}) {
    EXPECT_GT(run_file(folder / file).tests, 0) << file;
  }
}

}  // namespace
}  // namespace anywire::schema
