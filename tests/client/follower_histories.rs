//! A follower beside a model of rules F1 and F2, through whatever its caller may do: it asks, waits and shows the same, answer by
//! answer, failure by failure, event by event.

use crate::pauses::{DAY, MINUTE, NEVER, SECOND, Time, after_failures, at, time};
use presence_core::client::{FeedEvent, Follower, Link, Reply, Step};
use presence_core::{Command, Duration, Policy, Presence, UserId};
use proptest::prelude::*;
use support::model::cases;

const ME: UserId = UserId::from_bytes([0xAB; 16]);
const OTHER: UserId = UserId::from_bytes([0x22; 16]);

#[derive(Clone, Debug)]
enum Action {
    Next(u32),
    Presence(Presence, bool),
    Opened,
    Failure(Option<u64>),
    /// No connection, or none any more.
    Lost,
    SignInNeeded,
    SignedIn,
    Heard(Event),
}

#[derive(Clone, Debug)]
enum Event {
    StartOver,
    Of(UserId, Presence, bool),
    UpToDate,
    Retry(u64),
    Comment,
    Bad,
    /// Too long, and of this user.
    TooLong(UserId),
}

/// What is known from a feed.
#[derive(Clone, Copy, Default)]
struct Known {
    presence: Option<(Presence, bool)>,
    is_live: bool,
    has_begun: bool,
    renewal: u64,
}

struct Model {
    policy: &'static Policy,
    interval: u64,
    lease: u64,
    /// The feed, and the pause before it is opened again.
    feed: Option<(Known, u64)>,
    asked: u64,
    /// When what is awaited is late, and whether it is.
    awaited: Option<(u64, bool)>,
    not_before: u64,
    failures: u32,
    random: u32,
    needs_sign_in: bool,
    /// When an answer was understood last.
    understood: Option<u64>,
    is_out_of_office: bool,
    rejected: Option<Presence>,
}

type Consequence = (Option<Command<u8>>, Option<Presence>);

const NOTHING: Consequence = (None, None);

impl Model {
    fn next(&mut self, now: u64, random: u32) -> Step {
        self.random = random;
        match self.awaited {
            Some((until, false)) if now < until => return Step::Wait(at(until)),
            Some((until, false)) => {
                self.fail(now);
                self.awaited = Some((until, true));
            }
            _ => {}
        }
        if self.needs_sign_in {
            return Step::Wait(at(NEVER));
        }
        if now < self.not_before {
            return Step::Wait(at(self.not_before));
        }
        (self.asked, self.not_before, self.awaited) = (now, now + self.interval, Some((now + 10 * SECOND, false)));
        Step::Ask { resumes: self.feed.is_some_and(|(known, _)| known.has_begun) }
    }

    fn fail(&mut self, now: u64) {
        self.failures += 1;
        self.not_before = match self.feed {
            None => self.asked + after_failures(self.interval, self.failures, self.random),
            Some((_, retry)) => now + after_failures(retry, self.failures, self.random),
        };
    }

    fn understand(&mut self, now: u64, presence: Presence, is_out_of_office: bool) -> Consequence {
        (self.failures, self.needs_sign_in, self.understood) = (0, false, Some(now));
        let lease = Some(Duration::from_millis(self.lease));
        let command = match presence {
            // No news, not even about out of office.
            Presence::Unknown => None,
            Presence::Offline => Some(Command::ClearPresence { session: 1 }),
            _ => Some(Command::SetPresence { session: 1, presence, lease }),
        };
        if presence != Presence::Unknown {
            self.is_out_of_office = is_out_of_office;
        }
        if matches!(command, Some(Command::SetPresence { .. })) && !self.policy.sessions.contains(presence) {
            let is_told = self.rejected == Some(presence);
            self.rejected = Some(presence);
            return (None, (!is_told).then_some(presence));
        }
        self.rejected = None;
        (command, None)
    }

