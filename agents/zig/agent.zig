//! What every agent written in Zig needs: the host's calls, strict JSON in and out, a sort that cannot go wrong.

pub const host = @import("host.zig");
pub const json = @import("json.zig");
pub const Output = @import("output.zig").Output;
pub const mergeSort = @import("sort.zig").mergeSort;
