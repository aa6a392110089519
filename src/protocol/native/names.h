// Names and numbers of the native protocol, anywire.v1: every type, member, error and close code
// that crosses the wire. docs/protocol.md says what they mean.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace anywire::protocol::native {

inline constexpr std::string_view kPath = "/anywire";
// Behind it, where there is no WebSocket (section 9).
inline constexpr std::string_view kEventStreamPath = "/sse";
inline constexpr std::string_view kPollPath = "/poll";
inline constexpr std::string_view kSendPath = "/send";
inline constexpr std::string_view kJsonSubprotocol = "anywire.v1.json";
inline constexpr std::string_view kMsgpackSubprotocol = "anywire.v1.msgpack";
inline constexpr std::array<std::string_view, 2> kSubprotocols = {kJsonSubprotocol,
                                                                  kMsgpackSubprotocol};

// Places in hub::Delivery; in the order of Format, plain before compressed.
inline constexpr std::size_t kFirstVariant = 2;

namespace type {
// Commands; `history`, `members` and `occupancy` answer themselves, and the last is a push, too.
inline constexpr std::string_view kConnect = "connect";
inline constexpr std::string_view kAuth = "auth";
inline constexpr std::string_view kSubscribe = "subscribe";
inline constexpr std::string_view kUnsubscribe = "unsubscribe";
inline constexpr std::string_view kPublish = "publish";
inline constexpr std::string_view kHistory = "history";
inline constexpr std::string_view kEnter = "enter";
inline constexpr std::string_view kLeave = "leave";
inline constexpr std::string_view kMembers = "members";
inline constexpr std::string_view kOccupancy = "occupancy";
inline constexpr std::string_view kPing = "ping";
inline constexpr std::string_view kRpc = "rpc";
inline constexpr std::string_view kAnswer = "answer";
// Replies.
inline constexpr std::string_view kConnected = "connected";
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kOk = "ok";
inline constexpr std::string_view kSubscribed = "subscribed";
inline constexpr std::string_view kPublished = "published";
inline constexpr std::string_view kPong = "pong";
inline constexpr std::string_view kResult = "result";
// Pushes; `subscribed` is one, too, when it has no id.
inline constexpr std::string_view kMessage = "message";
inline constexpr std::string_view kAdvance = "advance";
inline constexpr std::string_view kGap = "gap";
inline constexpr std::string_view kUnsubscribed = "unsubscribed";
inline constexpr std::string_view kLeft = "left";
inline constexpr std::string_view kPresence = "presence";
inline constexpr std::string_view kExpiring = "expiring";
inline constexpr std::string_view kCall = "call";
}  // namespace type

namespace member {
inline constexpr std::string_view kAfter = "after";
inline constexpr std::string_view kAgent = "agent";
inline constexpr std::string_view kAll = "all";
inline constexpr std::string_view kBefore = "before";
inline constexpr std::string_view kBinary = "binary";
inline constexpr std::string_view kCall = "call";
inline constexpr std::string_view kChannel = "channel";
inline constexpr std::string_view kClient = "client";
inline constexpr std::string_view kCode = "code";
inline constexpr std::string_view kConflationKey = "conflationKey";
inline constexpr std::string_view kCount = "count";
inline constexpr std::string_view kData = "data";
inline constexpr std::string_view kDelta = "delta";
inline constexpr std::string_view kDuplicate = "duplicate";
inline constexpr std::string_view kEpoch = "epoch";
inline constexpr std::string_view kError = "error";
inline constexpr std::string_view kEvent = "event";
inline constexpr std::string_view kExpires = "expires";
inline constexpr std::string_view kFilter = "filter";
inline constexpr std::string_view kFrom = "from";
inline constexpr std::string_view kGap = "gap";
inline constexpr std::string_view kId = "id";
inline constexpr std::string_view kIdempotencyKey = "idempotencyKey";
inline constexpr std::string_view kInfo = "info";
inline constexpr std::string_view kJoin = "join";
inline constexpr std::string_view kJson = "json";
inline constexpr std::string_view kLeave = "leave";
inline constexpr std::string_view kLimit = "limit";
inline constexpr std::string_view kMembers = "members";
inline constexpr std::string_view kMessage = "message";
inline constexpr std::string_view kMessageBytesMax = "messageBytesMax";
inline constexpr std::string_view kMessageId = "messageId";
inline constexpr std::string_view kMessages = "messages";
inline constexpr std::string_view kMethod = "method";
inline constexpr std::string_view kMissed = "missed";
inline constexpr std::string_view kMore = "more";
inline constexpr std::string_view kOccupancy = "occupancy";
inline constexpr std::string_view kOf = "of";
inline constexpr std::string_view kOffset = "offset";
inline constexpr std::string_view kOldest = "oldest";
inline constexpr std::string_view kOrder = "order";
inline constexpr std::string_view kOwn = "own";
inline constexpr std::string_view kPartial = "partial";
inline constexpr std::string_view kPath = "path";
inline constexpr std::string_view kPattern = "pattern";
inline constexpr std::string_view kPing = "ping";
inline constexpr std::string_view kPresence = "presence";
inline constexpr std::string_view kReason = "reason";
inline constexpr std::string_view kRecoverable = "recoverable";
inline constexpr std::string_view kRecovered = "recovered";
inline constexpr std::string_view kResumed = "resumed";
inline constexpr std::string_view kRetry = "retry";
inline constexpr std::string_view kRetryAfter = "retryAfter";
inline constexpr std::string_view kRewind = "rewind";
inline constexpr std::string_view kServer = "server";
inline constexpr std::string_view kSession = "session";
inline constexpr std::string_view kSessionWindow = "sessionWindow";
inline constexpr std::string_view kSince = "since";
inline constexpr std::string_view kSubscribers = "subscribers";
inline constexpr std::string_view kTags = "tags";
inline constexpr std::string_view kText = "text";
inline constexpr std::string_view kTime = "time";
inline constexpr std::string_view kTo = "to";
inline constexpr std::string_view kToken = "token";
inline constexpr std::string_view kTop = "top";
inline constexpr std::string_view kType = "type";
inline constexpr std::string_view kUpdate = "update";
inline constexpr std::string_view kUser = "user";
inline constexpr std::string_view kUsers = "users";
inline constexpr std::string_view kVersion = "version";
}  // namespace member

// Values of `order` in `history`.
inline constexpr std::string_view kForward = "forward";
inline constexpr std::string_view kBackward = "backward";

// Close codes (section 6), carried as static_cast<ws::CloseCode>. The hundreds tell a client that
// does not know one what to do.
enum class Close : std::uint16_t {
  kProtocolBroken = 4400,
  kNotWanted = 4403,
  kTakenOver = 4409,
  kTokenNeeded = 4450,
  kTokenRefused = 4451,
  kTokenExpired = 4452,
  kRevoked = 4453,
  kNoConnect = 4500,
  kDisconnected = 4501,
  kAppUnavailable = 4503,
  kTooManyMessages = 4529,
};

}  // namespace anywire::protocol::native
