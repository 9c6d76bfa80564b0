//! Why a query has no results: the message and the place in the query that it is about.

const std = @import("std");
const agent = @import("agent");

pub const Problem = struct {
    pub const Failure = error{ BadQuery, WrongType, TooMuchWork, OutOfMemory } || agent.Output.Failure;

    message: []const u8 = "",
    /// Byte of the query.
    at: usize = 0,

    /// Notes the problem and hands the error back, to be returned.
    pub fn note(self: *Problem, failure: Failure, at: usize, message: []const u8) Failure {
        self.message = message;
        self.at = at;
        return failure;
    }

    /// Fills the message in for errors that are not about one place.
    pub fn explain(self: *Problem, failure: Failure) void {
        const message: []const u8 = switch (failure) {
            error.BadQuery, error.WrongType, error.TooMuchWork => return,
            error.OutOfMemory => "the query needs more memory than there is",
            error.OutputTooLarge => "the results are larger than 1 MiB",
            error.OutputTooDeep => "the results are nested too deep",
        };
        self.message = message;
        self.at = 0;
    }
};
