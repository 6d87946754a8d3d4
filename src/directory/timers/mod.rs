//! The timers of a directory: a calendar queue for deadlines to come, a heap for the near ones and those beyond it.

pub(super) mod calendar;
pub(super) mod cell;
pub(super) mod deadlines;
pub(super) mod heap;
