// ClientId: the public name of a session, as others see it in messages and presence: 72 random
// bits as 12 characters of URL-safe base64. Short enough for std::string to hold without an
// allocation.
//
// Thread: any; a value.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/random.h"
#include "codec/base64url.h"

namespace anywire::protocol {

class ClientId {
 public:
  static constexpr std::size_t kBytes = 12;

  ClientId() { text_.fill('-'); }

  static ClientId random() {
    std::array<std::uint8_t, kBytes / 4 * 3> bits;
    secure_random(bits);
    ClientId id;
    std::ranges::copy(codec::base64url_encode(bits), id.text_.begin());
    return id;
  }

  // The text of a ClientId.
  static ClientId of(std::string_view text) {
    AW_ASSERT(text.size() == kBytes);
    ClientId id;
    std::ranges::copy(text, id.text_.begin());
    return id;
  }

  std::string_view text() const { return {text_.data(), text_.size()}; }
  bool operator==(const ClientId&) const = default;

 private:
  std::array<char, kBytes> text_;
};

}  // namespace anywire::protocol
