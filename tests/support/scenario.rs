//! One scenario, played by a lone user and by a user of a directory: both behave the same.

use presence_core::directory::InlineDirectory;
use presence_core::{
    Command, CommandError, Duration, Explanation, Instant, Layer, Policy, Presence, Transition, User, decide,
};

/// The sessions that fit in a user of a scenario.
pub const ROOM: usize = 3;

pub const fn at(seconds: u64) -> Instant {
    Instant::from_secs(seconds)
}

pub const fn minutes(minutes: u64) -> Option<Duration> {
    Some(Duration::from_mins(minutes))
}

/// The player of a scenario.
pub trait Stage {
    /// Advances as far as is due for this user, then executes the command; returns everything that happened, in order.
    fn command(&mut self, now: Instant, command: Command<u8>) -> (Vec<Transition<u8>>, Result<(), CommandError>);
    /// Lets time pass until then.
    fn pass(&mut self, now: Instant) -> Vec<Transition<u8>>;
    /// The user as it is at a moment, without changing anything.
    fn user(&self, now: Instant) -> User<u8, ROOM>;
    fn policy(&self) -> Policy;

    fn set(
        &mut self,
        now: Instant,
        session: u8,
        presence: Presence,
        lease: Option<Duration>,
    ) -> Result<(), CommandError> {
        self.command(now, Command::SetPresence { session, presence, lease }).1
    }

    fn clear(&mut self, now: Instant, session: u8) -> Result<(), CommandError> {
        self.command(now, Command::ClearPresence { session }).1
    }

    fn prefer(&mut self, now: Instant, presence: Presence, duration: Option<Duration>) -> Result<(), CommandError> {
        self.command(now, Command::SetPreferredPresence { presence, duration }).1
    }

    fn prefer_nothing(&mut self, now: Instant) -> Result<(), CommandError> {
        self.command(now, Command::ClearPreferredPresence).1
    }

    fn shows(&self, now: Instant) -> Presence {
        self.user(now).presence()
    }

    fn why(&self, now: Instant) -> Explanation<u8> {
        self.user(now).explain(&self.policy())
    }

    fn layer(&self, now: Instant) -> Layer<u8> {
        self.why(now).layer
    }
}

struct Alone {
    user: User<u8, ROOM>,
    policy: Policy,
}

impl Stage for Alone {
    fn command(&mut self, now: Instant, command: Command<u8>) -> (Vec<Transition<u8>>, Result<(), CommandError>) {
        let mut happened = self.pass(now);
        let result = decide(self.user.at(now).unwrap(), command, &self.policy);
        if let Some(transition) = result.ok().flatten() {
            self.user.apply(&transition).unwrap();
            happened.push(transition);
        }
        (happened, result.map(drop))
    }

    fn pass(&mut self, now: Instant) -> Vec<Transition<u8>> {
        crate::apply_due(&mut self.user, now, &self.policy)
    }

    fn user(&self, now: Instant) -> User<u8, ROOM> {
        let mut copy = Self { user: self.user.clone(), policy: self.policy };
        copy.pass(now);
        copy.user
    }

    fn policy(&self) -> Policy {
        self.policy
    }
}

/// A user of a directory, whose neighbour has sessions of the same ids in every presence.
struct AmongOthers {
    directory: InlineDirectory<u8, u8, ROOM, 2>,
}

const USER: u8 = 1;
const NEIGHBOUR: u8 = 0;

impl Stage for AmongOthers {
    fn command(&mut self, now: Instant, command: Command<u8>) -> (Vec<Transition<u8>>, Result<(), CommandError>) {
        let mut happened = Vec::new();
        let result = self.directory.execute(now, USER, command, |user, transition| {
            assert_eq!(user, USER);
            happened.push(*transition);
        });
        (happened, result)
    }

    fn pass(&mut self, now: Instant) -> Vec<Transition<u8>> {
        let mut happened = Vec::new();
        crate::advance_until_idle(&mut self.directory, now, |user, transition| {
            happened.extend((user == USER).then_some(transition));
        });
        happened
    }

    fn user(&self, now: Instant) -> User<u8, ROOM> {
        assert_eq!(
            self.directory.explain(now, USER),
            self.directory.read(now, USER, |user| user.explain(&self.policy()))
        );
        self.directory.read(now, USER, Clone::clone)
    }

    fn policy(&self) -> Policy {
        *self.directory.policy()
    }
}

/// Tells a scenario to both.
pub fn play(policy: Policy, scenario: impl Fn(&mut dyn Stage)) {
    scenario(&mut Alone { user: User::new(), policy });
    let mut directory = InlineDirectory::with_policy(policy);
    for session in 0..ROOM as u8 {
        let presence = policy.sessions.iter().last().unwrap();
        directory.set_presence(Instant::ZERO, NEIGHBOUR, session, presence, None, |_, _| {}).unwrap();
    }
    scenario(&mut AmongOthers { directory });
}

/// Tells a scenario to both under the rules of Graph.
pub fn play_graph(scenario: impl Fn(&mut dyn Stage)) {
    play(Policy::GRAPH, scenario);
}
