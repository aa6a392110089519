// The raw protocol's wire form: a message is its WebSocket frame, nothing more.
//
// Pure functions. Thread: any, but the pool's loop for the compressed form.
#pragma once

#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/result.h"
#include "broker/publication.h"
#include "protocol/validation.h"
#include "websocket/compression_pool.h"

namespace anywire::protocol::raw {

BufferRef encode(const broker::Publication& publication);
BufferRef encode_compressed(const broker::Publication& publication, ws::CompressionPool& pool);

// What a client is told whose message a schema refuses. Others never see it.
std::string encode_violation(const SchemaViolation& violation);

// The channel a path stands for, or why it is none: `path` is decoded and begins with kPathPrefix.
Result<std::string_view> channel_of_path(std::string_view path, std::size_t name_bytes_max);

}  // namespace anywire::protocol::raw
