// The keys of [app]; see config_schema.h.

#include <array>

#include "auth/key.h"
#include "server/app_options.h"
#include "server/config_accessors.h"
#include "server/config_schema.h"

namespace anywire::server {
namespace {

constexpr std::array<std::string_view, 2> kVerdicts{"deny", "allow"};

}  // namespace

std::vector<Key> app_keys() {
  using namespace std::chrono_literals;
  using S = AppSection;
  constexpr auto kAt = &Config::app;
  return {
      {"app", "url",
       TextKind{at<kAt, &S::url>, is_hook_url,
                "a URL such as \"https://app.example/api/anywire\", without a password"},
       "Your application's route for hooks: Anywire asks it with signed POST requests. See "
       "docs/hooks.md. Empty means that nobody is asked."},
      {"app", "secret", SecretKind{at<kAt, &S::secret>, auth::kSecretBytesMin},
       "The secret that these requests are signed with, known to your application and to Anywire "
       "only. Better given as a variable or in a file of its own."},
      {"app", "secret_file", TextKind{at<kAt, &S::secret_file>},
       "Path of a file with the secret; a line break at its end does not count."},
      {"app", "ca_file", TextKind{at<kAt, &S::ca_file>},
       "Path of a PEM file with the certificates to trust in the place of the system's, for an "
       "application whose certificate is your own."},
      {"app", "hooks",
       ListKind{at<kAt, &S::hooks>, is_hook_name, "hooks, \"connect\", \"rpc\" or \"events\"", 0},
       "What the application is asked and told about: `connect`, every connection; `rpc`, calls of "
       "clients; `events`, channels that become occupied or vacated, members that join or leave, "
       "clients that disconnect. Subscriptions and messages are for channel rules to say: "
       "`subscribe_hook` and `publish_hook`."},
      {"app", "timeout", DurationKind{at<kAt, &S::timeout>, 10ms, 1min},
       "How long the application may take, waiting for its turn included."},
      {"app", "unavailable", one_of<kAt, &S::unavailable>(kVerdicts),
       "The verdict while the application does not answer, or has failed so often that it is not "
       "asked: `deny` refuses, `allow` lets things happen as if there were no hook."},
      {"app", "requests_max", IntKind{at<kAt, &S::requests_max>, 1, 10'000},
       "Requests to the application at a time, per loop."},
      {"app", "queue_max", IntKind{at<kAt, &S::queue_max>, 0, 1'000'000},
       "Questions that may wait behind these, per loop; for further ones the verdict holds."},
      {"app", "queue_bytes_max", SizeKind{at<kAt, &S::queue_bytes_max>, 64 * kKiB, 64 * kGiB},
       "Memory that questions may take, per loop, under way or waiting, and messages that wait "
       "behind them; for further ones the verdict holds."},
  };
}

}  // namespace anywire::server
