#include "report.h"

#include <fmt/format.h>

namespace anywire::bench {

void Report::add_latency(const Histogram& latency) {
  if (latency.total() == 0) return;
  const auto us = [&](double share) { return static_cast<double>(latency.quantile(share)) / 1e3; };
  add("p50_us", us(0.5), "us");
  add("p99_us", us(0.99), "us");
  add("p999_us", us(0.999), "us");
}

void Report::add_cpu(const CpuSample& before, const CpuSample& after, double units,
                     double seconds, std::string_view unit_name) {
  const auto ns = static_cast<double>(after.ns - before.ns);
  add("cpu_us", units > 0 ? ns / 1e3 / units : 0, unit_name, 3);
  add("server_busy", ns / 1e9 / seconds * 100, "%");
  const auto user = static_cast<double>(after.user_ticks - before.user_ticks);
  const auto kernel = static_cast<double>(after.kernel_ticks - before.kernel_ticks);
  if (user + kernel > 0) add("user_share", user / (user + kernel) * 100, "%");
}

std::string Report::to_line() const {
  std::string line = title_ + ":";
  for (const Field& field : fields_) {
    line += fmt::format("  {} {:.{}f} {}", field.name, field.value, field.decimals, field.unit);
  }
  return line;
}

std::string Report::to_json() const {
  std::string title;
  for (const char c : title_) {
    if (c == '"' || c == '\\') title += '\\';
    title += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  std::string json = fmt::format(R"({{"title":"{}")", title);
  for (const Field& field : fields_) {
    json += fmt::format(R"(,"{}":{:.4f})", field.name, field.value);
  }
  return json + "}";
}

}  // namespace anywire::bench
