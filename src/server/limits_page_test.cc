// docs/limits.md against the code: no limit without a line, no line without a test that exists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "server/config_channels.h"
#include "server/config_schema.h"

namespace anywire::server {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = ANYWIRE_SOURCE_DIR;

std::string contents(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool is_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// What a line defines: the word before its first '=' or '{', if only words come before that.
std::string defined_in(const std::string& line) {
  std::size_t end = std::min(line.find_first_of("={(;/"), line.size());
  if (end == line.size() || (line[end] != '=' && line[end] != '{')) return {};
  while (end > 0 && line[end - 1] == ' ') --end;
  std::size_t begin = end;
  while (begin > 0 && is_letter(line[begin - 1])) --begin;
  return line.substr(begin, end - begin);
}

bool is_limit_constant(const std::string& line, const std::string& name) {
  return line.find("constexpr ") != line.npos && name.size() > 1 && name[0] == 'k' &&
         std::isupper(static_cast<unsigned char>(name[1])) != 0 &&
         name != "kMax" && (name.ends_with("Max") || name.ends_with("Timeout") ||
                            name.find("Budget") != name.npos);
}

// A member of a struct of options, with its default. One that is 0 is for the caller to fill in.
bool is_limit_member(const std::string& line, const std::string& name) {
  return line.starts_with("  ") && name.ends_with("_max") &&
         line.find_first_not_of(' ') < line.find(name) && line.find(name + " = 0;") == line.npos;
}

// Without the backquotes around it; empty when they are not there.
std::string unquoted(const std::string& text) {
  const bool is_quoted =
      text.size() > 2 && text.front() == '`' && text.find('`', 1) == text.size() - 1;
  return is_quoted ? text.substr(1, text.size() - 2) : std::string();
}

bool has_word(const std::string& text, const std::string& word) {
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; ++at) {
    const std::size_t end = at + word.size();
    if (at > 0 && is_letter(text[at - 1])) continue;
    if (end == text.size() || !is_letter(text[end])) return true;
  }
  return false;
}

struct Row {
  std::string name;  // the first cell, without backquotes
  std::vector<std::string> cells;
};

std::vector<std::string> split(const std::string& line, const std::string& by) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t at; (at = line.find(by, from)) != line.npos; from = at + by.size()) {
    parts.push_back(line.substr(from, at - from));
  }
  parts.push_back(line.substr(from));
  return parts;
}

// The tables' rows, headings left out.
std::vector<Row> rows() {
  std::vector<Row> all;
  std::istringstream lines(contents(kRoot / "docs/limits.md"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ") || !line.ends_with(" |") || line.starts_with("| ---")) continue;
    std::vector<std::string> cells = split(line.substr(2, line.size() - 4), " | ");
    if (cells[0] == "key" || cells[0] == "constant" || cells[0] == "name") continue;
    const std::string name = unquoted(cells[0]);
    all.push_back({name.empty() ? cells[0] : name, std::move(cells)});
  }
  return all;
}

std::map<std::string, Row> rows_by_name() {
  std::map<std::string, Row> by_name;
  for (const Row& row : rows()) {
    EXPECT_TRUE(by_name.emplace(row.name, row).second) << row.name << " is there twice";
  }
  return by_name;
}

bool is_number(const Key& key) {
  return std::holds_alternative<IntKind>(key.kind) || std::holds_alternative<SizeKind>(key.kind) ||
         std::holds_alternative<DurationKind>(key.kind);
}

// The sources, without tests and what serves only them.
std::vector<fs::path> sources() {
  std::vector<fs::path> all;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "src")) {
    const std::string path = entry.path().string();
    const bool is_code = path.ends_with(".cc") || path.ends_with(".h");
    const bool is_test = path.ends_with("_test.cc") || path.ends_with("_for_test.h") ||
                         path.find("/testing") != path.npos;
    if (is_code && !is_test) all.push_back(entry.path());
  }
  return all;
}

