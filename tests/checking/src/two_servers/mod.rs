//! Two servers before one store that is written by compare-and-set, which keep one user between them. Messages overtake each
//! other, come twice and get lost, servers lose patience, and one clock is behind the other. What must hold is that every
//! command has its effect once or is refused, and that the user's numbers say so.

mod fault;
mod server;
mod state;
mod store;

pub use fault::Fault;
pub use state::State;

use crate::rules::{Numbers, Person};
use presence_core::{Command, CommandError, Duration, Instant, Policy, Presence, User, snapshot};
use server::{Awaited, Next, Server, user_of};
use state::{Truth, Violation, any_order};
use stateright::{Model, Property};
use store::{Answer, Claim, Content, Message, Request, Store, Value};

/// Sessions of the user.
pub const IDS: usize = 2;

#[derive(Clone, Debug)]
pub struct TwoServers {
    pub policy: Policy,
    pub numbers: Numbers,
    /// How many commands each server is given.
    pub commands: u8,
    pub budget: Budget,
    /// What is wrong with the servers or the store, to show that it is found.
    pub fault: Option<Fault>,
}

/// How much may still go wrong, and how much time may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    pub losses: u8,
    pub duplicates: u8,
    /// How often a server gives up waiting although an answer would come.
    pub impatience: u8,
    pub ticks: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A server is given the command in this place among [`COMMANDS`].
    Begin(usize, usize),
    /// The message in this place arrives.
    Deliver(usize),
    Duplicate(usize),
    Lose(usize),
    GiveUp(usize),
    Tick,
}

/// The clock at time 0; that of the second server is a tick behind.
const START: u64 = 100;

const fn ticks(ticks: u64) -> Option<Duration> {
    Some(Duration::from_millis(ticks))
}

/// A session that both set and clear, one that ends soon, and something preferred.
const COMMANDS: [Command<u8>; 4] = [
    Command::SetPresence { session: 0, presence: Presence::Available, lease: ticks(2) },
    Command::SetPresence { session: 1, presence: Presence::Presenting, lease: ticks(1) },
    Command::ClearPresence { session: 0 },
    Command::SetPreferredPresence { presence: Presence::Busy, duration: ticks(2) },
];

impl TwoServers {
    /// The store does what it is asked, if it is asked about the newest value.
    fn at_store(&self, state: &mut State, request: Request) -> Answer {
        let Store { value, revision } = &mut state.store;
        match request {
            Request::Load => {
                Answer::Loaded { revision: *revision, value: value.clone(), told: Box::new(state.truth.clone()) }
            }
            Request::StoreIf { revision: expected, .. }
                if expected != *revision && self.fault != Some(Fault::WritesBlindly) =>
            {
                Answer::Conflict
            }
            Request::StoreIf { value: new, claim, .. } => {
                *value = new;
                *revision += 1;
                state.truth.writes += 1;
                if let Some(claim) = claim {
                    self.hold_against_truth(state, &claim);
                }
                Answer::Stored
            }
        }
    }

    /// What is written must be what this command does to what everybody before has left.
    fn hold_against_truth(&self, state: &mut State, claim: &Claim) {
        let truth = &mut state.truth;
        let command = COMMANDS[claim.command];
        let mut happened = Vec::new();
        happened.extend(std::iter::from_fn(|| truth.person.step(&self.numbers, claim.now)));
        if truth.person.refusal(&self.numbers, IDS, command).is_none() {
            happened.extend(truth.person.command(&self.numbers, claim.now, command));
        }
        let times = &mut truth.times[claim.server][usize::from(claim.number) - 1];
        *times += 1;
        if *times > 1 {
            state.violation = Some(Violation::DoubleApply);
        } else if happened != claim.happened || !state.is_as_the_history_says() {
            state.violation = Some(Violation::LostUpdate);
        }
    }

    fn deliver(&self, state: &mut State, place: usize) {
        let Message { server, attempt, content } = state.network.remove(place);
        match content {
            Content::Request(request) => {
                let answer = self.at_store(state, request);
                state.network.push(Message { server, attempt, content: Content::Answer(answer) });
            }
            Content::Answer(answer) => {
                let receiver = &state.servers[server];
                let Some(command) = receiver.command.filter(|_| receiver.attempt == attempt) else { return };
                let now = state.now_of(server);
                let refusal = match &answer {
                    Answer::Loaded { told, .. } => server::refusal(told, &self.numbers, now, command),
                    _ => None,
                };
                let next = receiver.on_answer(server, now, answer, &self.policy, self.fault);
                let is_refused = match (&next, receiver.awaits) {
                    // Looked at when it was decided.
                    (_, Awaited::Fence) => None,
                    (Next::Tell(Err(refused)), _) => Some(*refused),
                    (Next::Fence(_), _) => Some(CommandError::NotFound),
                    _ => None,
                };
                if is_refused.is_some_and(|refused| Some(refused) != refusal) {
                    state.violation = Some(Violation::WrongRefusal);
                }
                state.follow(server, next);
            }
        }
    }
}

