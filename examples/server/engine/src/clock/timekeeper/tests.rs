//! Tests of the server's time on readings of clocks that tests move.

use super::*;

const HOUR: Duration = Duration::from_hours(1);
/// Some moment in 2026.
const BEGAN: Instant = Instant::from_secs(1_764_090_333);

/// A machine's clocks, and the server's time on them.
struct Machine {
    wall: Instant,
    boot: Duration,
    timekeeper: Timekeeper,
}

impl Machine {
    /// Starts a server whose data is ahead of the wall clock.
    fn ahead(ahead: Duration) -> Self {
        let reading = Reading { wall: BEGAN, boot: Duration::from_secs(77) };
        let timekeeper = Timekeeper::start(reading, BEGAN.saturating_add(ahead), Shift::default());
        Self { wall: reading.wall, boot: reading.boot, timekeeper }
    }

    fn time(&self) -> Time {
        self.timekeeper.time(self.boot)
    }

    /// Returns the lead over the wall clock, in milliseconds.
    fn lead(&self) -> i128 {
        i128::from(self.time().now.as_millis()) - i128::from(self.wall.as_millis())
    }

    /// Lets both clocks go on, as they do while the machine works or sleeps.
    fn run(&mut self, by: Duration) {
        self.wall = self.wall.saturating_add(by);
        self.boot = self.boot.saturating_add(by);
    }

    fn step_forward(&mut self, by: Duration) {
        self.wall = self.wall.saturating_add(by);
    }

    fn step_back(&mut self, by: Duration) {
        self.wall = self.wall.saturating_sub(by);
    }

    fn observe(&mut self) -> Option<Step> {
        self.timekeeper.observe(Reading { wall: self.wall, boot: self.boot })
    }

    /// Looks at the clocks every second for so many seconds. Returns the steps.
    fn observe_for(&mut self, seconds: u64) -> Vec<Step> {
        let observe = |_| {
            self.run(SECOND);
            self.observe()
        };
        (0..seconds).filter_map(observe).collect()
    }
}

#[test]
fn a_sleep_is_counted_and_is_no_step() {
    let mut machine = Machine::ahead(Duration::ZERO);
    machine.run(HOUR);
    assert_eq!(machine.time(), Time { now: BEGAN + HOUR, shift: Shift::default() }, "before anything is observed");
    assert_eq!(machine.observe(), None);
    assert_eq!(machine.lead(), 0);
}

#[test]
fn a_step_forward_is_followed_at_once() {
    let mut machine = Machine::ahead(Duration::ZERO);
    for (step, told) in [(HOUR, true), (SECOND, true), (Duration::from_millis(999), false)] {
        machine.step_forward(step);
        assert_eq!(machine.observe(), told.then_some(Step::Forward(step)));
        assert_eq!(machine.lead(), 0);
    }
}

#[test]
fn a_step_back_of_a_minute_is_ignored() {
    let mut machine = Machine::ahead(Duration::ZERO);
    machine.step_back(MINUTE);
    let now = machine.time().now;
    assert_eq!(machine.observe_for(1000), []);
    assert_eq!(machine.time(), Time { now: now + Duration::from_secs(1000), shift: Shift::default() });
    // What is ignored counts when more follows.
    machine.step_back(Duration::from_millis(1));
    let step = MINUTE + Duration::from_millis(1);
    assert_eq!(machine.observe_for(61), [Step::Behind(step), Step::Back(step)]);
    assert_eq!(machine.lead(), 0);
}

#[test]
fn a_greater_step_back_is_followed_after_a_minute() {
    let mut machine = Machine::ahead(Duration::ZERO);
    machine.step_back(HOUR);
    let before = machine.time().unshifted();
    assert_eq!(machine.observe_for(60), [Step::Behind(HOUR)]);
    assert_eq!(machine.time().unshifted(), before + MINUTE, "it goes on by boot time");
    assert_eq!(machine.time().shift, Shift::default());
    assert_eq!(machine.observe_for(1), [Step::Back(HOUR)]);
    assert_eq!(machine.lead(), 0);
    assert_eq!(machine.time().shift.since(Shift::default()), HOUR);
    assert_eq!(machine.time().unshifted(), before + MINUTE + SECOND);
    assert_eq!(machine.observe_for(1000), []);
}

#[test]
fn a_step_back_that_does_not_last_is_not_followed() {
    let mut machine = Machine::ahead(Duration::ZERO);
    machine.step_back(HOUR);
    assert_eq!(machine.observe_for(60), [Step::Behind(HOUR)]);
    machine.step_forward(HOUR);
    assert_eq!(machine.observe_for(1000), []);
    // Nor while it goes on changing.
    machine.step_back(HOUR);
    assert_eq!(machine.observe_for(60), [Step::Behind(HOUR)]);
    for _ in 0..100 {
        machine.step_back(SECOND + SECOND);
        assert_eq!(machine.observe_for(40), []);
    }
    assert_eq!(machine.observe_for(21), [Step::Back(HOUR + Duration::from_secs(200))]);
    assert_eq!(machine.lead(), 0);
}

