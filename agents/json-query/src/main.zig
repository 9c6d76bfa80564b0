//! Answers a query about a JSON document. One JSON task in, one JSON result out; README.md has the language.

const std = @import("std");
const agent = @import("agent");
const syntax = @import("syntax.zig");
const Parser = @import("parser.zig").Parser;
const Evaluator = @import("evaluate.zig").Evaluator;
const Problem = @import("problem.zig").Problem;
const host = agent.host;
const Value = agent.json.Value;

pub const panic = std.debug.FullPanic(host.panicked);

const MAX_TASK = 1 << 20;
const MAX_QUERY = 4096;

export fn _start() void {
    host.start("json-query");
    const task = readTask();
    var problem: Problem = .{};
    var output: agent.Output = .{};
    run(task, &output, &problem) catch |failure| {
        problem.explain(failure);
        output.bytes.clearRetainingCapacity();
        writeProblem(&output, task.query, &problem) catch unreachable; // it is a few hundred bytes
    };
    host.answer(output.bytes.items);
}

const Task = struct { document: Value, query: []const u8 };

fn readTask() Task {
    const tree = agent.json.parse(host.readTask(MAX_TASK));
    if (tree != .object) host.refuse("the task must be a JSON object", .{});
    const document = tree.member("document") orelse host.refuse("the task has no \"document\"", .{});
    const query = tree.member("query") orelse host.refuse("the task has no \"query\"", .{});
    if (tree.object.len > 2) host.refuse("the task has an unknown key; document and query are known", .{});
    if (query != .string) host.refuse("\"query\" must be a string", .{});
    if (query.string.len > MAX_QUERY) host.refuse("\"query\" is longer than {d} bytes", .{MAX_QUERY});
    return .{ .document = document, .query = query.string };
}

fn run(task: Task, output: *agent.Output, problem: *Problem) Problem.Failure!void {
    const tree = try Parser.parse(task.query, problem);
    var evaluator: Evaluator = .{ .work = .{ .problem = problem } };
    var results: std.ArrayList(Value) = .empty;
    try evaluator.evaluate(tree, task.document, &results);
    try output.raw("{\"results\":");
    try output.value(.{ .array = results.items });
    try output.byte('}');
}

/// The place is counted in characters, because people count those.
fn writeProblem(output: *agent.Output, query: []const u8, problem: *const Problem) agent.Output.Failure!void {
    var position: usize = 0;
    for (query[0..@min(problem.at, query.len)]) |byte| position += @intFromBool(byte & 0xC0 != 0x80);
    try output.raw("{\"error\":{\"message\":");
    try output.string(problem.message);
    try output.raw(",\"position\":");
    try output.whole(position);
    try output.raw("}}");
}
