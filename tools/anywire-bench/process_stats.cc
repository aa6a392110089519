#include "process_stats.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace anywire::bench {
namespace {

Result<std::string> read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return fail(ErrorCode::kIo, fmt::format("cannot read {}", path), errno);
  return text.str();
}

// The line "Name:   123 kB" of smaps_rollup, in bytes; 0 if it is missing.
std::uint64_t kilobytes(const std::string& text, std::string_view name) {
  const std::size_t at = text.find(fmt::format("\n{}:", name));
  if (at == std::string::npos) return 0;
  return std::strtoull(text.c_str() + at + name.size() + 2, nullptr, 10) * 1024;
}

}  // namespace

Result<CpuSample> sample_cpu(int pid) {
  CpuSample sample;
  std::error_code error;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    const auto text = read_text(task.path().string() + "/schedstat");
    if (text) sample.ns += std::strtoull(text->c_str(), nullptr, 10);
  }
  if (error) return fail(ErrorCode::kNotFound, fmt::format("there is no process {}", pid));
  const auto stat = read_text(fmt::format("/proc/{}/stat", pid));
  if (!stat) return std::unexpected(stat.error());
  // The command name may hold spaces and parentheses; fields are counted from its end.
  std::istringstream fields(stat->substr(stat->rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  fields >> sample.user_ticks >> sample.kernel_ticks;
  return sample;
}

Result<MemorySample> sample_memory(int pid) {
  const auto text = read_text(fmt::format("/proc/{}/smaps_rollup", pid));
  if (!text) return std::unexpected(text.error());
  return MemorySample{kilobytes(*text, "Anonymous"), kilobytes(*text, "Private_Dirty"),
                      kilobytes(*text, "Pss"), kilobytes(*text, "Rss")};
}

}  // namespace anywire::bench