    fn answered(&mut self, now: u64, action: &Action) -> Consequence {
        let Some((_, is_late)) = self.awaited.take() else { return NOTHING };
        match action {
            Action::Presence(presence, is_out_of_office) => {
                self.not_before = self.asked + self.interval;
                self.understand(now, *presence, *is_out_of_office)
            }
            Action::Opened => {
                self.awaited = Some((now + self.interval * 3 / 2, false));
                NOTHING
            }
            Action::Failure(retry_after) => {
                if !is_late {
                    self.fail(now);
                }
                if let Some(seconds) = retry_after {
                    self.not_before = self.not_before.max(now + seconds.saturating_mul(SECOND).min(DAY));
                }
                NOTHING
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn lost(&mut self, now: u64) {
        // One that is late has been counted.
        if let Some((_, false)) = self.awaited.take() {
            self.fail(now);
        }
    }

    fn heard(&mut self, now: u64, event: &Event) -> Consequence {
        let (Some((mut known, mut retry)), Some((_, false))) = (self.feed, self.awaited) else { return NOTHING };
        self.awaited = Some((now + self.interval * 3 / 2, false));
        let mut news = None;
        match event {
            Event::StartOver => {
                self.feed = Some((Known { has_begun: true, ..Known::default() }, retry));
                return NOTHING;
            }
            Event::Bad | Event::TooLong(ME) => {
                self.feed = Some((Known::default(), retry));
                self.lost(now);
                return NOTHING;
            }
            Event::Of(ME, presence, is_out_of_office) => news = Some((*presence, *is_out_of_office)),
            Event::UpToDate if known.has_begun => {
                known.is_live = true;
                news = known.presence.or(Some((Presence::Offline, false)));
            }
            Event::Retry(millis) => retry = (*millis).clamp(SECOND, 5 * MINUTE),
            Event::Of(..) | Event::UpToDate | Event::Comment | Event::TooLong(_) => {}
        }
        if news.is_none() && known.is_live && now >= known.renewal {
            news = known.presence;
        }
        if news.is_some() {
            (known.presence, known.renewal) = (news, now + self.interval);
        }
        self.feed = Some((known, retry));
        news.map_or(NOTHING, |(presence, is_out_of_office)| self.understand(now, presence, is_out_of_office))
    }

    fn is_fresh(&self, now: u64) -> bool {
        self.understood.is_some_and(|since| now < since + self.lease)
    }

    fn link(&self, now: u64) -> Link {
        match self.understood {
            _ if self.needs_sign_in => Link::SignIn,
            _ if self.failures >= 2 => Link::Down,
            None => Link::NoAnswer,
            Some(_) => {
                if self.is_fresh(now) {
                    Link::Ok
                } else {
                    Link::Down
                }
            }
        }
    }
}

/// Writes the object of a user, with the id in the case that some servers use.
fn object(user: UserId, presence: Presence, is_out_of_office: bool) -> String {
    let id = if is_out_of_office { user.to_string().to_uppercase() } else { user.to_string() };
    let (availability, activity) = (presence.availability().name(), presence.activity().name());
    format!(
        r#"{{"id":"{id}","availability":"{availability}","activity":"{activity}","outOfOfficeSettings":{{"isOutOfOffice":{is_out_of_office}}}}}"#
    )
}

fn hear(follower: &mut Follower<u8>, now: u64, event: &Event) -> Consequence {
    let text = match event {
        Event::Of(user, presence, is_out_of_office) => object(*user, *presence, *is_out_of_office),
        Event::TooLong(user) => object(*user, Presence::Busy, false)[..60].to_owned(),
        _ => r#"{"id":"x"}"#.to_owned(),
    };
    let event = match event {
        Event::StartOver => FeedEvent::StartOver,
        Event::Of(..) | Event::Bad => FeedEvent::Presence(text.as_bytes()),
        Event::UpToDate => FeedEvent::UpToDate,
        Event::Retry(millis) => FeedEvent::Retry(Duration::from_millis(*millis)),
        Event::Comment => FeedEvent::Comment,
        Event::TooLong(_) => FeedEvent::TooLong(text.as_bytes()),
    };
    let update = follower.heard(at(now), &event);
    (update.command, update.rejected)
}

/// Plays a history to both, and compares all that can be seen after each step.
fn play(policy: &'static Policy, interval: u64, is_feed: bool, history: &[(Time, Action)]) {
    let mut follower = Follower::new(1, policy).with_interval(Duration::from_millis(interval));
    if is_feed {
        follower = follower.with_feed(ME);
    }
    let mut model = Model {
        policy,
        interval: follower.interval().as_millis(),
        lease: follower.lease().as_millis(),
        feed: is_feed.then_some((Known::default(), 3 * SECOND)),
        asked: 0,
        awaited: None,
        not_before: 0,
        failures: 0,
        random: 0,
        needs_sign_in: false,
        understood: None,
        is_out_of_office: false,
        rejected: None,
    };
    let (mut now, mut due) = (MINUTE, 0);
    for (time, action) in history {
        now = time.after(now, due);
        let (seen, expected) = match action {
            Action::Next(random) => {
                let step = follower.next(at(now), *random);
                assert_eq!(step, model.next(now, *random), "at {now}");
                due = if let Step::Wait(until) = step { until.as_millis() } else { now };
                continue;
            }
            Action::Presence(presence, is_out_of_office) => {
                let reply = Reply::Presence { presence: *presence, is_out_of_office: *is_out_of_office };
                let update = follower.answered(at(now), reply);
                ((update.command, update.rejected), model.answered(now, action))
            }
            Action::Opened => {
                let update = follower.answered(at(now), Reply::Opened);
                ((update.command, update.rejected), model.answered(now, action))
            }
            Action::Failure(seconds) => {
                let retry_after = seconds.map(Duration::from_secs);
                let update = follower.answered(at(now), Reply::Failed { retry_after });
                ((update.command, update.rejected), model.answered(now, action))
            }
            Action::Lost => {
                follower.failed(at(now));
                model.lost(now);
                (NOTHING, NOTHING)
            }
            Action::SignInNeeded => {
                follower.sign_in_needed();
                model.needs_sign_in = true;
                (NOTHING, NOTHING)
            }
            Action::SignedIn => {
                follower.signed_in();
                model.needs_sign_in = false;
                (NOTHING, NOTHING)
            }
            Action::Heard(event) => (hear(&mut follower, now, event), model.heard(now, event)),
        };
        assert_eq!(seen, expected, "{action:?} at {now}");
        for later in [now, now + model.lease - 1, now + model.lease] {
            assert_eq!(follower.link(at(later)), model.link(later), "{action:?} at {now}, {later}");
            let is_out_of_office = model.is_out_of_office && model.is_fresh(later);
            assert_eq!(follower.is_out_of_office(at(later)), is_out_of_office, "{action:?} at {now}, {later}");
        }
    }
}

fn presence() -> impl Strategy<Value = Presence> {
    let often = vec![Presence::Unknown, Presence::Offline, Presence::InAMeeting, Presence::Away, Presence::InACall];
    prop::sample::select(often)
}

fn action() -> impl Strategy<Value = Action> {
    let retry_after = prop::sample::select(vec![None, None, Some(0), Some(45), Some(7200), Some(u64::MAX)]);
    prop_oneof![
        10 => any::<u32>().prop_map(Action::Next),
        4 => (presence(), any::<bool>()).prop_map(|(presence, out)| Action::Presence(presence, out)),
        3 => retry_after.prop_map(Action::Failure),
        2 => Just(Action::Lost),
        1 => Just(Action::SignInNeeded),
        1 => Just(Action::SignedIn),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let user = || prop::sample::select(vec![ME, ME, OTHER]);
    prop_oneof![
        2 => Just(Event::StartOver),
        6 => (user(), presence(), any::<bool>()).prop_map(|(user, presence, out)| Event::Of(user, presence, out)),
        3 => Just(Event::UpToDate),
        1 => prop::sample::select(vec![0, 2345, 20_000, u64::MAX]).prop_map(Event::Retry),
        4 => Just(Event::Comment),
        1 => Just(Event::Bad),
        1 => user().prop_map(Event::TooLong),
    ]
}

fn feed_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => any::<u32>().prop_map(Action::Next),
        3 => Just(Action::Opened),
        1 => prop::sample::select(vec![None, Some(45)]).prop_map(Action::Failure),
        1 => Just(Action::Lost),
        12 => event().prop_map(Action::Heard),
    ]
}

fn policy() -> impl Strategy<Value = &'static Policy> {
    prop::sample::select(vec![&Policy::MIRROR, &Policy::GRAPH])
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn f1_f2_a_follower_that_asks_does_what_the_rules_say(
        policy in policy(),
        interval in prop::sample::select(vec![SECOND, 30 * SECOND, 10 * MINUTE]),
        history in prop::collection::vec((time(), action()), 0..60),
    ) {
        play(policy, interval, false, &history);
    }

    #[test]
    fn f1_f2_a_follower_of_a_feed_does_what_the_rules_say(
        policy in policy(),
        history in prop::collection::vec((time(), feed_action()), 0..80),
    ) {
        play(policy, 30 * SECOND, true, &history);
    }
}
