// Truth: what the stores ordered and what they handed to the hub, for the checkers to compare with.
// Its source is the SimBroker, so it knows nothing of loops, sessions and receivers.
//
// Thread: the run's. Lifetime: outlives brokers and clients.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker/publication.h"
#include "sim/record.h"

namespace anywire::sim {

// A publication as a receiver can compare it.
struct Message {
  std::uint64_t offset = 0;
  broker::PayloadKind kind = broker::PayloadKind::kJson;
  std::string payload;  // different for each publish
  std::string event;
  std::string client;
  std::string user;
  std::string tag;  // value of the tag "t", or empty
  std::string key;      // of conflation; receivers do not see it
  bool handed = false;  // to the hub, not only ordered
};

class Truth {
 public:
  explicit Truth(Record& record) : record_(record) {}

  // By the store: the next publication has its place.
  void ordered(const broker::Publication& publication);
  // By the store: the hub has been given this one, or been told that the stream goes on here.
  void handed(const std::string& channel, broker::Position position);
  void handed(const broker::Publication& publication);

  // Null if there is no such place.
  const Message* find(std::string_view channel, std::uint64_t epoch, std::uint64_t offset) const;
  bool knows_epoch(std::string_view channel, std::uint64_t epoch) const;
  // Where the hub is by what it was told.
  broker::Position top(std::string_view channel) const;
  // A later message of the same epoch stands for it.
  bool conflated(std::string_view channel, std::uint64_t epoch, std::uint64_t offset) const;
  // How often that payload was ordered.
  int count(std::string_view payload) const;
  // All that was ordered, in that order whatever the epoch: a number for each.
  std::size_t index_of(std::string_view payload) const;
  std::size_t ordered_count(std::string_view channel) const;
  // How many had been ordered up to that position.
  std::size_t index_behind(std::string_view channel, const broker::Position& position) const;
  const Message* by_index(std::string_view channel, std::size_t index) const;

 private:
  struct Epoch {
    std::size_t begin = 0;          // how many had been ordered when it was first heard of
    std::vector<Message> messages;  // of offset 1, 2, ...
  };
  struct Channel {
    std::map<std::uint64_t, Epoch> epochs;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> order;
    broker::Position top;
  };
  struct Place {
    int count = 0;
    std::size_t index = 0;
  };

  const Channel* channel(std::string_view name) const;

  Record& record_;
  std::map<std::string, Channel, std::less<>> channels_;
  std::map<std::string, Place, std::less<>> payloads_;
};

}  // namespace anywire::sim
