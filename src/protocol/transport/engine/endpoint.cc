#include "protocol/transport/engine/endpoint.h"

#include <algorithm>
#include <utility>

#include "codec/json_writer.h"
#include "codec/percent.h"
#include "protocol/transport/engine/gzip.h"
#include "websocket/upgrade.h"

namespace anywire::protocol::engine {
namespace {

enum class Kind { kNone, kPolling, kWebSocket };

// The value of the first parameter of that name; empty when there is none, or a broken one.
std::string parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name || equals == pair.npos) continue;
    return codec::percent_decode(pair.substr(equals + 1)).value_or("");
  }
  return {};
}

// The names of headers, as a browser asks about them: they go back to it.
bool is_name_list(std::string_view list) {
  bool any = false;
  while (!list.empty()) {
    if (!http::is_token(http::next_list_member(list))) return false;
    any = true;
  }
  return any;
}

}  // namespace

// What the query asks for.
struct Endpoint::Question {
  Question(const Options& options, std::string_view query)
      : sid(parameter(query, "sid")), version(parameter(query, "EIO")) {
    const std::string transport = parameter(query, "transport");
    if (transport == "polling" && options.polling) kind = Kind::kPolling;
    if (transport == "websocket" && options.websocket) kind = Kind::kWebSocket;
    id = parse_stream_id(sid);
  }

  Kind kind = Kind::kNone;
  std::string sid;
  std::optional<StreamId> id;  // of a sid that is none of ours: none
  std::string version;
};

http::Response error_response(int status, int code, std::string_view message) {
  http::Response response{.status = status, .content_type = "application/json", .body = {}};
  codec::JsonWriter json(response.body);
  json.begin_object();
  json.key("code").i64(code);
  json.key("message").string(message);
  json.end_object();
  response.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}};
  if (status == 503 || status == 429) response.headers.push_back({"Retry-After", "5"});
  return response;
}

Endpoint::Endpoint(Endpoints& all, const Options& options)
    : all_(all),
      options_(options),
      wires_{{.loop = all.loop_, .options = all.sockets_, .compression = all.compression_}, {}} {
  wires_.options.message_bytes_max = options.max_payload;
  wires_.options.ping_interval = Duration::zero();
  wires_.options.idle_timeout = Duration::zero();
}

Endpoint::~Endpoint() = default;

const EndpointLimits& Endpoint::limits() const { return all_.limits_; }
reactor::Loop& Endpoint::loop() const { return all_.loop_; }

void Endpoint::refuse(Visit& visit, int status, int code, std::string_view message) {
  http::Response refusal = error_response(status, code, message);
  http::Response& response = visit.response;
  if (visit.head.upgrades_to_websocket) {
    refusal.status = status == 503 || status == 429 ? status : 400;
    refusal.content_type = "text/html";
    refusal.body = message;
  }
  response.status = refusal.status;
  response.content_type = std::move(refusal.content_type);
  response.body = std::move(refusal.body);
  response.headers.insert(response.headers.end(), refusal.headers.begin(), refusal.headers.end());
}

void Endpoint::serve(Visit visit) {
  const http::RequestHead& head = visit.head;
  // A browser asks whatever the session.
  if (head.method == http::Method::kOptions) return answer_preflight(visit);
  const Question question(options_, head.query);
  if (question.kind == Kind::kNone) return refuse(visit, 400, 0, "Transport unknown");
  // A foreign page learns nothing of sessions, and is moved nowhere.
  if (!visit.origin_allowed) return refuse(visit, 403, 4, "this Origin is not allowed");
  if (!question.sid.empty()) return serve_known(visit, question);
  handshake(visit, question);
}

void Endpoint::answer_preflight(Visit& visit) const {
  http::Response& response = visit.response;
  response.status = 204;
  if (!visit.origin_allowed || response.allow_origin.empty()) return;
  const std::string_view asked = visit.head.header("Access-Control-Request-Headers");
  response.headers.insert(response.headers.end(),
                          {{"Access-Control-Allow-Methods", "GET, POST"},
                           {"Access-Control-Allow-Headers",
                            is_name_list(asked) ? asked : "Authorization, Content-Type"},
                           {"Access-Control-Max-Age", "7200"}});
}

void Endpoint::serve_known(Visit& visit, const Question& question) {
  const http::RequestHead& head = visit.head;
  if (question.id && question.id->loop != loop().index() && visit.move(question.id->loop)) return;
  const bool polls = question.kind == Kind::kPolling && head.method == http::Method::kGet;
  Link* const link = question.id ? find(*question.id, polls) : nullptr;
  if (link == nullptr) return refuse(visit, 400, 1, kUnknownSession);
  if (question.kind == Kind::kWebSocket) {
    if (!head.upgrades_to_websocket) return refuse(visit, 400, 3, kBadRequest);
    return upgrade(visit, link);
  }
  if (head.upgrades_to_websocket || link->on_websocket()) {
    return refuse(visit, 400, 3, kBadRequest);
  }
  if (head.method == http::Method::kPost) return post(visit, *link);
  if (head.method != http::Method::kGet) return refuse(visit, 400, 3, kBadRequest);
  visit.connection.answer_later(
      std::make_unique<PollRequest>(*this, *question.id,
                                    takes_gzip(head.header("Accept-Encoding"))),
      {});
}

