#include "server/limit_options.h"

namespace anywire::server {

protocol::LimitOptions limit_options(const LimitsSection& section) {
  using protocol::Limited;
  using protocol::LimitedParty;
  protocol::LimitOptions options;
  const auto set = [&](Limited what, const Rate& connection, const Rate& user, const Rate& address,
                       const Rate& app) {
    options.rate(what, LimitedParty::kConnection) = connection;
    options.rate(what, LimitedParty::kUser) = user;
    options.rate(what, LimitedParty::kAddress) = address;
    options.rate(what, LimitedParty::kApp) = app;
  };
  const LimitsSection& s = section;
  set(Limited::kConnects, {}, s.connects_per_user, s.connects_per_address, s.connects_per_app);
  set(Limited::kMessages, s.messages_per_connection, s.messages_per_user, s.messages_per_address,
      s.messages_per_app);
  set(Limited::kBytes, s.bytes_per_connection, s.bytes_per_user, s.bytes_per_address,
      s.bytes_per_app);
  set(Limited::kSubscribes, s.subscribes_per_connection, s.subscribes_per_user,
      s.subscribes_per_address, s.subscribes_per_app);
  set(Limited::kPresence, s.presence_per_connection, s.presence_per_user, s.presence_per_address,
      s.presence_per_app);
  options.connections_per_user_max = static_cast<std::uint32_t>(s.connections_per_user_max);
  return options;
}

}  // namespace anywire::server
