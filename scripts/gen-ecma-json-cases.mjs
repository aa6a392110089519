// Writes src/codec/testdata/ecma_json.txt: what Node answers for inputs where JSON parsers differ.
//
//   node scripts/gen-ecma-json-cases.mjs > src/codec/testdata/ecma_json.txt
//
// Two lines per case, both percent-encoded so that any byte fits: the input, and
// JSON.stringify(JSON.parse(String(buffer))) or the word `throws`. Lines that begin with # and empty
// lines are comments.

const text = (value) => Buffer.from(value, "utf8");
const bytes = (...values) => Buffer.from(values);
const around = (...values) => Buffer.concat([text('"'), bytes(...values), text('"')]);

const groups = {
  "literals and whitespace": [
    "null", "true", "false", " null ", "\t\n\r true\r\n", "nul", "nulll", "True", "NaN", "Infinity",
    "undefined", "", " ", "\f1", "\v1", "\u00a01", "\u20281", "\ufeff1", "1\u00a0", "1 2", "null,",
    "\0", "1\0", "// c\n1", "/* c */1", "'a'", "-Infinity", "tru\u0065", "\\u0031",
  ].map(text),
  numbers: [
    "0", "-0", "0.0", "-0.0", "0e0", "-0e-5", "1", "-1", "01", "-01", "+1", "1.", ".5", "-.5", "1.e1",
    "1e", "1e+", "1E5", "1e+05", "1e-05", "0x10", "1_000", "--1", "-", "1n", "1.0", "1.50", "100e-2",
    "123456789012345", "1234567890123456", "9007199254740991", "9007199254740992",
    "9007199254740993", "-9007199254740993", "12345678901234567890", "999999999999999999999",
    "1e20", "123e18", "1e21", "-1e21", "1e22", "1.5e300", "1e-6", "1e-7", "123e-7", "0.000001",
    "0.0000001", "0.00000123", "0.1", "0.2", "0.30000000000000004", "1.7976931348623157e308",
    "1.7976931348623159e308", "-1.7976931348623159e308", "1e309", "1e400", "-1e400", "5e-324",
    "2.4703282292062327e-324", "2.4703282292062328e-324", "2.5e-324", "1e-400", "-1e-400",
    "0e400", "0e99999999999999999999", "0.000e-99999999999999999999", "1e99999999999999999999",
    "-1e99999999999999999999", "1e-99999999999999999999", "2.2250738585072014e-308",
    "2.2250738585072011e-308", "4.35", "0.000035", "33333333.33333333", "1e23", "9.5e-3", "5e-7",
    "1000000000000000128", "295147905179352830000", "4503599627370497.5", "1.1e1", "1e1",
    `1${"0".repeat(400)}`, `0.${"0".repeat(400)}1`, `1${"0".repeat(400)}e-400`,
    `0.${"0".repeat(400)}1e401`, `${"9".repeat(30)}.5`, `1.${"0".repeat(800)}1`,
  ].map(text),
  strings: [
    '""', '"a"', '"a', 'a"', '"\\""', '"\\\\"', '"\\/"', '"/"', '"\\b\\f\\n\\r\\t"', '"\\a"', '"\\v"',
    '"\\0"', '"\\x41"', '"\\u0041"', '"\\u00e9"', '"\\u00E9"', '"\\u20AC"', '"\\u0000"', '"\\u001f"',
    '"\\u001F"', '"\\u007f"', '"\\u0080"', '"\\u2028\\u2029"', '"\u2028\u2029"', '"\u007f\u0080"',
    '"\\u000b"', '"\\u0008"', '"\\u002f"', '"\\u0022\\u005c"', '"\\u12"', '"\\u123g"', '"\\u"', '"\\U0041"',
    '"\\u+041"', '"\\u-041"', '"\\u 041"', '"\\ud83d\\ude00"', '"\\uD83D\\uDE00"', '"\ud83d\ude00"',
    '"\\ud83d"', '"\\ude00"', '"\\ude00\\ud83d"', '"\\ud83d\\ud83d\\ude00"', '"\\ud83dx"',
    '"\\ud83d\\n"', '"\\ud83d\\u0041"', '"\\uDBFF\\uDFFF"', '"\\ud800\\udc00"', '"\\ud83d\\u12"',
    '"\\uDBFF"', '"\\ufffe\\uffff"', '"\\ufeff"', '"\ufeff"', '"\t"', '"\n"', '"\u001f"', '"\u0000"',
    '"é€"', '"</script>"', '"\\', '"\\u12', '"a" "b"', '"\\\n"', '"<>&\'"',
  ].map(text),
  "bytes that are not UTF-8": [
    around(0xff), around(0x80), around(0xc0, 0x80), around(0xc1, 0xbf), around(0xc2),
    around(0xc2, 0x41), around(0xe0, 0x80, 0x80), around(0xe0, 0xa0), around(0xe0, 0xa0, 0x41),
    around(0xe1, 0x80, 0x41), around(0xe2, 0x82), around(0xe2, 0x82, 0xe2, 0x82, 0xac),
    around(0xed, 0xa0, 0x80), around(0xed, 0xb0, 0x80), around(0xed, 0x9f, 0xbf),
    around(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80), around(0xee, 0x80, 0x80), around(0xef, 0xbf, 0xbd),
    around(0xf0, 0x80, 0x80, 0x80), around(0xf0, 0x90, 0x80), around(0xf0, 0x9f, 0x98),
    around(0xf0, 0x9f, 0x98, 0x41), around(0xf0, 0x9f, 0x41), around(0xf0, 0x41),
    around(0xf4, 0x8f, 0xbf, 0xbf), around(0xf4, 0x90, 0x80, 0x80), around(0xf5, 0x80, 0x80, 0x80),
    around(0xf8, 0x88, 0x80, 0x80, 0x80), around(0xfe, 0xff), around(0x41, 0xff, 0x42),
    around(0xf1, 0x80, 0x80, 0xf1, 0x80, 0x80, 0x80), around(0x5c, 0xff), around(0x5c, 0x75, 0xff),
    around(0xc2, 0x0a), bytes(0xff), bytes(0x31, 0xff), bytes(0xef, 0xbb, 0xbf, 0x31),
    bytes(0x22, 0xf0, 0x9f), bytes(0x5b, 0xff, 0x5d), bytes(0xc2, 0xa0, 0x31),
    Buffer.concat([text("{"), around(0xff), text(":1,"), around(0xfe), text(":2}")]),
  ],
  arrays: [
    "[]", "[ ]", "[1,2]", "[ 1 , 2 ]", "[1,]", "[,1]", "[,]", "[1 2]", "[", "]", "[1", "[[]]", "[[],[[]]]",
    "[[]", "[]]", "[}", "[1e400,-0,null]", '[{"a":[{"b":[]}]}]', "[1,,2]",
  ].map(text),
  objects: [
    "{}", "{ }", '{"a":1}', '{ "a" : 1 , "b" : 2 }', '{"a":1,}', '{,"a":1}', "{a:1}", "{1:1}", '{"a"}',
    '{"a":}', '{"a" 1}', '{"a":1 "b":2}', '{"a":1', "{", "}", "{]", '{"":0}', '{"a":{}}', '{"a":[]}',
    '{"b":1,"a":2}', '{"a":1,"a":2}', '{"a":1,"b":2,"a":3}', '{"a":1,"\\u0061":2}',
    '{"a":{"x":1},"a":{"y":2}}', '{"a":1,"b":2,"a":3,"b":4,"c":5,"a":6}', '{"b":0,"1":1}', '{"2":2,"1":1}',
    '{"2":2,"a":0,"1":1,"b":0,"10":10,"9":9}', '{"0":0,"00":1,"01":2,"-1":3,"-0":4,"1.0":5,"1e0":6}',
    '{"a":1,"0":2}', '{"a":1,"00":2}', '{"a":1,"-0":2}', '{"a":1,"4294967294":2}', '{"a":1,"4294967295":2}',
    '{"a":1,"4294967296":2}', '{"a":1,"9007199254740991":2}', '{"4294967294":1,"4294967293":2}',
    '{"4294967295":1,"4294967294":2}', '{"1":1,"1":2}', '{"1":1,"0":0,"1":2}', '{"2":1,"a":2,"2":3}',
    '{"a":1,"\\u0031":2}', '{"__proto__":1}', '{"__proto__":{"a":1},"b":2}', '{"b":1,"__proto__":2,"a":3}',
    '{"__proto__":1,"__proto__":2}', '{"__proto__":null}', '{"constructor":1,"toString":2}',
    '{"toJSON":1}', '{"a":{"toJSON":"x"}}', '{"length":3,"0":1}', '{"\\ud800":1,"\\ud800":2}',
    '{"\\ud83d\\ude00":1,"\ud83d\ude00":2}', '{"a":{"2":[{"b":1,"0":2}],"1":{"z":1,"z":{"5":1,"3":2}}},"0":[]}',
    '{"z":{"b":1,"0":{"y":1,"1":2}},"5":{"x":{"9":1,"8":2},"x":{"7":1,"6":2}}}',
    '[{"b":1,"0":2},{"d":3,"1":4},{"e":5}]',
    `{${Array.from({ length: 20 }, (_, i) => `"k${i}":${i}`)}}`,
    `{${Array.from({ length: 20 }, (_, i) => `"k${i % 7}":${i}`)}}`,
    `{${Array.from({ length: 20 }, (_, i) => `"${(i * 7) % 20}":${i}`)}}`,
    '{"a":1e400,"b":-0}', '{"a":tru}', '{"a":"\n"}', '{"a":1}}', '{"a":1}x', '{"msg":"hi"}',
    '{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9,"a":10}',
  ].map(text),
};

function answer(buffer) {
  try {
    return JSON.stringify(JSON.parse(String(buffer)));
  } catch {
    return null;
  }
}

// Every byte outside plain ASCII, the escape character itself, and spaces.
function encode(buffer) {
  return Array.from(buffer, (byte) => {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25 && byte !== 0x23;
    return plain ? String.fromCharCode(byte) : `%${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

console.log("# Written by scripts/gen-ecma-json-cases.mjs; do not edit. An empty input is `%`.");
for (const [name, inputs] of Object.entries(groups)) {
  console.log(`\n# ${name}`);
  for (const input of inputs) {
    const expected = answer(input);
    console.log(encode(input) || "%");
    console.log(expected === null ? "throws" : `= ${encode(text(expected))}`);
  }
}
