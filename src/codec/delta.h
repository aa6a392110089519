// Delta: one text as a change of another, in the delta format of the Fossil version control system:
// a few bytes to say that a large state has changed in a small place. docs/protocol.md has the
// format; whoever reads it needs no more than twenty lines.
//
// The text before is cut into blocks of 16 bytes, which are looked for anywhere in the new one and
// then grown in both directions. What is found is copied, the rest is inserted.
//
// A pure function. Thread: any. Lifetime: arguments are read during the call. Limits: time and
// memory in proportion to both texts, whatever is in them; kTriesMax blocks that look alike are
// tried for each place.
#pragma once

#include <string>

#include "base/bytes.h"

namespace anywire::codec {

// What makes `target` of `base`. Never fails; it may be longer than the target.
[[nodiscard]] std::string delta_of(Bytes base, Bytes target);

}  // namespace anywire::codec
