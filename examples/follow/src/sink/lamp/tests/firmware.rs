//! Conversations with the firmware, in the test's time.

use super::super::conversation::{Conversation, Notice, Step};
use super::super::says::Says;
use super::board::Board;
use presence_core::client::Link;
use presence_core::{Absence, Duration, Instant, Presence};

/// A conversation and a board, and how many bytes are lost between them.
struct Desk {
    conversation: Conversation,
    board: Board,
    now: Instant,
    /// Of the lines that are sent, every so many-th loses a byte.
    loses: Option<usize>,
    lines: usize,
    longest: usize,
}

impl Desk {
    fn new() -> Self {
        let conversation = Conversation::new(0);
        Self { conversation, board: Board::new(), now: Instant::ZERO, loses: None, lines: 0, longest: 0 }
    }

    fn show(&mut self, presence: Option<Presence>) {
        let says = presence.map(|presence| Says::new(presence, false));
        self.conversation.show(says, Some(Link::Ok));
    }

    /// Lets time pass, waking when the conversation asks for it.
    fn wait(&mut self, time: Duration) {
        let end = self.now.saturating_add(time);
        loop {
            match self.conversation.next(self.now) {
                Step::Send(line) => self.send(line.into_bytes()),
                Step::Wait(until) if until > end => break self.now = end,
                Step::Wait(until) => {
                    assert!(until > self.now, "it would never sleep");
                    self.now = until;
                }
                Step::Reopen => panic!("it does not answer"),
            }
        }
    }

    fn send(&mut self, line: Vec<u8>) {
        self.lines += 1;
        self.longest = self.longest.max(line.len());
        let is_cut = self.loses.is_some_and(|every| self.lines.is_multiple_of(every));
        let lost = is_cut.then_some(self.lines % line.len());
        let answer = self.board.receive_without(self.now, &line, lost);
        self.conversation.received(self.now, &answer, |_| {});
    }

    fn shows(&mut self) -> (Presence, Option<Absence>) {
        self.board.shows(self.now)
    }
}

impl Desk {
    /// Returns the kinds of things that the light shows in the next ten seconds.
    fn watch(&mut self) -> Vec<String> {
        // What has begun to be shown may have to be shown a little longer.
        for _ in 0..10 {
            self.wait(Duration::from_millis(100));
            self.shows();
        }
        self.board.signs();
        for _ in 0..100 {
            self.wait(Duration::from_millis(100));
            self.shows();
        }
        self.board.signs()
    }
}

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn l4_the_lamp_shows_what_is_shown_for_hours_and_fades_never() {
    let mut desk = Desk::new();
    for presence in [Presence::Available, Presence::InACall, Presence::OffWork, Presence::UrgentInterruptionsOnly] {
        desk.show(Some(presence));
        desk.wait(Duration::ZERO);
        for _ in 0..180 {
            assert_eq!(desk.shows(), (presence, None));
            desk.wait(MINUTE);
        }
    }
    // 12 hours, a line each minute.
    assert!((700..740).contains(&desk.lines), "{}", desk.lines);
    assert!(desk.longest < 200, "{}", desk.longest);
    let notices = desk.conversation.notices();
    assert!(matches!(notices[..], [Notice::Answers(_)]), "{notices:?}");
}

#[test]
fn p4_gone_and_no_news_are_two_things() {
    let mut desk = Desk::new();
    desk.wait(MINUTE);
    assert_eq!(desk.shows(), (Presence::Offline, Some(Absence::NeverSeen)));
    desk.show(Some(Presence::Busy));
    desk.wait(MINUTE);
    desk.show(Some(Presence::Offline));
    desk.wait(Duration::ZERO);
    assert_eq!(desk.shows(), (Presence::Offline, Some(Absence::Cleared)));
    desk.show(Some(Presence::Busy));
    desk.wait(MINUTE);
    assert_eq!(desk.shows(), (Presence::Busy, None));
    // What no longer holds is not shown for the rest of its lease.
    desk.show(None);
    desk.wait(Duration::from_secs(2));
    assert_eq!(desk.shows(), (Presence::Offline, Some(Absence::Expired)));
    desk.wait(MINUTE);
    assert!(desk.conversation.notices().len() == 1);
}

#[test]
fn l4_a_program_that_is_killed_shows_as_no_news() {
    let mut desk = Desk::new();
    desk.show(Some(Presence::InACall));
    desk.wait(MINUTE);
    let later = |seconds| desk.now.saturating_add(Duration::from_secs(seconds));
    let (soon, late) = (later(29), later(91));
    assert_eq!(desk.board.shows(soon), (Presence::InACall, None));
    assert_eq!(desk.board.shows(late), (Presence::Offline, Some(Absence::Expired)));
}

#[test]
fn a_board_that_was_reset_shows_it_again() {
    let mut desk = Desk::new();
    desk.show(Some(Presence::DoNotDisturb));
    desk.wait(MINUTE);
    desk.board = Board::new();
    desk.wait(MINUTE);
    assert_eq!(desk.shows(), (Presence::DoNotDisturb, None));
}

#[test]
fn l1_what_another_program_has_left_on_the_line_is_no_harm() {
    let half = br#"{"id":"1","method":"POST","url":"/me/presence/setPre"#;
    for left in [&half[..], b"\xEF\xBB\xBF{", b"Bus", b"x\r", &[b'y'; 5000]] {
        let mut desk = Desk::new();
        let answer = desk.board.receive(desk.now, left);
        desk.conversation.received(desk.now, &answer, |_| {});
        desk.show(Some(Presence::Away));
        desk.wait(Duration::from_secs(1));
        assert_eq!(desk.shows(), (Presence::Away, None), "{left:?}");
    }
}

/// Bytes that are lost cost seconds, and what is shown is right again within a renewal.
#[test]
fn lines_that_lose_bytes_are_said_again() {
    for every in 3..12 {
        let mut desk = Desk::new();
        desk.loses = Some(every);
        for presence in [Presence::Busy, Presence::Available, Presence::InAMeeting, Presence::Away].repeat(5) {
            desk.show(Some(presence));
            desk.wait(Duration::from_secs(61));
            assert_eq!(desk.shows(), (presence, None), "one of {every} lines");
        }
    }
}

#[test]
fn l6_the_lamp_shows_the_state_of_the_link() {
    let mut desk = Desk::new();
    desk.conversation.show(None, Some(Link::Down));
    assert_eq!(desk.watch(), ["Link(Offline)"]);
    // It is told again while it lasts.
    desk.wait(MINUTE.saturating_add(MINUTE));
    assert_eq!(desk.watch(), ["Link(Offline)"]);
    // What needs a person is shown beside a presence that is known.
    desk.conversation.show(Some(Says::new(Presence::Busy, false)), Some(Link::SignIn));
    assert_eq!(desk.watch(), ["Link(SignIn)", "Presence"]);
    desk.conversation.show(Some(Says::new(Presence::Busy, false)), Some(Link::Ok));
    assert_eq!(desk.watch(), ["Presence"]);
    assert!(matches!(desk.conversation.notices()[..], [Notice::Answers(Some(_))]));
}

#[test]
fn p4_the_lamp_shows_out_of_office() {
    let mut desk = Desk::new();
    desk.conversation.show(Some(Says::new(Presence::Offline, true)), Some(Link::Ok));
    assert_eq!(desk.watch(), ["OutOfOffice"]);
    desk.wait(Duration::from_mins(10));
    assert_eq!(desk.watch(), ["OutOfOffice"]);
    desk.conversation.show(Some(Says::new(Presence::Away, false)), Some(Link::Ok));
    assert_eq!(desk.watch(), ["Presence"]);
}
