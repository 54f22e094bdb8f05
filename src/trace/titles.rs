//! Reads the live titles of all processes at intervals, on a separate thread: the memory of a process that hangs can make its
//! reader hang, and the ring must still be drained.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::base::os_error::reason;
use crate::bpf::titles::read_titles;
use crate::enrich::Enricher;
use crate::enrich::titles::Titles;

/// How often titles are read, unless that takes long.
pub(super) const READ_EVERY: Duration = Duration::from_secs(2);

/// The thread's results.
pub(super) struct TitleReader {
    titles: Receiver<Titles>,
}

impl TitleReader {
    /// None where this kernel has no such iterator. Nothing waits for the thread: it ends with the process, or when the
    /// receiver is gone.
    pub(super) fn start(link: Option<OwnedFd>) -> Option<Self> {
        let link = link?;
        let (sender, titles) = std::sync::mpsc::sync_channel(1);
        let read_them = move || {
            loop {
                let (began, spent) = (Instant::now(), clock::thread_time());
                let mut titles = Titles::of_time(clock::boot_time());
                match read_titles(link.as_fd(), &mut |title| titles.keep(&title)) {
                    Ok(()) => {
                        if sender.send(titles).is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        tracing::warn!("the titles of processes could not be read: {}", reason(error));
                    }
                }
                // the more there are to read, the less often: it uses at most a thousandth of one CPU
                let pause = (clock::thread_time().saturating_sub(spent) * 1000).max(READ_EVERY);
                std::thread::sleep(pause.saturating_sub(began.elapsed()));
            }
        };
        std::thread::Builder::new().name("titles".to_owned()).spawn(read_them).ok()?;
        Some(Self { titles })
    }

    /// Hands the last reading to the enricher, if there is a new one.
    pub(super) fn take(&self, enricher: &mut Enricher) {
        if let Ok(titles) = self.titles.try_recv() {
            enricher.on_titles(titles);
        }
    }
}
