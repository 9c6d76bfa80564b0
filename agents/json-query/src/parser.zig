//! Reads a query by recursive descent; the first thing wrong with it is reported with its place.

const std = @import("std");
const agent = @import("agent");
const syntax = @import("syntax.zig");
const Problem = @import("problem.zig").Problem;
const Node = syntax.Node;
const Failure = Problem.Failure;
const gpa = agent.host.gpa;

/// Brackets inside one another, and suffixes on one term: what recursion over a query costs at most.
const MAX_DEPTH = 48;

pub const Parser = struct {
    text: []const u8,
    problem: *Problem,
    at: usize = 0,
    depth: usize = 0,

    pub fn parse(text: []const u8, problem: *Problem) Failure!*const Node {
        var parser: Parser = .{ .text = text, .problem = problem };
        const node = try parser.readPipe();
        parser.skipSpace();
        if (parser.at < text.len) return parser.wrong("nothing more was expected here");
        return node;
    }

    fn wrong(self: *Parser, message: []const u8) Failure {
        return self.problem.note(error.BadQuery, self.at, message);
    }

    fn make(at: usize, what: @FieldType(Node, "what")) Failure!*const Node {
        const node = try gpa.create(Node);
        node.* = .{ .at = at, .what = what };
        return node;
    }

    fn skipSpace(self: *Parser) void {
        while (self.at < self.text.len and std.ascii.isWhitespace(self.text[self.at])) self.at += 1;
    }

    fn peek(self: *const Parser) u8 {
        return if (self.at < self.text.len) self.text[self.at] else 0;
    }

    fn accept(self: *Parser, mark: []const u8) bool {
        self.skipSpace();
        if (!std.mem.startsWith(u8, self.text[self.at..], mark)) return false;
        self.at += mark.len;
        return true;
    }

    fn need(self: *Parser, mark: []const u8, message: []const u8) Failure!void {
        if (!self.accept(mark)) return self.wrong(message);
    }

    fn acceptWord(self: *Parser, word: []const u8) bool {
        self.skipSpace();
        const start = self.at;
        if (std.mem.eql(u8, self.readName(), word)) return true;
        self.at = start;
        return false;
    }

    fn readName(self: *Parser) []const u8 {
        const start = self.at;
        if (std.ascii.isDigit(self.peek())) return "";
        while (std.ascii.isAlphanumeric(self.peek()) or self.peek() == '_') self.at += 1;
        return self.text[start..self.at];
    }

    fn readPipe(self: *Parser) Failure!*const Node {
        self.depth += 1;
        defer self.depth -= 1;
        if (self.depth > MAX_DEPTH) return self.wrong("the query is nested too deep");
        return self.readChain("|", readList);
    }

    fn readList(self: *Parser) Failure!*const Node {
        return self.readChain(",", readEither);
    }

    fn readChain(self: *Parser, mark: []const u8, comptime readPart: fn (*Parser) Failure!*const Node) Failure!*const Node {
        self.skipSpace();
        const start = self.at;
        var parts: std.ArrayList(*const Node) = .empty;
        try parts.append(gpa, try readPart(self));
        while (self.accept(mark)) try parts.append(gpa, try readPart(self));
        if (parts.items.len == 1) return parts.items[0];
        return make(start, if (mark[0] == '|') .{ .pipe = parts.items } else .{ .list = parts.items });
    }

    fn readEither(self: *Parser) Failure!*const Node {
        const left = try self.readBoth();
        const start = self.at;
        if (!self.acceptWord("or")) return left;
        try self.deeper();
        defer self.depth -= 1;
        return make(start, .{ .either = .{ .left = left, .right = try self.readEither() } });
    }

    fn readBoth(self: *Parser) Failure!*const Node {
        const left = try self.readComparison();
        const start = self.at;
        if (!self.acceptWord("and")) return left;
        try self.deeper();
        defer self.depth -= 1;
        return make(start, .{ .both = .{ .left = left, .right = try self.readBoth() } });
    }

    fn deeper(self: *Parser) Failure!void {
        if (self.depth >= MAX_DEPTH) return self.wrong("the query is nested too deep");
        self.depth += 1;
    }

    fn readComparison(self: *Parser) Failure!*const Node {
        const left = try self.readTerm();
        self.skipSpace();
        const start = self.at;
        const how: syntax.Comparison = if (self.accept("=="))
            .equal
        else if (self.accept("!="))
            .unequal
        else if (self.accept("<="))
            .less_or_equal
        else if (self.accept("<"))
            .less
        else if (self.accept(">="))
            .greater_or_equal
        else if (self.accept(">"))
            .greater
        else
            return left;
        return make(start, .{ .compare = .{ .how = how, .left = left, .right = try self.readTerm() } });
    }

    fn readTerm(self: *Parser) Failure!*const Node {
        self.skipSpace();
        var node = try self.readPrimary();
        for (0..MAX_DEPTH) |_| {
            node = try self.readSuffix(node) orelse return node;
        }
        return self.wrong("the path is too long");
    }

    /// `.name`, `."name"`, `[…]`, `?`
    fn readSuffix(self: *Parser, of: *const Node) Failure!?*const Node {
        self.skipSpace();
        const start = self.at;
        if (self.accept("?")) return try make(start, .{ .attempt = of });
        if (self.peek() == '[') return try self.readBrackets(of);
        if (self.peek() != '.') return null;
        self.at += 1;
        if (self.peek() == '[') return try self.readBrackets(of);
        return try make(start, .{ .field = .{ .of = of, .name = try self.readField() } });
    }

    fn readField(self: *Parser) Failure![]const u8 {
        if (self.peek() == '"') return self.readString();
        const name = self.readName();
        if (name.len == 0) return self.wrong("a name was expected after the point");
        return name;
    }

    fn readBrackets(self: *Parser, of: *const Node) Failure!*const Node {
        const start = self.at;
        self.at += 1;
        if (self.accept("]")) return make(start, .{ .each = of });
        if (self.accept("*")) {
            try self.need("]", "a ] was expected");
            return make(start, .{ .each = of });
        }
        self.skipSpace();
        if (self.peek() == '"') {
            const name = try self.readString();
            try self.need("]", "a ] was expected");
            return make(start, .{ .field = .{ .of = of, .name = name } });
        }
        const from = try self.readPlace();
        if (!self.accept(":")) {
            const place = from orelse return self.wrong("a whole number, a string, * or ] was expected");
            try self.need("]", "a ] was expected");
            return make(start, .{ .index = .{ .of = of, .place = place } });
        }
        const to = try self.readPlace();
        if (from == null and to == null) return self.wrong("a slice needs a start or an end");
        try self.need("]", "a ] was expected");
        return make(start, .{ .slice = .{ .of = of, .from = from, .to = to } });
    }

    fn readPlace(self: *Parser) Failure!?i64 {
        self.skipSpace();
        const start = self.at;
        if (self.peek() == '-') self.at += 1;
        const digits = self.at;
        while (std.ascii.isDigit(self.peek())) self.at += 1;
        if (self.at == digits) {
            self.at = start;
            return null;
        }
        return std.fmt.parseInt(i64, self.text[start..self.at], 10) catch {
            self.at = start;
            return self.wrong("the number is too large");
        };
    }

    fn readPrimary(self: *Parser) Failure!*const Node {
        const start = self.at;
        switch (self.peek()) {
            0 => if (self.at == self.text.len) return self.wrong("the query ends too early"),
            '.' => return self.readDot(),
            '(' => {
                self.at += 1;
                const inner = try self.readPipe();
                try self.need(")", "a ) was expected");
                return make(start, .{ .group = inner });
            },
            '[' => {
                self.at += 1;
                if (self.accept("]")) return make(start, .{ .array = null });
                const inner = try self.readPipe();
                try self.need("]", "a ] was expected");
                return make(start, .{ .array = inner });
            },
            '{' => return self.readObject(),
            '"' => return make(start, .{ .literal = .{ .string = try self.readString() } }),
            '-', '0'...'9' => return make(start, .{ .literal = .{ .number = try self.readNumber() } }),
            else => {},
        }
        const name = self.readName();
        if (name.len == 0) return self.wrong("a path, a value, a function or a bracket was expected");
        if (std.mem.eql(u8, name, "true")) return make(start, .{ .literal = .{ .bool = true } });
        if (std.mem.eql(u8, name, "false")) return make(start, .{ .literal = .{ .bool = false } });
        if (std.mem.eql(u8, name, "null")) return make(start, .{ .literal = .null });
        return self.readCall(start, name);
    }

    fn readDot(self: *Parser) Failure!*const Node {
        const start = self.at;
        self.at += 1;
        if (self.peek() == '.') {
            self.at += 1;
            return make(start, .descend);
        }
        const whole = try make(start, .identity);
        const next = self.peek();
        const named = next == '"' or next == '_' or std.ascii.isAlphabetic(next);
        if (!named) return whole;
        return make(start, .{ .field = .{ .of = whole, .name = try self.readField() } });
    }

    fn readCall(self: *Parser, start: usize, name: []const u8) Failure!*const Node {
        const function = std.meta.stringToEnum(syntax.Function, name) orelse
            return self.problem.note(error.BadQuery, start, "there is no such function");
        if (function.arity() == 0) {
            if (self.accept("(")) return self.problem.note(error.BadQuery, self.at - 1, "the function takes no argument");
            return make(start, .{ .call = .{ .function = function, .argument = null } });
        }
        try self.need("(", "the function needs an argument in brackets");
        const argument = try self.readPipe();
        try self.need(")", "a ) was expected");
        return make(start, .{ .call = .{ .function = function, .argument = argument } });
    }

    /// `{name, "name": value, name: value}`; a name alone stands for `name: .name`.
    fn readObject(self: *Parser) Failure!*const Node {
        const start = self.at;
        self.at += 1;
        var entries: std.ArrayList(syntax.Entry) = .empty;
        if (!self.accept("}")) while (true) {
            self.skipSpace();
            const place = self.at;
            const key = if (self.peek() == '"') try self.readString() else self.readName();
            if (self.at == place) return self.wrong("a key was expected");
            for (entries.items) |one| if (std.mem.eql(u8, one.key, key))
                return self.problem.note(error.BadQuery, place, "the key is given twice");
            const value = if (self.accept(":"))
                try self.readEntry()
            else
                try make(place, .{ .field = .{ .of = try make(place, .identity), .name = key } });
            try entries.append(gpa, .{ .key = key, .value = value });
            if (self.accept("}")) break;
            try self.need(",", "a comma or a } was expected");
        };
        return make(start, .{ .object = entries.items });
    }

    /// A comma ends an entry, so a list needs brackets; so does a pipe.
    fn readEntry(self: *Parser) Failure!*const Node {
        try self.deeper();
        defer self.depth -= 1;
        return self.readEither();
    }

    fn readNumber(self: *Parser) Failure![]const u8 {
        const start = self.at;
        if (self.peek() == '-') self.at += 1;
        if (self.peek() == '0') self.at += 1 else try self.readDigits();
        if (self.peek() == '.') {
            self.at += 1;
            try self.readDigits();
        }
        if (self.peek() == 'e' or self.peek() == 'E') {
            self.at += 1;
            if (self.peek() == '+' or self.peek() == '-') self.at += 1;
            try self.readDigits();
        }
        return self.text[start..self.at];
    }

    fn readDigits(self: *Parser) Failure!void {
        if (!std.ascii.isDigit(self.peek())) return self.wrong("a digit was expected");
        while (std.ascii.isDigit(self.peek())) self.at += 1;
    }

    /// A JSON string, escapes included.
    fn readString(self: *Parser) Failure![]const u8 {
        const start = self.at;
        var decoded: std.ArrayList(u8) = .empty;
        self.at += 1;
        while (self.at < self.text.len) {
            const byte = self.text[self.at];
            if (byte == '"') {
                self.at += 1;
                return decoded.items;
            }
            if (byte != '\\') {
                try decoded.append(gpa, byte);
                self.at += 1;
                continue;
            }
            var room: [4]u8 = undefined;
            const place = self.at;
            const size = std.unicode.utf8Encode(try self.readEscape(), &room) catch
                return self.problem.note(error.BadQuery, place, "half a surrogate pair");
            try decoded.appendSlice(gpa, room[0..size]);
        }
        return self.problem.note(error.BadQuery, start, "the string does not end");
    }

    fn readEscape(self: *Parser) Failure!u21 {
        self.at += 1;
        if (self.peek() != 'u') {
            const found = std.mem.indexOfScalar(u8, "\"\\/bfnrt", self.peek()) orelse return self.wrong("a bad escape");
            self.at += 1;
            return "\"\\/\x08\x0C\n\r\t"[found];
        }
        const high = try self.readHex();
        const pair = high >= 0xD800 and high < 0xDC00 and std.mem.startsWith(u8, self.text[self.at..], "\\u");
        if (!pair) return high;
        self.at += 1;
        const low = try self.readHex();
        if (low < 0xDC00 or low > 0xDFFF) return self.wrong("half a surrogate pair");
        return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    }

    fn readHex(self: *Parser) Failure!u21 {
        self.at += 1;
        var code: u21 = 0;
        for (0..4) |_| {
            code = code * 16 + (std.fmt.charToDigit(self.peek(), 16) catch return self.wrong("a bad escape"));
            self.at += 1;
        }
        return code;
    }
};
