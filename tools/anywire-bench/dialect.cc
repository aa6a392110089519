#include "dialect.h"

namespace anywire::bench {

std::optional<Dialect> find_dialect(std::string_view name) {
  for (const Dialect& dialect : {kPlainDialect, kSocketIoDialect}) {
    if (dialect.name == name) return dialect;
  }
  return std::nullopt;
}

DialectStep dialect_step(const Dialect& dialect, std::string_view message) {
  if (!dialect.socketio || message.starts_with("42")) return {};
  if (message.starts_with("0")) return {.consumed = true, .answer = "40"};
  if (message.starts_with("40")) return {.consumed = true, .opened = true};
  if (message == "2") return {.consumed = true, .answer = "3"};
  return {};
}

}  // namespace anywire::bench
