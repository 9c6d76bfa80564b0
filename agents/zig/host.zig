//! The host's side of ABI agent/1: one task on stdin, one result on stdout, a log on stderr, an exit code.

const std = @import("std");

const wasi = struct {
    const Vector = extern struct { at: [*]u8, size: usize };
    extern "wasi_snapshot_preview1" fn fd_read(descriptor: i32, vectors: [*]const Vector, count: usize, done: *usize) u16;
    extern "wasi_snapshot_preview1" fn fd_write(descriptor: i32, vectors: [*]const Vector, count: usize, done: *usize) u16;
    extern "wasi_snapshot_preview1" fn proc_exit(code: u32) noreturn;
};

pub const gpa = std.heap.wasm_allocator;

/// Exit codes: a result counts only with 0.
pub const REFUSED = 1;
const BROKEN_PIPE = 2;
const BUG = 3;

/// The name that starts every line of the log.
pub const Name = []const u8;
var program: Name = "agent";

pub fn start(name: Name) void {
    program = name;
}

/// All of stdin; ends the program when there are more than `most` bytes.
pub fn readTask(most: usize) []const u8 {
    var all: std.ArrayList(u8) = .empty;
    while (true) {
        all.ensureUnusedCapacity(gpa, 1 << 16) catch outOfMemory();
        const room = all.unusedCapacitySlice();
        const vector = [_]wasi.Vector{.{ .at = room.ptr, .size = room.len }};
        var done: usize = 0;
        if (wasi.fd_read(0, &vector, 1, &done) != 0) refuse("stdin cannot be read", .{});
        if (done == 0) return all.items;
        all.items.len += done;
        if (all.items.len > most) refuse("the task is longer than {d} bytes", .{most});
    }
}

/// Writes the result; the program ends with success when `_start` returns.
pub fn answer(bytes: []const u8) void {
    write(1, bytes);
}

fn write(descriptor: i32, bytes: []const u8) void {
    var left = bytes;
    while (left.len > 0) {
        const vector = [_]wasi.Vector{.{ .at = @constCast(left.ptr), .size = left.len }};
        var done: usize = 0;
        if (wasi.fd_write(descriptor, &vector, 1, &done) != 0 or done == 0) wasi.proc_exit(BROKEN_PIPE);
        left = left[done..];
    }
}

/// Ends the program without a result; the reason goes to the log.
pub fn refuse(comptime format: []const u8, arguments: anytype) noreturn {
    // Static: a refusal for want of memory must not need any.
    const room = struct {
        var bytes: [512]u8 = undefined;
    };
    const text = std.fmt.bufPrint(&room.bytes, format, arguments) catch "the task cannot be read";
    leave(text, REFUSED);
}

pub fn outOfMemory() noreturn {
    leave("out of memory", REFUSED);
}

/// A failed safety check: a bug of the agent, reported like any other refusal instead of a trap.
pub fn panicked(message: []const u8, _: ?usize) noreturn {
    leave(message, BUG);
}

fn leave(text: []const u8, code: u32) noreturn {
    write(2, program);
    write(2, ": ");
    write(2, text);
    write(2, "\n");
    wasi.proc_exit(code);
}
