//! Random histories: few users, few sessions, and times that hit deadlines exactly, just before and just after.

use presence_core::{Command, Duration, Presence};
use proptest::prelude::*;
use proptest::strategy::Union;

/// The movement of the clock before an action.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    Stays,
    Ahead(u64),
    Back(u64),
    /// To the next deadline of any user, or this far before or after it.
    ToDeadline(i8),
    To(u64),
}

#[derive(Clone, Copy, Debug)]
pub enum Action {
    Command(u8, Command<u8>),
    /// The same of an application under a policy of its own: one of [`super::beside`].
    CommandUnder(u8, Command<u8>, u8),
    /// Advance until idle.
    Advance,
    /// Advance so often, whatever is left.
    AdvanceSome(u8),
    /// The clock is set to this. Rule C2.
    Rebase(u64),
    /// Pin this user. Rule M5.
    Hold(u8),
    /// And no more, after so many visible changes there.
    Release(u8, u64),
    /// One of them.
    NoteChange(u8),
    /// Erase this user. Rule V1.
    Erase(u8),
}

#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub clock: Clock,
    pub action: Action,
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn one_of(values: &'static [u64]) -> impl Strategy<Value = u64> {
    proptest::sample::select(values)
}

/// Multiples of what the policies count in, and their neighbours.
fn steps() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => (1u64..=6).prop_map(|hundreds| hundreds * 100 * SECOND),
        2 => ((1u64..=12).prop_map(|hundreds| hundreds * 100 * SECOND), 0u64..=2).prop_map(|(at, offset)| at + offset - 1),
        2 => 1u64..=5,
        1 => one_of(&[SECOND, MINUTE, HOUR, 4 * HOUR, DAY]),
    ]
}

pub fn clock() -> impl Strategy<Value = Clock> {
    prop_oneof![
        8 => forwards(),
        1 => steps().prop_map(Clock::Back),
        1 => one_of(&[0, 1, 10 * DAY, u64::MAX / 2, u64::MAX - 700 * SECOND, u64::MAX - 1, u64::MAX]).prop_map(Clock::To),
    ]
}

/// A clock that never goes back, and never to the end of time.
pub fn forwards() -> impl Strategy<Value = Clock> {
    prop_oneof![
        6 => Just(Clock::Stays),
        8 => steps().prop_map(Clock::Ahead),
        6 => (-1i8..=1).prop_map(Clock::ToDeadline),
        1 => one_of(&[7 * DAY, 8 * DAY, 400 * DAY]).prop_map(Clock::Ahead),
    ]
}

/// Any presence, the ones that do something more often.
pub fn presence() -> impl Strategy<Value = Presence> {
    prop_oneof![
        6 => Just(Presence::Available),
        4 => proptest::sample::select(&[Presence::Away, Presence::InACall, Presence::Presenting, Presence::Busy][..]),
        2 => proptest::sample::select(&Presence::ALL[..]),
    ]
}

fn durations(usual: &'static [u64], unusual: &'static [u64]) -> impl Strategy<Value = Option<Duration>> {
    prop_oneof![
        4 => Just(None),
        8 => one_of(usual).prop_map(|millis| Some(Duration::from_millis(millis))),
        2 => one_of(unusual).prop_map(|millis| Some(Duration::from_millis(millis))),
    ]
}

pub fn lease() -> impl Strategy<Value = Option<Duration>> {
    durations(
        &[300 * SECOND, 400 * SECOND, 600 * SECOND, 700 * SECOND, 900 * SECOND, 1200 * SECOND, HOUR, 4 * HOUR],
        &[0, 1, SECOND - 1, SECOND, 300 * SECOND - 1, 300 * SECOND + 1, 4 * HOUR + 1, DAY, DAY + 1, u64::MAX],
    )
}

pub fn preferred_duration() -> impl Strategy<Value = Option<Duration>> {
    durations(
        &[1, 100 * SECOND, 300 * SECOND, 600 * SECOND, HOUR, DAY],
        &[0, 366 * DAY, 366 * DAY + 1, 7 * DAY, u64::MAX - 1, u64::MAX],
    )
}

pub fn command(sessions: u8) -> impl Strategy<Value = Command<u8>> {
    let session = 0..sessions;
    prop_oneof![
        8 => (session.clone(), presence(), lease())
            .prop_map(|(session, presence, lease)| Command::SetPresence { session, presence, lease }),
        4 => session.prop_map(|session| Command::ClearPresence { session }),
        3 => (presence(), preferred_duration())
            .prop_map(|(presence, duration)| Command::SetPreferredPresence { presence, duration }),
        2 => Just(Command::ClearPreferredPresence),
    ]
}

/// A command to any of so many users, for any of so many sessions.
pub fn commands(users: u8, sessions: u8) -> impl Strategy<Value = Action> {
    (0..users, command(sessions)).prop_map(|(user, command)| Action::Command(user, command))
}

