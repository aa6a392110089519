#include "front/upstream.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/assert.h"

namespace anywire::front {
namespace {

// Node ends a connection that has rested for 5 s, and says so. Whoever uses it up to the last
// moment meets the end on the way; a second of distance avoids that.
constexpr Duration kIdleTimeout{4'000};
constexpr Duration kIdleMargin{1'000};
constexpr Duration kIdleTimeoutMin{500};
constexpr Duration kIdleTimeoutMax{60'000};
constexpr int kInformationalMax = 16;
// An address that was found so long ago is looked up again, beside the use of the old one.
constexpr Duration kResolveAgain{30'000};
constexpr Duration kResolveAgainUnreachable{1'000};

// "Keep-Alive: timeout=5" is not in any RFC, but Node, Apache and others send it.
Duration idle_timeout(std::string_view keep_alive) {
  while (!keep_alive.empty()) {
    const std::string_view member = http::next_list_member(keep_alive);
    constexpr std::string_view kName = "timeout=";
    if (!http::equals_ignore_case(member.substr(0, kName.size()), kName)) continue;
    std::uint32_t seconds = 0;
    const char* end = member.data() + member.size();
    if (std::from_chars(member.data() + kName.size(), end, seconds).ec != std::errc()) break;
    const Duration said{std::min<std::int64_t>(seconds, 3600) * 1000};
    return std::clamp(said - kIdleMargin, kIdleTimeoutMin, kIdleTimeoutMax);
  }
  return kIdleTimeout;
}

}  // namespace

UpstreamConnection::UpstreamConnection(UpstreamPool& pool)
    : pool_(pool), parser_(pool.options_.response_limits) {}

UpstreamConnection::~UpstreamConnection() = default;

// --- for the user ---

void UpstreamConnection::send(Bytes bytes) {
  if (stream_) return stream_->write(bytes);
  waiting_.append(as_text(bytes));
}

void UpstreamConnection::send_framed(Bytes head, Bytes body) {
  if (stream_) return stream_->write_framed(head, body);
  waiting_.append(as_text(head)).append(as_text(body));
}

std::size_t UpstreamConnection::queued_bytes() const {
  return stream_ ? stream_->queued_bytes() : waiting_.size();
}

void UpstreamConnection::notify_when_drained() {
  // What waits for the connection is told of when that is there.
  if (stream_) stream_->notify_when_drained();
}

void UpstreamConnection::expect_within(Duration timeout) {
  disarm();
  if (timeout.count() > 0) pool_.queue_.loop().arm(*this, timeout);
}

void UpstreamConnection::pause() {
  paused_ = true;
  if (stream_) stream_->set_reading(false);
}

void UpstreamConnection::resume() {
  if (!paused_) return;
  paused_ = false;
  if (stream_) stream_->set_reading(true);
}

void UpstreamConnection::release() {
  AW_ASSERT(state_ == State::kComplete);
  user_ = nullptr;
  if (!keep_alive_ || pool_.draining_) return end();
  state_ = State::kIdle;
  resume();
  pool_.idle_.push_back(this);
  pool_.queue_.loop().arm(*this, idle_timeout_);
}

void UpstreamConnection::abandon() {
  user_ = nullptr;
  end();
}

UpstreamConnection::Taken UpstreamConnection::take_stream() {
  AW_ASSERT(state_ == State::kBusy && stream_);
  user_ = nullptr;
  Taken taken{std::move(stream_), rest_.empty() ? BufferRef() : Buffer::copy_of(rest_)};
  end();
  return taken;
}

// --- the connection ---

void UpstreamConnection::begin(UpstreamUser& user, bool to_head) {
  user_ = &user;
  to_head_ = to_head;
  parser_.reset(to_head);
  heard_ = keep_alive_ = false;
  informational_ = 0;
  if (state_ == State::kIdle) {
    state_ = State::kBusy;
    reused_ = true;
    disarm();
  } else {
    connect();
  }
}

void UpstreamConnection::connect() {
  const std::vector<net::Address>& addresses = pool_.addresses();
  if (addresses.empty()) return pool_.resolve();
  if (address_index_ == 0) pool_.refresh(kResolveAgain);
  connector_ = net::Connector::start(pool_.queue_, addresses[address_index_],
                                     pool_.options_.connect_timeout, *this);
}

void UpstreamConnection::on_connected(std::unique_ptr<net::TcpStream> stream) {
  // Given up in this very turn; the connector lives to its end.
  if (state_ == State::kOver) return;
  pool_.queue_.loop().defer_delete(std::move(connector_));
  stream_ = std::move(stream);
  stream_->set_handler(*this);
  state_ = State::kBusy;
  const std::string waiting = std::exchange(waiting_, {});
  stream_->write(as_bytes(waiting));
  stream_->notify_when_drained();
  if (paused_) stream_->set_reading(false);
}

void UpstreamConnection::on_connect_failed(int) {
  if (state_ == State::kOver) return;
  pool_.queue_.loop().defer_delete(std::move(connector_));
  if (++address_index_ < pool_.addresses().size()) return connect();
  pool_.refresh(kResolveAgainUnreachable);
  fail(UpstreamFailure::kUnreachable, {});
}

// Before a connection that rested is used again: whoever says something unasked, or has gone, is of
// no use. The answer to the next request would be taken for what is there already.
bool UpstreamConnection::still_silent() {
  std::array<std::uint8_t, 1> byte;
  return stream_->read(byte).status == net::ReadStatus::kWouldBlock;
}

net::ReadStatus UpstreamConnection::read_once() {
  const MutableBytes buffer = pool_.queue_.loop().receive_buffer();
  const net::ReadResult result = stream_->read(buffer);
  if (result.status == net::ReadStatus::kData) take_input(buffer.first(result.bytes));
  return result.status;
}

void UpstreamConnection::on_readable() {
  if (paused_) return stream_->set_reading(false);
  if (state_ == State::kIdle) return end();
  switch (read_once()) {
    case net::ReadStatus::kData:
    case net::ReadStatus::kWouldBlock:
      return;
    case net::ReadStatus::kEnd:
      return take_end(true);
    case net::ReadStatus::kError:
      return take_end(false);
  }
}

void UpstreamConnection::on_drained() {
  if (user_ != nullptr) user_->on_upstream_drained();
}

// Writing has failed. What the server said before it closed may still be there, such as a 413.
void UpstreamConnection::on_closed() {
  if (state_ == State::kIdle) return end();
  net::ReadStatus status = net::ReadStatus::kError;
  while (state_ == State::kBusy && !paused_) {
    status = read_once();
    if (status != net::ReadStatus::kData) break;
  }
  if (state_ == State::kBusy) take_end(status == net::ReadStatus::kEnd);
}

void UpstreamConnection::take_input(Bytes input) {
  heard_ = true;
  while (state_ == State::kBusy) {
    const http::ParseResult result = parser_.feed(input);
    if (result.status == http::ParseStatus::kError) {
      return fail(UpstreamFailure::kGarbage, parser_.error().reason);
    }
    input = input.subspan(result.consumed);
    if (result.status == http::ParseStatus::kNeedMore) break;
    rest_ = input;
    take_event(result);
    rest_ = {};
  }
}

void UpstreamConnection::take_event(const http::ParseResult& result) {
  switch (result.status) {
    case http::ParseStatus::kHead:
      return take_head();
    case http::ParseStatus::kBody:
      return user_->on_upstream_body(result.body);
    case http::ParseStatus::kComplete:
      if (!parser_.head().is_informational()) return complete();
      if (++informational_ > kInformationalMax) {
        return fail(UpstreamFailure::kGarbage, "too many informational responses");
      }
      return parser_.reset(to_head_);
    default:
      return;
  }
}

void UpstreamConnection::take_head() {
  const http::ReceivedHead& head = parser_.head();
  if (!head.is_informational()) {
    disarm();
    keep_alive_ = head.keep_alive;
    idle_timeout_ = idle_timeout(head.header("keep-alive"));
  }
  user_->on_upstream_head(head);
}

void UpstreamConnection::complete() {
  state_ = State::kComplete;
  if (!rest_.empty()) keep_alive_ = false;
  user_->on_upstream_complete();
}

// The server has closed, or the connection is broken.
void UpstreamConnection::take_end(bool orderly) {
  keep_alive_ = false;
  if (!heard_) {
    return fail(reused_ ? UpstreamFailure::kStale : UpstreamFailure::kBroken, {});
  }
  const http::ParseStatus status =
      orderly ? parser_.end_of_input().status : http::ParseStatus::kError;
  if (status == http::ParseStatus::kComplete) return complete();
  fail(UpstreamFailure::kBroken, "the connection ended in the middle of the response");
}

void UpstreamConnection::on_timer() {
  if (state_ == State::kIdle) return end();
  fail(UpstreamFailure::kTimeout, {});
}

void UpstreamConnection::fail(UpstreamFailure failure, std::string_view detail) {
  UpstreamUser* user = std::exchange(user_, nullptr);
  end();
  if (user != nullptr) user->on_upstream_failed(failure, detail);
}

void UpstreamConnection::end() {
  if (state_ == State::kOver) return;
  if (state_ == State::kIdle) std::erase(pool_.idle_, this);
  state_ = State::kOver;
  disarm();
  reactor::Loop& loop = pool_.queue_.loop();
  if (stream_) {
    stream_->close();
    loop.defer_delete(std::move(stream_));
  }
  if (connector_) loop.defer_delete(std::move(connector_));
  pool_.all_.remove(*this);
  loop.defer_delete(std::unique_ptr<UpstreamConnection>(this));
}

// --- the pool ---

UpstreamPool::UpstreamPool(net::FlushQueue& queue, const UpstreamOptions& options)
    : queue_(queue), options_(options), resolver_(queue.loop()) {}

UpstreamPool::~UpstreamPool() {
  for (UpstreamConnection* connection : all_.snapshot()) connection->abandon();
}

UpstreamConnection* UpstreamPool::open(UpstreamUser& user, Which which, bool to_head,
                                       std::size_t others) {
  UpstreamConnection* connection = which == Which::kAny ? take_idle() : nullptr;
  if (connection == nullptr) {
    if (all_.size() + others >= options_.connections_max) {
      if (idle_.empty()) return nullptr;
      // Room for the fresh one that is asked for.
      idle_.front()->end();
    }
    connection = new UpstreamConnection(*this);
    all_.add(*connection);
  }
  connection->begin(user, to_head);
  return connection;
}

UpstreamConnection* UpstreamPool::take_idle() {
  while (!idle_.empty()) {
    UpstreamConnection* connection = idle_.back();
    if (!connection->still_silent()) {
      connection->end();
      continue;
    }
    idle_.pop_back();
    return connection;
  }
  return nullptr;
}

void UpstreamPool::resolve() {
  if (resolver_.busy()) return;
  resolver_.resolve(options_.target.name, options_.target.port,
                    [this](net::Resolver::Answer answer) { on_resolved(std::move(answer)); });
}

void UpstreamPool::on_resolved(net::Resolver::Answer answer) {
  resolved_at_ = queue_.loop().now();
  // An old answer is better than none.
  if (answer) options_.target.addresses = *std::move(answer);
  for (UpstreamConnection* connection : all_.snapshot()) {
    if (connection->state_ != UpstreamConnection::State::kConnecting) continue;
    if (connection->connector_) continue;
    if (addresses().empty()) {
      connection->fail(UpstreamFailure::kUnreachable, "the name cannot be resolved");
    } else {
      connection->connect();
    }
  }
}

// Containers come back under the same name and another address.
void UpstreamPool::refresh(Duration age) {
  if (!options_.target.name.empty() && queue_.loop().now() - resolved_at_ > age) resolve();
}

void UpstreamPool::drain() {
  draining_ = true;
  while (!idle_.empty()) idle_.back()->end();
}

}  // namespace anywire::front