TEST(LimitsPage, HasEveryNumberOfTheConfigurationWithItsDefault) {
  const std::map<std::string, Row> all = rows_by_name();
  std::vector<Key> every(keys().begin(), keys().end());
  every.insert(every.end(), rule_keys().begin(), rule_keys().end());
  for (const Key& key : every) {
    if (!is_number(key)) continue;
    const auto row = all.find(key.path());
    ASSERT_NE(row, all.end()) << key.path() << " is not in docs/limits.md";
    if (row->second.cells.size() < 4) continue;  // no limit, says the page
    const std::string value = format_value(key, Config{});
    EXPECT_THAT(row->second.cells[1], ::testing::StartsWith('`' + value + '`')) << key.path();
  }
}

TEST(LimitsPage, HasEveryConstantThatIsCalledAMaximumOrATimeout) {
  const std::map<std::string, Row> all = rows_by_name();
  std::size_t constants = 0;
  for (const fs::path& source : sources()) {
    std::istringstream lines(contents(source));
    for (std::string line; std::getline(lines, line);) {
      const std::string name = defined_in(line);
      if (is_limit_constant(line, name)) {
        ++constants;
        EXPECT_TRUE(all.contains(name)) << name << " of " << source << " is not in docs/limits.md";
      } else if (source.extension() == ".h" && is_limit_member(line, name)) {
        // Those that a key of the configuration sets have its row.
        const bool known = std::any_of(all.begin(), all.end(), [&](const auto& row) {
          return row.first == name || row.first.ends_with("." + name);
        });
        EXPECT_TRUE(known) << name << " of " << source << " is not in docs/limits.md";
      }
    }
  }
  EXPECT_GT(constants, 30u) << "the constants were not found";
}

TEST(LimitsPage, NamesNothingThatIsGone) {
  std::string code;
  for (const fs::path& source : sources()) code += contents(source);
  for (const Row& row : rows()) {
    if (row.cells[0].front() != '`' || row.cells[0].find(" = ") != std::string::npos) continue;
    const std::size_t dot = row.name.find('.');
    if (dot == std::string::npos) {
      EXPECT_TRUE(has_word(code, row.name)) << row.name;
    } else {
      const std::string table = row.name.substr(0, dot), name = row.name.substr(dot + 1);
      const ListTable* list = find_list(table);
      const Key* key = list != nullptr ? find_list_key(*list, name) : find_key(table, name);
      EXPECT_NE(key, nullptr) << row.name;
    }
  }
}

bool has_test(const fs::path& file, const std::string& name) {
  constexpr const char* kMacros[] = {"TEST", "TEST_F", "TEST_P"};
  const std::string text = contents(file);
  if (file.extension() == ".mjs") return text.find(name) != text.npos;
  const std::size_t dot = name.find('.');
  const std::string arguments = '(' + name.substr(0, dot) + ", " + name.substr(dot + 1) + ") {";
  return std::any_of(std::begin(kMacros), std::end(kMacros), [&](const char* macro) {
    return text.find(macro + arguments) != text.npos;
  });
}

TEST(LimitsPage, NamesATestThatExistsForEachLimit) {
  std::size_t limits = 0;
  for (const Row& row : rows()) {
    if (row.cells.size() == 2) continue;  // the table of those that are none
    ASSERT_EQ(row.cells.size(), 4u) << row.name;
    ++limits;
    for (const std::string& reference : split(row.cells[3], "; ")) {
      const std::vector<std::string> parts = split(reference, ": `");
      ASSERT_EQ(parts.size(), 2u) << row.name << ": " << reference;
      const std::string file = unquoted(parts[0]);
      const std::string test = unquoted('`' + parts[1]);
      ASSERT_FALSE(file.empty() || test.empty()) << row.name << ": " << reference;
      const fs::path path = kRoot / (file.ends_with(".cc") ? "src" : "tests") / file;
      EXPECT_TRUE(fs::exists(path)) << row.name << ": " << path;
      EXPECT_TRUE(has_test(path, test)) << row.name << ": " << reference;
    }
  }
  EXPECT_GT(limits, 40u) << "the tables were not found";
}

}  // namespace
}  // namespace anywire::server
