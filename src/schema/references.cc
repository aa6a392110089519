#include "schema/references.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "codec/percent.h"
#include "schema/pointer.h"

namespace anywire::schema {
namespace {

using codec::JsonKind;
using codec::JsonValue;
using std::string_view;

std::optional<string_view> text_of(JsonValue object, string_view name) {
  const auto member = object.find(name);
  return member ? member->string() : std::nullopt;
}

bool has_scheme(string_view uri) {
  const std::size_t colon = uri.find(':');
  return colon != uri.npos && colon < uri.find_first_of("/?#");
}

// RFC 3986 5.2 as far as ids of bundled schemas need it: no dots in paths.
std::string absolute(string_view base, string_view uri) {
  if (uri.empty()) return std::string(base);
  if (has_scheme(uri) || base.empty()) return std::string(uri);
  std::size_t root = base.find("://");
  root = root == base.npos ? 0 : base.find('/', root + 3);
  if (uri.starts_with('/')) return std::string(base.substr(0, root)).append(uri);
  const std::size_t slash = base.rfind('/');
  if (slash == base.npos || (root == base.npos)) return fmt::format("{}/{}", base, uri);
  return std::string(base.substr(0, slash + 1)).append(uri);
}

std::string anchor_key(string_view uri, string_view name) {
  return fmt::format("{}#{}", uri, name);
}

// Their values are no schemas, whatever they look like.
bool is_data(string_view keyword) {
  return keyword == "const" || keyword == "enum" || keyword == "default" ||
         keyword == "examples";
}

}  // namespace

References::References(JsonValue document) {
  resources_.push_back({"", {document, ""}});
  walk(document, "", 0);
}

// Recursion is bounded by the reader's depth.
void References::walk(JsonValue value, const std::string& pointer, std::size_t resource) {
  if (value.kind() == JsonKind::kArray) {
    std::size_t index = 0;
    for (const JsonValue element : value.elements()) {
      walk(element, fmt::format("{}/{}", pointer, index++), resource);
    }
    return;
  }
  if (value.kind() != JsonKind::kObject) return;
  resource = note(value, pointer, resource);
  for (const auto [name, member] : value.members()) {
    if (!is_data(name)) walk(member, pointer + pointer_step(name), resource);
  }
}

std::size_t References::note(JsonValue schema, const std::string& pointer, std::size_t resource) {
  const Place place{schema, pointer};
  if (const auto id = text_of(schema, "$id")) {
    const std::size_t hash = std::min(id->find('#'), id->size());
    const std::string uri = absolute(resources_[resource].uri, id->substr(0, hash));
    if (hash > 0 && pointer.empty()) {
      resources_[0].uri = uri;
    } else if (hash > 0) {
      resource = resources_.size();
      resources_.push_back({uri, place});
    }
    // Until draft 07 this is how an anchor is written.
    if (hash + 1 < id->size()) anchors_.emplace(anchor_key(uri, id->substr(hash + 1)), place);
  }
  owners_[schema.raw().data()] = resource;
  const std::string& uri = resources_[resource].uri;
  if (const auto name = text_of(schema, "$anchor")) {
    anchors_.emplace(anchor_key(uri, *name), place);
  }
  if (const auto name = text_of(schema, "$dynamicAnchor")) {
    anchors_.emplace(anchor_key(uri, *name), place);
    DynamicAnchor& anchor =
        dynamic_anchors_.try_emplace(std::string(*name), DynamicAnchor{place}).first->second;
    ++anchor.times;
  }
  return resource;
}

const References::Resource* References::find(string_view uri) const {
  for (const Resource& resource : resources_) {
    if (resource.uri == uri) return &resource;
  }
  return nullptr;
}

const References::Resource& References::resource_of(JsonValue schema) const {
  const auto found = owners_.find(schema.raw().data());
  return resources_[found == owners_.end() ? 0 : found->second];
}

std::expected<Place, std::string> References::resolve(JsonValue from, string_view reference) const {
  const std::size_t hash = std::min(reference.find('#'), reference.size());
  const std::string uri = absolute(resource_of(from).uri, reference.substr(0, hash));
  const Resource* resource = find(uri);
  if (resource == nullptr) {
    return std::unexpected(fmt::format(
        "\"{}\" is not in this document, and nothing is fetched; put it into \"$defs\"", uri));
  }
  const auto decoded =
      codec::percent_decode(hash < reference.size() ? reference.substr(hash + 1) : "");
  if (!decoded) return std::unexpected("the reference is not percent-encoded as URIs are");
  string_view fragment = *decoded;
  if (!fragment.empty() && !fragment.starts_with('/')) {
    const auto found = anchors_.find(anchor_key(uri, fragment));
    if (found != anchors_.end()) return found->second;
    return std::unexpected(fmt::format("there is no \"$anchor\" \"{}\"", fragment));
  }
  const auto value = find_at(resource->root.value, fragment);
  if (!value) return std::unexpected("the reference leads to nothing in this document");
  return Place{*value, resource->root.pointer + std::string(fragment)};
}

std::expected<Place, std::string> References::resolve_dynamic(JsonValue from,
                                                              string_view reference) const {
  const std::size_t hash = reference.rfind('#');
  if (hash != reference.npos) {
    const auto found = dynamic_anchors_.find(reference.substr(hash + 1));
    if (found != dynamic_anchors_.end() && found->second.times > 1) {
      return std::unexpected("several \"$dynamicAnchor\"s of one name are not supported");
    }
  }
  return resolve(from, reference);
}

}  // namespace anywire::schema
