#include "front/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/random.h"
#include "front/content_type.h"
#include "front/open_file.h"
#include "front/stall_timer.h"
#include "http/date.h"

namespace anywire::front {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kQueueBytesMax = 256 * 1024;
// Between two looks whether the disk has delivered; after so many of them it is waited for.
constexpr Duration kDiskPause{1};
constexpr int kDiskLooksMax = 1000;

constexpr std::string_view kImmutable = "public, max-age=31536000, immutable";
constexpr std::string_view kRevalidate = "public, max-age=0, must-revalidate";

class Folder {
 public:
  // Opened for each request: a new build may have taken the place of the folder.
  explicit Folder(const std::string& path)
      : fd_(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
  ~Folder() {
    if (fd_ >= 0) ::close(fd_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Without empty segments but the one behind a trailing slash, and without hidden ones. What the
// parser could not decode has no path at all.
bool is_servable(std::string_view path) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  bool first = true;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    const bool well_known = first && segment == ".well-known";
    if (segment.empty() || (segment.front() == '.' && !well_known)) return false;
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
    first = false;
  }
  return true;
}

std::string with_query(std::string_view path, const http::RequestHead& head) {
  std::string target(path);
  if (!head.query.empty()) target.append("?").append(head.query);
  return target;
}

// A redirection: an exchange because its header is not a static text.
class RedirectExchange final : public http::Exchange {
 public:
  explicit RedirectExchange(std::string location) : location_(std::move(location)) {}
  void on_request(const http::RequestHead&, BufferRef) override {
    const std::array<http::Header, 2> headers{
        {{"Location", location_}, {"Cache-Control", kRevalidate}}};
    begin_answer({.status = 308, .content_length = 0, .headers = headers});
    finish();
  }
  void on_gone() override {}

 private:
  std::string location_;
};

}  // namespace

struct Files::Found {
  std::optional<OpenFile> file;
  std::string name;             // below the folder
  std::string redirect;         // instead of a file
  ContentType type{};
  std::string_view coding;      // empty: none
};

// One answer: pieces of text and of the file, in turn.
class FileExchange final : public http::Exchange, private reactor::Timer {
 public:
  FileExchange(Files& files, Files::Found found, int status)
      : files_(files),
        found_(std::move(found)),
        status_(status),
        stall_timer_(files.loop_, *this, files.send_timeout_) {
    ++files_.open_files_;
  }
  ~FileExchange() override { --files_.open_files_; }

  void on_request(const http::RequestHead& head, BufferRef) override;
  void on_drained() override {
    stall_timer_.stop();
    pump();
  }
  void on_gone() override { disarm(); }

 private:
  struct Piece {
    std::string text;  // in front of the range
    Range range;
  };

  void on_timer() override { pump(); }
  void plan(const http::RequestHead& head);
  void plan_parts(const Ranges& ranges);
  std::uint64_t planned_bytes() const;
  void begin(bool to_head);
  void pump();
  bool send_some();
  void answer_unsatisfiable();

