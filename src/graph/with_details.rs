//! A store that keeps details beside the users of another store.

use crate::details::{
    Details, DetailsCommand, DetailsError, DetailsTransition, DetailsView, decide_details, next_due_details,
};
use crate::graph::store::Store;
use crate::id::{SessionId, UserId};
use crate::policy::Policy;
use crate::presence::Presence;
use crate::time::Instant;
use crate::user::{Command, CommandError, Transition};

/// A store that keeps [`Details`] beside the users of another store. Feature `details`.
///
/// A user with details keeps its slot in a [`Directory`](crate::directory::Directory), and a visible change of its details
/// moves the directory's cursor. When nothing is left of them, the user takes over their version, so that the version on the
/// wire never falls. Messages and locations that have expired are removed before any command; reads are exact without that.
///
/// A map of details that are not empty belongs to users who are pinned. Restored ones come in through
/// [`insert`](Self::insert), which sees to that.
///
/// ```
/// use presence_core::details::Details;
/// use presence_core::graph::{Buffer, Caller, Context, RawRequest, SingleUserStore, WithDetails, serve};
/// use presence_core::{Instant, Policy, UserId};
///
/// const OWNER: UserId = UserId::from_bytes([0x11; 16]);
///
/// // One user, whose messages have up to 140 bytes.
/// let details: Details<140> = Details::new();
/// let mut store = WithDetails::new(SingleUserStore::<4>::new(OWNER, Policy::DESK), (OWNER, details));
/// let context = Context::new(Instant::ZERO, Caller::Trusted { me: Some(OWNER) });
/// let raw = RawRequest::new("POST", "/me/presence/setStatusMessage")
///     .with_body(br#"{"statusMessage":{"message":{"content":"Back at three","contentType":"text"}}}"#);
/// let mut bytes = [0; 512];
/// let status = serve(&raw, &context, &mut store, &mut Buffer::new(&mut bytes), &mut |_, _| {});
/// assert_eq!(status, 200);
/// assert_eq!(store.details.1.status_message().map(|message| message.text), Some("Back at three"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WithDetails<S, D, const MESSAGE: usize = 1120> {
    /// The users, without details.
    pub store: S,
    /// The details of those users who have any.
    pub details: D,
}

/// The memory for details in [`WithDetails`]: a map from users to [`Details`]. Feature `details`.
///
/// A pair `(UserId, Details)` holds those of one user. An application with many users implements this for a map of its own:
///
/// ```
/// use presence_core::details::Details;
/// use presence_core::graph::DetailsMap;
/// use presence_core::{Instant, UserId};
/// use std::collections::BTreeMap;
///
/// /// The details of at most a thousand users.
/// struct Map(BTreeMap<UserId, Details>);
///
/// impl DetailsMap for Map {
///     fn get(&self, user: UserId) -> Option<&Details> {
///         self.0.get(&user)
///     }
///
///     fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details> {
///         let is_full = self.0.len() == 1000 && !self.0.contains_key(&user);
///         (!is_full).then(|| self.0.entry(user).or_default())
///     }
///
///     fn remove(&mut self, user: UserId) {
///         self.0.remove(&user);
///     }
///
///     fn next_deadline(&self) -> Option<(Instant, UserId)> {
///         self.0.iter().filter_map(|(user, details)| Some((details.next_deadline()?, *user))).min()
///     }
/// }
/// ```
pub trait DetailsMap<const MESSAGE: usize = 1120> {
    /// Returns a user's details; `None` if the user has none.
    fn get(&self, user: UserId) -> Option<&Details<MESSAGE>>;

    /// Returns a user's details to change them.
    ///
    /// A user who has none gets empty ones; `None` if there is no memory for those.
    ///
    /// It is called before a command is decided. If the details are still empty then, [`remove`](Self::remove) is called.
    /// `None` fails the command with [`DetailsError::UsersFull`], also one whose text is too long, or which would have left
    /// nothing. With memory for one user more than the store has slots, such commands get their own outcome.
    fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details<MESSAGE>>;

    /// Removes a user's details, which are empty.
    fn remove(&mut self, user: UserId);

    /// Returns the first [deadline](Details::next_deadline) of all, and its user.
    ///
    /// Every command calls it: a map of many users keeps its deadlines in order, and learns of changes in
    /// [`record_change`](Self::record_change).
    fn next_deadline(&self) -> Option<(Instant, UserId)>;

