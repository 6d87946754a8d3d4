//! Rule L1 once more, from its text: it works on the whole history at once.

/// Something that happens on the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A byte.
    Byte(u8),
    /// Bytes were lost.
    Loss,
    /// A host opens the port.
    Reopen,
}

/// The lines that rule L1 makes of a history: `None` for one that is rejected.
///
/// It splits the history where a line cannot go on, then each piece at its ends, and takes what is skipped from the front.
pub fn lines(history: &[(u64, Event)], len: usize) -> Vec<Option<Vec<u8>>> {
    let mut pieces: Vec<Vec<&Event>> = vec![Vec::new()];
    let mut before = None;
    for (at, event) in history {
        let silence = before.map_or(0, |before| at - before);
        let begins_anew = match event {
            Event::Reopen => true,
            Event::Byte(byte) => silence >= 30_000 || *byte == b'{' && silence >= 2_000,
            Event::Loss => false,
        };
        if begins_anew {
            pieces.push(Vec::new());
        }
        if *event != Event::Reopen {
            before = Some(*at);
            pieces.last_mut().unwrap().push(event);
        }
    }
    let is_end = |event: &&Event| matches!(event, Event::Byte(b'\r' | b'\n'));
    let lines = pieces.iter().flat_map(|piece| {
        // What follows the last end of a piece never ends.
        let mut lines: Vec<_> = piece.split(is_end).collect();
        lines.pop();
        lines
    });
    lines.filter_map(|events| line(events, len)).collect()
}

/// A line, from everything before its end; `None` if nothing was begun.
#[expect(clippy::option_option, reason = "no line, and one that is rejected")]
fn line(events: &[&Event], len: usize) -> Option<Option<Vec<u8>>> {
    let has_lost = events.contains(&&Event::Loss);
    let bytes: Vec<u8> =
        events.iter().filter_map(|event| if let Event::Byte(byte) = event { Some(*byte) } else { None }).collect();
    let mut bytes = &bytes[..];
    while let Some(rest) = bytes.strip_prefix(b"\0").or(bytes.strip_prefix("\u{feff}".as_bytes())) {
        bytes = rest;
    }
    match bytes {
        _ if has_lost => Some(None),
        [] => None,
        _ => Some((bytes.len() <= len).then(|| bytes.to_vec())),
    }
}
