// References: where a `$ref` leads. For compiler.cc.
//
// Walks the document once and notes every `$id`, `$anchor` and `$dynamicAnchor` (2020-12 core, 8);
// then resolves references to places in it. Nothing is ever fetched.
//
// Thread: any; used by one compilation. Lifetime: the document outlives it. Limits: time is linear
// in the document, and for each reference in the longest way to its place.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "codec/json_reader.h"

namespace anywire::schema {

// A schema and how one gets there from the root.
struct Place {
  codec::JsonValue value;
  std::string pointer;
};

class References {
 public:
  explicit References(codec::JsonValue document);

  // `from` holds the reference. The error is a sentence without a full stop.
  [[nodiscard]] std::expected<Place, std::string> resolve(codec::JsonValue from,
                                                          std::string_view reference) const;
  [[nodiscard]] std::expected<Place, std::string> resolve_dynamic(
      codec::JsonValue from, std::string_view reference) const;

 private:
  // A schema with an `$id`, or the root: what its references are relative to.
  struct Resource {
    std::string uri;  // without a fragment; empty for a root without `$id`
    Place root;
  };
  struct DynamicAnchor {
    Place place;
    std::size_t times = 0;
  };

  void walk(codec::JsonValue value, const std::string& pointer, std::size_t resource);
  std::size_t note(codec::JsonValue schema, const std::string& pointer, std::size_t resource);
  [[nodiscard]] const Resource* find(std::string_view uri) const;
  [[nodiscard]] const Resource& resource_of(codec::JsonValue schema) const;

  std::vector<Resource> resources_;
  std::unordered_map<const char*, std::size_t> owners_;  // by where an object begins
  std::map<std::string, Place, std::less<>> anchors_;    // "uri#name"
  std::map<std::string, DynamicAnchor, std::less<>> dynamic_anchors_;
};

}  // namespace anywire::schema
