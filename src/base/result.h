// Result<T>: a value or an Error, for everything below server/ that can fail through no fault of
// ours. A peer's fault is an Error and a counter; a bug of ours is AW_ASSERT (base/assert.h).
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace anywire {

enum class ErrorCode {
  kInvalidArgument,  // the caller's or the peer's input breaks a rule
  kLimit,            // a configured or system limit was reached
  kNotFound,         // a named file, key or channel does not exist
  kIo,               // a system call failed; `system_errno` says why
  kTls,              // OpenSSL refused
};

// `message` is one sentence for a person, without the caller's context in front and without a
// full stop at the end. `system_errno` is 0 unless a system call failed.
struct Error {
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string message;
  int system_errno = 0;
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message, int system_errno = 0) {
  return std::unexpected(Error{code, std::move(message), system_errno});
}

}  // namespace anywire
