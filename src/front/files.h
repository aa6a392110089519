// Files: a folder as a web site: what `next build` with `output: "export"` leaves in `out/`, or any
// other.
//
// - /about is the file `about`, else `about.html`; /about/ is `about/index.html`. Who asks for one
//   and there is only the other is sent there (308). `404.html` is shown for what is not there.
// - ETag (weak: size and time of change) and Last-Modified, 304, ranges (also several), If-Range.
//   /_next/static/ holds names that change with their content and is kept for a year; everything
//   else is asked for anew each time.
// - `app.js.br` and `app.js.gz` are sent for `app.js` to who takes them.
// - Nothing outside the folder (see open_beneath), and nothing whose name begins with a dot but
//   /.well-known/ (RFC 8615).
//
// Reading: what the kernel holds in memory is read on the loop, 64 KiB at a time and only as fast
// as the client takes it. What it does not hold is asked for and read a moment later, so that a
// slow disk holds up nobody but who waits for it. (Looking a name up may still wait for the disk
// once.)
//
// Thread: the loop's. Lifetime: outlives the connections it is given. Limits: one descriptor and
// 256 KiB of unsent bytes for each answer under way, and `send_timeout`. A file that shrinks while
// it is sent breaks the client's connection.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/connection.h"
#include "reactor/loop.h"

namespace anywire::front {

class Files {
 public:
  // Fails when the folder is not there or not readable. At start-up; what becomes of it later is
  // seen request by request.
  static Result<void> check(const std::string& folder);
  // A client that takes nothing for `send_timeout` is given up; 0 means never.
  Files(reactor::Loop& loop, std::string folder, Duration send_timeout = Duration{60'000})
      : loop_(loop), folder_(std::move(folder)), send_timeout_(send_timeout) {}
  Files(const Files&) = delete;
  Files& operator=(const Files&) = delete;

  // As http::RequestHandler::on_request, for GET and HEAD. False, and nothing done, when there is
  // no such file.
  bool serve(http::Connection& connection, const http::RequestHead& head);
  // Whether there is such a file, for other methods.
  bool has(const http::RequestHead& head) const;
  // 404 with the site's own page; false, and nothing done, if it has none.
  bool serve_not_found(http::Connection& connection);

  // Descriptors of answers under way.
  std::size_t open_files() const { return open_files_; }

 private:
  friend class FileExchange;
  struct Found;

  bool find(const http::RequestHead& head, Found& found) const;
  void send(http::Connection& connection, Found found, int status);

  reactor::Loop& loop_;
  std::string folder_;
  Duration send_timeout_;
  std::size_t open_files_ = 0;
};

}  // namespace anywire::front
