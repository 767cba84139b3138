//! From the invocations to the output: at once where it takes lines so, else by one thread.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Most bytes of lines that wait for an output that does not take them.
pub(super) const MOST_WAITING: usize = 1024 * 1024;

/// From the invocations to the output.
pub(super) struct Pipe {
    state: Mutex<State>,
    changed: Condvar,
    out: Mutex<Box<dyn Write + Send>>,
    /// Whether the output takes so many bytes without making anybody wait.
    takes: fn(usize) -> bool,
}

#[derive(Default)]
pub(super) struct State {
    /// Whole lines, some together, for the thread that writes.
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
    /// Portions that were taken in, and of these, portions that are through.
    taken: u64,
    done: u64,
    /// Lines that there was no room for.
    lost: usize,
    /// There is a thread that writes. It is started when the output does not take lines at once.
    pub(super) drained: bool,
    closed: bool,
}

impl Pipe {
    /// To this writer, of which `takes` tells whether it takes so many bytes without making anybody wait.
    pub(super) fn new(writer: impl Write + Send + 'static, takes: fn(usize) -> bool) -> Pipe {
        Pipe {
            state: Mutex::default(),
            changed: Condvar::new(),
            out: Mutex::new(Box::new(writer)),
            takes,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `ready`, or until `limit`.
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        limit: Instant,
        ready: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let left = limit.saturating_duration_since(Instant::now());
        self.changed
            .wait_timeout_while(state, left, |state| !state.closed && !ready(state))
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    /// Writes lines here and now, if the output surely takes them. Nobody else's lines wait then, so whoever holds the
    /// output does the same and will not hold it for long.
    pub(super) fn write_at_once(&self, lines: &[u8]) -> bool {
        let state = self.lock();
        if state.done < state.taken || state.lost > 0 {
            return false;
        }
        let mut out = self.out();
        drop(state);
        (self.takes)(lines.len()) && {
            let _ = out.write_all(lines).and_then(|()| out.flush());
            true
        }
    }

    /// Waits until the portion of this number is through, or until `limit`.
    pub(super) fn wait_until_done(&self, number: u64, limit: Instant) {
        drop(self.wait(self.lock(), limit, |state| state.done >= number));
    }

    /// There will be no more lines.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn out(&self) -> MutexGuard<'_, Box<dyn Write + Send>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes whatever comes, until there will be no more.
    fn drain(&self) {
        let mut state = self.lock();
        loop {
            let Some(lines) = state.waiting.pop_front() else {
                if state.closed {
                    return;
                }
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.waiting_bytes -= lines.len();
            let lost = std::mem::take(&mut state.lost);
            drop(state);
            let mut out = self.out();
            let _ = out.write_all(&lines).and_then(|()| out.flush());
            drop(out);
            if lost > 0 {
                let _ = writeln!(
                    std::io::stderr(),
                    "{lost} log lines were lost: standard output did not take them"
                );
            }
            state = self.lock();
            state.done += 1;
            self.changed.notify_all();
        }
    }
}

/// Takes lines in for the thread that writes, and tells their number; `None` when there is no room for them before
/// `limit`.
pub(super) fn take(pipe: &Arc<Pipe>, lines: Vec<u8>, limit: Instant) -> Option<u64> {
    let has_room = |state: &State| state.waiting_bytes + lines.len() <= MOST_WAITING;
    let mut state = pipe.wait(pipe.lock(), limit, has_room);
    if !state.drained {
        let end = Arc::clone(pipe);
        let thread = std::thread::Builder::new().name("log".to_owned());
        state.drained = thread.spawn(move || end.drain()).is_ok();
    }
    if state.closed || !state.drained || !has_room(&state) {
        state.lost += lines.iter().filter(|byte| **byte == b'\n').count();
        return None;
    }
    state.waiting_bytes += lines.len();
    state.waiting.push_back(lines);
    state.taken += 1;
    pipe.changed.notify_all();
    Some(state.taken)
}

#[cfg(unix)]
pub(super) fn stdout_takes(bytes: usize) -> bool {
    takes(std::io::stdout(), bytes)
}

#[cfg(not(unix))]
pub(super) fn stdout_takes(_bytes: usize) -> bool {
    false
}

/// Whether an output surely takes so many bytes at once. A pipe that can be written to has room for 4 KiB (`PIPE_BUF`,
/// pipe(7)), and nobody but us writes to ours; a file takes what it gets.
#[cfg(unix)]
pub(super) fn takes(output: impl std::os::fd::AsFd, bytes: usize) -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    const PIPE_BUF: usize = 4096;
    let mut outputs = [PollFd::new(&output, PollFlags::OUT)];
    bytes <= PIPE_BUF
        && poll(&mut outputs, Some(&Timespec::default())).is_ok()
        && outputs.iter().all(|out| out.revents() == PollFlags::OUT)
}
