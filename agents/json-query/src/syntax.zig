//! The tree of a query.

const Value = @import("agent").json.Value;

pub const Function = enum {
    all,
    any,
    empty,
    endswith,
    first,
    group_by,
    has,
    keys,
    last,
    length,
    map,
    max,
    max_by,
    min,
    min_by,
    not,
    reverse,
    select,
    sort,
    sort_by,
    startswith,
    to_entries,
    type,
    unique,
    unique_by,
    values,

    /// How many arguments it takes in its brackets.
    pub fn arity(self: Function) usize {
        return switch (self) {
            .endswith, .group_by, .has, .map, .max_by, .min_by, .select, .sort_by, .startswith, .unique_by => 1,
            else => 0,
        };
    }
};

pub const Comparison = enum { equal, unequal, less, less_or_equal, greater, greater_or_equal };

pub const Entry = struct { key: []const u8, value: *const Node };

pub const Node = struct {
    /// Byte of the query that messages point at.
    at: usize,
    what: union(enum) {
        /// `.`
        identity,
        /// `..`: the value and everything in it.
        descend,
        literal: Value,
        /// `a | b | c`
        pipe: []const *const Node,
        /// `a, b, c`
        list: []const *const Node,
        either: Pair,
        both: Pair,
        compare: struct { how: Comparison, left: *const Node, right: *const Node },
        /// `of.name`
        field: struct { of: *const Node, name: []const u8 },
        /// `of[3]`, from the end when negative.
        index: struct { of: *const Node, place: i64 },
        /// `of[2:5]`
        slice: struct { of: *const Node, from: ?i64, to: ?i64 },
        /// `of[]`
        each: *const Node,
        /// `of?`: nothing instead of a value of the wrong type; after a path, only its last step is forgiven.
        attempt: *const Node,
        /// `(a)`
        group: *const Node,
        /// `[a]`
        array: ?*const Node,
        /// `{a: b}`
        object: []const Entry,
        call: struct { function: Function, argument: ?*const Node },
    },

    const Pair = struct { left: *const Node, right: *const Node };
};
