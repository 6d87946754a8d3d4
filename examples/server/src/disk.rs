//! The bytes of the data directory, and those that are free on its disk, for the metrics.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The longest time for which a read of the metrics waits for the disk.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The disk of the data directory.
#[derive(Debug, Default)]
pub struct Disk {
    directory: PathBuf,
    is_measured: AtomicBool,
}

/// What there is of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskBytes {
    /// The bytes of the files in the data directory.
    pub data: u64,
    /// The bytes that are free for the server.
    pub free: u64,
}

impl Disk {
    /// Creates the disk of a directory.
    pub const fn new(directory: PathBuf) -> Self {
        Self { directory, is_measured: AtomicBool::new(false) }
    }

    /// Measures the disk on a thread that may wait. Returns `None` if it cannot, or the disk does not respond at once.
    pub async fn measure(self: &Arc<Self>) -> Option<DiskBytes> {
        // A disk that does not respond holds one thread, however often it is asked.
        if self.is_measured.swap(true, Ordering::Relaxed) {
            return None;
        }
        let disk = self.clone();
        let measured = tokio::task::spawn_blocking(move || {
            let measured = measure(&disk.directory);
            disk.is_measured.store(false, Ordering::Relaxed);
            measured.ok()
        });
        tokio::time::timeout(LONGEST_WAIT, measured).await.ok()?.ok()?
    }
}

fn measure(directory: &Path) -> io::Result<DiskBytes> {
    let mut data = 0;
    for entry in std::fs::read_dir(directory)? {
        // A file may be removed meanwhile.
        data += entry?.metadata().map_or(0, |metadata| metadata.len());
    }
    let found = rustix::fs::statvfs(directory)?;
    Ok(DiskBytes { data, free: found.f_bavail.saturating_mul(found.f_frsize) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_and_free_bytes_are_measured() {
        let own = tempfile::TempDir::new().unwrap();
        let disk = Arc::new(Disk::new(own.path().to_owned()));
        assert_eq!(disk.measure().await.unwrap().data, 0);
        std::fs::write(own.path().join("one"), [0; 1000]).unwrap();
        std::fs::write(own.path().join("two"), [0; 234]).unwrap();
        let measured = disk.measure().await.unwrap();
        assert!(measured.data == 1234 && measured.free > 1000, "{measured:?}");
        drop(own);
        assert_eq!(disk.measure().await, None);
        // While one measures, no other does.
        disk.is_measured.store(true, Ordering::Relaxed);
        assert_eq!(disk.measure().await, None);
    }
}
