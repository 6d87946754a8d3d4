//! Presence objects, written.

use crate::buffer::BufferFull;
#[cfg(feature = "details")]
use crate::graph::respond::details::write_selected;
use crate::graph::respond::resource::Resource;
#[cfg(not(feature = "details"))]
use crate::graph::respond::text::{sequence_number, write_template};
use crate::graph::respond::writer::Writer;

impl Resource<'_> {
    /// Writes the presence object.
    ///
    /// # Errors
    ///
    /// [`BufferFull`]; [`MAX_LEN`](Self::MAX_LEN) bytes suffice without details, `max_len` bytes with details.
    pub fn write(&self, writer: &mut dyn Writer) -> Result<(), BufferFull> {
        #[cfg(feature = "details")]
        return write_selected(writer, self);
        #[cfg(not(feature = "details"))]
        {
            const TEMPLATE: &str = r#"{"id":"*","availability":"*","activity":"*","outOfOfficeSettings":null,"statusMessage":null,"sequenceNumber":*,"workLocation":null}"#;
            let (availability, activity) = (self.presence.availability().name(), self.presence.activity().name());
            let mut text = [0; 13];
            let version = sequence_number(self.version, &mut text);
            let mut id = heapless::Vec::new();
            self.user.push_text(&mut id);
            write_template(writer, TEMPLATE, &[&id, availability.as_bytes(), activity.as_bytes(), version])
        }
    }
}