void Endpoint::handshake(Visit& visit, const Question& question) {
  const http::RequestHead& head = visit.head;
  if (head.method != http::Method::kGet) return refuse(visit, 400, 2, "Bad handshake method");
  if (head.upgrades_to_websocket != (question.kind == Kind::kWebSocket)) {
    return refuse(visit, 400, 3, kBadRequest);
  }
  if (visit.refusal) return refuse(visit, visit.refusal->status, 4, visit.refusal->reason);
  if (question.version != "4") return refuse(visit, 400, 5, "Unsupported protocol version");
  if (all_.draining_) return refuse(visit, 503, 4, "the server is shutting down");
  if (all_.sessions() >= limits().sessions_max) return refuse(visit, 503, 4, "too many sessions");
  if (question.kind == Kind::kWebSocket) return upgrade(visit, nullptr);
  std::shared_ptr<void> lease;
  if (auto no = visit.admit(lease, true)) return refuse(visit, no->status, 4, "turned away");
  begin_polling(visit, std::move(lease));
}

void Endpoint::begin_polling(Visit& visit, std::shared_ptr<void> lease) {
  visit.connection.answer_later(
      std::make_unique<PollRequest>(
          *this, StreamId(), takes_gzip(visit.head.header("Accept-Encoding")),
          [this, lease = std::move(lease), make = std::move(visit.make_session)](
              PollRequest* request, const http::RequestHead& head) mutable {
            auto* link = new Link(*this, std::move(lease));  // owns itself until its end
            link->start_polling(*request, make(*link, {}), head);
          }),
      {});
}

// `link` is null for a session that begins with this.
void Endpoint::upgrade(Visit& visit, Link* link) {
  if (link != nullptr && (link->on_websocket() || link->upgrading() || !options_.upgrades)) {
    return refuse(visit, 400, 3, kBadRequest);
  }
  auto answer = ws::accept_upgrade(visit.head, {}, visit.deflate);
  if (!answer) return refuse(visit, 400, 3, answer.error().reason);
  std::shared_ptr<void> lease;
  if (auto no = visit.admit(lease, link == nullptr)) {
    return refuse(visit, no->status, 4, "turned away");
  }
  http::Connection::Taken taken = visit.connection.take_stream();
  if (!lease) lease = std::move(taken.lease);
  if (link != nullptr) {
    return link->offer(std::move(taken.stream), taken.early, std::move(*answer), std::move(lease));
  }
  link = new Link(*this, std::move(lease));
  link->start_websocket(std::move(taken.stream), taken.early, std::move(*answer));
  link->attach(visit.make_session(*link, {}), visit.head);
}

void Endpoint::post(Visit& visit, Link& link) {
  const std::string_view type = visit.head.header("Content-Type");
  if (http::equals_ignore_case(http::trim_whitespace(type.substr(0, type.find(';'))),
                               "application/octet-stream")) {
    // Clients of the fourth protocol do not send bytes as they are.
    link.fail(ws::CloseCode::kProtocolError);
    visit.response.status = 400;
    return;
  }
  if (link.has_post()) {
    link.fail(ws::CloseCode::kPolicyViolation);
    return refuse(visit, 400, 3, kBadRequest);
  }
  visit.connection.answer_later(
      std::make_unique<PostRequest>(link),
      {.body_bytes_max = options_.max_payload, .body_timeout = limits().body_timeout});
}

StreamId Endpoint::add(Link& link) {
  return {.secret = make_secret(), .loop = loop().index(), .slot = all_.links_.add(link)};
}

void Endpoint::remove(Link& link) { all_.links_.remove(link.id().slot); }

void Endpoint::flush_later(Link& link) { all_.touched_.push_back(link.id().slot); }

Link* Endpoint::find(const StreamId& id, bool polls) const {
  Link* const link = all_.links_.find(id.slot);
  if (link == nullptr || !same_secret(link->id().secret, id.secret)) return nullptr;
  if (&link->endpoint() != this || (link->ending() && !polls)) return nullptr;
  return link;
}

bool Endpoint::gzip(std::string_view text, std::string& out) {
  if (!all_.gzip_) all_.gzip_ = std::make_unique<Gzip>();
  return all_.gzip_->compress(text, out);
}

Endpoints::Endpoints(reactor::Loop& loop, const EndpointLimits& limits,
                     const ws::ConnectionOptions& sockets, ws::CompressionPool& compression)
    : loop_(loop), limits_(limits), sockets_(sockets), compression_(compression) {
  loop_.add_turn_end_hook(*this);
}

Endpoints::~Endpoints() {
  loop_.remove_turn_end_hook(*this);
  for (Link* link : links_.snapshot()) delete link;
  for (const auto& endpoint : endpoints_) {
    for (Wire* wire : endpoint->wires().wires.snapshot()) delete wire;
  }
}

Endpoint& Endpoints::at(const Options& options) {
  for (const auto& endpoint : endpoints_) {
    if (&endpoint->options() == &options) return *endpoint;
  }
  endpoints_.push_back(std::make_unique<Endpoint>(*this, options));
  return *endpoints_.back();
}

void Endpoints::drain() {
  draining_ = true;
  for (Link* link : links_.snapshot()) {
    link->close(ws::CloseCode::kGoingAway, "server is shutting down");
  }
}

void Endpoints::abort() {
  for (Link* link : links_.snapshot()) link->abort();
  for (const auto& endpoint : endpoints_) {
    for (Wire* wire : endpoint->wires().wires.snapshot()) wire->connection().abort();
  }
}

std::size_t Endpoints::connections() const {
  std::size_t count = 0;
  for (const auto& endpoint : endpoints_) count += endpoint->wires().wires.size();
  return count;
}

void Endpoints::on_turn_end() {
  // Flushing one may touch others.
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    if (Link* link = links_.find(touched_[i])) link->flush();
  }
  touched_.clear();
}

}  // namespace anywire::protocol::engine
