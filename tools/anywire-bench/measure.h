// Measure: the frame around the measured part of a run: wall clock, the server's CPU time and our
// own, so that a run limited by the generator is seen to be one.
//
// Thread: any.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdint>

#include "engine.h"
#include "report.h"

namespace anywire::bench {

class Measure {
 public:
  Measure(Engine& engine, int pid) : engine_(engine), pid_(pid) { take(before_); }

  // Adds rate, CPU per unit and the load of both sides.
  void finish(Report& report, double units, std::string_view per_unit,
              std::string_view rate_unit) {
    take(after_);
    const double seconds = static_cast<double>(after_.ns - before_.ns) / 1e9;
    if (pid_ != 0) report.add_cpu(before_.cpu, after_.cpu, units, seconds, per_unit);
    report.add("rate", units / seconds, rate_unit);
    report.add("generator_busy", (after_.own_seconds - before_.own_seconds) / seconds * 100, "%");
  }

 private:
  struct Point {
    std::uint64_t ns = 0;
    double own_seconds = 0;
    CpuSample cpu;
  };

  void take(Point& point) {
    point.ns = now_ns();
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    point.own_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    if (pid_ == 0) return;
    if (auto cpu = sample_cpu(pid_)) {
      point.cpu = *cpu;
    } else {
      engine_.fail(cpu.error().message);
    }
  }

  Engine& engine_;
  int pid_;
  Point before_;
  Point after_;
};

}  // namespace anywire::bench
