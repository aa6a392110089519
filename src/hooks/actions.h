// Actions: does what the customer's application has asked for in an answer: publishes, and reaches
// clients on whatever loop they are. It is the application's own doing, so no permission is looked
// at and no hook is asked; but what breaks a rule of its channel is not published, and the
// application is blamed for it. The other actions are done all the same.
//
// Thread: the loop's. Lifetime: all that it is given outlives it; what it does on other loops needs
// it no more. Limits: those of the reply that named the actions.
#pragma once

#include <cstdint>
#include <string_view>

#include "hub/hub.h"
#include "protocol/app_hook.h"
#include "protocol/clients.h"
#include "protocol/validation.h"

namespace anywire::hooks {

class Actions {
 public:
  struct Services {
    std::uint32_t loop;
    hub::Hub& hub;
    protocol::ClientGroup& clients;
    const protocol::Validation* validation;  // null: nothing is checked
  };

  Actions(protocol::AppHook& app, const Services& services) : app_(app), services_(services) {}

  // In their order, as far as that can be: each reaches another client in its own time. `client` is
  // whom those without a target are about; without one they come to nothing.
  void run(protocol::AppActions actions, std::string_view client);

 private:
  void run(protocol::AppAction& action, std::string_view client);
  void publish(protocol::AppAction& action);

  protocol::AppHook& app_;
  const Services services_;
};

}  // namespace anywire::hooks
