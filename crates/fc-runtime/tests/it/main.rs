//! The runtime over real sockets, with handlers of the tests.

mod concurrency;
mod contract;
mod http;
mod lifecycle;
mod limits;

use fake_fc::Caller;
use fc_runtime::{Context, Failure, Handler, Limits, Shutdown, serve};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

/// A server on a free port in this process. Stops on drop.
struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(handler: impl Handler + 'static) -> Server {
        Server::with(Limits::default(), handler)
    }

    fn with(limits: Limits, handler: impl Handler + 'static) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new().unwrap();
        let switch = shutdown.clone();
        let thread = std::thread::spawn(move || serve(listener, Arc::new(handler), switch, limits));
        Server {
            address,
            shutdown,
            thread: Some(thread),
        }
    }

    fn caller(&self) -> Caller {
        Caller::connect(self.address)
    }

    /// Waits for `serve` to return.
    fn join(&mut self) {
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.request();
        // A failed test may have left a handler that waits for ever.
        if let Some(thread) = self.thread.take().filter(|_| !std::thread::panicking()) {
            thread.join().unwrap();
        }
    }
}

/// Returns the event's text, its length and the request's id.
fn echo(event: &[u8], context: &Context) -> Result<Value, Failure> {
    let text = String::from_utf8_lossy(event);
    Ok(json!({ "event": text, "length": event.len(), "requestId": context.request_id }))
}
