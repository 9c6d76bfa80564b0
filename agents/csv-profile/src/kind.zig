//! What a cell looks like, and what a column of such cells is.

const std = @import("std");
const number = @import("number.zig");

pub const Kind = enum {
    empty,
    integer,
    decimal,
    boolean,
    date,
    text,

    /// The narrowest kind that holds both; nothing but integers and decimals mix.
    pub fn with(self: Kind, other: Kind) Kind {
        if (self == other or other == .empty) return self;
        if (self == .empty) return other;
        if (self.isNumber() and other.isNumber()) return .decimal;
        return .text;
    }

    pub fn isNumber(self: Kind) bool {
        return self == .integer or self == .decimal;
    }
};

pub fn kindOf(cell: []const u8) Kind {
    if (cell.len == 0) return .empty;
    if (number.parse(cell)) |found| return if (found.places == 0) .integer else .decimal;
    for ([_][]const u8{ "true", "false", "yes", "no" }) |word|
        if (std.ascii.eqlIgnoreCase(cell, word)) return .boolean;
    return if (isDate(cell)) .date else .text;
}

/// `YYYY-MM-DD`, a day of the Gregorian calendar from year 1.
fn isDate(cell: []const u8) bool {
    if (cell.len != 10 or cell[4] != '-' or cell[7] != '-') return false;
    const year = digits(cell[0..4]) orelse return false;
    const month = digits(cell[5..7]) orelse return false;
    const day = digits(cell[8..10]) orelse return false;
    if (year == 0 or month == 0 or month > 12 or day == 0) return false;
    const leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0);
    const days: u32 = switch (month) {
        2 => if (leap) 29 else 28,
        4, 6, 9, 11 => 30,
        else => 31,
    };
    return day <= days;
}

fn digits(text: []const u8) ?u32 {
    var value: u32 = 0;
    for (text) |digit| {
        if (!std.ascii.isDigit(digit)) return null;
        value = value * 10 + (digit - '0');
    }
    return value;
}
