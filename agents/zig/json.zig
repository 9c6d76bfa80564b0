//! Reads strict JSON in strict UTF-8 into a tree. Numbers keep their text; whatever is wrong ends the program with a
//! message and the byte it was found at.

const std = @import("std");
const host = @import("host.zig");
const mergeSort = @import("sort.zig").mergeSort;

/// Objects and arrays inside one another: what recursion over a tree costs at most.
pub const MAX_DEPTH = 256;

pub const Member = struct { key: []const u8, value: Value };

pub const Value = union(enum) {
    null,
    bool: bool,
    /// As written.
    number: []const u8,
    /// Decoded UTF-8.
    string: []const u8,
    array: []const Value,
    /// In the order of the text; keys are unique.
    object: []const Member,

    pub fn member(self: Value, key: []const u8) ?Value {
        for (self.object) |one| if (std.mem.eql(u8, one.key, key)) return one.value;
        return null;
    }
};

/// The tree behind a whole text.
pub fn parse(text: []const u8) Value {
    checkUtf8(text);
    var parser: Parser = .{ .text = text };
    parser.skipSpace();
    const value = parser.readValue(0);
    parser.skipSpace();
    if (parser.at < text.len) parser.wrong("something follows the end of the task");
    return value;
}

fn checkUtf8(text: []const u8) void {
    var at: usize = 0;
    while (at < text.len) {
        if (text[at] < 0x80) {
            at += 1;
            continue;
        }
        const size = std.unicode.utf8ByteSequenceLength(text[at]) catch notUtf8(at);
        if (at + size > text.len) notUtf8(at);
        _ = std.unicode.utf8Decode(text[at .. at + size]) catch notUtf8(at);
        at += size;
    }
}

fn notUtf8(at: usize) noreturn {
    host.refuse("the task is not UTF-8 at byte {d}", .{at});
}

