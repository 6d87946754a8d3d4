//! A follower that asks again and again: when, and what an answer, a failure or silence means.

use presence_core::client::{Follower, Link, Reply, Step};
use presence_core::{Command, Duration, Instant, Policy, Presence, SingleUser};

const MIRROR: u8 = 1;
const ASK: Step = Step::Ask { resumes: false };
const FAILED: Reply = Reply::Failed { retry_after: None };

fn at(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

fn reply(presence: Presence) -> Reply {
    Reply::Presence { presence, is_out_of_office: false }
}

fn throttled(retry_after: Duration) -> Reply {
    Reply::Failed { retry_after: Some(retry_after) }
}

fn follower() -> Follower<u8> {
    Follower::new(MIRROR, &Policy::MIRROR)
}

/// Asks at this moment, as the follower must want.
fn ask(follower: &mut Follower<u8>, secs: u64) {
    assert_eq!(follower.next(at(secs), 0), ASK, "at {secs}");
}

/// Returns the moment until which the follower waits.
fn wait(follower: &mut Follower<u8>, now: Instant, random: u32) -> Instant {
    match follower.next(now, random) {
        Step::Wait(until) => until,
        other => panic!("{other:?} at {now}"),
    }
}

/// A follower and the lamp that it drives.
struct Lamp {
    follower: Follower<u8>,
    user: SingleUser<u8, 4>,
}

impl Lamp {
    fn new() -> Self {
        Self { follower: follower(), user: SingleUser::new(Policy::DESK) }
    }

    fn ask(&mut self, secs: u64) {
        ask(&mut self.follower, secs);
    }

    fn answer(&mut self, secs: u64, presence: Presence) {
        let update = self.follower.answered(at(secs), reply(presence));
        self.follower.show(at(secs), &update, &mut self.user, |_| {}).expect("room");
    }

    fn shows(&self, secs: u64) -> Presence {
        self.user.presence(at(secs))
    }
}

#[test]
fn f1_it_asks_every_thirty_seconds_when_nothing_is_said() {
    let mut follower = follower();
    ask(&mut follower, 100);
    // While an answer is awaited, nothing else is sent.
    assert_eq!(follower.next(at(101), 0), Step::Wait(at(110)));
    for round in 0..1000 {
        let sent = 100 + 30 * round;
        let _ = follower.answered(at(sent + 9), reply(Presence::Available));
        assert_eq!(follower.next(at(sent + 9), 0), Step::Wait(at(sent + 30)));
        ask(&mut follower, sent + 30);
    }
}

#[test]
fn f1_the_interval_can_be_set() {
    for (set, kept) in
        [(0, 1), (1, 1), (7, 7), (3600, 3600), (8 * 3600, 8 * 3600), (9 * 3600, 8 * 3600), (u64::MAX, 8 * 3600)]
    {
        let mut follower = follower().with_interval(Duration::from_secs(set));
        assert_eq!(follower.interval(), Duration::from_secs(kept), "{set}");
        ask(&mut follower, 0);
        let _ = follower.answered(at(0), reply(Presence::Busy));
        assert_eq!(follower.next(at(0), 0), Step::Wait(at(kept)));
    }
    // Under Graph's policy a lease lasts four hours at most, and so three intervals.
    let interval = Follower::new(MIRROR, &Policy::GRAPH).with_interval(Duration::MAX).interval();
    assert_eq!(interval, Duration::from_mins(80));
}

#[test]
fn f1_a_lease_is_three_intervals_at_least_and_what_the_policy_allows() {
    let lease = |policy, secs| Follower::new(MIRROR, policy).with_interval(Duration::from_secs(secs)).lease();
    assert_eq!(follower().lease(), Duration::from_secs(90));
    assert_eq!(lease(&Policy::MIRROR, 3600), Duration::from_hours(3));
    assert_eq!(lease(&Policy::MIRROR, u64::MAX), Duration::from_hours(24));
    assert_eq!(lease(&Policy::GRAPH, 30), Duration::from_mins(5));
    assert_eq!(lease(&Policy::GRAPH, u64::MAX), Duration::from_hours(4));
    for secs in 0..10_000 {
        for policy in [&Policy::MIRROR, &Policy::GRAPH] {
            let follower = Follower::new(MIRROR, policy).with_interval(Duration::from_secs(secs));
            assert!(follower.lease().as_millis() >= 3 * follower.interval().as_millis());
            assert!(policy.leases.contains(follower.lease()));
        }
    }
}

#[test]
fn f1_an_answer_becomes_what_p4_says() {
    for byte in 0..15 {
        let presence = Presence::from_byte(byte).expect("a presence");
        let mut follower = follower();
        ask(&mut follower, 0);
        let update = follower.answered(at(1), reply(presence));
        assert_eq!(update.command, Command::mirror(MIRROR, presence, Some(Duration::from_secs(90))));
        assert_eq!((update.rejected, follower.link(at(1))), (None, Link::Ok));
    }
}

#[test]
fn f1_out_of_office_stands_beside_the_presence_as_long_as_it_is_known() {
    let mut follower = follower();
    ask(&mut follower, 0);
    let away = Reply::Presence { presence: Presence::Offline, is_out_of_office: true };
    assert_eq!(follower.answered(at(0), away).command, Some(Command::ClearPresence { session: MIRROR }));
    assert!(follower.is_out_of_office(at(89)));
    assert!(!follower.is_out_of_office(at(90)));
    ask(&mut follower, 30);
    let _ = follower.answered(at(30), reply(Presence::Available));
    assert!(!follower.is_out_of_office(at(30)));
}

#[test]
fn f1_retry_after_is_kept_to() {
    for secs in [31, 60, 3600, 86_400] {
        let mut follower = follower();
        ask(&mut follower, 0);
        let _ = follower.answered(at(2), throttled(Duration::from_secs(secs)));
        assert_eq!(wait(&mut follower, at(2), 0), at(2 + secs));
        assert_eq!(follower.next(Instant::from_millis((2 + secs) * 1000 - 1), 0), Step::Wait(at(2 + secs)));
        ask(&mut follower, 2 + secs);
    }
    // One that is shorter than the pause that there is anyway does not shorten it.
    let mut follower = follower();
    ask(&mut follower, 0);
    let _ = follower.answered(at(2), throttled(Duration::ZERO));
    assert_eq!(wait(&mut follower, at(2), 0), at(30));
}

#[test]
fn f1_an_absurd_retry_after_counts_as_a_day() {
    for absurd in [Duration::from_days(2), Duration::from_days(36_500), Duration::MAX] {
        let mut follower = follower();
        ask(&mut follower, 0);
        let _ = follower.answered(at(0), throttled(absurd));
        assert_eq!(wait(&mut follower, at(0), 0), at(86_400));
        ask(&mut follower, 86_400);
    }
}

#[test]
fn f1_a_late_answer_counts_and_its_retry_after_too() {
    let mut follower = follower();
    ask(&mut follower, 0);
    assert_eq!(wait(&mut follower, at(10), 0), at(30));
    let update = follower.answered(at(20), reply(Presence::Busy));
    assert!(update.command.is_some());
    ask(&mut follower, 30);
    assert_eq!(wait(&mut follower, at(40), 0), at(60));
    let _ = follower.answered(at(41), throttled(Duration::from_mins(10)));
    assert_eq!(wait(&mut follower, at(41), 0), at(641));
    // It was counted when it was late, and not again.
    assert_eq!(follower.link(at(42)), Link::Ok);
    // No request, no answer.
    assert_eq!(follower.answered(at(42), reply(Presence::Away)).command, None);
}

#[test]
fn f1_pauses_grow_up_to_five_minutes_with_chance() {
    let gaps = |random| {
        let mut follower = follower();
        let mut now = at(0);
        let mut gaps = Vec::new();
        for _ in 0..8 {
            assert_eq!(follower.next(now, random), ASK);
            let _ = follower.answered(now, FAILED);
            let next = wait(&mut follower, now, random);
            gaps.push((next - now).as_millis());
            now = next;
        }
        gaps
    };
    assert_eq!(gaps(0), [30_000, 60_000, 120_000, 240_000, 240_000, 240_000, 240_000, 240_000]);
    let longest = gaps(u32::MAX);
    assert_eq!(longest, [37_499, 74_999, 149_999, 299_999, 299_999, 299_999, 299_999, 299_999]);
    // An answer begins anew.
    let mut follower = follower();
    for secs in [0, 30, 90] {
        ask(&mut follower, secs);
        follower.failed(at(secs));
    }
    ask(&mut follower, 210);
    let _ = follower.answered(at(210), reply(Presence::Busy));
    ask(&mut follower, 240);
    follower.failed(at(240));
    assert_eq!(wait(&mut follower, at(240), 0), at(270));
}

#[test]
fn f1_a_network_that_dies_shows_as_no_news_by_itself() {
    let mut lamp = Lamp::new();
    lamp.ask(0);
    lamp.answer(1, Presence::InACall);
    assert_eq!(lamp.shows(90), Presence::InACall);
    assert_eq!(lamp.shows(91), Presence::Offline);
    lamp.user.advance(at(91), |_| {});
    assert_eq!(lamp.user.explain(at(91)).layer, presence_core::Layer::Nothing(presence_core::Absence::Expired));
}

#[test]
fn f1_one_lost_answer_changes_nothing() {
    for interval in [1, 2, 5, 10, 29, 30, 31, 60, 300, 3600] {
        for policy in [&Policy::MIRROR, &Policy::GRAPH] {
            let mut follower = Follower::new(MIRROR, policy).with_interval(Duration::from_secs(interval));
            let mut user: SingleUser<u8, 4> = SingleUser::new(Policy::DESK);
            let mut changes = 0;
            let (mut now, mut asked, mut steps) = (at(1000), 0, 0);
            while asked < 12 {
                steps += 1;
                assert!(steps < 100, "it waits again and again");
                match follower.next(now, u32::MAX) {
                    Step::Wait(until) => {
                        now = until;
                        user.advance(now, |change| changes += u32::from(change.is_visible()));
                    }
                    Step::Ask { .. } => {
                        asked += 1;
                        // Each second answer is lost; the others come at the last moment.
                        if asked % 2 == 1 {
                            now += Duration::from_millis(9_999);
                            let update = follower.answered(now, reply(Presence::InACall));
                            let change =
                                |change: &presence_core::Transition<u8>| changes += u32::from(change.is_visible());
                            follower.show(now, &update, &mut user, change).expect("room");
                        }
                    }
                }
                assert!(asked == 0 || follower.link(now) != Link::Down, "{interval} at {now}");
            }
            assert_eq!(changes, 1, "{interval}");
        }
    }
}

#[test]
fn f1_what_the_policy_rejects_is_told_once_and_never_turned_into_something_else() {
    let mut follower = Follower::new(MIRROR, &Policy::GRAPH);
    let mut answered = |secs, presence| {
        ask(&mut follower, secs);
        let update = follower.answered(at(secs), reply(presence));
        (update.command.is_some(), update.rejected)
    };
    assert_eq!(answered(0, Presence::Available), (true, None));
    assert_eq!(answered(30, Presence::InAMeeting), (false, Some(Presence::InAMeeting)));
    assert_eq!(answered(60, Presence::InAMeeting), (false, None));
    assert_eq!(answered(90, Presence::Focusing), (false, Some(Presence::Focusing)));
    assert_eq!(answered(120, Presence::Offline), (true, None));
    assert_eq!(answered(150, Presence::InAMeeting), (false, Some(Presence::InAMeeting)));
    // No news is no presence, and so not rejected.
    assert_eq!(answered(180, Presence::Unknown), (false, None));
    // Such an answer is understood: the link is as good as before.
    assert_eq!(follower.link(at(180)), Link::Ok);
}

#[test]
fn f2_what_is_not_understood_is_a_failure_and_no_presence() {
    let mut lamp = Lamp::new();
    lamp.ask(0);
    lamp.answer(0, Presence::DoNotDisturb);
    lamp.ask(30);
    let update = lamp.follower.answered(at(30), FAILED);
    assert_eq!((update.command, update.rejected), (None, None));
    // What was known before stays, as long as it was lent.
    assert_eq!((lamp.shows(89), lamp.shows(90)), (Presence::DoNotDisturb, Presence::Offline));
}

#[test]
fn f2_states_of_the_link_are_told_apart_from_any_presence() {
    let mut follower = follower();
    assert_eq!(follower.link(at(0)), Link::NoAnswer);
    ask(&mut follower, 0);
    follower.failed(at(1));
    assert_eq!(follower.link(at(1)), Link::NoAnswer);
    ask(&mut follower, 30);
    // Silence.
    assert_eq!(follower.next(at(40), 0), Step::Wait(at(90)));
    assert_eq!(follower.link(at(40)), Link::Down);
    ask(&mut follower, 90);
    let _ = follower.answered(at(90), reply(Presence::Offline));
    assert_eq!(follower.link(at(90)), Link::Ok);
    // One throttled answer that asks for an hour: what is known grows old.
    ask(&mut follower, 120);
    let _ = follower.answered(at(120), throttled(Duration::from_hours(1)));
    assert_eq!((follower.link(at(179)), follower.link(at(180))), (Link::Ok, Link::Down));
    follower.sign_in_needed();
    assert_eq!(follower.link(at(180)), Link::SignIn);
}

#[test]
fn f2_while_a_person_has_to_sign_in_nothing_is_asked() {
    let mut follower = follower();
    ask(&mut follower, 0);
    let _ = follower.answered(at(0), FAILED);
    follower.sign_in_needed();
    assert_eq!(follower.next(at(1_000_000), 0), Step::Wait(Instant::NEVER));
    follower.signed_in();
    ask(&mut follower, 1_000_000);
    let _ = follower.answered(at(1_000_000), reply(Presence::Available));
    assert_eq!(follower.link(at(1_000_000)), Link::Ok);
}

#[test]
fn f1_a_mirror_that_is_gone_is_cleared_again_without_an_error() {
    let mut lamp = Lamp::new();
    for secs in [0, 30, 60] {
        lamp.ask(secs);
        lamp.answer(secs, Presence::Offline);
        assert_eq!(lamp.shows(secs), Presence::Offline);
    }
}

#[test]
fn f1_a_lamp_without_room_for_the_mirror_tells() {
    let mut user: SingleUser<u8, 1> = SingleUser::new(Policy::DESK);
    user.set_presence(at(0), 7, Presence::Busy, None, |_| {}).expect("room");
    let mut follower = follower();
    ask(&mut follower, 0);
    let update = follower.answered(at(0), reply(Presence::Available));
    let shown = follower.show(at(0), &update, &mut user, |_| {});
    assert_eq!(shown, Err(presence_core::CommandError::SessionsFull));
}

#[test]
fn f1_a_clock_that_goes_back_stops_nothing() {
    let mut follower = follower();
    ask(&mut follower, 1_000_000);
    let _ = follower.answered(at(1_000_000), reply(Presence::Busy));
    // A few milliseconds are two tasks that read the clock out of order.
    assert_eq!(follower.next(Instant::from_millis(999_999_990), 0), Step::Wait(at(1_000_030)));
    ask(&mut follower, 5);
    let _ = follower.answered(at(5), reply(Presence::Busy));
    assert_eq!(wait(&mut follower, at(5), 0), at(35));
}
