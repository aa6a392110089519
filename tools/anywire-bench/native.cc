#include "native.h"

#include <fmt/format.h>

#include <chrono>

#include "auth/jwt.h"
#include "codec/base64url.h"

namespace anywire::bench {
namespace {

constexpr std::string_view kSubprotocol = "anywire.v1.json";
constexpr std::uint64_t kConnectId = 1;
constexpr std::uint64_t kEnterId = 2;
constexpr std::uint64_t kSubscribeId = 3;
// Longer than any run takes.
constexpr std::chrono::hours kTokenLife{24};

std::string_view text_of(const codec::JsonValue& message, std::string_view name) {
  const auto value = message.find(name);
  return value ? value->string().value_or("") : "";
}

std::uint64_t number_of(const codec::JsonValue& message, std::string_view name) {
  const auto value = message.find(name);
  return value ? value->u64().value_or(0) : 0;
}

bool flag_of(const codec::JsonValue& message, std::string_view name) {
  const auto value = message.find(name);
  return value && value->boolean().value_or(false);
}

}  // namespace

Result<std::unique_ptr<Native>> Native::create(const NativeOptions& options) {
  auto key = auth::Key::hs256("", options.secret);
  if (!key) return std::unexpected(key.error());
  return std::unique_ptr<Native>(new Native(options, *std::move(key)));
}

Native::Native(NativeOptions options, auth::Key key)
    : options_(std::move(options)),
      key_(std::move(key)),
      publish_prefix_(fmt::format(R"({{"type":"publish","channel":"{}","data":")",
                                  options_.channel)) {}

Dialect Native::dialect() const {
  return {.name = kNativeDialectName,
          .prefix = publish_prefix_,
          .suffix = R"("})",
          .text = true,
          .subprotocol = kSubprotocol};
}

Result<std::string> Native::hello(std::uint32_t client, const NativeSeat& seat) const {
  std::string connect = fmt::format(R"({{"type":"connect","id":{})", kConnectId);
  if (!options_.anonymous) {
    const auto token = sign(client);
    if (!token) return std::unexpected(token.error());
    connect += fmt::format(R"(,"token":"{}")", *token);
  }
  if (!seat.session.empty()) connect += fmt::format(R"(,"session":"{}")", seat.session);
  connect += '}';
  if (!options_.subscribes) return connect;
  std::string frame = "[" + connect + ",";
  if (options_.presence) {
    frame += fmt::format(R"({{"type":"enter","id":{},"channel":"{}"}},)", kEnterId,
                         options_.channel);
  }
  frame += fmt::format(R"({{"type":"subscribe","id":{},"channel":"{}")", kSubscribeId,
                       options_.channel);
  if (!seat.epoch.empty()) {
    frame += fmt::format(R"(,"since":{{"epoch":"{}","offset":{}}})", seat.epoch, seat.offset);
  }
  return frame + "}]";
}

Result<std::string> Native::sign(std::uint32_t client) const {
  const auto expires = std::chrono::system_clock::now() + kTokenLife;
  return auth::sign_hs256(
      key_, fmt::format(R"({{"sub":"user-{:05}","exp":{},"capability":{{"{}":["*"]}}}})", client,
                        std::chrono::system_clock::to_time_t(expires), options_.channel));
}

Result<bool> Native::take(std::string_view message, NativeSeat& seat) {
  const auto value = reader_.read(as_bytes(message));
  last_.clear();
  if (!value) return std::unexpected(value.error());
  return take_one(*value, seat);
}

Result<bool> Native::take_one(const codec::JsonValue& message, NativeSeat& seat) const {
  const std::string_view type = text_of(message, "type");
  const std::uint64_t id = number_of(message, "id");
  if (type == "connected" && id == kConnectId) {
    if (text_of(message, "user").empty() != options_.anonymous) {
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("this is not who connected: {}", message.raw()));
    }
    seat.session = text_of(message, "session");
    seat.resumed = flag_of(message, "resumed");
    seat.greeted = true;
  } else if (type == "subscribed" && id == kSubscribeId) {
    seat.epoch = text_of(message, "epoch");
    seat.offset = number_of(message, "offset");
    seat.recovered = flag_of(message, "recovered");
    seat.subscribed = true;
  } else if (type == "ok" && id == kEnterId) {
    seat.present = true;
  } else if (type == "error") {
    return fail(ErrorCode::kInvalidArgument, fmt::format("the server refuses: {}", message.raw()));
  } else {
    return false;
  }
  return true;
}

Result<NativePublished> Native::published(std::string_view message) {
  const auto value = reader_.read(as_bytes(message));
  last_.clear();
  if (!value) return std::unexpected(value.error());
  const NativePublished answer{.id = number_of(*value, "id"),
                               .offset = number_of(*value, "offset")};
  // An offset of 0 is that of a publication which the application has taken off.
  if (text_of(*value, "type") != "published" || answer.id == 0 || answer.offset == 0) {
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("nothing was published: {}", message.substr(0, 200)));
  }
  return answer;
}

Result<NativePush> Native::read(std::string_view message) {
  if (message == last_) return last_push_;
  last_ = message;
  const auto value = reader_.read(as_bytes(last_));
  if (!value) {
    last_.clear();
    return std::unexpected(value.error());
  }
  const std::string_view type = text_of(*value, "type");
  last_push_ = {};
  if (type == "message" && text_of(*value, "channel") == options_.channel) {
    last_push_.kind = NativePush::Kind::kMessage;
    last_push_.data = text_of(*value, "data");
  } else if (type == "gap" && text_of(*value, "channel") == options_.channel) {
    last_push_.kind = NativePush::Kind::kGap;
    last_push_.from = number_of(*value, "from");
    last_push_.to = number_of(*value, "to");
  }
  last_push_.offset = number_of(*value, "offset");
  return last_push_;
}

Result<std::optional<NativePush>> Native::advance(std::string_view message, NativeSeat& seat) {
  const auto push = read(message);
  if (!push) return std::unexpected(push.error());
  if (push->kind == NativePush::Kind::kMessage && push->offset == seat.offset + 1) {
    seat.offset = push->offset;
    return *push;
  }
  if (push->kind == NativePush::Kind::kGap && push->from == seat.offset + 1 &&
      push->to >= push->from && push->offset == push->to) {
    seat.missed += push->to - push->from + 1;
    seat.offset = push->to;
    return std::nullopt;
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("behind offset {} came {}", seat.offset, message.substr(0, 200)));
}

std::optional<std::uint32_t> loop_of_session(std::string_view session) {
  constexpr std::size_t kCharacters = 8;  // of six bytes; the first four are the number
  const auto bytes = codec::base64url_decode(session.substr(0, kCharacters));
  if (session.size() < kCharacters || !bytes) return std::nullopt;
  std::uint32_t loop = 0;
  for (std::size_t i = 0; i < 4; ++i) loop = loop << 8 | static_cast<unsigned char>((*bytes)[i]);
  return loop;
}

}  // namespace anywire::bench
