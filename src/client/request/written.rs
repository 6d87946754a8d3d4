//! Writers of requests: into a buffer of the caller, or for display.

use crate::buffer::BufferFull;
use crate::graph::{Buffer, Writer};
use core::fmt::Formatter;

/// Writes to the beginning of a buffer, and returns what was written.
pub(super) fn written(
    buffer: &mut [u8],
    write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>,
) -> Result<&[u8], BufferFull> {
    let mut writer = Buffer::new(buffer);
    write(&mut writer)?;
    let len = writer.written().len();
    Ok(buffer.get(..len).unwrap_or_default())
}

/// Writes ASCII text to the beginning of a buffer, and returns it.
pub(super) fn written_text(
    buffer: &mut [u8],
    write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>,
) -> Result<&str, BufferFull> {
    written(buffer, write).map(|bytes| core::str::from_utf8(bytes).unwrap_or_default())
}

/// A formatter as a writer of ASCII text.
struct Displayed<'a, 'f>(&'a mut Formatter<'f>);

impl Writer for Displayed<'_, '_> {
    fn remaining(&self) -> usize {
        usize::MAX
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), BufferFull> {
        let text = core::str::from_utf8(bytes).unwrap_or_default();
        self.0.write_str(text).map_err(|_| BufferFull)
    }

    fn discard_last(&mut self, _: usize) {}
}

/// Displays what is written.
pub(super) fn display(
    f: &mut Formatter<'_>,
    write: impl FnOnce(&mut dyn Writer) -> Result<(), BufferFull>,
) -> core::fmt::Result {
    write(&mut Displayed(f)).map_err(|BufferFull| core::fmt::Error)
}
