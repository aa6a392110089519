#include "hub/channel_lister.h"

namespace anywire::hub {

void ChannelLister::ask(const ChannelQuery& query, Done done) {
  if (questions_.size() == kWaitingMax) {
    return loop_.post([done = std::move(done)]() mutable {
      done(std::unexpected(HubError::kOverloaded));
    });
  }
  questions_.push_back({ChannelScan(query), std::move(done)});
  if (questions_.size() == 1) loop_.post([this] { step(); });
}

void ChannelLister::step() {
  Question& question = questions_.front();
  if (!question.subscribers_seen) {
    question.subscribers_seen = question.scan.step(channels_, [](const LocalChannel& channel) {
      return ChannelCounts{.subscribers = channel.size()};
    });
    if (question.subscribers_seen) question.scan.next_table();
    return loop_.post([this] { step(); });
  }
  if (!presence_.step(question.scan)) return loop_.post([this] { step(); });
  Question finished = std::move(question);
  questions_.pop_front();
  if (!questions_.empty()) loop_.post([this] { step(); });
  finished.done(finished.scan.take());
}

}  // namespace anywire::hub