const Parser = struct {
    text: []const u8,
    at: usize = 0,
    /// Children of the arrays and objects that are still open.
    values: std.ArrayList(Value) = .empty,
    members: std.ArrayList(Member) = .empty,

    fn wrong(self: *const Parser, comptime message: []const u8) noreturn {
        host.refuse(message ++ " at byte {d}", .{self.at});
    }

    fn peek(self: *const Parser) u8 {
        return if (self.at < self.text.len) self.text[self.at] else 0;
    }

    fn skipSpace(self: *Parser) void {
        while (self.at < self.text.len) : (self.at += 1) switch (self.text[self.at]) {
            ' ', '\t', '\n', '\r' => {},
            else => return,
        };
    }

    fn accept(self: *Parser, byte: u8) bool {
        self.skipSpace();
        if (self.peek() != byte) return false;
        self.at += 1;
        return true;
    }

    fn readValue(self: *Parser, depth: usize) Value {
        if (depth > MAX_DEPTH) self.wrong("arrays and objects are nested too deep");
        return switch (self.peek()) {
            '{' => self.readObject(depth),
            '[' => self.readArray(depth),
            '"' => .{ .string = self.readString() },
            't' => self.readWord("true", .{ .bool = true }),
            'f' => self.readWord("false", .{ .bool = false }),
            'n' => self.readWord("null", .null),
            '-', '0'...'9' => .{ .number = self.readNumber() },
            else => self.wrong("a JSON value was expected"),
        };
    }

    fn readWord(self: *Parser, comptime word: []const u8, value: Value) Value {
        if (!std.mem.startsWith(u8, self.text[self.at..], word)) self.wrong("a JSON value was expected");
        self.at += word.len;
        return value;
    }

    fn readArray(self: *Parser, depth: usize) Value {
        self.at += 1;
        const first = self.values.items.len;
        if (!self.accept(']')) while (true) {
            self.skipSpace();
            const value = self.readValue(depth + 1);
            self.values.append(host.gpa, value) catch host.outOfMemory();
            if (self.accept(']')) break;
            if (!self.accept(',')) self.wrong("a comma or the end of the array was expected");
        };
        const items = host.gpa.dupe(Value, self.values.items[first..]) catch host.outOfMemory();
        self.values.shrinkRetainingCapacity(first);
        return .{ .array = items };
    }

    fn readObject(self: *Parser, depth: usize) Value {
        self.at += 1;
        const first = self.members.items.len;
        if (!self.accept('}')) while (true) {
            self.skipSpace();
            if (self.peek() != '"') self.wrong("a key was expected");
            const key = self.readString();
            if (!self.accept(':')) self.wrong("a colon was expected");
            self.skipSpace();
            const value = self.readValue(depth + 1);
            self.members.append(host.gpa, .{ .key = key, .value = value }) catch host.outOfMemory();
            if (self.accept('}')) break;
            if (!self.accept(',')) self.wrong("a comma or the end of the object was expected");
        };
        const members = host.gpa.dupe(Member, self.members.items[first..]) catch host.outOfMemory();
        self.members.shrinkRetainingCapacity(first);
        self.checkUnique(members);
        return .{ .object = members };
    }

    /// Readers disagree about which of two equal keys counts, so none does.
    fn checkUnique(self: *const Parser, members: []const Member) void {
        if (members.len < 2) return;
        const sorted = host.gpa.dupe(Member, members) catch host.outOfMemory();
        defer host.gpa.free(sorted);
        sortByKey(sorted) catch host.outOfMemory();
        for (sorted[0 .. sorted.len - 1], sorted[1..]) |left, right|
            if (std.mem.eql(u8, left.key, right.key)) self.wrong("a key is given twice in the object that ends");
    }

    fn readNumber(self: *Parser) []const u8 {
        const first = self.at;
        if (self.peek() == '-') self.at += 1;
        if (self.peek() == '0') self.at += 1 else self.readDigits();
        if (self.peek() == '.') {
            self.at += 1;
            self.readDigits();
        }
        if (self.peek() == 'e' or self.peek() == 'E') {
            self.at += 1;
            if (self.peek() == '+' or self.peek() == '-') self.at += 1;
            self.readDigits();
        }
        return self.text[first..self.at];
    }

    fn readDigits(self: *Parser) void {
        if (!std.ascii.isDigit(self.peek())) self.wrong("a digit was expected");
        while (std.ascii.isDigit(self.peek())) self.at += 1;
    }

    /// A string without escapes is a piece of the text; else it is decoded into a place of its own.
    fn readString(self: *Parser) []const u8 {
        self.at += 1;
        const first = self.at;
        while (self.at < self.text.len) : (self.at += 1) switch (self.text[self.at]) {
            '"' => {
                self.at += 1;
                return self.text[first .. self.at - 1];
            },
            '\\' => return self.readEscaped(first),
            0...0x1F => self.wrong("a control character in a string"),
            else => {},
        };
        self.wrong("a string does not end");
    }

    fn readEscaped(self: *Parser, first: usize) []const u8 {
        var decoded: std.ArrayList(u8) = .empty;
        decoded.appendSlice(host.gpa, self.text[first..self.at]) catch host.outOfMemory();
        while (self.at < self.text.len) {
            const byte = self.text[self.at];
            if (byte < 0x20) self.wrong("a control character in a string");
            if (byte == '"') {
                self.at += 1;
                return decoded.items;
            }
            if (byte == '\\') {
                var room: [4]u8 = undefined;
                const size = std.unicode.utf8Encode(self.readEscape(), &room) catch self.wrong("half a surrogate pair");
                decoded.appendSlice(host.gpa, room[0..size]) catch host.outOfMemory();
            } else {
                decoded.append(host.gpa, byte) catch host.outOfMemory();
                self.at += 1;
            }
        }
        self.wrong("a string does not end");
    }

    fn readEscape(self: *Parser) u21 {
        self.at += 1;
        const letter = self.peek();
        if (letter != 'u') {
            const found = std.mem.indexOfScalar(u8, "\"\\/bfnrt", letter) orelse self.wrong("a bad escape");
            self.at += 1;
            return "\"\\/\x08\x0C\n\r\t"[found];
        }
        const high = self.readHex();
        if (high < 0xD800 or high > 0xDFFF) return high;
        const pair = std.mem.startsWith(u8, self.text[self.at..], "\\u");
        if (high > 0xDBFF or !pair) self.wrong("half a surrogate pair");
        self.at += 1;
        const low = self.readHex();
        if (low < 0xDC00 or low > 0xDFFF) self.wrong("half a surrogate pair");
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }

    fn readHex(self: *Parser) u21 {
        self.at += 1;
        var code: u21 = 0;
        for (0..4) |_| {
            const digit = std.fmt.charToDigit(self.peek(), 16) catch self.wrong("a bad escape");
            code = code * 16 + digit;
            self.at += 1;
        }
        return code;
    }
};

/// By the bytes of the keys, which is the order of their code points.
pub fn sortByKey(members: []Member) error{OutOfMemory}!void {
    const Order = struct {
        pub fn compare(_: @This(), left: Member, right: Member) error{OutOfMemory}!std.math.Order {
            return std.mem.order(u8, left.key, right.key);
        }
    };
    try mergeSort(Member, error{OutOfMemory}, host.gpa, members, Order{});
}
