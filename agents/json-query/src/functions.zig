//! The functions of the language, one by one.

const std = @import("std");
const agent = @import("agent");
const syntax = @import("syntax.zig");
const evaluation = @import("evaluate.zig");
const compare = @import("order.zig").compare;
const Problem = @import("problem.zig").Problem;
const Node = syntax.Node;
const Value = agent.json.Value;
const Member = agent.json.Member;
const Failure = Problem.Failure;
const Evaluator = evaluation.Evaluator;
const Values = evaluation.Values;
const gpa = agent.host.gpa;

pub fn call(
    self: *Evaluator,
    node: *const Node,
    function: syntax.Function,
    argument: ?*const Node,
    input: Value,
    out: *Values,
) Failure!void {
    switch (function) {
        .empty => {},
        .not => try self.emit(out, .{ .bool = !evaluation.isTrue(input) }),
        .values => if (input != .null) try self.emit(out, input),
        .type => try self.emit(out, .{ .string = nameOf(input) }),
        .length => try self.emit(out, try length(self, node, input)),
        .keys => try self.emit(out, .{ .array = try keys(self, node, input) }),
        .to_entries => try self.emit(out, .{ .array = try toEntries(self, node, input) }),
        .has, .startswith, .endswith => try ask(self, node, function, argument.?, input, out),
        .select => {
            const found = try self.collect(argument.?, input);
            defer gpa.free(found);
            for (found) |one| if (evaluation.isTrue(one)) try self.emit(out, input);
        },
        .map => try self.emit(out, .{ .array = try map(self, node, argument.?, input) }),
        .all, .any => {
            const items = try itemsOf(self, node, input);
            try self.work.spend(items.len);
            for (items) |item| if (evaluation.isTrue(item) == (function == .any))
                return self.emit(out, .{ .bool = function == .any });
            try self.emit(out, .{ .bool = function == .all });
        },
        .first, .last => {
            const items = try itemsOf(self, node, input);
            const at = if (function == .first) 0 else items.len -| 1;
            try self.emit(out, if (items.len > 0) items[at] else .null);
        },
        .reverse => {
            const items = try gpa.dupe(Value, try itemsOf(self, node, input));
            try self.work.spend(items.len);
            std.mem.reverse(Value, items);
            try self.emit(out, .{ .array = items });
        },
        .min, .min_by, .max, .max_by => try extreme(self, node, function, argument, input, out),
        .sort, .sort_by, .unique, .unique_by, .group_by => try arrange(self, node, function, argument, input, out),
    }
}

/// Code points of UTF-8.
pub fn characters(text: []const u8) usize {
    var count: usize = 0;
    for (text) |byte| count += @intFromBool(byte & 0xC0 != 0x80);
    return count;
}

fn nameOf(value: Value) []const u8 {
    return if (value == .bool) "boolean" else @tagName(value);
}

fn itemsOf(self: *Evaluator, node: *const Node, value: Value) Failure![]const Value {
    return if (value == .array) value.array else self.wrongType(node, "an array", value);
}

fn whole(number: usize) Failure!Value {
    return .{ .number = try std.fmt.allocPrint(gpa, "{d}", .{number}) };
}

/// Items, members, characters; of a number its absolute value, of null nothing.
fn length(self: *Evaluator, node: *const Node, value: Value) Failure!Value {
    switch (value) {
        .null => return whole(0),
        .bool => return self.wrongType(node, "anything but a boolean", value),
        .number => |text| return .{ .number = text[@intFromBool(text[0] == '-')..] },
        .string => |text| {
            try self.work.spendOn(text.len);
            return whole(characters(text));
        },
        .array => |items| return whole(items.len),
        .object => |members| return whole(members.len),
    }
}

/// Of an object sorted by code points; of an array the indices.
fn keys(self: *Evaluator, node: *const Node, value: Value) Failure![]const Value {
    switch (value) {
        .array => |items| {
            try self.work.spend(items.len);
            const found = try gpa.alloc(Value, items.len);
            for (found, 0..) |*place, number| place.* = try whole(number);
            return found;
        },
        .object => |members| {
            try self.work.spend(4 * members.len);
            const sorted = try gpa.dupe(Member, members);
            defer gpa.free(sorted);
            try agent.json.sortByKey(sorted);
            const found = try gpa.alloc(Value, members.len);
            for (found, sorted) |*place, one| place.* = .{ .string = one.key };
            return found;
        },
        else => return self.wrongType(node, "an array or an object", value),
    }
}

