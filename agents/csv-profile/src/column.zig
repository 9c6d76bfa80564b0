//! The profile of one column: its cells are sorted, so that equal ones lie together and everything is counted exactly.

const std = @import("std");
const agent = @import("agent");
const number = @import("number.zig");
const kinds = @import("kind.zig");
const Kind = kinds.Kind;
const host = agent.host;

/// Most frequent values that are named.
pub const TOP = 5;

pub const Counted = struct { value: []const u8, count: usize };
pub const Measured = struct { value: []const u8, length: usize };

pub const Profile = struct {
    kind: Kind = .empty,
    count: usize,
    empty: usize = 0,
    distinct: usize = 0,
    /// By value for numbers, by code points for dates and texts; without meaning for booleans.
    least: []const u8 = "",
    most: []const u8 = "",
    total: number.Total = .{},
    shortest: Measured = .{ .value = "", .length = 0 },
    longest: Measured = .{ .value = "", .length = 0 },
    room: [TOP]Counted = undefined,
    named: usize = 0,

    pub fn top(self: *const Profile) []const Counted {
        return self.room[0..self.named];
    }

    /// Keeps the most frequent; of equally frequent ones those that came first.
    fn rank(self: *Profile, one: Counted) void {
        var at = self.named;
        while (at > 0 and self.room[at - 1].count < one.count) at -= 1;
        if (at == TOP) return;
        self.named = @min(self.named + 1, TOP);
        var last = self.named - 1;
        while (last > at) : (last -= 1) self.room[last] = self.room[last - 1];
        self.room[at] = one;
    }
};

/// Sorts `cells` and describes them. Empty cells are only counted.
pub fn profile(cells: [][]const u8) Profile {
    sort(cells);
    var result: Profile = .{ .count = cells.len };
    for (cells) |cell| {
        if (cell.len > 0) break;
        result.empty += 1;
    }
    const filled = cells[result.empty..];
    var runs: Runs = .{ .cells = filled };
    while (runs.next()) |run| {
        result.distinct += 1;
        result.kind = result.kind.with(kinds.kindOf(run.value));
        result.rank(run);
        measure(&result, run.value);
    }
    if (filled.len > 0) {
        result.least = filled[0];
        result.most = filled[filled.len - 1];
    }
    if (result.kind.isNumber()) addUp(&result, filled);
    return result;
}

fn measure(result: *Profile, value: []const u8) void {
    const length = characters(value);
    if (result.distinct == 1 or length < result.shortest.length) result.shortest = .{ .value = value, .length = length };
    if (length > result.longest.length) result.longest = .{ .value = value, .length = length };
}

/// Code points of a text that is known to be UTF-8.
pub fn characters(text: []const u8) usize {
    var count: usize = 0;
    for (text) |byte| count += @intFromBool(byte & 0xC0 != 0x80);
    return count;
}

fn addUp(result: *Profile, filled: []const []const u8) void {
    var least: ?number.Units = null;
    var most: ?number.Units = null;
    var runs: Runs = .{ .cells = filled };
    while (runs.next()) |run| {
        const found = number.parse(run.value) orelse unreachable; // each cell of such a column is a number
        result.total.add(found, run.count);
        if (least == null or found.units < least.?) {
            least = found.units;
            result.least = run.value;
        }
        if (most == null or found.units > most.?) {
            most = found.units;
            result.most = run.value;
        }
    }
}

/// Walks over runs of equal cells.
const Runs = struct {
    cells: []const []const u8,
    at: usize = 0,

    fn next(self: *Runs) ?Counted {
        if (self.at == self.cells.len) return null;
        const value = self.cells[self.at];
        const first = self.at;
        while (self.at < self.cells.len and std.mem.eql(u8, self.cells[self.at], value)) self.at += 1;
        return .{ .value = value, .count = self.at - first };
    }
};

/// A hash table would be faster on friendly input and quadratic on input made to collide.
fn sort(cells: [][]const u8) void {
    const Order = struct {
        pub fn compare(_: @This(), left: []const u8, right: []const u8) error{OutOfMemory}!std.math.Order {
            return std.mem.order(u8, left, right);
        }
    };
    agent.mergeSort([]const u8, error{OutOfMemory}, host.gpa, cells, Order{}) catch host.outOfMemory();
}
