//! Watches one request from below: how far it came, and whether all of it was written.
//!
//! The HTTP library's errors alone do not tell: its overall timeout can end a connect as well as the wait for an
//! answer, and a broken connection looks alike before and after the request left. A layer over its transport sees every
//! write. The library does all work of a request on the calling thread, so the notes are kept per thread.

use super::Phase;
use super::tls::Tls;
use std::cell::Cell;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, TcpConnector,
    Transport,
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

/// The way to a server, watched: through a proxy's tunnel or by TCP alone, then TLS.
#[derive(Debug)]
pub(super) struct Way(Box<dyn Connector<(), Out = Box<dyn Transport>>>);

impl Way {
    pub(super) fn new(tls: Tls) -> Way {
        let way =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(Watch)
                .chain(tls);
        Way(Box::new(way))
    }
}

impl Connector<()> for Way {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<()>,
    ) -> Result<Option<Box<dyn Transport>>, Error> {
        let result = self.0.connect(details, chained);
        // A connection through a proxy goes through here twice, the inner one first. What was written until now
        // belongs to the proxy or the TLS handshake.
        TRACE.set(Trace::at(match result {
            Ok(_) => Phase::Send,
            Err(_) => Phase::Connect,
        }));
        result
    }
}

/// Watches what comes through the chain so far.
#[derive(Debug)]
struct Watch;

impl<In: Transport> Connector<In> for Watch {
    type Out = Watched;

    fn connect(
        &self,
        _details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Watched>, Error> {
        Ok(chained.map(|inner| Watched {
            inner: Box::new(inner),
            held: Vec::new(),
        }))
    }
}

/// Most bytes that are held back to go out together: the longest message, its head, and what TLS adds.
const HELD: usize = 24 * 1024;

/// A connection, watched. Whoever uses it hands over its bytes piece by piece: the end of the TLS handshake, the head of
/// a request, its body. All go out together when an answer is waited for.
#[derive(Debug)]
struct Watched {
    inner: Box<dyn Transport>,
    held: Vec<u8>,
}

impl Watched {
    /// Sends what is held back.
    fn flush(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let (now, later) = rest.split_at(rest.len().min(output.len()));
            let Some(place) = output
                .get_mut(..now.len())
                .filter(|place| !place.is_empty())
            else {
                return Err(Error::ConnectionFailed);
            };
            place.copy_from_slice(now);
            let result = self.inner.transmit_output(now.len(), timeout);
            Trace::update(|trace| {
                trace.phase = Phase::Send;
                trace.write_failed = result.is_err();
                trace.written = trace.written.saturating_add(now.len());
            });
            result?;
            rest = later;
        }
        Ok(())
    }
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.inner.buffers().output();
        self.held
            .extend_from_slice(output.get(..amount).unwrap_or_default());
        if self.held.len() > HELD {
            self.flush(timeout)?;
        }
        Ok(())
    }

    fn maybe_await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        // No answer is one that was there before the request.
        self.flush(timeout)?;
        if self.buffers().can_use_input() {
            return Ok(true);
        }
        self.await_input(timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.flush(timeout)?;
        Trace::update(|trace| trace.phase = Phase::Receive);
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use ureq::unversioned::transport::LazyBuffers;

    /// Notes what it is to send.
    #[derive(Debug)]
    struct Recorder {
        buffers: LazyBuffers,
        sent: Arc<Mutex<Vec<Vec<u8>>>>,
        broken: bool,
    }

    impl Transport for Recorder {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, amount: usize, _timeout: NextTimeout) -> Result<(), Error> {
            let output = self.buffers.output()[..amount].to_vec();
            self.sent.lock().unwrap().push(output);
            if self.broken {
                return Err(Error::ConnectionFailed);
            }
            Ok(())
        }

        fn await_input(&mut self, _timeout: NextTimeout) -> Result<bool, Error> {
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    fn watched(broken: bool) -> (Watched, Arc<Mutex<Vec<Vec<u8>>>>) {
        let sent = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let inner = Box::new(Recorder {
            buffers: LazyBuffers::new(1024, 8 * 1024),
            sent: Arc::clone(&sent),
            broken,
        });
        let held = Vec::new();
        (Watched { inner, held }, sent)
    }

    fn hand_over(to: &mut Watched, bytes: &[u8]) -> Result<(), Error> {
        for piece in bytes.chunks(8 * 1024) {
            to.buffers().output()[..piece.len()].copy_from_slice(piece);
            to.transmit_output(piece.len(), NextTimeout::default())?;
        }
        Ok(())
    }

    fn sizes(sent: &Mutex<Vec<Vec<u8>>>) -> Vec<usize> {
        sent.lock().unwrap().iter().map(Vec::len).collect()
    }

    #[test]
    fn head_and_body_go_out_together_when_the_answer_is_waited_for() {
        type Wait = fn(&mut Watched) -> Result<bool, Error>;
        let wait: [Wait; 2] = [
            |watched| watched.await_input(NextTimeout::default()),
            |watched| watched.maybe_await_input(NextTimeout::default()),
        ];
        for (wait, (body, together)) in wait.into_iter().zip([
            (900, &[1_200][..]),
            (20_000, &[8_192, 8_192, 20_300 - 2 * 8_192]),
        ]) {
            let (mut watched, sent) = watched(false);
            Trace::start();
            let (head, body) = (vec![b'h'; 300], vec![b'b'; body]);
            hand_over(&mut watched, &head).unwrap();
            hand_over(&mut watched, &body).unwrap();
            assert!(sizes(&sent).is_empty());
            assert!(!Trace::now().may_have_arrived(body.len()), "nothing left");
            wait(&mut watched).unwrap();
            assert_eq!(sizes(&sent), together);
            assert_eq!(sent.lock().unwrap().concat(), [head, body.clone()].concat());
            assert!(Trace::now().may_have_arrived(body.len()));
            wait(&mut watched).unwrap();
            assert_eq!(sizes(&sent), together, "once only");
        }
    }

    #[test]
    fn more_than_a_message_is_not_held_back_and_what_cannot_be_sent_has_not_arrived() {
        let (mut watched, sent) = watched(false);
        hand_over(&mut watched, &[0; HELD + 1]).unwrap();
        assert_eq!(sizes(&sent).iter().sum::<usize>(), HELD + 1);

        let (mut watched, _sent) = self::watched(true);
        Trace::start();
        hand_over(&mut watched, &[0; 300]).unwrap();
        assert!(watched.await_input(NextTimeout::default()).is_err());
        assert!(!Trace::now().may_have_arrived(100));
        assert_eq!(Trace::now().phase, Phase::Send);
    }

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