impl Model for TwoServers {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let mut buffer = [0; snapshot::max_len::<u8, IDS>()];
        let user: User<u8, IDS> = User::new();
        let at = Instant::from_millis(START - 1);
        let taken = snapshot::save(user.at(at).expect("nothing is due"), &mut buffer).expect("it has room");
        let value = Value { snapshot: taken.to_vec(), taken_at: START - 1, marks: [0; 2] };
        let times = [(); 2].map(|()| vec![0; self.commands.into()]);
        vec![State {
            store: Store { value, revision: 1 },
            network: Vec::new(),
            servers: [(); 2].map(|()| Server::new(self.commands)),
            time: 0,
            budget: self.budget,
            truth: Truth { person: Person::NEW, times, writes: 0 },
            violation: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.violation.is_some() {
            return;
        }
        for (number, server) in state.servers.iter().enumerate() {
            let is_ours = |message: &Message| (message.server, message.attempt) == (number, server.attempt);
            if server.command.is_some() {
                // Where no answer can come any more, giving up is no impatience.
                let waits = self.fault == Some(Fault::WaitsForEver);
                if !waits && (state.budget.impatience > 0 || !state.network.iter().any(is_ours)) {
                    actions.push(Action::GiveUp(number));
                }
            } else if server.left > 0 {
                actions.extend((0..COMMANDS.len()).map(|command| Action::Begin(number, command)));
            }
        }
        for place in 0..state.network.len() {
            actions.push(Action::Deliver(place));
            if state.budget.duplicates > 0 {
                actions.push(Action::Duplicate(place));
            }
            if state.budget.losses > 0 {
                actions.push(Action::Lose(place));
            }
        }
        if state.budget.ticks > 0 && !state.is_over() {
            actions.push(Action::Tick);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Begin(server, command) => {
                let begins = &mut next.servers[server];
                begins.left -= 1;
                begins.number += 1;
                begins.command = Some(command);
                begins.stray = None;
                next.send(server, Request::Load);
            }
            Action::Deliver(place) => self.deliver(&mut next, place),
            Action::Duplicate(place) => {
                next.budget.duplicates -= 1;
                next.network.push(next.network[place].clone());
            }
            Action::Lose(place) => {
                next.budget.losses -= 1;
                next.network.remove(place);
            }
            Action::GiveUp(server) => {
                let attempt = next.servers[server].attempt;
                let is_ours = |message: &Message| (message.server, message.attempt) == (server, attempt);
                next.budget.impatience -= u8::from(next.network.iter().any(is_ours));
                let gives_up = &mut next.servers[server];
                let what = gives_up.on_timeout(self.fault);
                if let Awaited::Write { revision } = gives_up.awaits {
                    gives_up.stray = Some(revision);
                }
                next.follow(server, what);
            }
            Action::Tick => {
                next.budget.ticks -= 1;
                next.time += 1;
            }
        }
        next.forget_what_has_no_effect(self.fault);
        // In which order messages were sent is of no account: any of them may arrive first.
        next.network.sort_by_cached_key(any_order);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("S5 a command is refused only if it had to be", |_, state: &State| {
                state.violation != Some(Violation::WrongRefusal)
            }),
            Property::always("no lost update", |_, state: &State| {
                state.violation != Some(Violation::LostUpdate) && state.is_as_the_history_says()
            }),
            Property::always("no double apply", |_, state: &State| state.violation != Some(Violation::DoubleApply)),
            Property::always("V1, V2 revision and version are those of the history", |_, state: &State| {
                let user = user_of(&state.store.value);
                (user.revision(), user.version()) == (state.truth.person.revision, state.truth.person.version)
                    && state.store.revision == 1 + state.truth.writes
            }),
            // Seen of the state alone, and it stays so: what stateright needs to be right about paths that meet.
            Property::eventually("every command is answered", |_, state: &State| {
                state.is_over() || state.violation.is_some()
            }),
        ]
    }
}
