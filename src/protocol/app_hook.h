// AppHook: the customer's application, as adapters see it. Where there is none the pointer is null.
//
// Thread: one instance per loop. Lifetime: outlives the sessions. `done` is called on that loop,
// later or inside the call, and may come when the session that asked has long gone: what it
// captures must bear that.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace anywire::protocol {

struct RpcCall {
  std::string_view method;
  std::string_view data;  // JSON; empty if there was none
  std::string_view client_id;
  std::string_view user_id;
};

enum class RpcError { kNoHandler, kUnavailable };

// The result is JSON.
using RpcDone = std::move_only_function<void(std::expected<std::string, RpcError>)>;

class AppHook {
 public:
  virtual ~AppHook() = default;
  // `call` is read during the call only.
  virtual void rpc(const RpcCall& call, RpcDone done) = 0;
};

}  // namespace anywire::protocol