#[test]
fn a_minute_in_2099_is_undone() {
    let mut machine = Machine::ahead(Duration::ZERO);
    let far = Duration::from_days(26_700);
    machine.step_forward(far);
    assert_eq!(machine.observe_for(60), [Step::Forward(far)]);
    machine.step_back(far);
    assert_eq!(machine.observe_for(61), [Step::Behind(far), Step::Back(far)]);
    assert_eq!(machine.lead(), 0);
}

/// After a loss of power a machine may not know the time yet.
#[test]
fn data_that_is_ahead_at_the_start_is_not_shifted() {
    let mut machine = Machine::ahead(HOUR);
    assert_eq!(machine.lead(), 3_600_000);
    assert_eq!(machine.observe_for(1000), []);
    assert_eq!(machine.lead(), 3_600_000);
    // A step back while the server runs is undone, and nothing else.
    machine.step_back(HOUR);
    assert_eq!(machine.observe_for(61), [Step::Behind(HOUR), Step::Back(HOUR)]);
    assert_eq!(machine.lead(), 3_600_000);
    // The wall clock catches up with a part, and then with more than all.
    machine.step_forward(Duration::from_mins(40));
    assert_eq!(machine.observe_for(1000), []);
    machine.step_forward(Duration::from_mins(30));
    assert_eq!(machine.observe_for(1000), [Step::Forward(Duration::from_mins(10))]);
    // From then on it is right.
    machine.step_back(HOUR);
    assert_eq!(machine.observe_for(61), [Step::Behind(HOUR), Step::Back(HOUR)]);
    assert_eq!(machine.lead(), 0);
}

/// No kernel does that, but what changes the clocks of programs may.
#[test]
fn a_boot_time_clock_that_goes_back_stops_the_server_for_a_moment() {
    let mut machine = Machine::ahead(Duration::ZERO);
    machine.observe_for(10_000);
    machine.step_back(HOUR);
    machine.boot = machine.boot.saturating_sub(HOUR);
    let before = machine.time();
    assert_eq!(machine.observe(), Some(Step::Behind(HOUR)));
    assert_eq!(machine.time(), before);
    assert_eq!(machine.observe_for(60), [Step::Back(HOUR)]);
    assert_eq!(machine.lead(), 0);
}

/// Random clocks, against what must hold of any.
#[test]
fn the_server_goes_back_only_as_the_wall_clock_lasts_and_loses_no_time() {
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let (mut back, mut forward, mut ignored) = (0, 0, 0);
    for _ in 0..2000 {
        let ahead = if next(2) == 0 { 0 } else { next(10_000_000) };
        let mut machine = Machine::ahead(Duration::from_millis(ahead));
        let mut is_right = ahead == 0;
        // The boot time for which the wall clock has been more than a minute behind.
        let mut behind_for: Option<u64> = None;
        for _ in 0..200 {
            let earlier = machine.time();
            let elapsed = match next(20) {
                0 => next(100_000_000),
                1..3 => next(100_000),
                _ => next(3000),
            };
            machine.run(Duration::from_millis(elapsed));
            match next(30) {
                0 => machine.step_forward(Duration::from_millis(next(10_000_000))),
                1 => machine.step_back(Duration::from_millis(next(10_000_000))),
                2 => machine.step_back(Duration::from_millis(next(61_000))),
                3 => machine.step_forward(Duration::from_millis(next(61_000))),
                4 => machine.step_back(Duration::from_millis(next(900))),
                _ => {}
            }
            let lead = machine.lead();
            let step = machine.observe();
            let time = machine.time();
            let gained = time.unshifted().as_millis() - earlier.unshifted().as_millis();
            // The server's time is boot time, and what the wall clock went forward beyond it.
            assert_eq!(i128::from(gained), i128::from(elapsed) + (-lead).max(0));
            behind_for = (lead > 60_000).then(|| behind_for.map_or(0, |so_far| so_far + elapsed));
            is_right |= lead <= 0;
            match step {
                Some(Step::Back(by)) => {
                    assert_eq!(time.shift.since(earlier.shift), by);
                    assert!(by > MINUTE && behind_for.is_some_and(|lasted| lasted >= 60_000), "{by:?} {behind_for:?}");
                    assert!(machine.lead() >= 0 && (machine.lead() == 0 || !is_right));
                    (back, behind_for) = (back + 1, None);
                }
                other => {
                    assert_eq!(time.shift, earlier.shift);
                    assert!(time.now >= earlier.now);
                    forward += u32::from(matches!(other, Some(Step::Forward(_))));
                    ignored += u32::from(matches!(other, Some(Step::Behind(_))));
                }
            }
        }
        // A clock that is left alone for a little more than a minute is right, but for a minute.
        machine.observe_for(62);
        assert!(!is_right || (0..=60_000).contains(&machine.lead()), "{}", machine.lead());
        assert!(machine.lead() <= i128::from(ahead) + 60_000);
    }
    assert!(back > 100 && forward > 100 && ignored > back, "{back} {forward} {ignored}");
}
