//! Flash that does not work although there is power: nothing is lost, and it goes on when it works again.

use super::medium::{Nor, Torn, seal};
use super::{execute, secs, set};
use firmware::Settings;
use firmware::storage::{Flash, SnapshotStore, Storage};
use presence_core::{Absence, Duration, Presence};

type Board = Flash<Nor<4, 512>>;

fn restart(flash: &Nor<4, 512>) -> Board {
    flash.power.works_for.set(None);
    Flash::new(flash.clone(), 0..2048).unwrap()
}

fn snapshot(number: u8) -> Vec<u8> {
    seal(vec![number; 150])
}

fn loaded(board: &mut Board) -> Option<Vec<u8>> {
    board.load().unwrap().map(<[u8]>::to_vec)
}

/// Every access fails in turn, of a load and of a store, in every state of the ring of pages; some of these erase pages.
#[test]
fn an_access_that_fails_is_an_error_and_loses_nothing() {
    let mut flash = Nor::<4, 512>::new(4, Torn::SomeBits);
    let mut failures = 0;
    for number in 0..24_u8 {
        let before = number.checked_sub(1).map(|before| snapshot(100 + before));
        for works_for in 0.. {
            let mut board = restart(&flash);
            board.flash().power.works_for.set(Some(works_for));
            let loads = board.load().map(|found| found.map(<[u8]>::to_vec));
            assert!(loads.is_err() || loads == Ok(before.clone()), "{number}: nothing but what is there, or an error");
            let mut board = restart(board.flash());
            board.flash().power.works_for.set(Some(works_for));
            let is_stored = board.store(&snapshot(100 + number), &[]).is_ok();
            let mut board = restart(board.flash());
            let now = loaded(&mut board);
            assert!(now == before && !is_stored || now == Some(snapshot(100 + number)), "{number}: access {works_for}");
            // It works again.
            board.store(&snapshot(200), &[]).unwrap();
            assert_eq!(loaded(&mut restart(board.flash())), Some(snapshot(200)), "{number}: access {works_for}");
            if is_stored && loads.is_ok() {
                break;
            }
            failures += 1;
        }
        let mut board = restart(&flash);
        board.store(&snapshot(100 + number), &[]).unwrap();
        flash = board.flash().clone();
    }
    assert!(failures > 200, "{failures}");
}

/// A device whose flash does not answer at the start: “no news”, an error at each write, and what was stored stays.
#[test]
fn a5_flash_that_cannot_be_read_is_no_news_and_is_not_overwritten_while_it_fails() {
    let mut snapshots = SnapshotStore::new(restart(&Nor::new(4, Torn::SomeBits)));
    let mut user = snapshots.restore(secs(0), None);
    execute(&mut user, secs(1), set(1, Presence::InACall, 60));
    assert_eq!(snapshots.save(user.at(secs(1)).unwrap(), &Settings::new()), Ok(true));
    let flash = snapshots.storage().flash().clone();
    let mut snapshots = SnapshotStore::new(restart(&flash));
    snapshots.storage().flash().power.works_for.set(Some(0));
    let mut lost = snapshots.restore(secs(0), Some(Duration::ZERO));
    assert_eq!((lost.presence(), lost.absence()), (Presence::Offline, Some(Absence::Lost)));
    for step in 0..20 {
        execute(&mut lost, secs(10 + 900 * step), set(2, Presence::ALL[9 + step as usize % 5], 60));
        assert!(snapshots.save(lost.at(secs(10 + 900 * step)).unwrap(), &Settings::new()).is_err());
    }
    let mut again = SnapshotStore::new(restart(snapshots.storage().flash()));
    assert_eq!(again.restore(secs(0), Some(Duration::ZERO)).presence(), Presence::InACall);
}

/// Neither a snapshot that fits on no page nor a write that fails is a reason to erase what is there.
#[test]
fn an_error_erases_nothing() {
    let mut board = Flash::new(Nor::<4, 128>::new(4, Torn::SomeBits), 0..512).unwrap();
    for number in [100, 101] {
        board.store(&seal(vec![number; 40]), &[]).unwrap();
    }
    let before = board.flash().bytes.clone();
    assert!(board.store(&seal(vec![102; 200]), &[]).is_err(), "too long for a page");
    assert_eq!(board.flash().bytes, before);
    board.flash().power.cut_after(Some(0));
    assert!(board.store(&seal(vec![102; 40]), &[]).is_err(), "no power");
    assert_eq!(board.flash().erasures, [0; 4]);
}
