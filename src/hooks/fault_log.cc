#include "hooks/fault_log.h"

#include <utility>

#include "base/log.h"

namespace anywire::hooks {
namespace {

using protocol::AppFault;

std::string_view name(AppFault::What what) {
  switch (what) {
    case AppFault::What::kRewrite: return "what it made of a message";
    case AppFault::What::kPublication: return "a publication among its actions";
    case AppFault::What::kResult: return "the result of a call";
  }
  return {};
}

}  // namespace

FaultLog::Verdict FaultLog::admit(std::string kind, TimePoint now) {
  const std::lock_guard lock(mutex_);
  auto found = kinds_.find(kind);
  if (found == kinds_.end() && kinds_.size() >= kKindsMax) {
    kind.clear();
    found = kinds_.find(kind);
  }
  if (found == kinds_.end()) {
    kinds_.emplace(std::move(kind), Kind{.told_at = now});
    return {.tell = true};
  }
  Kind& known = found->second;
  if (now - known.told_at < kInterval) {
    ++known.suppressed;
    return {};
  }
  known.told_at = now;
  return {.tell = true, .suppressed = std::exchange(known.suppressed, 0)};
}

void FaultLog::tell(const AppFault& fault, std::string_view app, TimePoint now) {
  const bool is_result = fault.what == AppFault::What::kResult;
  std::string kind(name(fault.what));
  kind.append("\n").append(fault.rule).append("\n");
  if (is_result) kind.append(fault.name);
  const Verdict verdict = admit(std::move(kind), now);
  if (!verdict.tell) return;
  log::warn("the application's answer breaks a rule, and was not used",
            {{"app", app},
             {"what", name(fault.what)},
             {is_result ? "method" : "channel", fault.name},
             {"rule", fault.rule},
             {"suppressed", verdict.suppressed}});
}

}  // namespace anywire::hooks
