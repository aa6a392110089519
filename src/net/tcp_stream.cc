#include "net/tcp_stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "net/flush_queue.h"

namespace anywire::net {
namespace {

// From here on copying costs more than what a batched send saves.
constexpr std::size_t kSendNowMin = 32 * 1024;

ReadResult receive(int fd, MutableBytes into, int flags) {
  const ssize_t n = ::recv(fd, into.data(), into.size(), flags);
  if (n > 0) return {ReadStatus::kData, static_cast<std::size_t>(n)};
  if (n == 0) return {ReadStatus::kEnd};
  if (errno == EAGAIN || errno == EINTR) return {ReadStatus::kWouldBlock};
  return {ReadStatus::kError};
}

}  // namespace

Result<std::unique_ptr<TcpStream>> TcpStream::adopt(FlushQueue& queue, int fd) {
  std::unique_ptr<TcpStream> stream(new TcpStream(queue, fd));
  auto watched = queue.loop().watch(fd, reactor::kReadable, *stream);
  if (!watched) return std::unexpected(watched.error());
  return stream;
}

TcpStream::~TcpStream() {
  close();
  // Only at tear-down: in service streams are destroyed after the turn's flush.
  if (dirty_) queue_->forget(*this);
}

ReadResult TcpStream::read(MutableBytes into) { return receive(fd_, into, 0); }

ReadResult TcpStream::peek(MutableBytes into) { return receive(fd_, into, MSG_PEEK); }

void TcpStream::write(Bytes bytes) {
  if (fd_ < 0 || finishing_ || bytes.empty()) return;
  if (!output_) output_ = std::make_unique<OutputQueue>();
  output_->append(bytes);
  mark_dirty();
}

void TcpStream::write(BufferRef buffer) {
  if (fd_ < 0 || finishing_) return;
  if (!output_) output_ = std::make_unique<OutputQueue>();
  output_->append(std::move(buffer));
  mark_dirty();
}

void TcpStream::write_framed(Bytes head, Bytes body, bool now) {
  if (fd_ < 0 || finishing_) return;
  if (now && !output_ && !blocked_ && body.size() >= kSendNowMin) {
    const std::size_t sent = send_now(head, body);
    if (sent == head.size() + body.size()) return;
    // The rest goes the usual way, which also finds out what is wrong if nothing was taken.
    const std::size_t of_head = std::min(sent, head.size());
    head = head.subspan(of_head);
    body = body.subspan(sent - of_head);
  }
  if (!output_) output_ = std::make_unique<OutputQueue>();
  output_->append(head, body, now);
  mark_dirty();
}

std::size_t TcpStream::send_now(Bytes head, Bytes body) {
  std::array<iovec, 2> parts = {
      iovec{const_cast<std::uint8_t*>(head.data()), head.size()},
      iovec{const_cast<std::uint8_t*>(body.data()), body.size()},
  };
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

void TcpStream::mark_dirty() {
  if (dirty_ || blocked_) return;
  dirty_ = true;
  queue_->add(*this);
}

void TcpStream::notify_when_drained() {
  notify_drained_ = true;
  mark_dirty();
}

void TcpStream::set_send_timeout(Duration timeout) {
  const auto ms = static_cast<unsigned>(timeout.count());
  // RFC 5482. A Unix socket has no such option, and no network to lose its peer in.
  ::setsockopt(fd_, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

void TcpStream::set_reading(bool on) {
  if (reading_ == on || fd_ < 0) return;
  reading_ = on;
  update_interest();
}

void TcpStream::watch_for_end(bool on) {
  if (watches_end_ == on || fd_ < 0) return;
  watches_end_ = on;
  if (!reading_) update_interest();
}

std::uint32_t TcpStream::interest() const {
  const std::uint32_t writing = blocked_ ? reactor::kWritable : 0u;
  if (reading_) return writing | reactor::kReadable;
  return watches_end_ ? writing | reactor::kPeerEnd : writing;
}

void TcpStream::update_interest() { queue_->loop().update(fd_, interest(), *this); }

bool TcpStream::detach() {
  if (fd_ < 0) return false;
  if (dirty_) queue_->forget(*this);
  dirty_ = false;
  queue_->loop().unwatch(fd_);
  queue_ = nullptr;
  if (output_) output_->make_own();
  return true;
}

Result<void> TcpStream::attach(FlushQueue& queue) {
  queue_ = &queue;
  if (auto watched = queue.loop().watch(fd_, interest(), *this); !watched) {
    close();
    return watched;
  }
  if (output_ || notify_drained_ || finishing_) mark_dirty();
  return {};
}

void TcpStream::finish() {
  if (fd_ < 0 || finishing_) return;
  finishing_ = true;
  if (!output_) end_output();
}

void TcpStream::close_when_sent() {
  if (fd_ < 0) return;
  finishing_ = true;
  closing_ = true;
  // Even with nothing queued this waits for the turn's end, so that no callback comes from here.
  mark_dirty();
}

void TcpStream::end_output() {
  if (closing_) {
    close();
    handler_->on_closed();
  } else if (!ended_) {
    ended_ = true;
    ::shutdown(fd_, SHUT_WR);
  }
}

void TcpStream::close() {
  if (fd_ < 0) return;
  output_.reset();
  ::close(fd_);  // also takes it out of the epoll set
  fd_ = -1;
}

void TcpStream::reset() {
  if (fd_ < 0) return;
  // Zero seconds of lingering make close() send RST instead of FIN (socket(7)).
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void TcpStream::on_ready(std::uint32_t ready) {
  // Events of this turn may have been collected before the stream was closed.
  if (fd_ < 0) return;
  if ((ready & reactor::kWritable) != 0 && blocked_) {
    blocked_ = false;
    update_interest();
    mark_dirty();
  }
  if (reading_ && (ready & (reactor::kReadable | reactor::kError)) != 0) {
    handler_->on_readable();
  } else if ((ready & (reactor::kError | reactor::kPeerEnd)) != 0) {
    handler_->on_closed();
  }
}

void TcpStream::on_sent(std::int64_t result, std::size_t offered) {
  if (fd_ < 0) return;
  if (result < 0 && result != -EAGAIN && result != -EINTR) {
    handler_->on_closed();
    return;
  }
  if (result > 0) output_->consume(static_cast<std::size_t>(result));
  if (output_ && !output_->empty() && !blocked_) {
    if (result < static_cast<std::int64_t>(offered)) {
      blocked_ = true;
      update_interest();
    } else {
      // More than one send holds, or written by a callback while the batch was under way.
      mark_dirty();
    }
  }
  if (output_ && output_->empty()) output_.reset();
  if (notify_drained_ && queued_bytes() <= queue_->options().low_watermark_bytes) {
    notify_drained_ = false;
    handler_->on_drained();
  }
  if (finishing_ && !output_ && fd_ >= 0) end_output();
}

}  // namespace anywire::net
