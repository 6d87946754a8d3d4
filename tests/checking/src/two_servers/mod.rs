//! Two servers before one store that is written by compare-and-set, which keep one user between them. Messages overtake each
//! other, come twice and get lost, servers give up waiting, and one clock is behind the other. Every command must have its
//! effect once or be rejected, and the user's revision and version must agree.

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
use store::{Claim, Content, Message, Request, Response, Store, Value};

/// Sessions of the user.
pub const IDS: usize = 2;

#[derive(Clone, Debug)]
pub struct TwoServers {
    pub policy: Policy,
    pub numbers: Numbers,
    /// The number of commands that each server is given.
    pub commands: u8,
    pub budget: Budget,
    /// A fault of the servers or the store, to show that it is found.
    pub fault: Option<Fault>,
}

/// The failures that may still happen, and the time that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    pub losses: u8,
    pub duplicates: u8,
    /// The times that a server gives up waiting although a response would come.
    pub timeouts: u8,
    pub ticks: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A server is given the command with this index in [`COMMANDS`].
    Begin(usize, usize),
    /// The message with this index arrives.
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
    /// Executes a request at the store, if it is about the newest value.
    fn at_store(&self, state: &mut State, request: Request) -> Response {
        let Store { value, revision } = &mut state.store;
        match request {
            Request::Load => {
                Response::Loaded { revision: *revision, value: value.clone(), truth: Box::new(state.truth.clone()) }
            }
            Request::StoreIf { revision: expected, .. }
                if expected != *revision && self.fault != Some(Fault::WritesBlindly) =>
            {
                Response::Conflict
            }
            Request::StoreIf { value: new, claim, .. } => {
                *value = new;
                *revision += 1;
                state.truth.writes += 1;
                if let Some(claim) = claim {
                    self.compare_with_truth(state, &claim);
                }
                Response::Stored
            }
        }
    }

    /// Checks that the written value is the effect of this command on all writes before.
    fn compare_with_truth(&self, state: &mut State, claim: &Claim) {
        let truth = &mut state.truth;
        let command = COMMANDS[claim.command];
        let mut happened = Vec::new();
        happened.extend(std::iter::from_fn(|| truth.person.step(&self.numbers, claim.now)));
        if truth.person.error(&self.numbers, IDS, command).is_none() {
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

    fn deliver(&self, state: &mut State, index: usize) {
        let Message { server, attempt, content } = state.network.remove(index);
        match content {
            Content::Request(request) => {
                let response = self.at_store(state, request);
                state.network.push(Message { server, attempt, content: Content::Response(response) });
            }
            Content::Response(response) => {
                let receiver = &state.servers[server];
                let Some(command) = receiver.command.filter(|_| receiver.attempt == attempt) else { return };
                let now = state.now_of(server);
                let expected = match &response {
                    Response::Loaded { truth, .. } => server::expected_error(truth, &self.numbers, now, command),
                    _ => None,
                };
                let next = receiver.on_response(server, now, response, &self.policy, self.fault);
                let error = match (&next, receiver.awaits) {
                    // Checked when it was decided.
                    (_, Awaited::Fence) => None,
                    (Next::Reply(Err(error)), _) => Some(*error),
                    (Next::Fence(_), _) => Some(CommandError::NotFound),
                    _ => None,
                };
                if error.is_some() && error != expected {
                    state.violation = Some(Violation::WrongError);
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
        let saved =
            snapshot::save(user.at(at).expect("nothing is due"), &mut buffer).expect("the buffer is large enough");
        let value = Value { snapshot: saved.to_vec(), taken_at: START - 1, marks: [0; 2] };
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
                // Where no response can come any more, giving up costs nothing.
                let waits = self.fault == Some(Fault::WaitsForEver);
                if !waits && (state.budget.timeouts > 0 || !state.network.iter().any(is_ours)) {
                    actions.push(Action::GiveUp(number));
                }
            } else if server.left > 0 {
                actions.extend((0..COMMANDS.len()).map(|command| Action::Begin(number, command)));
            }
        }
        for index in 0..state.network.len() {
            actions.push(Action::Deliver(index));
            if state.budget.duplicates > 0 {
                actions.push(Action::Duplicate(index));
            }
            if state.budget.losses > 0 {
                actions.push(Action::Lose(index));
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
                begins.in_flight = None;
                next.send(server, Request::Load);
            }
            Action::Deliver(index) => self.deliver(&mut next, index),
            Action::Duplicate(index) => {
                next.budget.duplicates -= 1;
                next.network.push(next.network[index].clone());
            }
            Action::Lose(index) => {
                next.budget.losses -= 1;
                next.network.remove(index);
            }
            Action::GiveUp(server) => {
                let attempt = next.servers[server].attempt;
                let is_ours = |message: &Message| (message.server, message.attempt) == (server, attempt);
                next.budget.timeouts -= u8::from(next.network.iter().any(is_ours));
                let gives_up = &mut next.servers[server];
                let what = gives_up.on_timeout(self.fault);
                if let Awaited::Write { revision } = gives_up.awaits {
                    gives_up.in_flight = Some(revision);
                }
                next.follow(server, what);
            }
            Action::Tick => {
                next.budget.ticks -= 1;
                next.time += 1;
            }
        }
        next.drop_messages_without_effect(self.fault);
        // The order in which messages were sent does not matter: any of them may arrive first.
        next.network.sort_by_cached_key(any_order);
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("S5 a command is rejected only if it had to be", |_, state: &State| {
                state.violation != Some(Violation::WrongError)
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
            // Visible in the state alone, and it stays so: stateright needs that to be right about paths that meet.
            Property::eventually("every command has a reply", |_, state: &State| {
                state.is_over() || state.violation.is_some()
            }),
        ]
    }
}
