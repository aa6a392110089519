#include "protocol/publish_line.h"

#include <utility>

namespace anywire::protocol {
namespace {

std::size_t bytes_of(const PublishLine::Entry& entry) {
  const broker::Draft& draft = entry.request.draft;
  std::size_t bytes = sizeof entry + entry.channel.size() + draft.event.size() +
                      (draft.payload ? draft.payload->size() : 0);
  for (const broker::Tag& tag : draft.tags) {
    bytes += sizeof tag + tag.name.size() + tag.value.size();
  }
  return bytes;
}

}  // namespace

std::shared_ptr<PublishLine> PublishLine::create(AppHook& app, hub::Hub& hub,
                                                 const Validation* validation,
                                                 AppClientCard client) {
  // Not make_shared: the weak pointer that a session keeps would keep the memory, too.
  return std::shared_ptr<PublishLine>(new PublishLine(app, hub, validation, std::move(client)));
}

PublishLine::~PublishLine() {
  for (const Waiting& one : entries_) app_.waiting().give_back(one.bytes);
}

PublishLine::Taken PublishLine::push(Entry&& entry, std::size_t entries_max) {
  if (entries_.size() >= entries_max) return Taken::kTooMany;
  const std::size_t bytes = bytes_of(entry);
  if (!app_.waiting().take(bytes)) return Taken::kNoRoom;
  entries_.push_back({std::move(entry), bytes});
  if (entries_.size() == 1) go_on();
  return Taken::kYes;
}

PublishLine::Entry PublishLine::pop() {
  app_.waiting().give_back(entries_.front().bytes);
  Entry entry = std::move(entries_.front().entry);
  entries_.pop_front();
  return entry;
}

void PublishLine::go_on() {
  const std::shared_ptr<PublishLine> self = shared_from_this();
  while (!asking_ && !entries_.empty()) {
    if (entries_.front().entry.asks) {
      ask();
    } else {
      publish(pop());
    }
  }
}

void PublishLine::ask() {
  asking_ = true;
  const Entry& entry = entries_.front().entry;
  app_.publish({.client = client_.view(), .channel = entry.channel, .draft = entry.request.draft},
               [self = shared_from_this()](std::expected<PublishAnswer, AppRefusal> verdict) {
                 self->on_verdict(std::move(verdict));
               });
}

void PublishLine::on_verdict(std::expected<PublishAnswer, AppRefusal> verdict) {
  asking_ = false;
  Entry entry = pop();
  if (!verdict) {
    entry.done(std::unexpected(std::move(verdict.error())));
  } else if (verdict->drop) {
    entry.done(broker::PublishResult());
  } else if (!apply(entry, *verdict)) {
    entry.done(std::unexpected(AppRefusal{.code = AppRefusal::Code::kUnavailable}));
  } else {
    publish(std::move(entry));
  }
  go_on();
}

// False if what the application has made of it may not be published: its fault, not the client's.
bool PublishLine::apply(Entry& entry, PublishAnswer& answer) const {
  if (!answer.payload && !answer.event && !answer.tags) return true;
  broker::Draft& draft = entry.request.draft;
  if (answer.payload) {
    draft.kind = answer.payload->kind;
    draft.payload = Buffer::copy_of(as_bytes(answer.payload->bytes));
  }
  if (answer.event) draft.event = *std::move(answer.event);
  if (answer.tags) draft.tags = *std::move(answer.tags);
  const auto broken = broken_rule(hub_.rules().find(entry.channel), validation_, entry.channel,
                                  draft);
  if (!broken) return true;
  app_.blame({.what = AppFault::What::kRewrite, .name = entry.channel, .rule = *broken});
  return false;
}

void PublishLine::publish(Entry entry) {
  if (!entry.published) return hub_.publish(entry.channel, std::move(entry.request));
  hub_.publish(entry.channel, std::move(entry.request),
               [done = std::move(entry.done)](
                   const std::expected<broker::PublishResult, hub::HubError>& result) mutable {
                 if (result) return done(*result);
                 done(std::unexpected(result.error()));
               });
}

}  // namespace anywire::protocol
