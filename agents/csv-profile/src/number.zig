//! Exact decimal numbers: integers of 256 bits that count units of 10^-30.

const std = @import("std");

/// Digits that a number may have before its point, and again after it. A sum of 2^20 of them needs 253 bits.
pub const DIGITS = 30;
/// Decimal places that a mean is rounded to.
const MEAN_PLACES = 12;

pub const Units = i256;
const ONE: Units = power(DIGITS);
const SCALE: u256 = ONE;

fn power(comptime exponent: usize) Units {
    var result: Units = 1;
    for (0..exponent) |_| result *= 10;
    return result;
}

/// Powers of ten by their exponent.
const TENS = tens: {
    var table: [DIGITS + 1]u128 = undefined;
    for (&table, 0..) |*place, exponent| place.* = @intCast(power(exponent));
    break :tens table;
};

pub const Number = struct {
    units: Units,
    /// Digits after the point, as written.
    places: usize,
};

/// A number as people write it: a sign perhaps, digits without a needless leading zero (those are identifiers), perhaps
/// a point with digits after it. No exponent.
pub fn parse(text: []const u8) ?Number {
    const negative = text.len > 0 and text[0] == '-';
    const signed = negative or (text.len > 0 and text[0] == '+');
    const rest = if (signed) text[1..] else text;
    const point = std.mem.indexOfScalar(u8, rest, '.');
    const whole = rest[0 .. point orelse rest.len];
    const fraction = if (point) |at| rest[at + 1 ..] else "";
    if (whole.len == 0 or whole.len > DIGITS or fraction.len > DIGITS) return null;
    if (point != null and fraction.len == 0) return null;
    if (whole.len > 1 and whole[0] == '0') return null;
    for (whole) |digit| if (!std.ascii.isDigit(digit)) return null;
    for (fraction) |digit| if (!std.ascii.isDigit(digit)) return null;

    // 128 bits hold 38 digits: much cheaper than 256 bits digit by digit.
    var tail: u128 = 0;
    for (fraction) |digit| tail = tail * 10 + (digit - '0');
    tail *= TENS[DIGITS - fraction.len];
    var head: u128 = 0;
    for (whole) |digit| head = head * 10 + (digit - '0');
    const units = @as(Units, head) * ONE + tail;
    return .{ .units = if (negative) -units else units, .places = fraction.len };
}

/// A sum of numbers, and how many there were.
pub const Total = struct {
    units: Units = 0,
    count: usize = 0,
    places: usize = 0,

    pub fn add(self: *Total, number: Number, times: usize) void {
        self.units += number.units * @as(Units, @intCast(times));
        self.count += times;
        self.places = @max(self.places, number.places);
    }

    /// The sum with as many digits after the point as the number that had most.
    pub fn writeSum(self: Total, room: *Text) []const u8 {
        var text: Writer = .{ .room = room };
        if (self.units < 0) text.byte('-');
        const size: u256 = @abs(self.units);
        text.whole(size / SCALE);
        if (self.places > 0) {
            var digits: [DIGITS]u8 = undefined;
            spell(&digits, size % SCALE);
            text.byte('.');
            text.bytes(digits[0..self.places]);
        }
        return text.done();
    }

    /// The mean as a fraction in lowest terms, `-10/3` or `4`.
    pub fn writeFraction(self: Total, room: *Text) []const u8 {
        const size: u256 = @abs(self.units);
        const below: u256 = SCALE * self.count;
        const common = std.math.gcd(size, below);
        var text: Writer = .{ .room = room };
        if (self.units < 0) text.byte('-');
        text.whole(size / common);
        if (below != common) {
            text.byte('/');
            text.whole(below / common);
        }
        return text.done();
    }

    /// The mean rounded half to even, without trailing zeros.
    pub fn writeMean(self: Total, room: *Text) []const u8 {
        const size: u256 = @abs(self.units);
        const below: u256 = SCALE * self.count;
        const scale: u256 = comptime power(MEAN_PLACES);
        var whole = size / below;
        const rest = (size % below) * scale;
        var parts = rest / below;
        const left = rest % below * 2;
        if (left > below or (left == below and parts % 2 == 1)) parts += 1;
        if (parts == scale) {
            parts = 0;
            whole += 1;
        }
        var text: Writer = .{ .room = room };
        if (self.units < 0 and (whole > 0 or parts > 0)) text.byte('-');
        text.whole(whole);
        var digits: [MEAN_PLACES]u8 = undefined;
        spell(&digits, parts);
        const kept = std.mem.trimEnd(u8, &digits, "0");
        if (kept.len > 0) text.byte('.');
        text.bytes(kept);
        return text.done();
    }
};

/// Room for a sign, two whole numbers of 256 bits and a sign between them.
pub const Text = [160]u8;

const Writer = struct {
    room: *Text,
    size: usize = 0,

    fn byte(self: *Writer, one: u8) void {
        self.room[self.size] = one;
        self.size += 1;
    }

    fn bytes(self: *Writer, many: []const u8) void {
        for (many) |one| self.byte(one);
    }

    fn whole(self: *Writer, number: u256) void {
        var digits: [78]u8 = undefined;
        spell(&digits, number);
        const kept = std.mem.trimStart(u8, &digits, "0");
        self.bytes(if (kept.len > 0) kept else "0");
    }

    fn done(self: *const Writer) []const u8 {
        return self.room[0..self.size];
    }
};

/// Writes the last `digits.len` decimal digits; 18 at a time, because a division of 256 bits is slow.
fn spell(digits: []u8, number: u256) void {
    const CHUNK = 1_000_000_000_000_000_000;
    var rest = number;
    var end = digits.len;
    while (end > 0) {
        var low: u64 = @intCast(rest % CHUNK);
        rest /= CHUNK;
        const start = end -| 18;
        while (end > start) {
            end -= 1;
            digits[end] = '0' + @as(u8, @intCast(low % 10));
            low /= 10;
        }
    }
}
