// Any frame into the native protocol's reader, in either form. What it takes for a command, a
// client can say again in both forms and is understood the same; what it answers, and the message a
// publication becomes, is well-formed in both.
//
// The first byte chooses the form, the rest is the frame.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocol/native/command_reader.h"
#include "protocol/native/encoder.h"
#include "protocol/native/testing/client_codec.h"

namespace {

using namespace anywire;
using namespace anywire::protocol::native;

void require(bool condition) {
  if (!condition) std::abort();
}

// Numbers may be spelled longer when they come back from MessagePack.
bool may_outgrow_limits(const Command& command, const CodecLimits& limits) {
  const Enter* enter = std::get_if<Enter>(&command);
  return enter != nullptr && enter->info && enter->info->size() * 8 > limits.info_bytes_max;
}

void check_command(const Incoming& incoming) {
  for (const Format format : {Format::kJson, Format::kMsgpack}) {
    CommandWriter writer(format);
    const auto once = writer.write(incoming.id, *incoming.command);
    if (!once) continue;  // 1e400 in a payload: only JSON has a word for it
    require(format == Format::kMsgpack || shown(format, *once) != "broken");
    CommandReader reader;
    require(!reader.open(format, as_bytes(*once)));
    const auto again = reader.next();
    require(again && again->id == incoming.id && again->command &&
            again->command->index() == incoming.command->index());
    CommandWriter second(format);
    const auto twice = second.write(again->id, *again->command);
    require(twice && *twice == *once);
  }
}

void check_message(const Publish& publish) {
  broker::Publication publication;
  publication.channel = publish.channel;
  publication.kind = publish.payload.kind;
  publication.payload = Buffer::copy_of(as_bytes(publish.payload.bytes));
  publication.event = publish.event;
  publication.id = publish.message_id;
  publication.tags = publish.tags;
  for (const Format format : {Format::kJson, Format::kMsgpack}) {
    const std::string message = encode_message(format, publication);
    require(shown(format, message) != "broken");
    require(message.size() <= publish.payload.bytes.size() * 8 + 16 * 1024);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Format format = data[0] % 2 == 0 ? Format::kJson : Format::kMsgpack;
  CommandReader reader;
  if (const auto broken = reader.open(format, Bytes(data + 1, size - 1))) {
    require(!broken->empty() && broken->size() <= 123);
    require(!reader.next());
    return 0;
  }
  std::size_t messages = 0;
  while (const auto incoming = reader.next()) {
    require(++messages <= reader.limits().messages_max);
    require(incoming->id <= kIdMax);
    if (!incoming->command) {
      for (const Format answer : {Format::kJson, Format::kMsgpack}) {
        require(shown(answer, encode_error(answer, incoming->id, incoming->command.error(),
                                           incoming->channel)) != "broken");
      }
      continue;
    }
    if (!may_outgrow_limits(*incoming->command, reader.limits())) check_command(*incoming);
    if (const Publish* publish = std::get_if<Publish>(&*incoming->command)) {
      check_message(*publish);
    }
  }
  return 0;
}
