//! Reads CSV as RFC 4180 says: quoted cells may hold delimiters, doubled quotes and line ends.
//!
//! Beyond the RFC: a line may end with LF or CR alone, a quote inside an unquoted cell is an ordinary character, a line
//! with nothing on it is no row, a byte order mark at the start is skipped.

const std = @import("std");
const host = @import("agent").host;

pub const Row = struct {
    /// Index of the first cell; the row ends where the next one starts.
    first: u32,
    /// Line of the text that it starts on, from 1.
    line: u32,
};

pub const Table = struct {
    cells: []const []const u8,
    rows: []const Row,
    blank_lines: usize,

    pub fn row(self: *const Table, index: usize) []const []const u8 {
        const end = if (index + 1 < self.rows.len) self.rows[index + 1].first else self.cells.len;
        return self.cells[self.rows[index].first..end];
    }
};

/// The cells of `text`, which is overwritten in places; ends the program when a quoted cell is not closed properly.
pub fn read(text: []u8, delimiter: u8) Table {
    var reader: Reader = .{ .text = text, .delimiter = delimiter };
    if (std.mem.startsWith(u8, text, "\xEF\xBB\xBF")) reader.at = 3;
    while (reader.at < text.len) {
        if (reader.lineEnds()) {
            reader.blank_lines += 1;
            reader.skipLineEnd();
        } else reader.readRow();
    }
    return .{ .cells = reader.cells.items, .rows = reader.rows.items, .blank_lines = reader.blank_lines };
}

const Reader = struct {
    text: []u8,
    delimiter: u8,
    at: usize = 0,
    line: u32 = 1,
    cells: std.ArrayList([]const u8) = .empty,
    rows: std.ArrayList(Row) = .empty,
    blank_lines: usize = 0,

    fn lineEnds(self: *const Reader) bool {
        return self.text[self.at] == '\n' or self.text[self.at] == '\r';
    }

    fn skipLineEnd(self: *Reader) void {
        const is_pair = std.mem.startsWith(u8, self.text[self.at..], "\r\n");
        self.at += if (is_pair) 2 else 1;
        self.line += 1;
    }

    fn readRow(self: *Reader) void {
        const row: Row = .{ .first = @intCast(self.cells.items.len), .line = self.line };
        self.rows.append(host.gpa, row) catch host.outOfMemory();
        while (true) {
            const quoted = self.at < self.text.len and self.text[self.at] == '"';
            const cell = if (quoted) self.readQuoted() else self.readPlain();
            self.cells.append(host.gpa, cell) catch host.outOfMemory();
            if (self.at == self.text.len) return;
            if (self.lineEnds()) return self.skipLineEnd();
            if (self.text[self.at] != self.delimiter)
                host.refuse("line {d}: a delimiter or the end of the line was expected after a closing quote", .{self.line});
            self.at += 1;
        }
    }

    fn readPlain(self: *Reader) []const u8 {
        const first = self.at;
        while (self.at < self.text.len and self.text[self.at] != self.delimiter and !self.lineEnds()) self.at += 1;
        return self.text[first..self.at];
    }

    fn readQuoted(self: *Reader) []const u8 {
        const started = self.line;
        self.at += 1;
        const first = self.at;
        var end = first;
        while (self.at < self.text.len) : (self.at += 1) {
            const byte = self.text[self.at];
            const next: u8 = if (self.at + 1 < self.text.len) self.text[self.at + 1] else 0;
            if (byte == '"') {
                if (next != '"') {
                    self.at += 1;
                    return self.text[first..end];
                }
                self.at += 1;
            }
            if (byte == '\n' or (byte == '\r' and next != '\n')) self.line += 1;
            self.text[end] = byte;
            end += 1;
        }
        host.refuse("line {d}: a quoted cell that starts here does not end", .{started});
    }
};
