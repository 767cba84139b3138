//! The switch that stops a server.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// Pause after a failed poll, which happens only while the system is out of memory.
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// Stops [`serve`](crate::serve) from another thread, or on a signal. Clones are the same switch.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// Readable from the first request on: what is written is never read.
    reader: Arc<UnixStream>,
    writer: Arc<UnixStream>,
}

impl Shutdown {
    /// Creates a switch.
    ///
    /// # Errors
    ///
    /// Fails if the process has no free file descriptors.
    pub fn new() -> io::Result<Shutdown> {
        let (reader, writer) = UnixStream::pair()?;
        // A repeated request must not block when the pipe is full.
        writer.set_nonblocking(true)?;
        Ok(Shutdown {
            reader: Arc::new(reader),
            writer: Arc::new(writer),
        })
    }

    /// Asks the server to stop: it accepts no new connections, closes idle ones, and answers the
    /// requests in progress.
    pub fn request(&self) {
        // Fails only if the pipe is full, because a stop was requested before.
        let _ = (&*self.writer).write(&[0]);
    }

    /// Requests a stop when one of these signals arrives.
    pub(crate) fn on_signals(&self, signals: &[i32]) -> io::Result<()> {
        for signal in signals {
            signal_hook::low_level::pipe::register(*signal, self.writer.try_clone()?)?;
        }
        Ok(())
    }

    pub(crate) fn is_requested(&self) -> bool {
        self.poll(None)
    }

    /// Waits for a connection or for a request to stop. Returns true if a stop is requested.
    pub(crate) fn wait_for_connection(&self, listener: &TcpListener) -> bool {
        self.poll(Some(listener))
    }

    /// Waits for either if there is a listener, else does not wait.
    fn poll(&self, listener: Option<&TcpListener>) -> bool {
        let at_once = Timespec::default();
        let timeout = listener.is_none().then_some(&at_once);
        loop {
            let mut sources = vec![PollFd::new(&self.reader, PollFlags::IN)];
            sources.extend(listener.map(|listener| PollFd::new(listener, PollFlags::IN)));
            match poll(&mut sources, timeout) {
                Ok(_) => return !sources[0].revents().is_empty(),
                Err(Errno::INTR) => {}
                Err(_) => std::thread::sleep(POLL_PAUSE),
            }
        }
    }
}
