// The keys of [limits]; see config_schema.h.

#include "server/config_accessors.h"
#include "server/config_schema.h"

namespace anywire::server {
namespace {

using S = LimitsSection;
constexpr auto kAt = &Config::limits;

template <Rate S::*Member>
constexpr RateKind rate() {
  return RateKind{at<kAt, Member>, false};
}
template <Rate S::*Member>
constexpr RateKind byte_rate() {
  return RateKind{at<kAt, Member>, true};
}

std::vector<Key> connect_keys() {
  return {
      {"limits", "connects_per_user", rate<&S::connects_per_user>(),
       "How fast one user may connect; who is too fast is disconnected with 4529."},
      {"limits", "connects_per_address", rate<&S::connects_per_address>(),
       "How fast connections may come from one client address (of IPv6, one /64 network); others "
       "are answered with 429. Counted are those that `connections_per_address_max` counts."},
      {"limits", "connects_per_app", rate<&S::connects_per_app>(),
       "How fast connections may come altogether; others are answered with 429."},
      {"limits", "connections_per_user_max",
       IntKind{at<kAt, &S::connections_per_user_max>, 0, 1'000'000},
       "Connections one user may have at the same time; who comes with one more is disconnected "
       "with 4529. Anonymous clients are not counted. 0 means no limit."},
  };
}

std::vector<Key> message_keys() {
  return {
      {"limits", "messages_per_connection", rate<&S::messages_per_connection>(),
       "How fast one connection may send messages, publications and all other commands together. "
       "What is above it is refused (`rate_limited`), and who goes on ten times as fast is "
       "disconnected (4529). A raw client cannot be told: it may save up and send twice as many at "
       "once, and is disconnected then. `100/s burst 300` means a hundred in a second, and three "
       "hundred at once after a pause; without a burst as many as the rate names. Empty: none."},
      {"limits", "messages_per_user", rate<&S::messages_per_user>(),
       "The same for all connections of one user, and the requests of one key to the HTTP API."},
      {"limits", "messages_per_address", rate<&S::messages_per_address>(),
       "The same for all connections and API requests from one client address (of IPv6, one /64 "
       "network)."},
      {"limits", "messages_per_app", rate<&S::messages_per_app>(),
       "The same for all connections and API requests together."},
      {"limits", "bytes_per_connection", byte_rate<&S::bytes_per_connection>(),
       "How many bytes of messages one connection may send, such as `64KiB/s burst 1MiB`. A "
       "message that is larger than the burst is taken after a pause."},
      {"limits", "bytes_per_user", byte_rate<&S::bytes_per_user>(),
       "The same for all connections of one user, and the requests of one key to the HTTP API."},
      {"limits", "bytes_per_address", byte_rate<&S::bytes_per_address>(),
       "The same for all connections and API requests from one client address."},
      {"limits", "bytes_per_app", byte_rate<&S::bytes_per_app>(),
       "The same for all connections and API requests together."},
  };
}

std::vector<Key> channel_keys() {
  return {
      {"limits", "subscribes_per_connection", rate<&S::subscribes_per_connection>(),
       "How fast one connection may subscribe, to channels and patterns."},
      {"limits", "subscribes_per_user", rate<&S::subscribes_per_user>(),
       "The same for all connections of one user."},
      {"limits", "subscribes_per_address", rate<&S::subscribes_per_address>(),
       "The same for all connections from one client address."},
      {"limits", "subscribes_per_app", rate<&S::subscribes_per_app>(),
       "The same for all connections together."},
      {"limits", "presence_per_connection", rate<&S::presence_per_connection>(),
       "How fast one connection may enter and leave channels and change what it shows there."},
      {"limits", "presence_per_user", rate<&S::presence_per_user>(),
       "The same for all connections of one user."},
      {"limits", "presence_per_address", rate<&S::presence_per_address>(),
       "The same for all connections from one client address."},
      {"limits", "presence_per_app", rate<&S::presence_per_app>(),
       "The same for all connections together."},
      {"limits", "presence_channels_per_connection_max",
       IntKind{at<kAt, &S::presence_channels_per_connection_max>, 0, 100'000},
       "Channels one connection may be present in at a time. 0 means no limit but that of "
       "`native.channels_per_connection_max`."},
  };
}

}  // namespace

std::vector<Key> limits_keys() {
  std::vector<Key> all;
  for (auto build : {connect_keys, message_keys, channel_keys}) {
    for (Key& key : build()) all.push_back(key);
  }
  return all;
}

}  // namespace anywire::server
