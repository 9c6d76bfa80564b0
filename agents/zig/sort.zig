//! A stable merge sort: n log n comparisons whatever the input, and a comparison may fail without harm.

const std = @import("std");

/// Sorts `items`. `context.compare(left, right)` gives the order or an error, which ends the sort at once.
pub fn mergeSort(comptime T: type, comptime Failure: type, gpa: std.mem.Allocator, items: []T, context: anytype) Failure!void {
    if (items.len < 2) return;
    const spare = try gpa.alloc(T, items.len);
    defer gpa.free(spare);
    var from = items;
    var to = spare;
    var width: usize = 1;
    while (width < items.len) : (width *= 2) {
        var start: usize = 0;
        while (start < items.len) : (start += 2 * width) {
            const middle = @min(start + width, items.len);
            const end = @min(start + 2 * width, items.len);
            try merge(T, Failure, from[start..middle], from[middle..end], to[start..end], context);
        }
        std.mem.swap([]T, &from, &to);
    }
    if (from.ptr != items.ptr) @memcpy(items, from);
}

fn merge(comptime T: type, comptime Failure: type, left: []const T, right: []const T, to: []T, context: anytype) Failure!void {
    var l: usize = 0;
    var r: usize = 0;
    for (to) |*place| {
        const takes_left = r == right.len or (l < left.len and try context.compare(left[l], right[r]) != .gt);
        if (takes_left) {
            place.* = left[l];
            l += 1;
        } else {
            place.* = right[r];
            r += 1;
        }
    }
}