  Files& files_;
  Files::Found found_;
  int status_;
  StallTimer stall_timer_;
  bool has_body_ = true;
  std::string content_range_;
  std::string boundary_;
  std::vector<Piece> pieces_;
  std::size_t next_ = 0;
  int disk_looks_ = 0;
};

void FileExchange::on_request(const http::RequestHead& head, BufferRef) {
  if (status_ == 200) {
    switch (check_conditions(head, found_.file->validators())) {
      case Verdict::kSend: break;
      case Verdict::kNotModified: status_ = 304; break;
      case Verdict::kPreconditionFailed: status_ = 412; break;
    }
  }
  plan(head);
  if (status_ == 416) return answer_unsatisfiable();
  begin(head.method == http::Method::kHead);
}

void FileExchange::plan(const http::RequestHead& head) {
  const std::uint64_t size = found_.file->size();
  if (status_ == 304 || status_ == 412) {
    has_body_ = status_ != 304;
    return;
  }
  if (status_ == 200) {
    const Ranges ranges = find_ranges(head, size, found_.file->validators());
    if (ranges.kind == Ranges::Kind::kUnsatisfiable) {
      status_ = 416;
      return;
    }
    if (ranges.kind == Ranges::Kind::kParts) return plan_parts(ranges);
  }
  if (size > 0) pieces_.push_back({{}, {0, size}});
}

void FileExchange::plan_parts(const Ranges& ranges) {
  const std::uint64_t size = found_.file->size();
  const auto content_range = [size](const Range& range) {
    return fmt::format("bytes {}-{}/{}", range.first, range.first + range.size - 1, size);
  };
  status_ = 206;
  if (ranges.parts.size() == 1) {
    content_range_ = content_range(ranges.parts[0]);
    pieces_.push_back({{}, ranges.parts[0]});
    return;
  }
  // RFC 9110 section 14.6. Nobody can put a boundary into a file that is not known before.
  std::array<std::uint8_t, 16> random;
  secure_random(random);
  for (const std::uint8_t byte : random) boundary_ += fmt::format("{:02x}", byte);
  for (const Range& range : ranges.parts) {
    pieces_.push_back({fmt::format("\r\n--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
                                   boundary_, found_.type.type, content_range(range)),
                       range});
  }
  pieces_.push_back({fmt::format("\r\n--{}--\r\n", boundary_), {0, 0}});
}

std::uint64_t FileExchange::planned_bytes() const {
  std::uint64_t bytes = 0;
  for (const Piece& piece : pieces_) bytes += piece.text.size() + piece.range.size;
  return bytes;
}

void FileExchange::begin(bool to_head) {
  const Validators& validators = found_.file->validators();
  const std::string modified = http::http_date(validators.modified);
  const std::string multipart = "multipart/byteranges; boundary=" + boundary_;
  // Names below it change with the content of what they name.
  const bool immutable = found_.name.starts_with("_next/static/");
  std::vector<http::Header> headers{{"ETag", validators.etag},
                                    {"Last-Modified", modified},
                                    {"Cache-Control", immutable ? kImmutable : kRevalidate}};
  if (found_.type.compressible) headers.push_back({"Vary", "Accept-Encoding"});
  if (!found_.coding.empty()) headers.push_back({"Content-Encoding", found_.coding});
  if (has_body_) {
    headers.push_back({"Content-Type", boundary_.empty() ? found_.type.type : multipart});
    headers.push_back({"X-Content-Type-Options", "nosniff"});
    headers.push_back({"Accept-Ranges", "bytes"});
  }
  if (!content_range_.empty()) headers.push_back({"Content-Range", content_range_});
  begin_answer({.status = status_,
                .content_length =
                    has_body_ ? std::optional(planned_bytes()) : std::nullopt,
                .has_body = has_body_,
                .headers = headers});
  if (to_head) return finish();
  pump();
}

void FileExchange::answer_unsatisfiable() {
  const std::string size = fmt::format("bytes */{}", found_.file->size());
  const std::array<http::Header, 2> headers{
      {{"Content-Range", size}, {"Cache-Control", "no-store"}}};
  begin_answer({.status = 416, .content_length = 0, .headers = headers});
  finish();
}

void FileExchange::pump() {
  while (pending() && next_ < pieces_.size()) {
    if (queued_bytes() >= kQueueBytesMax) {
      stall_timer_.start();
      return notify_when_drained();
    }
    if (!send_some()) return;
  }
  if (pending()) finish();
}

// False when there is nothing more to do now.
bool FileExchange::send_some() {
  Piece& piece = pieces_[next_];
  write(as_bytes(std::exchange(piece.text, {})));
  if (piece.range.size == 0) {
    ++next_;
    return true;
  }
  const auto wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(kReadBytes, piece.range.size));
  const BufferRef buffer = Buffer::allocate(wanted);
  const OpenFile::Read read = found_.file->read(
      piece.range.first, buffer->free_space().first(wanted), disk_looks_ >= kDiskLooksMax);
  switch (read.status) {
    case OpenFile::Status::kData:
      disk_looks_ = 0;
      buffer->commit(read.bytes);
      write(buffer);
      piece.range.first += read.bytes;
      piece.range.size -= read.bytes;
      if (piece.range.size == 0) ++next_;
      return true;
    case OpenFile::Status::kLater:
      ++disk_looks_;
      files_.loop_.arm(*this, kDiskPause);
      return false;
    case OpenFile::Status::kFailed:
      abort();
      return false;
  }
  return false;
}

Result<void> Files::check(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    const int reason = errno;
    return fail(ErrorCode::kIo, "cannot open the folder " + folder + ": " + std::strerror(reason),
                reason);
  }
  ::close(fd);
  return {};
}

bool Files::find(const http::RequestHead& head, Found& found) const {
  if (!is_servable(head.path)) return false;
  const Folder folder(folder_);
  if (folder.fd() < 0) return false;
  const auto take = [&](std::string name) {
    found.file = OpenFile::open(folder.fd(), name);
    found.name = std::move(name);
    return found.file.has_value();
  };
  const std::string name(head.path.substr(1));
  // The target as it was sent: it is encoded already, and begins with one slash only, for an empty
  // segment is not served.
  const std::string_view raw = head.raw_path;
  if (name.empty() || name.ends_with('/')) {
    if (!take(name + "index.html")) {
      if (name.empty() || !take(name.substr(0, name.size() - 1) + ".html")) return false;
      if (!raw.ends_with('/')) return false;  // "/a/." and the like
      found.file.reset();
      found.redirect = with_query(raw.substr(0, raw.size() - 1), head);
      return true;
    }
  } else if (!take(name) && !take(name + ".html")) {
    if (!take(name + "/index.html")) return false;
    found.file.reset();
    found.redirect = with_query(std::string(raw) + "/", head);
    return true;
  }
  found.type = content_type(found.name);
  if (!found.type.compressible || head.find("range") != nullptr) return true;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kCodings{
      {{"br", ".br"}, {"gzip", ".gz"}}};
  for (const auto& [coding, suffix] : kCodings) {
    if (!accepts_coding(head, coding)) continue;
    auto packed = OpenFile::open(folder.fd(), found.name + std::string(suffix));
    if (!packed) continue;
    found.file = *std::move(packed);
    found.coding = coding;
    break;
  }
  return true;
}

bool Files::serve(http::Connection& connection, const http::RequestHead& head) {
  Found found;
  if (!find(head, found)) return false;
  if (found.redirect.empty()) {
    send(connection, std::move(found), 200);
  } else {
    connection.answer_later(std::make_unique<RedirectExchange>(std::move(found.redirect)), {});
  }
  return true;
}

bool Files::has(const http::RequestHead& head) const {
  Found found;
  return find(head, found);
}

void Files::send(http::Connection& connection, Found found, int status) {
  connection.answer_later(std::make_unique<FileExchange>(*this, std::move(found), status), {});
}

bool Files::serve_not_found(http::Connection& connection) {
  Found found;
  const Folder folder(folder_);
  found.name = "404.html";
  if (folder.fd() >= 0) found.file = OpenFile::open(folder.fd(), found.name);
  if (!found.file) return false;
  found.type = content_type(found.name);
  send(connection, std::move(found), 404);
  return true;
}

}  // namespace anywire::front