    /// Receives the user whose details have changed, and were not removed. Does nothing by default.
    fn record_change(&mut self, user: UserId) {
        let _ = user;
    }
}

/// The details of one user, in place. Empty ones count as none, whatever their version: [`WithDetails::insert`] keeps that of
/// restored details.
impl<const MESSAGE: usize> DetailsMap<MESSAGE> for (UserId, Details<MESSAGE>) {
    fn get(&self, user: UserId) -> Option<&Details<MESSAGE>> {
        if user == self.0 && !self.1.is_empty() { Some(&self.1) } else { None }
    }

    fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details<MESSAGE>> {
        if user == self.0 { Some(&mut self.1) } else { None }
    }

    fn remove(&mut self, user: UserId) {
        if user == self.0 {
            // They are empty: to write all of them would link `memset` into a small device.
            self.1.forget_changes();
        }
    }

    fn next_deadline(&self) -> Option<(Instant, UserId)> {
        Some((self.1.next_deadline()?, self.0))
    }
}

impl<D: DetailsMap<MESSAGE>, const MESSAGE: usize> DetailsMap<MESSAGE> for &mut D {
    fn get(&self, user: UserId) -> Option<&Details<MESSAGE>> {
        D::get(self, user)
    }

    fn get_or_insert(&mut self, user: UserId) -> Option<&mut Details<MESSAGE>> {
        D::get_or_insert(self, user)
    }

    fn remove(&mut self, user: UserId) {
        D::remove(self, user);
    }

    fn next_deadline(&self) -> Option<(Instant, UserId)> {
        D::next_deadline(self)
    }

    fn record_change(&mut self, user: UserId) {
        D::record_change(self, user);
    }
}

impl<S, D: DetailsMap<MESSAGE>, const MESSAGE: usize> WithDetails<S, D, MESSAGE> {
    /// Creates a store of users and of their details.
    ///
    /// The details must be empty, or their users pinned in `store`.
    #[must_use]
    pub const fn new(store: S, details: D) -> Self {
        Self { store, details }
    }
}

impl<S: Store, D: DetailsMap<MESSAGE>, const MESSAGE: usize> WithDetails<S, D, MESSAGE> {
    /// Inserts a user's details from a store, in place of those it had here.
    ///
    /// The user is pinned; of empty details it takes over the version. This counts as a visible change. Insert the user's own
    /// record before: its version replaces the one here.
    ///
    /// ```
    /// use presence_core::details::Details;
    /// use presence_core::graph::{SingleUserStore, Store, WithDetails};
    /// use presence_core::{Instant, Policy, UserId};
    ///
    /// const OWNER: UserId = UserId::from_bytes([0x11; 16]);
    ///
    /// let details: Details<140> = Details::new();
    /// let mut store = WithDetails::new(SingleUserStore::<4>::new(OWNER, Policy::DESK), (OWNER, details));
    /// // All that was stored has ended since: only a version is left.
    /// store.insert(OWNER, Details::with_version(12))?;
    /// assert_eq!(store.read(Instant::ZERO, OWNER).1, 12);
    /// # Ok::<(), presence_core::details::DetailsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`DetailsError::UsersFull`] if there is no slot for the user, or no memory for the details.
    /// [`DetailsError::Unsupported`] from a store that cannot pin users. Nothing visible has changed then.
    pub fn insert(&mut self, user: UserId, details: Details<MESSAGE>) -> Result<(), DetailsError> {
        // What is due is left for the next command or `advance`, which report it.
        self.store.pin_restored(user)?;
        let (is_empty, version) = (details.is_empty(), details.version());
        let Some(stored) = self.details.get_or_insert(user) else {
            // Without details until now: nothing else has pinned the user.
            self.store.unpin(user, 0);
            return Err(DetailsError::UsersFull);
        };
        *stored = details;
        self.store.record_external_change(user);
        self.finish_change(user, is_empty, version);
        Ok(())
    }

    /// Applies everything that is due at `now` in the details of all users.
    ///
    /// Commands do so by themselves; without them, call it at the deadline of [`DetailsMap::next_deadline`].
    pub fn advance_details(&mut self, now: Instant) {
        while let Some((deadline, user)) = self.details.next_deadline()
            && deadline.is_due(now)
            && self.advance_details_of(now, user)
        {}
    }

