//! The order of values: null, false, true, numbers, strings, arrays, objects. Numbers are compared exactly, as decimals.

const std = @import("std");
const agent = @import("agent");
const Work = @import("work.zig").Work;
const Problem = @import("problem.zig").Problem;
const Value = agent.json.Value;
const Member = agent.json.Member;
const Failure = Problem.Failure;
const gpa = agent.host.gpa;

/// Digits of an exponent; with more, numbers cannot be compared.
const MAX_EXPONENT_DIGITS = 15;

pub fn compare(work: *Work, left: Value, right: Value) Failure!std.math.Order {
    try work.descend();
    defer work.ascend();
    const by_rank = std.math.order(rank(left), rank(right));
    if (by_rank != .eq) return by_rank;
    switch (left) {
        .null, .bool => return .eq,
        .number => |text| {
            try work.spendOn(text.len + right.number.len);
            return compareNumbers(work, text, right.number);
        },
        .string => |text| {
            try work.spendOn(@min(text.len, right.string.len));
            return std.mem.order(u8, text, right.string);
        },
        .array => |items| {
            const others = right.array;
            for (items[0..@min(items.len, others.len)], others[0..@min(items.len, others.len)]) |one, other| {
                const order = try compare(work, one, other);
                if (order != .eq) return order;
            }
            return std.math.order(items.len, others.len);
        },
        .object => |members| return compareObjects(work, members, right.object),
    }
}

fn rank(value: Value) u8 {
    return switch (value) {
        .null => 0,
        .bool => |is| if (is) 2 else 1,
        .number => 3,
        .string => 4,
        .array => 5,
        .object => 6,
    };
}

/// First the sorted keys as an array of strings, then the values key by key.
fn compareObjects(work: *Work, left: []const Member, right: []const Member) Failure!std.math.Order {
    try work.spendOn(64 * (left.len + right.len));
    const mine = try gpa.dupe(Member, left);
    defer gpa.free(mine);
    const other = try gpa.dupe(Member, right);
    defer gpa.free(other);
    try agent.json.sortByKey(mine);
    try agent.json.sortByKey(other);
    for (mine[0..@min(mine.len, other.len)], other[0..@min(mine.len, other.len)]) |one, two| {
        const order = std.mem.order(u8, one.key, two.key);
        if (order != .eq) return order;
    }
    if (mine.len != other.len) return std.math.order(mine.len, other.len);
    for (mine, other) |one, two| {
        const order = try compare(work, one.value, two.value);
        if (order != .eq) return order;
    }
    return .eq;
}

fn compareNumbers(work: *Work, left: []const u8, right: []const u8) Failure!std.math.Order {
    const one = try Decimal.read(work, left);
    const two = try Decimal.read(work, right);
    const by_sign = std.math.order(one.sign, two.sign);
    if (by_sign != .eq or one.sign == 0) return by_sign;
    const size = one.compareSize(two);
    return if (one.sign > 0) size else size.invert();
}

/// A number as its digits and the power of ten of the first one that is not zero.
const Decimal = struct {
    sign: i8,
    /// From the first digit that is not zero; a point may be among them.
    digits: []const u8,
    exponent: i64,

    fn read(work: *Work, text: []const u8) Failure!Decimal {
        const start: usize = @intFromBool(text[0] == '-');
        const end = std.mem.indexOfAny(u8, text, "eE") orelse text.len;
        const mantissa = text[start..end];
        const first = std.mem.indexOfAny(u8, mantissa, "123456789") orelse return .{ .sign = 0, .digits = "", .exponent = 0 };
        const point: i64 = @intCast(std.mem.indexOfScalar(u8, mantissa, '.') orelse mantissa.len);
        const at: i64 = @intCast(first);
        const power = if (end == text.len) 0 else try readExponent(work, text[end + 1 ..]);
        return .{
            .sign = if (start == 1) -1 else 1,
            .digits = mantissa[first..],
            .exponent = power + (if (at < point) point - at - 1 else point - at),
        };
    }

    fn readExponent(work: *Work, text: []const u8) Failure!i64 {
        const digits = std.mem.trimStart(u8, text, "+-0");
        if (digits.len > MAX_EXPONENT_DIGITS) return work.tooLarge();
        var power: i64 = 0;
        for (digits) |digit| power = power * 10 + (digit - '0');
        return if (text[0] == '-') -power else power;
    }

    fn compareSize(self: Decimal, other: Decimal) std.math.Order {
        const by_exponent = std.math.order(self.exponent, other.exponent);
        if (by_exponent != .eq) return by_exponent;
        var mine: usize = 0;
        var theirs: usize = 0;
        while (mine < self.digits.len or theirs < other.digits.len) {
            const order = std.math.order(next(self.digits, &mine), next(other.digits, &theirs));
            if (order != .eq) return order;
        }
        return .eq;
    }

    /// The next digit, zero after the last one.
    fn next(digits: []const u8, at: *usize) u8 {
        if (at.* < digits.len and digits[at.*] == '.') at.* += 1;
        if (at.* >= digits.len) return '0';
        at.* += 1;
        return digits[at.* - 1];
    }
};