fn toEntries(self: *Evaluator, node: *const Node, value: Value) Failure![]const Value {
    if (value != .object) return self.wrongType(node, "an object", value);
    try self.work.spend(2 * value.object.len);
    const found = try gpa.alloc(Value, value.object.len);
    for (found, value.object) |*place, one| {
        const members = try gpa.dupe(Member, &.{
            .{ .key = "key", .value = .{ .string = one.key } },
            .{ .key = "value", .value = one.value },
        });
        place.* = .{ .object = members };
    }
    return found;
}

fn map(self: *Evaluator, node: *const Node, argument: *const Node, input: Value) Failure![]const Value {
    var found: Values = .empty;
    switch (input) {
        .array => |items| for (items) |item| try self.evaluate(argument, item, &found),
        .object => |members| for (members) |one| try self.evaluate(argument, one.value, &found),
        else => return self.wrongType(node, "an array or an object", input),
    }
    return found.toOwnedSlice(gpa);
}

/// A question with an argument: one answer for each value of the argument.
fn ask(self: *Evaluator, node: *const Node, function: syntax.Function, argument: *const Node, input: Value, out: *Values) Failure!void {
    const found = try self.collect(argument, input);
    defer gpa.free(found);
    for (found) |one| {
        const answer = if (function == .has) try has(self, node, input, one) else answer: {
            if (input != .string) return self.wrongType(node, "a string", input);
            if (one != .string) return self.wrongType(argument, "a string", one);
            try self.work.spendOn(one.string.len);
            break :answer if (function == .startswith)
                std.mem.startsWith(u8, input.string, one.string)
            else
                std.mem.endsWith(u8, input.string, one.string);
        };
        try self.emit(out, .{ .bool = answer });
    }
}

/// Whether an object has a key, or an array an index written as a plain whole number.
fn has(self: *Evaluator, node: *const Node, input: Value, one: Value) Failure!bool {
    switch (input) {
        .object => |members| {
            if (one != .string) return self.wrongType(node, "a string as the key", one);
            try self.work.spend(members.len / 8);
            return input.member(one.string) != null;
        },
        .array => |items| {
            if (one != .number) return self.wrongType(node, "a number as the index", one);
            const place = std.fmt.parseInt(i64, one.number, 10) catch return false;
            return place >= 0 and place < items.len;
        },
        else => return self.wrongType(node, "an array or an object", input),
    }
}

/// An item and what it is sorted by.
const Keyed = struct { key: Value, item: Value };

fn keyed(self: *Evaluator, node: *const Node, argument: ?*const Node, input: Value) Failure![]Keyed {
    const items = try itemsOf(self, node, input);
    const found = try gpa.alloc(Keyed, items.len);
    for (found, items) |*place, item| {
        const key: Value = if (argument) |by| .{ .array = try self.collect(by, item) } else item;
        place.* = .{ .key = key, .item = item };
    }
    self.work.at = node.at;
    return found;
}

/// The first of the least, the last of the greatest; null of nothing.
fn extreme(self: *Evaluator, node: *const Node, function: syntax.Function, argument: ?*const Node, input: Value, out: *Values) Failure!void {
    const found = try keyed(self, node, argument, input);
    defer gpa.free(found);
    if (found.len == 0) return self.emit(out, .null);
    var best = found[0];
    for (found[1..]) |one| {
        const order = try compare(&self.work, one.key, best.key);
        const better = if (function == .min or function == .min_by) order == .lt else order != .lt;
        if (better) best = one;
    }
    try self.emit(out, best.item);
}

/// Sorts; equal ones stay in their order. Then leaves only the first of equal ones, or puts equal ones together.
fn arrange(self: *Evaluator, node: *const Node, function: syntax.Function, argument: ?*const Node, input: Value, out: *Values) Failure!void {
    const Order = struct {
        evaluator: *Evaluator,
        pub fn compare(order: @This(), left: Keyed, right: Keyed) Failure!std.math.Order {
            return @import("order.zig").compare(&order.evaluator.work, left.key, right.key);
        }
    };
    const found = try keyed(self, node, argument, input);
    defer gpa.free(found);
    try agent.mergeSort(Keyed, Failure, gpa, found, Order{ .evaluator = self });
    var result: Values = .empty;
    var first: usize = 0;
    while (first < found.len) {
        var end = first + 1;
        if (function != .sort and function != .sort_by) {
            while (end < found.len and try compare(&self.work, found[first].key, found[end].key) == .eq) end += 1;
        }
        if (function == .group_by) {
            const group = try gpa.alloc(Value, end - first);
            for (group, found[first..end]) |*place, one| place.* = one.item;
            try self.emit(&result, .{ .array = group });
        } else try self.emit(&result, found[first].item);
        first = end;
    }
    try self.emit(out, .{ .array = try result.toOwnedSlice(gpa) });
}
