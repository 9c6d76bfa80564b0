//! Writes JSON into a bounded buffer.

const std = @import("std");
const host = @import("host.zig");
const json = @import("json.zig");

pub const Output = struct {
    /// The bytes that an agent may write on stdout.
    pub const MOST = 1 << 20;
    pub const Failure = error{ OutputTooLarge, OutputTooDeep };

    bytes: std.ArrayList(u8) = .empty,

    pub fn raw(self: *Output, text: []const u8) Failure!void {
        if (text.len > MOST - self.bytes.items.len) return error.OutputTooLarge;
        self.bytes.appendSlice(host.gpa, text) catch host.outOfMemory();
    }

    pub fn byte(self: *Output, one: u8) Failure!void {
        try self.raw(&.{one});
    }

    pub fn whole(self: *Output, number: usize) Failure!void {
        var room: [20]u8 = undefined;
        try self.raw(std.fmt.bufPrint(&room, "{d}", .{number}) catch unreachable);
    }

    /// A comma unless this is the first of its list.
    pub fn comma(self: *Output, index: usize) Failure!void {
        if (index > 0) try self.byte(',');
    }

    /// `"name":`
    pub fn key(self: *Output, name: []const u8) Failure!void {
        try self.string(name);
        try self.byte(':');
    }

    /// A comma unless the object has just begun, then `"name":`
    pub fn next(self: *Output, name: []const u8) Failure!void {
        if (self.bytes.items[self.bytes.items.len - 1] != '{') try self.byte(',');
        try self.key(name);
    }

    pub fn string(self: *Output, text: []const u8) Failure!void {
        try self.byte('"');
        var done: usize = 0;
        for (text, 0..) |one, at| {
            if (one >= 0x20 and one != '"' and one != '\\') continue;
            try self.raw(text[done..at]);
            done = at + 1;
            if (std.mem.indexOfScalar(u8, "\"\\\x08\x0C\n\r\t", one)) |known| {
                try self.raw(&.{ '\\', "\"\\bfnrt"[known] });
            } else {
                try self.raw(&.{ '\\', 'u', '0', '0', "0123456789abcdef"[one >> 4], "0123456789abcdef"[one & 15] });
            }
        }
        try self.raw(text[done..]);
        try self.byte('"');
    }

    /// A tree, at most twice as deep as a text may be: a query can put one into another.
    pub fn value(self: *Output, tree: json.Value) Failure!void {
        try self.tree_at(tree, 0);
    }

    fn tree_at(self: *Output, tree: json.Value, depth: usize) Failure!void {
        if (depth > 2 * json.MAX_DEPTH) return error.OutputTooDeep;
        switch (tree) {
            .null => try self.raw("null"),
            .bool => |is| try self.raw(if (is) "true" else "false"),
            .number => |text| try self.raw(text),
            .string => |text| try self.string(text),
            .array => |items| {
                try self.byte('[');
                for (items, 0..) |item, index| {
                    try self.comma(index);
                    try self.tree_at(item, depth + 1);
                }
                try self.byte(']');
            },
            .object => |members| {
                try self.byte('{');
                for (members, 0..) |one, index| {
                    try self.comma(index);
                    try self.key(one.key);
                    try self.tree_at(one.value, depth + 1);
                }
                try self.byte('}');
            },
        }
    }
};
