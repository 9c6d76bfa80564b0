//! Profiles a CSV text: what its columns hold, exactly. One JSON task in, one JSON result out.

const std = @import("std");
const agent = @import("agent");
const csv = @import("csv.zig");
const report = @import("report.zig");
const host = agent.host;

pub const panic = std.debug.FullPanic(host.panicked);

const MAX_TASK = 4 << 20;
const MAX_TEXT = 1 << 20;

export fn _start() void {
    host.start("csv-profile");
    const task = readTask();
    const table = csv.read(task.text, task.delimiter);
    var output: agent.Output = .{};
    report.write(&output, &table, task.header) catch host.refuse("the profile is larger than {d} bytes", .{agent.Output.MOST});
    host.answer(output.bytes.items);
}

const Task = struct { text: []u8, delimiter: u8 = ',', header: bool = true };

fn readTask() Task {
    const tree = agent.json.parse(host.readTask(MAX_TASK));
    if (tree != .object) host.refuse("the task must be a JSON object", .{});
    var text: ?[]const u8 = null;
    var task: Task = .{ .text = &.{} };
    for (tree.object) |one| {
        if (std.mem.eql(u8, one.key, "csv")) {
            if (one.value != .string) host.refuse("\"csv\" must be a string", .{});
            text = one.value.string;
        } else if (std.mem.eql(u8, one.key, "delimiter")) {
            if (one.value != .string) host.refuse("\"delimiter\" must be a string", .{});
            task.delimiter = checkDelimiter(one.value.string);
        } else if (std.mem.eql(u8, one.key, "header")) {
            if (one.value != .bool) host.refuse("\"header\" must be true or false", .{});
            task.header = one.value.bool;
        } else host.refuse("the task has an unknown key; csv, delimiter and header are known", .{});
    }
    const found = text orelse host.refuse("the task has no \"csv\"", .{});
    if (found.len > MAX_TEXT) host.refuse("the CSV text is longer than 1 MiB", .{});
    // A copy of its own, because quoted cells are unescaped in place.
    task.text = host.gpa.dupe(u8, found) catch host.outOfMemory();
    return task;
}

fn checkDelimiter(text: []const u8) u8 {
    if (text.len != 1 or text[0] == '"' or text[0] == '\r' or text[0] == '\n')
        host.refuse("\"delimiter\" must be one ASCII character that is neither a quote nor a line end", .{});
    return text[0];
}
