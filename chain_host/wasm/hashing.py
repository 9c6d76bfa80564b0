"""The hashes of storage keys as WebAssembly: a runtime calls them a hundred times an extrinsic.

A host function costs a few microseconds of Python whatever it does; these never leave the sandbox. They are part
of the module that also holds memory and allocator (`guest.SUPPORT`), whose `malloc` and `next` they use.
"""

from collections.abc import Iterator

# xxHash64
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

# BLAKE2b: initial state (fractions of square roots) and the order of message words in each round
_IV = (
    0x6A09E667F3BCC908,
    0xBB67AE8584CAA73B,
    0x3C6EF372FE94F82B,
    0xA54FF53A5F1D36F1,
    0x510E527FADE682D1,
    0x9B05688C2B3E6C1F,
    0x1F83D9ABFB41BD6B,
    0x5BE0CD19137E2179,
)
_SIGMA = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
    (14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3),
    (11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4),
    (7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8),
    (9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13),
    (2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9),
    (12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11),
    (13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10),
    (6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5),
    (10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0),
)
_COLUMNS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15))
_DIAGONALS = ((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))

TWOX = {8: "ext_hashing_twox_64_version_1", 16: "ext_hashing_twox_128_version_1", 32: "ext_hashing_twox_256_version_1"}
BLAKE2 = {16: "ext_hashing_blake2_128_version_1", 32: "ext_hashing_blake2_256_version_1"}
NAMES = (*TWOX.values(), *BLAKE2.values())


def _i64(value: int) -> str:
    return f"(i64.const {value - (1 << 64) if value >> 63 else value})"


def _mixed(lane: str) -> str:
    """One lane of xxHash64 after eight more bytes at `at`, which the caller moves on."""
    return (
        f"(local.set ${lane} (i64.mul (i64.rotl (i64.add (local.get ${lane})"
        f" (i64.mul (i64.load (local.get $at)) {_i64(_P2)})) (i64.const 31)) {_i64(_P1)}))"
        " (local.set $at (i32.add (local.get $at) (i32.const 8)))"
    )


def _merged(lane: str) -> str:
    word = f"(i64.mul (i64.rotl (i64.mul (local.get ${lane}) {_i64(_P2)}) (i64.const 31)) {_i64(_P1)})"
    return f"(local.set $h (i64.add (i64.mul (i64.xor (local.get $h) {word}) {_i64(_P1)}) {_i64(_P4)}))"


def _xxhash() -> str:
    a, b, c, d = (
        f"(i64.rotl (local.get ${lane}) (i64.const {bits}))" for lane, bits in zip("abcd", (1, 7, 12, 18), strict=True)
    )
    lanes = f"(i64.add (i64.add {a} {b}) (i64.add {c} {d}))"
    return f"""
 (func $xxhash (param $at i32) (param $size i32) (param $seed i64) (result i64)
  (local $end i32) (local $h i64) (local $a i64) (local $b i64) (local $c i64) (local $d i64)
  (local.set $end (i32.add (local.get $at) (local.get $size)))
  (if (i32.ge_u (local.get $size) (i32.const 32))
   (then
    (local.set $a (i64.add (local.get $seed) {_i64((_P1 + _P2) % (1 << 64))}))
    (local.set $b (i64.add (local.get $seed) {_i64(_P2)}))
    (local.set $c (local.get $seed))
    (local.set $d (i64.sub (local.get $seed) {_i64(_P1)}))
    (loop $stripe
     {_mixed("a")} {_mixed("b")} {_mixed("c")} {_mixed("d")}
     (br_if $stripe (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 32))))
    (local.set $h {lanes})
    {_merged("a")} {_merged("b")} {_merged("c")} {_merged("d")})
   (else (local.set $h (i64.add (local.get $seed) {_i64(_P5)}))))
  (local.set $h (i64.add (local.get $h) (i64.extend_i32_u (local.get $size))))
  (block $no_more_words (loop $words
   (br_if $no_more_words (i32.lt_u (i32.sub (local.get $end) (local.get $at)) (i32.const 8)))
   (local.set $h (i64.add (i64.mul (i64.rotl (i64.xor (local.get $h) (i64.mul (i64.rotl (i64.mul
    (i64.load (local.get $at)) {_i64(_P2)}) (i64.const 31)) {_i64(_P1)})) (i64.const 27)) {_i64(_P1)}) {_i64(_P4)}))
   (local.set $at (i32.add (local.get $at) (i32.const 8)))
   (br $words)))
  (if (i32.ge_u (i32.sub (local.get $end) (local.get $at)) (i32.const 4))
   (then
    (local.set $h (i64.add (i64.mul (i64.rotl (i64.xor (local.get $h) (i64.mul
     (i64.load32_u (local.get $at)) {_i64(_P1)})) (i64.const 23)) {_i64(_P2)}) {_i64(_P3)}))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))))
  (block $no_more_bytes (loop $bytes
   (br_if $no_more_bytes (i32.ge_u (local.get $at) (local.get $end)))
   (local.set $h (i64.mul (i64.rotl (i64.xor (local.get $h) (i64.mul
    (i64.load8_u (local.get $at)) {_i64(_P5)})) (i64.const 11)) {_i64(_P1)}))
   (local.set $at (i32.add (local.get $at) (i32.const 1)))
   (br $bytes)))
  (local.set $h (i64.mul (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 33))) {_i64(_P2)}))
  (local.set $h (i64.mul (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 29))) {_i64(_P3)}))
  (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 32))))"""


