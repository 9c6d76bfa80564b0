//! Counts what a query costs, so that one without a reasonable end is answered with an error instead of silence.

const Problem = @import("problem.zig").Problem;
const Failure = Problem.Failure;

/// Values made, visited or compared.
const MAX_STEPS = 6_000_000;
/// Values and parts of the query inside one another.
const MAX_DEPTH = 320;
/// Bytes of text that are compared for the price of a step.
const BYTES = 8;

pub const Work = struct {
    problem: *Problem,
    /// Part of the query that is being evaluated.
    at: usize = 0,
    steps: usize = 0,
    depth: usize = 0,

    pub fn spend(self: *Work, steps: usize) Failure!void {
        self.steps += steps;
        if (self.steps > MAX_STEPS)
            return self.problem.note(error.TooMuchWork, self.at, "the query takes too many steps on this document");
    }

    pub fn spendOn(self: *Work, bytes: usize) Failure!void {
        try self.spend(bytes / BYTES);
    }

    pub fn descend(self: *Work) Failure!void {
        try self.spend(1);
        if (self.depth >= MAX_DEPTH)
            return self.problem.note(error.TooMuchWork, self.at, "the query is nested too deep for this document");
        self.depth += 1;
    }

    pub fn ascend(self: *Work) void {
        self.depth -= 1;
    }

    pub fn tooLarge(self: *Work) Failure {
        return self.problem.note(error.WrongType, self.at, "a number has too large an exponent to be compared");
    }
};
