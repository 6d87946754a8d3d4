//! Room for the sessions with fixed ids, beyond what callers may fill: rules L4 and S9.

use super::{ME, SAID, answer, light, outcome, serve_at};
use presence_core::directory::InlineDirectory;
use presence_core::graph::{Buffer, Caller, Context, SingleUserStore, Store};
use presence_core::lines::{BUTTON_SESSION, Input, MIRROR_SESSION, OWN_SESSION, RESERVED_SESSIONS};
use presence_core::{Command, CommandError, Instant, Policy, Presence, SessionId, Transition, UserId};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::model::cases;

const MIRRORED: &str = r#"{"availability":"Busy","activity":"InACall"}"#;

fn set(session: SessionId, secs: u64) -> String {
    format!(
        r#"{{"id":"1","method":"POST","url":"/me/presence/setPresence","body":{{"sessionId":"{session}","availability":"Away","activity":"Away","expirationDuration":"PT{secs}S"}}}}"#
    )
}

fn application(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

#[test]
fn l4_callers_do_not_fill_the_room_of_the_light() {
    let mut light = light();
    for number in 0..4 {
        assert_eq!(outcome(&answer(&mut light, &set(application(number), 60))).0, 200);
    }
    let fifth = set(application(4), 60);
    let full = (507, "The user has no room for another session.".to_owned());
    assert_eq!(outcome(&answer(&mut light, &fifth)), full);
    for line in ["Busy", MIRRORED] {
        assert_eq!(answer(&mut light, line), SAID);
    }
    assert_eq!(outcome(&answer(&mut light, &set(BUTTON_SESSION, 60))).0, 200, "also by its id");
    assert_eq!(outcome(&answer(&mut light, &fifth)), full);
    assert_eq!(outcome(&answer(&mut light, &set(application(0), 90))).0, 200, "replacing needs no room");
    // What has ended takes no room, though nothing was advanced.
    let later = serve_at(Instant::from_secs(60), &mut light, fifth.as_bytes());
    assert_eq!(outcome(later.last().unwrap()).0, 200);
    assert_eq!(BUTTON_SESSION.to_string(), "62757474-6f6e-4000-8000-000000000000");
}

/// Elements of a batch are callers as well, and a store in front of a store knows its sessions.
#[cfg(feature = "batch")]
#[test]
fn l4_elements_of_a_batch_leave_the_room() {
    let mut light = light();
    let elements: Vec<String> =
        (0..6).map(|number| set(application(number), 60).replace("\"1\"", &format!("\"{number}\""))).collect();
    let line =
        format!(r#"{{"id":"1","method":"POST","url":"/$batch","body":{{"requests":[{}]}}}}"#, elements.join(","));
    let response: serde_json::Value = serde_json::from_str(&answer(&mut light, &line)).unwrap();
    let responses = response["body"]["responses"].as_array().unwrap().iter();
    let statuses: Vec<_> = responses.map(|response| response["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 507, 507]);
}

/// A user whose sessions are all the light's own has none for callers, and one with fewer places does not underflow.
#[test]
fn l4_without_more_room_there_is_none_for_callers() {
    fn served<const SESSIONS: usize>(line: &str) -> u64 {
        let mut light = SingleUserStore::<SESSIONS>::new(ME, Policy::DESK);
        serve_any(&mut light, Instant::ZERO, line)
    }
    assert_eq!([served::<1>("Busy"), served::<3>("Busy"), served::<3>(MIRRORED)], [200; 3]);
    assert_eq!([served::<1>(&set(application(0), 60)), served::<3>(&set(application(0), 60))], [507; 2]);
    assert_eq!(served::<4>(&set(application(0), 60)), 200);
}

/// A store of the application's own, which keeps room itself or does without.
struct Own(SingleUserStore<4>);

impl Store for Own {
    fn policy(&self) -> &Policy {
        self.0.policy()
    }

    fn read(&self, now: Instant, user: UserId) -> (Presence, u64) {
        self.0.read(now, user)
    }

    fn execute(
        &mut self,
        now: Instant,
        user: UserId,
        command: Command<SessionId>,
        on_change: &mut dyn FnMut(UserId, &Transition<SessionId>),
    ) -> Result<(), CommandError> {
        self.0.execute(now, user, command, on_change)
    }
}

#[test]
fn l4_a_store_that_does_not_know_its_sessions_keeps_no_room() {
    let mut own = Own(SingleUserStore::new(ME, Policy::DESK));
    let statuses: Vec<_> =
        (0..5).map(|number| serve_any(&mut own, Instant::ZERO, &set(application(number), 60))).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 507]);
    for line in ["Busy", MIRRORED] {
        assert_eq!(serve_any(&mut own, Instant::ZERO, line), 507, "{line}");
    }
}

#[cfg(feature = "details")]
#[test]
fn l4_details_beside_a_store_leave_its_room() {
    use presence_core::{details::Details, graph::WithDetails};
    let details: Details<40> = Details::new();
    let mut light = WithDetails::<_, _, 40>::new(light(), (ME, details));
    let statuses: Vec<_> =
        (0..5).map(|number| serve_any(&mut light, Instant::ZERO, &set(application(number), 60))).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 507]);
    assert_eq!(serve_any(&mut light, Instant::ZERO, "Busy"), 200);
}

