// Report: what a run found out, as one line for people or one JSON object for scripts.
//
// Thread: any; a plain value. Lifetime: names and units are static texts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "histogram.h"
#include "process_stats.h"

namespace anywire::bench {

class Report {
 public:
  explicit Report(std::string title) : title_(std::move(title)) {}

  void add(std::string_view name, double value, std::string_view unit, int decimals = 0) {
    fields_.push_back({name, value, unit, decimals});
  }
  void add_latency(const Histogram& latency);
  // CPU per unit and, if known, how it splits and how busy the server was.
  void add_cpu(const CpuSample& before, const CpuSample& after, double units, double seconds,
               std::string_view unit_name);

  std::string to_line() const;
  std::string to_json() const;

 private:
  struct Field {
    std::string_view name;
    double value;
    std::string_view unit;
    int decimals;
  };

  std::string title_;
  std::vector<Field> fields_;
};

}  // namespace anywire::bench
