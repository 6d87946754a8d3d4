//! Few users, with little room for what they tell beside their presence.

use presence_core::details::{
    Details, DetailsCommand, DetailsError, DetailsView, OutOfOffice, decide_details, next_due_details,
};
use presence_core::directory::InlineDirectory;
use presence_core::graph::{DateTime, Environment, Store};
use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, User, UserId};
use std::collections::BTreeMap;

const USERS: usize = 3;
const SESSIONS: usize = 2;
const MESSAGE: usize = 40;

/// A directory, and as many details.
#[derive(Clone, Debug)]
pub struct Users {
    directory: InlineDirectory<UserId, SessionId, SESSIONS, USERS>,
    details: BTreeMap<UserId, Details<MESSAGE>>,
}

/// Everyone who has a place, with all they have.
pub type Contents = (Vec<(UserId, User<SessionId, SESSIONS>)>, BTreeMap<UserId, Details<MESSAGE>>);

impl Users {
    pub fn new(policy: Policy) -> Self {
        Self { directory: InlineDirectory::with_policy(policy), details: BTreeMap::new() }
    }

    pub fn contents(&self) -> Contents {
        let mut users: Vec<_> = self.directory.users().map(|(id, user)| (id, user.clone())).collect();
        users.sort_by_key(|(id, _)| *id);
        (users, self.details.clone())
    }

    /// How often anybody's details have changed by a moment, time's own changes included.
    pub fn revision_of_details(&self, now: Instant) -> u64 {
        self.details.keys().map(|user| self.details(now, *user).revision()).sum()
    }

    /// A user's details as they are at a moment.
    pub fn details(&self, now: Instant, user: UserId) -> Details<MESSAGE> {
        let mut details = self.details.get(&user).cloned().unwrap_or_default();
        bring_up_to_date(&mut details, now);
        details
    }

    /// Rule O1: the embedder's word, if there is room for it.
    pub fn set_out_of_office(&mut self, now: Instant, user: UserId, is_out_of_office: bool, message: &str) {
        let command = DetailsCommand::SetOutOfOffice(OutOfOffice { is_out_of_office, message: Some(message) });
        let before = self.details.clone();
        match self.execute_details(now, user, command) {
            Ok(()) => {
                let said = OutOfOffice { is_out_of_office, message: Some(message).filter(|text| !text.is_empty()) };
                assert_eq!(self.details(now, user).out_of_office(), said);
            }
            Err(refused) => {
                assert!(matches!(refused, DetailsError::OutOfOfficeTooLong | DetailsError::UsersFull));
                assert_eq!(self.details, before);
            }
        }
    }
}

fn bring_up_to_date(details: &mut Details<MESSAGE>, now: Instant) {
    while let Some(due) = next_due_details(details, now) {
        assert_eq!(details.apply(&due), Ok(()));
    }
}

impl Store for Users {
    fn policy(&self) -> &Policy {
        self.directory.policy()
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        Store::read(&self.directory, now, user)
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        changes: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.directory.execute(now, user, command, changes)
    }

    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        read(self.details(now, user).view());
    }

    fn execute_details(&mut self, now: Instant, user: UserId, command: DetailsCommand<'_>) -> Result<(), DetailsError> {
        let mut details = self.details(now, user);
        if let Some(transition) = decide_details(details.at(now).expect("up to date"), command)? {
            if self.details.len() == USERS && !self.details.contains_key(&user) {
                return Err(DetailsError::UsersFull);
            }
            assert_eq!(details.apply(&transition), Ok(()));
        }
        if !details.is_empty() || details.revision() > 0 {
            self.details.insert(user, details);
        }
        Ok(())
    }
}

/// The epoch is 2026-11-24T17:05:33.207Z, one zone is known, and one principal name.
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
        (principal_name == "adele@x.com").then_some(super::ME)
    }
}
