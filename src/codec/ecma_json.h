// ECMAScript JSON: what a Node server answers when it parses a message and sends the result back.
//
// reserialize(input) is the text of JSON.stringify(JSON.parse(String(buffer))), byte for byte, or
// nothing where JSON.parse throws (ECMA-262 25.5). The `/echo` endpoint promises exactly this, and
// it is more than dropping whitespace: numbers are doubles and print by Number::toString (1e21 as
// 1e+21, -0 as 0, 1e400 as null), strings are escaped anew, a repeated key keeps its first place
// and its last value, keys that are array indexes come first in ascending order, lone surrogates
// stay escapes, and bytes that are not UTF-8 have become U+FFFD before parsing starts.
//
// Not built on simdjson, the house's JSON reader: it refuses lone surrogates, broken UTF-8 and
// numbers that overflow, all of which JSON.parse takes.
//
// Thread: any; a pure function. The input is read during the call.
// Limits: time O(n log n) whatever the nesting. Memory besides the result: some 40 bytes per member
// of the objects open at once, and for an object that has to be reordered some 150 bytes per member
// and a second copy of the text. The result is at most 5.25 times the input (numbers like 1e20).
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"

namespace anywire::codec {

// V8 gives up on the way back at some thousands of levels, depending on its stack; a fixed and
// lower limit makes the answer the same everywhere.
inline constexpr int kEcmaJsonDepthMax = 512;

// Nothing if the input is not JSON or nests deeper than `depth_max` arrays and objects.
std::optional<std::string> reserialize(Bytes input, int depth_max = kEcmaJsonDepthMax);

// Number::toString of a finite value in base 10 (ECMA-262 6.1.6.1.20), appended to `out`.
void append_number(std::string& out, double value);

}  // namespace anywire::codec
