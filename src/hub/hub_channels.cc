// Hub: which channels there are, asked of all loops.
#include <memory>
#include <utility>

#include "hub/hub.h"

namespace anywire::hub {
namespace {

// The first names of all pages. A name among the first of all is among the first of every loop that
// has it, so its counts are complete.
ChannelList merge(const std::vector<ChannelPage>& pages, std::size_t limit) {
  ChannelPage all;
  for (const ChannelPage& page : pages) {
    for (const auto& [name, counts] : page) {
      all[name].subscribers += counts.subscribers;
      all[name].members += counts.members;
    }
  }
  ChannelList list;
  for (auto& [name, counts] : all) {
    if (list.channels.size() == limit) {
      list.more = true;
      break;
    }
    list.channels.emplace_back(name, counts);
  }
  return list;
}

}  // namespace

void Hub::list_channels(const ChannelQuery& query, ChannelsDone done) {
  // Touched on this loop only; the others just carry it.
  struct Sum {
    std::vector<ChannelPage> pages;
    std::size_t answers_due;
    std::size_t limit;
    bool refused = false;
    ChannelsDone done;
  };
  auto sum = std::make_shared<Sum>(Sum{.pages = {},
                                       .answers_due = group_.size(),
                                       .limit = query.limit,
                                       .done = std::move(done)});
  for (std::uint32_t i = 0; i < group_.size(); ++i) {
    Hub& asked = group_.hub(i);
    asked.loop_.post([this, &asked, sum, query] {
      asked.lister_.ask(query, [this, sum](auto page) {
        loop_.post([sum, page = std::move(page)]() mutable {
          if (!page) sum->refused = true;
          if (page) sum->pages.push_back(*std::move(page));
          if (--sum->answers_due != 0) return;
          if (sum->refused) return sum->done(std::unexpected(HubError::kOverloaded));
          sum->done(merge(sum->pages, sum->limit));
        });
      });
    });
  }
}

}  // namespace anywire::hub
