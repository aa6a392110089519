// What of a request goes on to the application's server, and what of its answer comes back.
//
// A request is written anew from what RequestParser understood, never copied: method, target, Host
// and the remaining fields in their order, one framing. So the server behind us sees exactly the
// request that was judged here, and nothing a client hides in odd bytes gets any further.
//
// - Fields that are for one hop are dropped, and so are those that Connection names (RFC 9110
//   section 7.6.1).
// - Who the client is, is said in X-Forwarded-For, -Proto, -Host and Forwarded (RFC 7239). What a
//   trusted proxy says there is kept and extended; from anybody else all of X-Forwarded-*,
//   Forwarded and X-Real-IP is dropped first, for it is only what a client claims.
// - What some servers would take for one of all these, since they read `_` as `-`, is dropped.
//
// Thread: pure functions. Lifetime: nothing is kept; the headers that forwardable_headers returns
// are views of its argument. Limits: what the parsers have let pass.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/request.h"
#include "http/response_parser.h"
#include "net/address.h"
#include "net/cidr.h"

namespace anywire::front {

struct ClientSide {
  const net::Address& peer;
  bool encrypted = false;
  const net::CidrList& trusted;
};

// Appends the head, the empty line included. `authority` stands in for the Host that a client of
// HTTP/1.0 need not send.
void write_request_head(std::string& out, const http::RequestHead& head, const ClientSide& client,
                        std::string_view authority);

// The fields of an answer for the client: without those for one hop and those that frame the body.
// Upgrade stays where it means something, with 101 and 426.
std::vector<http::Header> forwardable_headers(const http::ReceivedHead& head);

}  // namespace anywire::front
