//! Faults of the servers or the store, to show that they are found.

/// A common mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The store writes without comparing.
    WritesBlindly,
    /// A server that looks again decides again, without asking whether its write is there already.
    TrustsNoMark,
    /// A server that looks again and finds its command rejected replies to its client, although a write of it is on its way.
    RejectsAtOnce,
    /// A server that gets no response replies to its client that all is well.
    TakesSilenceForSuccess,
    /// A server that gets no response waits for one.
    WaitsForEver,
    /// A server that comes too late replies to its client that there is no such session.
    RejectsWhenLate,
    /// A server executes a command twice before it writes the outcome.
    ExecutesTwice,
}
