#include "http/chunk_decoder.h"

#include <algorithm>

#include "http/chars.h"
#include "http/request.h"

namespace anywire::http {
namespace {

constexpr HttpError kBadSize{400, "a chunk size is not a hexadecimal number"};
constexpr HttpError kBadSizeEnd{400, "a chunk size is not followed by CRLF"};
constexpr HttpError kBadDataEnd{400, "chunk data is not followed by CRLF"};
constexpr HttpError kBadExtension{400, "a chunk extension is malformed"};
constexpr HttpError kBadTrailer{400, "a trailer field is malformed"};
constexpr HttpError kTooMuchMetadata{431, "chunk extensions and trailers are too long"};
constexpr HttpError kTooLong{413, "the request body is too large"};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

void ChunkDecoder::reset(std::uint64_t body_bytes_max) {
  *this = ChunkDecoder{};
  body_left_ = body_bytes_max;
}

ChunkDecoder::Output ChunkDecoder::feed(Bytes input) {
  Output out;
  while (out.consumed < input.size()) {
    if (state_ == State::kData) {
      const Bytes rest = input.subspan(out.consumed);
      out.data = rest.first(static_cast<std::size_t>(
          std::min<std::uint64_t>(chunk_left_, rest.size())));
      out.consumed += out.data.size();
      chunk_left_ -= out.data.size();
      if (chunk_left_ == 0) state_ = State::kDataCr;
      out.status = Status::kData;
      return out;
    }
    const char c = static_cast<char>(input[out.consumed++]);
    const bool at_end = state_ == State::kLastLf;
    out.error = step(c);
    if (out.error.status != 0) {
      out.status = Status::kError;
      return out;
    }
    if (at_end) {
      out.status = Status::kDone;
      return out;
    }
  }
  return out;
}

HttpError ChunkDecoder::step(char c) {
  switch (state_) {
    case State::kSizeFirst:
    case State::kSize:
      return size_digit(c);
    case State::kNameFirst:
    case State::kName:
    case State::kValueFirst:
    case State::kValue:
    case State::kQuoted:
    case State::kQuotedEnd:
      return extension(c);
    case State::kSizeLf:
      if (c != '\n') return kBadSizeEnd;
      body_left_ -= chunk_left_;
      state_ = chunk_left_ > 0 ? State::kData : State::kTrailerFirst;
      return {};
    case State::kDataCr:
      if (c != '\r') return kBadDataEnd;
      state_ = State::kDataLf;
      return {};
    case State::kDataLf:
      if (c != '\n') return kBadDataEnd;
      state_ = State::kSizeFirst;
      digits_ = 0;
      return {};
    case State::kTrailerFirst:
      name_size_ = 0;
      if (c == '\r') {
        state_ = State::kLastLf;
        return {};
      }
      state_ = State::kTrailerName;
      return c == ':' ? kBadTrailer : trailer_name(c);
    case State::kTrailerName:
      return trailer_name(c);
    case State::kTrailerValue:
      if (c == '\r') {
        state_ = State::kTrailerLf;
        return {};
      }
      if (is_forbidden_in_head(c)) return kBadTrailer;
      return ++metadata_bytes_ > kMetadataBytesMax ? kTooMuchMetadata : HttpError{};
    case State::kTrailerLf:
      if (c != '\n') return kBadTrailer;
      state_ = State::kTrailerFirst;
      return {};
    case State::kLastLf:
      return c == '\n' ? HttpError{} : kBadTrailer;
    case State::kData:
      break;  // handled by feed
  }
  return kBadSize;
}

HttpError ChunkDecoder::size_digit(char c) {
  const int digit = hex_value(c);
  if (digit >= 0) {
    // 16 digits cannot overflow 64 bits, and the limit is compared before anything is believed.
    if (++digits_ > 16) return kBadSize;
    if (state_ == State::kSizeFirst) chunk_left_ = 0;
    state_ = State::kSize;
    chunk_left_ = chunk_left_ * 16 + static_cast<std::uint64_t>(digit);
    return chunk_left_ > body_left_ ? kTooLong : HttpError{};
  }
  if (state_ == State::kSizeFirst) return kBadSize;
  if (c != '\r' && c != ';') return kBadSize;
  state_ = c == '\r' ? State::kSizeLf : State::kNameFirst;
  return {};
}

// ";" token [ "=" ( token / quoted-string ) ], the part of RFC 9112 section 7.1.1 on which parsers
// agree. Its white space, its escapes and a second extension are refused.
HttpError ChunkDecoder::extension(char c) {
  if (++metadata_bytes_ > kMetadataBytesMax) return kTooMuchMetadata;
  switch (state_) {
    case State::kNameFirst:
    case State::kName:
      if (is_token_char(c)) {
        state_ = State::kName;
        return {};
      }
      if (state_ == State::kNameFirst) return kBadExtension;
      if (c != '=') return end_extension(c);
      state_ = State::kValueFirst;
      return {};
    case State::kValueFirst:
    case State::kValue:
      if (is_token_char(c)) {
        state_ = State::kValue;
        return {};
      }
      if (state_ == State::kValue) return end_extension(c);
      if (c != '"') return kBadExtension;
      state_ = State::kQuoted;
      return {};
    case State::kQuoted:
      if (is_forbidden_in_head(c) || c == '\\') return kBadExtension;
      if (c == '"') state_ = State::kQuotedEnd;
      return {};
    default:
      return end_extension(c);  // kQuotedEnd
  }
}

HttpError ChunkDecoder::end_extension(char c) {
  if (c != '\r') return kBadExtension;
  state_ = State::kSizeLf;
  return {};
}

HttpError ChunkDecoder::trailer_name(char c) {
  if (++metadata_bytes_ > kMetadataBytesMax) return kTooMuchMetadata;
  if (c == ':') {
    // Fields that frame or route a message must not come late (RFC 9110 section 6.5.1).
    const std::string_view name(name_.data(), name_size_);
    for (const char* forbidden : {"content-length", "transfer-encoding", "host", "connection",
                                  "upgrade"}) {
      if (name == forbidden) return kBadTrailer;
    }
    state_ = State::kTrailerValue;
    return {};
  }
  if (!is_token_char(c)) return kBadTrailer;
  // A name that fills the array is longer than every forbidden one.
  if (name_size_ < name_.size()) name_[name_size_++] = to_lower(c);
  return {};
}

}  // namespace anywire::http
