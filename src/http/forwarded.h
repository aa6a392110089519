// Who the client is when proxies stand in between: X-Forwarded-For and X-Forwarded-Proto, believed
// only as far as trust reaches.
//
// Each proxy appends to the right the peer it saw. So the list is read from the right, beginning
// with the peer of our own socket: as long as an address is one of the trusted proxies, its word
// about the address to the left of it is taken; the first that is not trusted is the client, and
// everything further left is what that client claims, which is worth nothing.
//
// Thread: a pure function. Lifetime: nothing is kept. Limits: one pass over headers that the
// request parser already bounded; garbage in them ends the walk and nothing else.
#pragma once

#include "http/request.h"
#include "net/address.h"
#include "net/cidr.h"

namespace anywire::http {

struct Client {
  net::Address address;    // mapped IPv4 already unmapped; port 0 when a proxy did not name one
  bool is_secure = false;  // the client itself speaks TLS (https, wss)
};

// `peer` is the other end of the socket (or what the PROXY protocol made of it) and
// `peer_is_secure` says whether it speaks TLS with us. Both are the answer when `peer` is not
// trusted.
Client find_client(const RequestHead& head, const net::Address& peer, bool peer_is_secure,
                   const net::CidrList& trusted);

}  // namespace anywire::http
