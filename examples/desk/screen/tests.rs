//! The picture fits every terminal, whatever the state.

use super::*;
use presence_core::{next_due, set_preferred_presence, set_presence};

/// Returns the visible rows of a picture.
fn visible_rows(picture: &str) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut letters = picture.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\x1b' => _ = letters.by_ref().skip(1).find(char::is_ascii_alphabetic),
            '\n' => rows.push(String::new()),
            '\r' => {}
            letter => rows.last_mut().unwrap().push(letter),
        }
    }
    rows
}

fn picture(user: &DeskUser, now: Instant, recent: &[String], columns: usize) -> String {
    let names = BTreeMap::from([(SessionId::from_bytes([1; 16]), "\x1b[2Ja long name 日本語".to_string())]);
    let id = UserId::from_bytes([7; 16]);
    let view = View { now, user: id, state: user, policy: &Policy::DESK, names: &names, recent, others: 3 };
    let leases = deadlines(&view).map(|(id, ends)| (id, lease(None, ends, Instant::ZERO))).collect();
    render(&view, &leases, lamp(&view).frame_at(0), columns)
}

#[test]
fn it_fits_every_terminal() {
    let recent: Vec<String> = (0..30).map(|line| format!("{{\"line\":{line}}}\x07").repeat(9)).collect();
    let mut user = DeskUser::new();
    for session in 0..=crate::desk::SESSIONS as u8 {
        for columns in (0..100).chain([500, usize::MAX]) {
            let rows = visible_rows(&picture(&user, Instant::from_secs(1), &recent, columns));
            assert_eq!(rows.len(), 24);
            assert!(rows.iter().all(|row| width(row) < columns.max(1)), "{columns}: {rows:#?}");
        }
        let id = SessionId::from_bytes([session; 16]);
        let presence = Presence::ALL[usize::from(session % 12) + 3];
        if let Ok(set) = set_presence(user.at(Instant::ZERO).unwrap(), id, presence, None, &Policy::DESK) {
            user.apply(&set).unwrap();
        }
    }
    let preferred = set_preferred_presence(user.at(Instant::ZERO).unwrap(), Presence::Busy, None, &Policy::DESK);
    user.apply(&preferred.unwrap()).unwrap();
    let rows = visible_rows(&picture(&user, Instant::from_millis(u64::MAX - 1), &recent, 80));
    assert_eq!(rows.len(), 24);
}

#[test]
fn it_explains_the_presence() {
    let sentence = |user: &DeskUser| {
        let rows = visible_rows(&picture(user, Instant::from_secs(1), &[], 300));
        rows[6].trim_start_matches([' ', '▀', '▄']).to_string()
    };
    let mut user = DeskUser::new();
    assert_eq!(sentence(&user), "No news: never seen.");
    let now = Instant::from_secs(32_700);
    let id = SessionId::from_bytes([0xAB; 16]);
    let set = set_presence(user.at(now).unwrap(), id, Presence::InACall, None, &Policy::DESK).unwrap();
    user.apply(&set).unwrap();
    let why = "Busy/InACall since 9:05:00 because abababab says so; at 9:10:00 it becomes Offline/Offline if nobody \
               does anything.";
    assert_eq!(sentence(&user), why);
    user.apply(&next_due(&user, Instant::from_secs(40_000), &Policy::DESK).unwrap()).unwrap();
    assert_eq!(sentence(&user), "No news since 9:10:00: the last session expired.");
}
