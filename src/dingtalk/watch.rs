//! Watches one request from below: how far it came, and whether all of it was written.
//!
//! The HTTP library's errors alone do not tell: its overall timeout can end a connect as well as the wait for an
//! answer, and a broken connection looks alike before and after the request left. A layer over its transport sees every
//! write. The library does all work of a request on the calling thread, so the notes are kept per thread.

use super::Phase;
use std::cell::Cell;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

/// What was seen of the request that this thread makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trace {
    pub(super) phase: Phase,
    /// Bytes handed to the connection since it was made or taken from the pool.
    written: usize,
    write_failed: bool,
}

thread_local! {
    static TRACE: Cell<Trace> = const { Cell::new(Trace::at(Phase::Start)) };
}

impl Trace {
    const fn at(phase: Phase) -> Trace {
        Trace {
            phase,
            written: 0,
            write_failed: false,
        }
    }

    /// A new request begins.
    pub(super) fn start() {
        TRACE.set(Trace::at(Phase::Resolve));
    }

    /// What was seen since then.
    pub(super) fn now() -> Trace {
        TRACE.get()
    }

    /// The host's addresses are known.
    pub(super) fn resolved() {
        TRACE.set(Trace::at(Phase::Connect));
    }

    /// Whether the server can have got a whole request with a body of `body` bytes. The head comes on top of the body,
    /// so it cannot if less was written, nor if the last write failed.
    pub(super) fn may_have_arrived(&self, body: usize) -> bool {
        !self.write_failed && self.written > body
    }

    fn update(change: impl FnOnce(&mut Trace)) {
        let mut trace = TRACE.get();
        change(&mut trace);
        TRACE.set(trace);
    }
}

/// The library's own connector, watched.
#[derive(Debug, Default)]
pub(super) struct Watched(DefaultConnector);

impl Connector<()> for Watched {
    type Out = WatchedTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<WatchedTransport>, Error> {
        // The library keeps TLS settings (and with them the session tickets) only for connections that it thinks are
        // made by the agent's own settings. Ours differ per request in timeouts alone.
        let mut addrs = details.resolver.empty();
        for address in details.addrs.iter() {
            addrs.push(*address);
        }
        let details = ConnectionDetails {
            addrs,
            request_level: false,
            uri: details.uri,
            config: details.config,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let result = self.0.connect(&details, chained);
        // A connection through a proxy goes through here twice, the inner one first. What was written until now
        // belongs to the proxy or the TLS handshake.
        TRACE.set(Trace::at(match result {
            Ok(_) => Phase::Send,
            Err(_) => Phase::Connect,
        }));
        Ok(result?.map(WatchedTransport))
    }
}

/// A connection, watched.
#[derive(Debug)]
pub(super) struct WatchedTransport(Box<dyn Transport>);

impl Transport for WatchedTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let result = self.0.transmit_output(amount, timeout);
        Trace::update(|trace| {
            trace.phase = Phase::Send;
            trace.write_failed = result.is_err();
            trace.written = trace.written.saturating_add(amount);
        });
        result
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        Trace::update(|trace| trace.phase = Phase::Receive);
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_can_have_arrived_only_when_all_of_it_was_written() {
        let trace = |written, write_failed| Trace {
            phase: Phase::Send,
            written,
            write_failed,
        };
        for (written, write_failed, arrived) in [
            (0, false, false),
            (300, false, false),
            (1000, false, false),
            (1300, false, true),
            (1300, true, false),
        ] {
            let trace = trace(written, write_failed);
            assert_eq!(trace.may_have_arrived(1000), arrived, "{trace:?}");
        }
    }
}
