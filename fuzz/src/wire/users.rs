//! Few users, with details of little capacity.

use presence_core::details::{Details, DetailsCommand, DetailsError, OutOfOffice, next_due_details};
use presence_core::directory::InlineDirectory;
use presence_core::graph::{DateTime, DetailsMap, Environment, Store, WithDetails};
use presence_core::{Instant, Policy, SessionId, User, UserId};
use std::collections::BTreeMap;

const USERS: usize = 3;
const SESSIONS: usize = 2;
const MESSAGE: usize = 40;

/// A directory, and the details of as many users.
#[derive(Clone, Debug)]
pub struct Users(pub WithDetails<InlineDirectory<UserId, SessionId, SESSIONS, USERS>, Map, MESSAGE>);

/// The details, and how often any have changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    details: BTreeMap<UserId, Details<MESSAGE>>,
    changes: u64,
}

impl DetailsMap<MESSAGE> for Map {
    fn get(&self, user: UserId) -> Option<&Details<MESSAGE>> {
        self.details.get(&user)
    }

    fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details<MESSAGE>> {
        Some(self.details.entry(user).or_default())
    }

    fn remove(&mut self, user: UserId) {
        let removed = self.details.remove(&user).expect("details of this user");
        assert!(removed.is_empty());
        // Those of a rejected command were never changed.
        self.changes += u64::from(removed.revision() > 0);
    }

    fn next_deadline(&self) -> Option<(Instant, UserId)> {
        self.details.iter().filter_map(|(user, details)| Some((details.next_deadline()?, *user))).min()
    }

    fn record_change(&mut self, user: UserId) {
        assert!(!self.details[&user].is_empty());
        self.changes += 1;
    }
}

/// Every user with a slot, and all details.
pub type Contents = (Vec<(UserId, User<SessionId, SESSIONS>)>, Map);

impl Users {
    pub fn new(policy: Policy) -> Self {
        Self(WithDetails::new(InlineDirectory::with_policy(policy), Map::default()))
    }

    pub fn contents(&self) -> Contents {
        let mut users: Vec<_> = self.0.store.users().map(|(id, user)| (id, user.clone())).collect();
        users.sort_by_key(|(id, _)| *id);
        let has_slot = |user: &UserId| self.0.store.get(*user).is_some();
        assert!(self.0.details.details.keys().all(has_slot), "users with details have slots");
        (users, self.0.details.clone())
    }

    /// Counts the changes of details until a moment, those that are due included.
    pub fn changes_of_details(&self, now: Instant) -> u64 {
        let due = |details: &Details<MESSAGE>| advanced(details, now).revision() - details.revision();
        self.0.details.changes + self.0.details.details.values().map(due).sum::<u64>()
    }

    /// Returns a user's details at a moment.
    pub fn details(&self, now: Instant, user: UserId) -> Details<MESSAGE> {
        advanced(&self.0.details.details.get(&user).cloned().unwrap_or_default(), now)
    }

    /// Returns the details of all users at a moment, but for empty ones.
    fn all_details(&self, now: Instant) -> BTreeMap<UserId, Details<MESSAGE>> {
        let users = self.0.details.details.keys().map(|user| (*user, self.details(now, *user)));
        users.filter(|(_, details)| !details.is_empty()).collect()
    }

    /// Rule O1: sets out of office, if it fits. Nothing else changes.
    pub fn set_out_of_office(&mut self, now: Instant, user: UserId, is_out_of_office: bool, message: &str) {
        let command = DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: Some(message) });
        let mut before = self.all_details(now);
        match self.0.execute_details(now, user, command, &mut |_, _| {}) {
            Ok(()) => {
                let set = OutOfOffice { is_out_of_office, message: Some(message).filter(|text| !text.is_empty()) };
                assert_eq!(self.details(now, user).out_of_office(), set);
                let mut after = self.all_details(now);
                after.remove(&user);
                before.remove(&user);
                assert_eq!(after, before, "the others");
            }
            Err(error) => {
                assert!(matches!(error, DetailsError::OutOfOfficeTooLong | DetailsError::UsersFull));
                assert_eq!(self.all_details(now), before);
            }
        }
    }
}

fn advanced(details: &Details<MESSAGE>, now: Instant) -> Details<MESSAGE> {
    let mut details = details.clone();
    while let Some(due) = next_due_details(&details, now) {
        assert_eq!(details.apply(&due), Ok(()));
    }
    details
}

/// Returns the user principal name and the display name of a user.
pub fn names(user: UserId) -> [Option<&'static str>; 2] {
    if user == super::ME { [Some("adele@x.com"), Some("A \"d\"\u{1f}\\é😀")] } else { [None, None] }
}

/// The epoch is 2026-11-24T17:05:33.207Z, one zone is known, and the names of one user.
pub struct World;

pub const EPOCH: u64 = 1_795_539_933_207;

impl Environment for World {
    fn epoch(&self) -> Option<u64> {
        Some(EPOCH)
    }

    fn zone(&self, local: DateTime, zone: &str) -> Option<u64> {
        (zone == "Pacific Standard Time").then(|| local.to_unix_millis() + 8 * 3_600_000)
    }

    fn user(&self, principal_name: &str) -> Option<UserId> {
        ["adele@x.com", "o'brien@x.com"].contains(&principal_name).then_some(super::ME)
    }

    fn principal_name(&self, user: UserId, read: &mut dyn FnMut(&str)) {
        names(user)[0].into_iter().for_each(read);
    }

    fn display_name(&self, user: UserId, read: &mut dyn FnMut(&str)) {
        names(user)[1].into_iter().for_each(read);
    }
}
