//! For measuring only: takes jobs off the same queue and answers them with a constant, to see what everything but the
//! directory costs.

use super::job::{Changes, Everybody, Job, Shown};
use crate::metrics::Metrics;
use presence_core::directory::Cursor;
use presence_core::{Presence, UserId};
use std::sync::mpsc::Receiver;

/// Answers until it is told to stop.
pub fn run(jobs: &Receiver<Job>, metrics: &Metrics) {
    let shown = |user: UserId| Shown { user, presence: Presence::Available, version: 1, told: None };
    while let Ok(job) = jobs.recv() {
        metrics.queued.dec();
        match job {
            Job::Execute(_, _, answer) => drop(answer.send(Ok(()))),
            Job::Tell(_, _, answer) => drop(answer.send(Ok(()))),
            Job::Read(user, answer) => drop(answer.send(shown(user))),
            Job::ReadMany(users, answer) => drop(answer.send(users.into_iter().map(shown).collect())),
            Job::Changes(_, answer) => drop(answer.send(Changes::Users(Vec::new()))),
            Job::Everybody(_, answer) => {
                drop(answer.send(Everybody { users: Vec::new(), next: None, cursor: Cursor::START }));
            }
            Job::Advance(_, answer) => drop(answer.send(())),
            Job::Wake => {}
            Job::Stop => break,
        }
    }
}
