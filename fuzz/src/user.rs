//! The pure decisions about a user: they change nothing, and exactly their transitions are applied.

use crate::life::{clock, command};
use arbitrary::{Result, Unstructured};
use presence_core::{ApplyError, Command, Instant, Policy, Transition, User, decide, next_due};
use support::model::check::{assert_same_user, happening, is_decided};
use support::model::{self, Rules, instant, millis, policies};

const STEPS: usize = 200;
const SESSIONS: usize = 3;

/// A user and its model.
#[derive(Clone)]
struct Person {
    real: User<u8, SESSIONS>,
    model: model::user::User,
}

impl Person {
    /// Creates a user whose numbers start at any value. Rules V1, V2.
    fn with_version(number: u64) -> Self {
        let model = model::user::User { revision: number, version: number, ..model::user::User::default() };
        Self { real: User::with_version(number), model }
    }
}

/// Two users, and every transition decided about them.
struct World {
    policy: Policy,
    rules: Rules,
    now: Instant,
    people: [Person; 2],
    decided: Vec<Transition<u8>>,
}

/// Checks commands to two users, and the passing of time.
///
/// Transitions are also applied again, and to the other user. Users are replaced by new ones at the other's revision, so that
/// transitions of one are forgeries for the other.
pub fn user(data: &[u8]) {
    // An error is the end of the bytes.
    let _ = play(Unstructured::new(data));
}

fn play(mut bytes: Unstructured<'_>) -> Result<()> {
    let (policy, rules) = bytes.choose(&policies())?.clone();
    let people = [Person::with_version(0), Person::with_version(0)];
    let mut world = World { policy, rules, now: Instant::from_secs(1_000_000), people, decided: Vec::new() };
    for _ in 0..STEPS {
        if bytes.is_empty() {
            break;
        }
        let who = bytes.int_in_range(0..=1)?;
        let deadline = world.people[who].real.next_deadline().map(Instant::as_millis);
        world.now = Instant::from_millis(clock(&mut bytes)?.read(world.now.as_millis(), deadline));
        match bytes.int_in_range(0..=9)? {
            0..=4 => world.command(who, command(&mut bytes, SESSIONS as u8 + 1)?),
            5 => while world.advance(who) {},
            6 => drop(world.advance(who)),
            7 => world.people[who] = Person::with_version(world.people[1 - who].real.revision()),
            8 => world.rebase(who, bytes.arbitrary()?),
            _ if world.decided.is_empty() => {}
            _ => world.try_again(who, bytes.choose_index(world.decided.len())?),
        }
        // The latest transition may be a forgery for the other user.
        if let Some(newest) = world.decided.len().checked_sub(1) {
            world.try_again(1 - who, newest);
        }
        world.assert_same();
    }
    Ok(())
}

impl World {
    fn command(&mut self, who: usize, command: Command<u8>) {
        let Person { real, model } = &mut self.people[who];
        let before = real.clone();
        let moment = match real.at(self.now) {
            Ok(moment) => moment,
            Err(overdue) => {
                assert_eq!(Some(overdue.deadline), real.next_deadline());
                assert!(next_due(real, self.now, &self.policy).is_some(), "an overdue user has something due (S8)");
                return;
            }
        };
        assert_eq!(next_due(real, self.now, &self.policy), None, "what is due is overdue (S8)");
        let decided = decide(moment, command, &self.policy);
        assert_eq!(decide(moment, command, &self.policy), decided, "the same every time");
        assert_eq!(*real, before, "a decision changes nothing");
        let expected = model.command(&self.rules, SESSIONS, millis(self.now), command);
        assert_eq!(decided.map(|transition| transition.as_ref().map(happening)), expected);
        if let Ok(Some(transition)) = decided {
            self.apply(who, transition);
        }
    }

    /// Applies what is due first, and reports whether there was anything.
    fn advance(&mut self, who: usize) -> bool {
        let Person { real, model } = &mut self.people[who];
        let before = real.clone();
        let due = next_due(real, self.now, &self.policy);
        assert_eq!(*real, before, "a decision changes nothing");
        assert_eq!(due.as_ref().map(happening), model.carry_out_next(&self.rules, millis(self.now)));
        if let Some(transition) = due {
            self.apply(who, transition);
        }
        due.is_some()
    }

    /// Applies a transition decided about this state, once.
    fn apply(&mut self, who: usize, transition: Transition<u8>) {
        let real = &mut self.people[who].real;
        assert_eq!((transition.revision(), transition.before()), (real.revision(), real.presence()));
        assert_eq!(real.apply(&transition), Ok(()));
        let after = real.clone();
        assert_eq!((transition.after(), transition.revision() + 1), (real.presence(), real.revision()));
        assert_eq!(real.apply(&transition), Err(ApplyError::Stale), "twice (V2)");
        assert_eq!(*real, after);
        self.decided.push(transition);
    }

    /// Applies an earlier transition of either user, which succeeds exactly if it could be one of this user's (V2).
    fn try_again(&self, who: usize, which: usize) {
        let (real, transition) = (&self.people[who].real, &self.decided[which]);
        let mut user = real.clone();
        let result = user.apply(transition);
        if transition.revision() != real.revision() {
            assert_eq!(result, Err(ApplyError::Stale));
        } else if is_decided(real, transition, &self.policy) {
            assert_eq!(result, Ok(()));
        } else if self.policy.leases == model::ANYTHING.leases {
            // Every lease is allowed, so no other decision is possible.
            assert_eq!(result, Err(ApplyError::Invalid));
        }
        match result {
            Ok(()) => assert_eq!((user.presence(), user.revision()), (transition.after(), real.revision() + 1)),
            Err(_) => assert_eq!(user, *real, "a rejected transition changes nothing (S7)"),
        }
    }

    fn rebase(&mut self, who: usize, to: Instant) {
        let Person { real, model } = &mut self.people[who];
        let (before, by) = (real.clone(), millis(to) - millis(self.now));
        let first = model.next_deadline(&self.rules).map(instant);
        match real.rebase(self.now, to) {
            Ok(()) => {
                assert!(first.is_none_or(|deadline| deadline > self.now), "{first:?} is overdue (C2)");
                model.shift(&self.rules, by);
                self.now = to;
            }
            Err(overdue) => {
                assert!(first == Some(overdue.deadline) && overdue.deadline <= self.now);
                assert_eq!(*real, before);
            }
        }
    }

    fn assert_same(&self) {
        for Person { real, model } in &self.people {
            assert_same_user(real, model, &self.rules);
            assert_eq!(real.explain(&self.policy), model.explain(&self.rules), "explanation (A4)");
            let deadline = model.next_deadline(&self.rules).map_or(self.now, instant);
            for moment in [self.now, deadline, Instant::NEVER] {
                let then = model.advanced(&self.rules, millis(moment));
                assert_eq!(
                    real.read_at(moment, &self.policy),
                    (then.presence(&self.rules), then.version),
                    "{moment:?}"
                );
            }
        }
    }
}
