// ChunkDecoder: the chunked transfer coding of a request body (RFC 9112 section 7.1), strictly and
// without I/O. Used by RequestParser.
//
// Where two readers of one stream disagree about the end of a chunk, one of them can be fed a
// request the other never saw. So every line ends in CRLF, a size is only hexadecimal digits, chunk
// data is followed by exactly CRLF, and a size has at most one extension, without white space or
// escapes: those are where parsers differ (llhttp 8.1 refuses "1;a=b;c" and takes "1;a=b;").
// Extensions and trailers are checked byte by byte and dropped.
//
// Thread: one. Lifetime: `data` of a result points into the input of that call; nothing is kept.
// Limits: the body's bytes by `body_bytes_max`, a size by 16 digits, extensions and trailers
// together by kMetadataBytesMax; the decoder itself holds 40 bytes whatever the peer sends.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "http/status.h"

namespace anywire::http {

class ChunkDecoder {
 public:
  enum class Status : std::uint8_t { kNeedMore, kData, kDone, kError };

  struct Output {
    Status status = Status::kNeedMore;
    std::size_t consumed = 0;  // of this input; call again with the rest after kData
    Bytes data;                // set with kData, never empty then
    HttpError error;           // set with kError; the decoder must not be fed again
  };

  static constexpr std::size_t kMetadataBytesMax = 4096;

  // Prepares for a new body of at most `body_bytes_max` bytes of data.
  void reset(std::uint64_t body_bytes_max);

  // Stops after one run of data, or at the end of the body, of which it never reads beyond.
  Output feed(Bytes input);

 private:
  enum class State : std::uint8_t {
    kSizeFirst, kSize, kSizeLf,
    kNameFirst, kName, kValueFirst, kValue, kQuoted, kQuotedEnd,  // of an extension
    kData, kDataCr, kDataLf,
    kTrailerFirst, kTrailerName, kTrailerValue, kTrailerLf, kLastLf,
  };

  HttpError step(char c);
  HttpError size_digit(char c);
  HttpError extension(char c);
  HttpError end_extension(char c);
  HttpError trailer_name(char c);

  State state_ = State::kSizeFirst;
  std::uint8_t digits_ = 0;
  std::uint8_t name_size_ = 0;
  std::uint16_t metadata_bytes_ = 0;
  std::array<char, 20> name_{};  // start of a trailer's name, to know the forbidden ones
  std::uint64_t chunk_left_ = 0;
  std::uint64_t body_left_ = 0;
};

}  // namespace anywire::http