    /// Applies everything that is due at `now` in the details of one user. Reports whether there was anything.
    pub fn advance_details_of(&mut self, now: Instant, user: UserId) -> bool {
        let mut is_changed = false;
        while let Some(details) = self.details.get(user)
            && let Some(ref due) = next_due_details(details, now)
            && self.apply(user, due)
        {
            is_changed = true;
        }
        is_changed
    }

    /// Executes a command about a user's details, and applies what is due of this user only.
    ///
    /// `Store::execute_details` applies what is due of all users first, which can be much in an application with many. Such a
    /// one applies it bit by bit, with [`advance_details_of`](Self::advance_details_of), and calls this.
    ///
    /// # Errors
    ///
    /// [`DetailsError`]; the command has changed nothing then.
    pub fn update_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        self.advance_details_of(now, user);
        // Not a constant for those who have none, to decide first: it would be as long as details are.
        let Some(details) = self.details.get_or_insert(user) else { return Err(DetailsError::UsersFull) };
        let is_new = details.is_empty();
        // Nothing is due any more, unless the map returned other details when it was asked for them before.
        let Ok(at) = details.at(now) else { return Err(DetailsError::UsersFull) };
        let mut outcome = decide_details(at, command);
        if is_new {
            // What is not visible in empty details leaves them empty.
            outcome = outcome.map(|transition| transition.filter(DetailsTransition::is_visible));
            if let Ok(Some(_)) = outcome
                && let Err(error) = self.store.pin(now, user, on_change)
            {
                outcome = Err(error);
            }
        }
        match outcome {
            Ok(Some(ref transition)) if !self.apply(user, transition) => Err(DetailsError::UsersFull),
            Ok(Some(_)) => Ok(()),
            _ => {
                if is_new {
                    self.details.remove(user);
                }
                outcome.map(|_| ())
            }
        }
    }

    /// Applies a transition that was just decided about a pinned user's details. Reports whether it was applied.
    fn apply(&mut self, user: UserId, transition: &DetailsTransition<'_>) -> bool {
        let Some(details) = self.details.get_or_insert(user) else { return false };
        if details.apply(transition).is_err() {
            return false;
        }
        let (is_empty, version) = (details.is_empty(), details.version());
        if transition.is_visible() {
            self.store.record_external_change(user);
        }
        self.finish_change(user, is_empty, version);
        true
    }

    /// Unpins a pinned user whose details have become empty; otherwise tells the map that they have changed.
    fn finish_change(&mut self, user: UserId, is_empty: bool, version: u64) {
        if is_empty {
            self.store.unpin(user, version);
            self.details.remove(user);
        } else {
            self.details.record_change(user);
        }
    }
}

impl<S: Store, D: DetailsMap<MESSAGE>, const MESSAGE: usize> Store for WithDetails<S, D, MESSAGE> {
    fn policy(&self) -> &Policy {
        self.store.policy()
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        self.store.read(now, user)
    }

    fn read_batch(&self, now: Instant, users: &[UserId], read: &mut dyn FnMut(UserId, Presence, u64)) {
        self.store.read_batch(now, users, read);
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        // A new user may need the slot of one whose details end now.
        self.advance_details(now);
        self.store.execute(now, user, command, on_change)
    }

    fn execute_under(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        policy: &Policy,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.advance_details(now);
        self.store.execute_under(now, user, command, policy, on_change)
    }

    #[cfg(feature = "lines")]
    fn has_room(&self, now: Instant, user: UserId, session: SessionId, reserved: &[SessionId]) -> bool {
        self.store.has_room(now, user, session, reserved)
    }

    fn read_details(&self, now: Instant, user: UserId, read: &mut dyn FnMut(DetailsView<'_>)) {
        read(self.details.get(user).map_or_else(DetailsView::default, |details| details.view_at(now)));
    }

    fn execute_details(
        &mut self,
        now: Instant,
        user: UserId,
        command: DetailsCommand<'_>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        self.advance_details(now);
        self.update_details(now, user, command, on_change)
    }

    fn pin(
        &mut self,
        now: Instant,
        user: UserId,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), DetailsError> {
        self.store.pin(now, user, on_change)
    }

    fn pin_restored(&mut self, user: UserId) -> Result<(), DetailsError> {
        self.store.pin_restored(user)
    }

    fn unpin(&mut self, user: UserId, changes: u64) {
        self.store.unpin(user, changes);
    }

    fn record_external_change(&mut self, user: UserId) {
        self.store.record_external_change(user);
    }
}