fn serve_any<S: Store>(store: &mut S, now: Instant, line: &str) -> u64 {
    let context = Context::new(now, Caller::Trusted { me: Some(ME) });
    let mut bytes = [0; 512];
    let mut response = Buffer::new(&mut bytes);
    Input::parse(line.as_bytes()).serve(&context, store, &mut response, &mut |_, _| {}).unwrap();
    outcome(core::str::from_utf8(response.written()).unwrap()).0
}

proptest! {
    #![proptest_config(cases(200))]

    /// Whatever callers do, as many of them as there is room for beside the three hold a session, and the three always have
    /// theirs. The model remembers when each session ends.
    #[test]
    fn l4_the_room_is_kept_in_every_store(
        steps in prop::collection::vec((0..40_u64, 0..8_u8, 1..100_u64), 1..60),
    ) {
        const CALLERS: usize = 3;
        const SESSIONS: usize = CALLERS + RESERVED_SESSIONS;
        let mut one = SingleUserStore::<SESSIONS>::new(ME, Policy::DESK);
        let mut many = InlineDirectory::<UserId, SessionId, SESSIONS, 4>::with_policy(Policy::DESK);
        let graph = Policy::GRAPH;
        let mut other = InlineDirectory::<UserId, SessionId, SESSIONS, 4>::with_policy(graph);
        let mut ends: BTreeMap<SessionId, u64> = BTreeMap::new();
        let mut now = 0;
        for (pause, who, lease) in steps {
            now += pause;
            ends.retain(|_, end| *end > now);
            let (line, session) = match who {
                5 => (format!("Away PT{lease}S"), OWN_SESSION),
                6 => (MIRRORED.replacen('{', &format!(r#"{{"expirationDuration":"PT{lease}S","#), 1), MIRROR_SESSION),
                7 => (set(BUTTON_SESSION, lease), BUTTON_SESSION),
                number => (set(application(number), lease), application(number)),
            };
            let held = ends.keys().filter(|id| **id != OWN_SESSION && **id != MIRROR_SESSION && **id != BUTTON_SESSION);
            let has_room = who >= 5 || ends.contains_key(&session) || held.count() < CALLERS;
            if has_room {
                ends.insert(session, now + lease);
            }
            let at = Instant::from_secs(now);
            let mut under = (&mut other, &Policy::DESK);
            let served = [serve_any(&mut one, at, &line), serve_any(&mut many, at, &line), serve_any(&mut under, at, &line)];
            prop_assert_eq!(served, [if has_room { 200 } else { 507 }; 3], "{}", line);
        }
    }
}
