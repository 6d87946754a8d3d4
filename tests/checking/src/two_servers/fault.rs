//! What is wrong with the servers or the store, to show that it is found.

/// What people get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The store writes without comparing.
    WritesBlindly,
    /// A server that looks again decides again, without asking whether its write is there already.
    TrustsNoMark,
    /// A server that looks again and finds its command refused tells its client, though a write of it is on its way.
    RefusesAtOnce,
    /// A server that gets no answer tells its client that all is well.
    TakesSilenceForSuccess,
    /// A server that gets no answer waits for one.
    WaitsForEver,
    /// A server that comes too late tells its client that what it asked for is not there.
    RefusesWhenLate,
    /// A server carries a command out twice before it writes what came of it.
    CarriesOutTwice,
}