/// Commands, and time that passes now and then.
pub fn actions(users: u8, sessions: u8) -> impl Strategy<Value = Action> {
    let rebase = one_of(&[0, 1, 1000 * SECOND, 30 * DAY]);
    Union::new_weighted(vec![
        (16, commands(users, sessions).boxed()),
        (3, Just(Action::Advance).boxed()),
        (2, (1u8..4).prop_map(Action::AdvanceSome).boxed()),
        (1, rebase.prop_map(Action::Rebase).boxed()),
    ])
}

/// The same, of applications under other policies as well.
pub fn actions_under(users: u8, sessions: u8) -> impl Strategy<Value = Action> {
    let under = (0..users, command(sessions), any::<u8>());
    prop_oneof![
        1 => actions(users, sessions),
        1 => under.prop_map(|(user, command, policy)| Action::CommandUnder(user, command, policy)),
    ]
}

/// The same, and users are pinned and erased.
pub fn actions_beside(users: u8, sessions: u8) -> impl Strategy<Value = Action> {
    prop_oneof![
        12 => actions(users, sessions),
        2 => (0..users).prop_map(Action::Hold),
        2 => (0..users, 0u64..4).prop_map(|(user, changes)| Action::Release(user, changes)),
        1 => (0..users).prop_map(Action::NoteChange),
        1 => (0..users).prop_map(Action::Erase),
    ]
}

pub fn history(
    length: usize,
    clock: impl Strategy<Value = Clock>,
    action: impl Strategy<Value = Action>,
) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec((clock, action).prop_map(|(clock, action)| Step { clock, action }), 1..=length)
}

/// The beginning of a history: sessions of a user are set until hardly one more fits, or until one more does not, in any
/// order, with few presences and few leases, so that several fade, end and decide together.
pub(super) fn full_house(user: u8, room: u8) -> impl Strategy<Value = Vec<Step>> {
    let ids = Just((0..=room).collect::<Vec<u8>>()).prop_shuffle();
    let presence = prop_oneof![4 => Just(Presence::Available), 1 => Just(Presence::Away), 1 => Just(Presence::InACall)];
    let lease = prop_oneof![3 => Just(HOUR), 2 => Just(2 * HOUR), 1 => Just(1000 * SECOND), 1 => Just(300 * SECOND)];
    let wait = prop_oneof![4 => Just(Clock::Stays), 1 => Just(Clock::Ahead(100 * SECOND)), 1 => Just(Clock::Ahead(1))];
    let said = proptest::collection::vec((presence, lease, wait), usize::from(room) + 1);
    (ids, said, prop_oneof![2 => room.saturating_sub(1)..=room + 1, 1 => 0..=room]).prop_map(
        move |(ids, said, count)| {
            let sets = ids.into_iter().zip(said).take(usize::from(count));
            sets.map(|(session, (presence, lease, clock))| {
                let command = Command::SetPresence { session, presence, lease: Some(Duration::from_millis(lease)) };
                Step { clock, action: Action::Command(user, command) }
            })
            .collect()
        },
    )
}

/// A history that begins with as many sessions of two users as fit, and goes on with whatever happens to them.
pub fn full_history(length: usize, users: u8, room: u8) -> impl Strategy<Value = Vec<Step>> {
    let later = prop_oneof![
        4 => actions(users, room + 1),
        3 => Just(Action::Advance),
        2 => (1u8..6).prop_map(Action::AdvanceSome),
        1 => one_of(&[0, 1000 * SECOND]).prop_map(Action::Rebase),
    ];
    (full_house(0, room), full_house(users - 1, room), history(length, forwards(), later))
        .prop_map(|(one, other, later)| [one, other, later].concat())
}

impl Clock {
    /// The new reading, from the old one and the next deadline of anyone.
    pub fn read(self, now: u64, deadline: Option<u64>) -> u64 {
        match self {
            Self::Stays => now,
            Self::Ahead(by) => now.saturating_add(by),
            Self::Back(by) => now.saturating_sub(by),
            Self::ToDeadline(offset) => deadline.map_or(now, |at| at.saturating_add_signed(offset.into())),
            Self::To(at) => at,
        }
    }

    /// The new reading of a clock that does not go back.
    pub fn read_forwards(self, now: u64, deadline: Option<u64>) -> u64 {
        self.read(now, deadline).max(now)
    }
}

/// Any instant at all, now near one end of time, now near the other, now anywhere; and any duration.
pub fn any_moment() -> impl Strategy<Value = Clock> {
    let end = 1000 * SECOND;
    prop_oneof![any::<u64>(), 0..end, u64::MAX - end..=u64::MAX].prop_map(Clock::To)
}

pub fn any_lease(users: u8, sessions: u8) -> impl Strategy<Value = Action> {
    let duration = prop_oneof![any::<u64>(), 0..=1000 * SECOND, Just(0), Just(u64::MAX)];
    (commands(users, sessions), duration.prop_map(Duration::from_millis)).prop_map(|(action, any)| match action {
        Action::Command(user, Command::SetPresence { session, presence, .. }) => {
            Action::Command(user, Command::SetPresence { session, presence, lease: Some(any) })
        }
        Action::Command(user, Command::SetPreferredPresence { presence, .. }) => {
            Action::Command(user, Command::SetPreferredPresence { presence, duration: Some(any) })
        }
        other => other,
    })
}
