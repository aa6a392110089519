// The simulation's program: first the seeds that are remembered, then a range of them.
//
//   sim --file seeds.txt --from 1 --count 10000
//   sim --from 500000 --minutes 30          as many as there is time for
//   sim --seed 4711                         one, told step by step
//
// A failure prints the seed, the smallest run that was found to fail the same way, and ends with 1.
#include <fmt/core.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "sim/runner.h"

// Present under sanitizers only.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace anywire::sim {
namespace {

constexpr std::size_t kShrinkRunsMax = 600;
constexpr std::size_t kLinesMax = 400;

// For those who end the process in the midst of a run.
volatile std::uint64_t seed_now = 0;

void print_seed() {
  const std::uint64_t seed = seed_now;
  fmt::print(stderr, "\nsim: seed {} ended the process; again, told step by step: sim --seed {}\n",
             seed, seed);
}

void on_abort(int) {
  print_seed();
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

struct Options {
  std::uint64_t from = 1;
  std::uint64_t count = 0;
  std::uint64_t stride = 1;
  std::optional<double> minutes;
  std::optional<std::uint64_t> seed;
  std::string file;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--from") options.from = std::stoull(value);
    else if (name == "--count") options.count = std::stoull(value);
    else if (name == "--stride") options.stride = std::stoull(value);
    else if (name == "--minutes") options.minutes = std::stod(value);
    else if (name == "--seed") options.seed = std::stoull(value);
    else if (name == "--file") options.file = value;
    else return std::nullopt;
  }
  const bool something = options.seed || options.count > 0 || options.minutes;
  if (argc % 2 == 0 || !something) return std::nullopt;
  return options;
}

// Each line of the file begins with a seed; what follows says what it had found.
std::vector<std::uint64_t> remembered(const std::string& path) {
  std::vector<std::uint64_t> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::uint64_t seed = 0;
    if (words >> seed) seeds.push_back(seed);
  }
  return seeds;
}

void report(const Scenario& scenario, const Violation& violation) {
  const Scenario small = shrink(scenario, Fault::kNone, violation.check, kShrinkRunsMax);
  const Outcome outcome = run(small, Fault::kNone, Tracing::kKeep);
  fmt::print("sim: seed {} fails the check \"{}\": {}\n", scenario.seed, name(violation.check),
             violation.text);
  fmt::print("With {} of its {} steps:\n", small.steps.size(), scenario.steps.size());
  const std::vector<std::string>& lines = outcome.lines;
  const std::size_t skipped = lines.size() > kLinesMax ? lines.size() - kLinesMax : 0;
  if (skipped > 0) fmt::print("  ... {} lines before\n", skipped);
  for (std::size_t i = skipped; i < lines.size(); ++i) fmt::print("  {}\n", lines[i]);
  fmt::print("sim: again, with all of its steps: sim --seed {}\n", scenario.seed);
}

bool holds(std::uint64_t seed) {
  seed_now = seed;
  const Scenario scenario = scenario_of(seed);
  const Outcome outcome = run(scenario);
  if (outcome.violation) report(scenario, *outcome.violation);
  return !outcome.violation;
}

int run_one(std::uint64_t seed) {
  seed_now = seed;
  const Outcome outcome = run(scenario_of(seed), Fault::kNone, Tracing::kPrint);
  fmt::print("sim: seed {} {}\n", seed,
             outcome.violation ? "fails: " + outcome.violation->text : "holds");
  return outcome.violation ? 1 : 0;
}

int run_many(const Options& options) {
  using Time = std::chrono::steady_clock;
  const Time::time_point begin = Time::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(Time::now() - begin).count();
  };
  const std::vector<std::uint64_t> known = remembered(options.file);
  for (const std::uint64_t seed : known) {
    if (!holds(seed)) return 1;
  }
  std::uint64_t runs = 0;
  std::uint64_t seed = options.from;
  while (options.minutes ? seconds() < *options.minutes * 60 : runs < options.count) {
    if (!holds(seed)) return 1;
    seed += options.stride;
    ++runs;
  }
  fmt::print("sim: {} remembered seeds and {} from {} on hold; {:.0f} runs/s\n", known.size(), runs,
             options.from, static_cast<double>(runs + known.size()) / seconds());
  return 0;
}

}  // namespace
}  // namespace anywire::sim

int main(int argc, char** argv) {
  using namespace anywire;
  const auto options = sim::parse(argc, argv);
  if (!options) {
    fmt::print(stderr, "sim --seed N | [--file SEEDS] [--from N] [--stride N] "
                       "(--count N | --minutes M)\n");
    return 2;
  }
  log::configure({.level = log::Level::kError});
  std::signal(SIGABRT, sim::on_abort);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(sim::print_seed);
  return options->seed ? sim::run_one(*options->seed) : sim::run_many(*options);
}
