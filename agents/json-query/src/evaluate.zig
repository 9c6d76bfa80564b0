//! Evaluates a query: each part turns one value into any number of values, which are collected in order.

const std = @import("std");
const agent = @import("agent");
const syntax = @import("syntax.zig");
const functions = @import("functions.zig");
const compare = @import("order.zig").compare;
const Problem = @import("problem.zig").Problem;
const Work = @import("work.zig").Work;
const Node = syntax.Node;
const Value = agent.json.Value;
const Member = agent.json.Member;
const Failure = Problem.Failure;
const gpa = agent.host.gpa;

pub const Values = std.ArrayList(Value);

pub const Evaluator = struct {
    work: Work,

    /// Appends what `node` makes of `input`.
    pub fn evaluate(self: *Evaluator, node: *const Node, input: Value, out: *Values) Failure!void {
        self.work.at = node.at;
        try self.work.descend();
        defer self.work.ascend();
        switch (node.what) {
            .identity => try self.emit(out, input),
            .literal => |value| try self.emit(out, value),
            .descend => try self.emitAll(input, out),
            .pipe => |parts| try self.pipe(parts, input, out),
            .list => |parts| for (parts) |part| try self.evaluate(part, input, out),
            .either => |pair| try self.logic(pair.left, pair.right, true, input, out),
            .both => |pair| try self.logic(pair.left, pair.right, false, input, out),
            .compare => |pair| try self.comparison(node, pair.how, pair.left, pair.right, input, out),
            .field => |path| try self.eachOf(path.of, input, out, node),
            .index => |path| try self.eachOf(path.of, input, out, node),
            .slice => |path| try self.eachOf(path.of, input, out, node),
            .each => |of| try self.eachOf(of, input, out, node),
            .group => |inner| try self.evaluate(inner, input, out),
            .attempt => |of| try self.attempt(of, input, out),
            .array => |inner| try self.emit(out, .{ .array = if (inner) |one| try self.collect(one, input) else &.{} }),
            .object => |entries| try self.object(entries, input, out),
            .call => |call| try functions.call(self, node, call.function, call.argument, input, out),
        }
    }

    pub fn emit(self: *Evaluator, out: *Values, value: Value) Failure!void {
        try self.work.spend(1);
        try out.append(gpa, value);
    }

    /// What `node` makes of `input`, as a list of its own.
    pub fn collect(self: *Evaluator, node: *const Node, input: Value) Failure![]const Value {
        var found: Values = .empty;
        errdefer found.deinit(gpa);
        try self.evaluate(node, input, &found);
        return found.toOwnedSlice(gpa);
    }

    pub fn wrongType(self: *Evaluator, node: *const Node, comptime wanted: []const u8, value: Value) Failure {
        const message: []const u8 = switch (value) {
            inline else => |_, tag| wanted ++ " was expected, this is " ++ comptime described(tag),
        };
        return self.work.problem.note(error.WrongType, node.at, message);
    }

    fn pipe(self: *Evaluator, parts: []const *const Node, input: Value, out: *Values) Failure!void {
        var now = try self.collect(parts[0], input);
        for (parts[1 .. parts.len - 1]) |part| {
            var later: Values = .empty;
            for (now) |value| try self.evaluate(part, value, &later);
            gpa.free(now);
            now = try later.toOwnedSlice(gpa);
        }
        for (now) |value| try self.evaluate(parts[parts.len - 1], value, out);
        gpa.free(now);
    }

    /// `or` is settled by true, `and` by false; the right side is asked only when the left one does not settle it.
    fn logic(self: *Evaluator, left: *const Node, right: *const Node, settles: bool, input: Value, out: *Values) Failure!void {
        const lefts = try self.collect(left, input);
        defer gpa.free(lefts);
        for (lefts) |one| {
            if (isTrue(one) == settles) {
                try self.emit(out, .{ .bool = settles });
                continue;
            }
            const rights = try self.collect(right, input);
            defer gpa.free(rights);
            for (rights) |two| try self.emit(out, .{ .bool = isTrue(two) });
        }
    }

    fn comparison(
        self: *Evaluator,
        node: *const Node,
        how: syntax.Comparison,
        left: *const Node,
        right: *const Node,
        input: Value,
        out: *Values,
    ) Failure!void {
        const lefts = try self.collect(left, input);
        defer gpa.free(lefts);
        const rights = try self.collect(right, input);
        defer gpa.free(rights);
        self.work.at = node.at;
        for (rights) |two| for (lefts) |one| {
            const order = try compare(&self.work, one, two);
            try self.emit(out, .{ .bool = switch (how) {
                .equal => order == .eq,
                .unequal => order != .eq,
                .less => order == .lt,
                .less_or_equal => order != .gt,
                .greater => order == .gt,
                .greater_or_equal => order != .lt,
            } });
        };
    }

    fn eachOf(self: *Evaluator, of: *const Node, input: Value, out: *Values, node: *const Node) Failure!void {
        // The usual case, without a list in between.
        if (of.what == .identity) return self.step(node, input, out);
        const found = try self.collect(of, input);
        defer gpa.free(found);
        for (found) |value| try self.step(node, value, out);
    }

    /// The last step of a path.
    fn step(self: *Evaluator, node: *const Node, value: Value, out: *Values) Failure!void {
        switch (node.what) {
            .field => try self.field(node, value, out),
            .index => try self.index(node, value, out),
            .slice => try self.slice(node, value, out),
            else => try self.each(node, value, out),
        }
    }

    fn attempt(self: *Evaluator, node: *const Node, input: Value, out: *Values) Failure!void {
        const of = switch (node.what) {
            .field => |path| path.of,
            .index => |path| path.of,
            .slice => |path| path.of,
            .each => |of| of,
            else => {
                const before = out.items.len;
                self.evaluate(node, input, out) catch |failure| {
                    if (failure != error.WrongType) return failure;
                    out.shrinkRetainingCapacity(before);
                };
                return;
            },
        };
        const found = try self.collect(of, input);
        defer gpa.free(found);
        for (found) |value| self.step(node, value, out) catch |failure| {
            if (failure != error.WrongType) return failure;
        };
    }

    fn field(self: *Evaluator, node: *const Node, value: Value, out: *Values) Failure!void {
        switch (value) {
            .null => try self.emit(out, .null),
            .object => |members| {
                try self.work.spend(members.len / 8);
                try self.emit(out, value.member(node.what.field.name) orelse .null);
            },
            else => return self.wrongType(node, "an object", value),
        }
    }

    fn index(self: *Evaluator, node: *const Node, value: Value, out: *Values) Failure!void {
        switch (value) {
            .null => try self.emit(out, .null),
            .array => |items| {
                const count: i64 = @intCast(items.len);
                const place = node.what.index.place;
                const at = if (place < 0) place +| count else place;
                try self.emit(out, if (at >= 0 and at < count) items[@intCast(at)] else .null);
            },
            else => return self.wrongType(node, "an array", value),
        }
    }

    /// Of an array its items, of a string its characters.
    fn slice(self: *Evaluator, node: *const Node, value: Value, out: *Values) Failure!void {
        const path = node.what.slice;
        switch (value) {
            .null => try self.emit(out, .null),
            .array => |items| {
                const from, const to = limits(path.from, path.to, items.len);
                try self.emit(out, .{ .array = items[from..to] });
            },
            .string => |text| {
                try self.work.spendOn(2 * text.len);
                const from, const to = limits(path.from, path.to, functions.characters(text));
                try self.emit(out, .{ .string = text[byteOf(text, from)..byteOf(text, to)] });
            },
            else => return self.wrongType(node, "an array or a string", value),
        }
    }

    fn each(self: *Evaluator, node: *const Node, value: Value, out: *Values) Failure!void {
        switch (value) {
            .array => |items| for (items) |item| try self.emit(out, item),
            .object => |members| for (members) |one| try self.emit(out, one.value),
            else => return self.wrongType(node, "an array or an object", value),
        }
    }

    fn emitAll(self: *Evaluator, value: Value, out: *Values) Failure!void {
        try self.work.descend();
        defer self.work.ascend();
        try self.emit(out, value);
        switch (value) {
            .array => |items| for (items) |item| try self.emitAll(item, out),
            .object => |members| for (members) |one| try self.emitAll(one.value, out),
            else => {},
        }
    }

    /// One object for each choice of the entries' values; the last entry varies fastest.
    fn object(self: *Evaluator, entries: []const syntax.Entry, input: Value, out: *Values) Failure!void {
        const choices = try gpa.alloc([]const Value, entries.len);
        defer gpa.free(choices);
        const chosen = try gpa.alloc(usize, entries.len);
        defer gpa.free(chosen);
        for (entries, choices, chosen) |entry, *choice, *number| {
            choice.* = try self.collect(entry.value, input);
            number.* = 0;
        }
        for (choices) |choice| if (choice.len == 0) return;
        while (true) {
            try self.work.spend(entries.len);
            const members = try gpa.alloc(Member, entries.len);
            for (members, entries, choices, chosen) |*one, entry, choice, number|
                one.* = .{ .key = entry.key, .value = choice[number] };
            try self.emit(out, .{ .object = members });
            var turn = entries.len;
            while (turn > 0) : (turn -= 1) {
                chosen[turn - 1] += 1;
                if (chosen[turn - 1] < choices[turn - 1].len) break;
                chosen[turn - 1] = 0;
            }
            if (turn == 0) return;
        }
    }
};

pub fn isTrue(value: Value) bool {
    return switch (value) {
        .null => false,
        .bool => |is| is,
        else => true,
    };
}

fn described(comptime tag: std.meta.Tag(Value)) []const u8 {
    return switch (tag) {
        .null => "null",
        .bool => "a boolean",
        .number => "a number",
        .string => "a string",
        .array => "an array",
        .object => "an object",
    };
}

fn limits(from: ?i64, to: ?i64, size: usize) struct { usize, usize } {
    const start = limit(from orelse 0, size);
    return .{ start, @max(start, if (to) |end| limit(end, size) else size) };
}

fn limit(place: i64, size: usize) usize {
    const count: i64 = @intCast(size);
    return @intCast(std.math.clamp(if (place < 0) place +| count else place, 0, count));
}

fn byteOf(text: []const u8, character: usize) usize {
    var left = character;
    for (text, 0..) |byte, at| {
        if (byte & 0xC0 == 0x80) continue;
        if (left == 0) return at;
        left -= 1;
    }
    return text.len;
}
