//! Hands the cells of a table to their columns and writes the result.

const std = @import("std");
const agent = @import("agent");
const csv = @import("csv.zig");
const number = @import("number.zig");
const columns = @import("column.zig");
const host = agent.host;
const Output = agent.Output;

const MAX_COLUMNS = 512;
/// Rows of another width that are named one by one.
const MAX_RAGGED = 10;
/// Characters of a cell that are shown; a longer one is cut and ends with an ellipsis.
const MAX_SHOWN = 100;

pub fn write(output: *Output, table: *const csv.Table, header: bool) Output.Failure!void {
    const width = if (table.rows.len > 0) table.row(0).len else 0;
    if (width > MAX_COLUMNS) host.refuse("there are {d} columns, at most {d} are profiled", .{ width, MAX_COLUMNS });
    const names: []const []const u8 = if (header and table.rows.len > 0) table.row(0) else &.{};
    const first: usize = if (names.len > 0) 1 else 0;

    try output.byte('{');
    try output.next("rows");
    try output.whole(table.rows.len - first);
    try output.next("width");
    try output.whole(width);
    try output.next("blank_lines");
    try output.whole(table.blank_lines);
    try writeRagged(output, table, first, width);
    try output.next("columns");
    try output.byte('[');
    const stacks = stackCells(table, first, width);
    for (stacks, 0..) |stack, index| {
        try output.comma(index);
        try writeColumn(output, if (first == 1) names[index] else null, index, stack, table.rows.len - first);
    }
    try output.raw("]}");
}

/// Rows with more or fewer cells than the first one. Cells too many are left out of the columns.
fn writeRagged(output: *Output, table: *const csv.Table, first: usize, width: usize) Output.Failure!void {
    try output.next("ragged");
    try output.raw("{\"first\":[");
    var count: usize = 0;
    for (first..table.rows.len) |index| {
        const cells = table.row(index).len;
        if (cells == width) continue;
        count += 1;
        if (count > MAX_RAGGED) continue;
        try output.comma(count - 1);
        try output.byte('{');
        try output.next("row");
        try output.whole(index - first + 1);
        try output.next("line");
        try output.whole(table.rows[index].line);
        try output.next("cells");
        try output.whole(cells);
        try output.byte('}');
    }
    try output.raw("],\"count\":");
    try output.whole(count);
    try output.byte('}');
}

/// The cells column by column, in one pass over the rows: a wide first row above many narrow ones costs nothing extra.
fn stackCells(table: *const csv.Table, first: usize, width: usize) [][][]const u8 {
    const stacks = host.gpa.alloc([][]const u8, width) catch host.outOfMemory();
    const heights = host.gpa.alloc(usize, width) catch host.outOfMemory();
    @memset(heights, 0);
    for (first..table.rows.len) |index| {
        for (heights[0..@min(width, table.row(index).len)]) |*height| height.* += 1;
    }
    for (stacks, heights) |*stack, *height| {
        stack.* = host.gpa.alloc([]const u8, height.*) catch host.outOfMemory();
        height.* = 0;
    }
    for (first..table.rows.len) |index| {
        const cells = table.row(index);
        for (cells[0..@min(width, cells.len)], 0..) |cell, column| {
            stacks[column][heights[column]] = cell;
            heights[column] += 1;
        }
    }
    return stacks;
}

fn writeColumn(output: *Output, name: ?[]const u8, index: usize, cells: [][]const u8, rows: usize) Output.Failure!void {
    const found = columns.profile(cells);
    try output.byte('{');
    try output.next("name");
    if (name) |text| try writeShown(output, text) else {
        try output.raw("\"column ");
        try output.whole(index + 1);
        try output.byte('"');
    }
    try output.next("type");
    try output.string(@tagName(found.kind));
    inline for (.{ "count", "empty", "missing", "distinct" }, .{ found.count, found.empty, rows - found.count, found.distinct }) |key, value| {
        try output.next(key);
        try output.whole(value);
    }
    if (found.kind != .empty and found.kind != .boolean) {
        try output.next("min");
        try writeShown(output, found.least);
        try output.next("max");
        try writeShown(output, found.most);
    }
    if (found.kind.isNumber()) try writeTotal(output, found.total);
    if (found.kind == .text) {
        try writeMeasured(output, "shortest", found.shortest);
        try writeMeasured(output, "longest", found.longest);
    }
    try output.next("top");
    try output.byte('[');
    for (found.top(), 0..) |one, place| {
        try output.comma(place);
        try output.raw("{\"value\":");
        try writeShown(output, one.value);
        try output.next("count");
        try output.whole(one.count);
        try output.byte('}');
    }
    try output.raw("]}");
}

fn writeTotal(output: *Output, total: number.Total) Output.Failure!void {
    var room: number.Text = undefined;
    try output.next("sum");
    try output.string(total.writeSum(&room));
    try output.next("mean");
    try output.raw("{\"fraction\":");
    try output.string(total.writeFraction(&room));
    try output.next("decimal");
    try output.string(total.writeMean(&room));
    try output.byte('}');
}

fn writeMeasured(output: *Output, key: []const u8, measured: columns.Measured) Output.Failure!void {
    try output.next(key);
    try output.raw("{\"length\":");
    try output.whole(measured.length);
    try output.next("value");
    try writeShown(output, measured.value);
    try output.byte('}');
}

/// The text, or its first characters and an ellipsis.
fn writeShown(output: *Output, text: []const u8) Output.Failure!void {
    if (columns.characters(text) <= MAX_SHOWN) return output.string(text);
    var end: usize = 0;
    for (0..MAX_SHOWN) |_| end += std.unicode.utf8ByteSequenceLength(text[end]) catch unreachable; // it was checked
    const cut = std.mem.concat(host.gpa, u8, &.{ text[0..end], "…" }) catch host.outOfMemory();
    defer host.gpa.free(cut);
    try output.string(cut);
}
