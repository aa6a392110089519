#include "protocol/raw/codec.h"

#include "codec/json_writer.h"
#include "codec/utf8.h"
#include "protocol/raw/names.h"
#include "websocket/connection.h"

namespace anywire::protocol::raw {
namespace {

ws::Opcode opcode_of(const broker::Publication& publication) {
  return publication.kind == broker::PayloadKind::kBinary ? ws::Opcode::kBinary
                                                          : ws::Opcode::kText;
}

}  // namespace

BufferRef encode(const broker::Publication& publication) {
  return ws::encode_frame(opcode_of(publication), publication.payload->bytes());
}

BufferRef encode_compressed(const broker::Publication& publication, ws::CompressionPool& pool) {
  BufferRef frame = pool.encode_shared(opcode_of(publication), publication.payload->bytes());
  return frame ? frame : encode(publication);
}

std::string encode_violation(const SchemaViolation& violation) {
  std::string out;
  codec::JsonWriter json(out);
  json.begin_object().key("error").begin_object();
  json.key("code").string("schema_violation").key("path").string(violation.path);
  json.key("message").string(violation.message).end_object().end_object();
  return out;
}

Result<std::string_view> channel_of_path(std::string_view path, std::size_t name_bytes_max) {
  const std::string_view name = path.substr(kPathPrefix.size());
  if (name.empty()) return fail(ErrorCode::kInvalidArgument, "the channel name is empty");
  if (name.size() > name_bytes_max) {
    return fail(ErrorCode::kLimit, "the channel name is too long");
  }
  if (!codec::is_valid_utf8(as_bytes(name))) {
    return fail(ErrorCode::kInvalidArgument, "the channel name is not UTF-8");
  }
  return name;
}

}  // namespace anywire::protocol::raw