def _twox(size: int, name: str) -> str:
    stores = " ".join(
        f"(i64.store offset={8 * seed} (local.get $out) (call $xxhash (i32.wrap_i64 (local.get $data))"
        f" (i32.wrap_i64 (i64.shr_u (local.get $data) (i64.const 32))) (i64.const {seed})))"
        for seed in range(size // 8)
    )
    return f"""
 (func (export "{name}") (param $data i64) (result i32) (local $out i32)
  (local.set $out (call $malloc (i32.const {size}))) {stores} (local.get $out))"""


def _quarter(a: int, b: int, c: int, d: int, x: int, y: int) -> Iterator[str]:
    """BLAKE2b's G on four words of the state and two of the message."""
    for word, first, second in ((x, 32, 24), (y, 16, 63)):
        yield f"(local.set $v{a} (i64.add (i64.add (local.get $v{a}) (local.get $v{b})) (local.get $m{word})))"
        yield f"(local.set $v{d} (i64.rotr (i64.xor (local.get $v{d}) (local.get $v{a})) (i64.const {first})))"
        yield f"(local.set $v{c} (i64.add (local.get $v{c}) (local.get $v{d})))"
        yield f"(local.set $v{b} (i64.rotr (i64.xor (local.get $v{b}) (local.get $v{c})) (i64.const {second})))"


def _compress() -> str:
    """Mix the 128 bytes at `block` into the 8 words at `state`; `last` is all ones for the final block."""
    lines = [f"(local $v{index} i64) (local $m{index} i64)" for index in range(16)]
    for index in range(16):
        lines.append(f"(local.set $m{index} (i64.load offset={8 * index} (local.get $block)))")
        start = f"(i64.load offset={8 * index} (local.get $state))" if index < 8 else _i64(_IV[index - 8])
        if index == 12:
            start = f"(i64.xor {start} (local.get $count))"
        elif index == 14:
            start = f"(i64.xor {start} (local.get $last))"
        lines.append(f"(local.set $v{index} {start})")
    for turn in range(12):
        order = _SIGMA[turn % 10]
        for place, words in enumerate((*_COLUMNS, *_DIAGONALS)):
            lines += _quarter(*words, order[2 * place], order[2 * place + 1])
    lines += [
        f"(i64.store offset={8 * index} (local.get $state) (i64.xor (i64.load offset={8 * index} (local.get $state))"
        f" (i64.xor (local.get $v{index}) (local.get $v{index + 8}))))"
        for index in range(8)
    ]
    head = "(func $compress (param $block i32) (param $state i32) (param $count i64) (param $last i64)"
    return "\n ".join(["", head, *lines]) + ")"


def _zeros(offset: int, size: int) -> str:
    """Clear `size` bytes of the state's scratch; a runtime of Substrate may use no bulk instructions."""
    return " ".join(f"(i64.store offset={offset + at} (local.get $state) (i64.const 0))" for at in range(0, size, 8))


_COPY = """
 (func $copy (param $from i32) (param $to i32) (param $size i32) (local $end i32)
  (local.set $end (i32.add (local.get $from) (local.get $size)))
  (block $done (loop $bytes
   (br_if $done (i32.eq (local.get $from) (local.get $end)))
   (i32.store8 (local.get $to) (i32.load8_u (local.get $from)))
   (local.set $from (i32.add (local.get $from) (i32.const 1)))
   (local.set $to (i32.add (local.get $to) (i32.const 1)))
   (br $bytes))))"""


def _blake2(size: int, name: str) -> str:
    """State and padded last block lie above the heap's top while it runs; only the digest stays."""
    starts = [_IV[0] ^ 0x01010000 ^ size, *_IV[1:]]
    setup = " ".join(
        f"(i64.store offset={8 * index} (local.get $state) {_i64(word)})" for index, word in enumerate(starts)
    )
    return f"""
 (func (export "{name}") (param $data i64) (result i32)
  (local $at i32) (local $left i32) (local $state i32) (local $out i32) (local $done i64)
  (local.set $at (i32.wrap_i64 (local.get $data)))
  (local.set $left (i32.wrap_i64 (i64.shr_u (local.get $data) (i64.const 32))))
  (local.set $out (call $malloc (i32.const {size})))
  (local.set $state (call $malloc (i32.const 192)))
  (global.set $next (local.get $state))
  {setup}
  (block $rest (loop $blocks
   (br_if $rest (i32.le_u (local.get $left) (i32.const 128)))
   (local.set $done (i64.add (local.get $done) (i64.const 128)))
   (call $compress (local.get $at) (local.get $state) (local.get $done) (i64.const 0))
   (local.set $at (i32.add (local.get $at) (i32.const 128)))
   (local.set $left (i32.sub (local.get $left) (i32.const 128)))
   (br $blocks)))
  {_zeros(64, 128)}
  (call $copy (local.get $at) (i32.add (local.get $state) (i32.const 64)) (local.get $left))
  (call $compress (i32.add (local.get $state) (i32.const 64)) (local.get $state)
   (i64.add (local.get $done) (i64.extend_i32_u (local.get $left))) (i64.const -1))
  (call $copy (local.get $state) (local.get $out) (i32.const {size}))
  (local.get $out))"""


def hashing_functions() -> str:
    """WebAssembly text of the functions `NAMES`: each takes a fat pointer and answers the address of the digest."""
    twox = [_twox(size, name) for size, name in TWOX.items()]
    blake2 = [_blake2(size, name) for size, name in BLAKE2.items()]
    return "".join([_xxhash(), *twox, _COPY, _compress(), *blake2])
