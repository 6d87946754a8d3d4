//! A stand-in for the writer, whose constant responses cost nothing. It shows the cost of everything else.

use super::job::{Changes, FullScan, Job, UserList, UserView};
use crate::metrics::Metrics;
use presence_core::directory::Cursor;
use presence_core::{Presence, UserId};
use std::sync::mpsc::Receiver;

/// Sends constant responses until [`Job::Stop`].
pub fn run(jobs: &Receiver<Job>, metrics: &Metrics) {
    let view = |user: UserId| UserView { user, presence: Presence::Available, version: 1, details: None };
    while let Ok(job) = jobs.recv() {
        metrics.queued.dec();
        match job {
            Job::Execute(_, _, _, _, to) => drop(to.send(Ok(()))),
            Job::ExecuteDetails(.., to) => drop(to.send(Ok(()))),
            Job::Read(user, to) => drop(to.send(view(user))),
            // Not measured: no response ends the request.
            Job::Explain(_, to) => drop(to),
            Job::ReadMany(users, to) => drop(to.send(users.into_iter().map(view).collect())),
            Job::Changes(_, to) => drop(to.send(Changes::Users(Vec::new()))),
            Job::FullScan(_, to) => {
                drop(to.send(FullScan { users: Vec::new(), next: None, cursor: Cursor::START, generation: 0 }));
            }
            Job::List(_, _, to) => drop(to.send(UserList { users: Vec::new(), next: None, generation: 0 })),
            Job::Erase(_, to) | Job::SignOut(_, to) => drop(to.send(Ok(()))),
            Job::Advance(_, to) => drop(to.send(())),
            // Nothing is stored.
            Job::Copy(order) => drop(order),
            Job::Wake => {}
            Job::Stop => break,
        }
    }
}
