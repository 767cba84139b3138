//! A minimal webhook: reads a request and answers `errcode` 0, plain or over TLS, with a thread for
//! each connection, all on one CPU. It costs every program the same.

use crate::pin::pinned;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n{\"errcode\":0,\"errmsg\":\"ok\"}";

/// The webhook and the requests that it received.
pub struct Sink {
    pub plain: SocketAddr,
    tls: SocketAddr,
    /// The certificate of the authority that signed the webhook's.
    pub ca: PathBuf,
    /// The machine's authorities and this one, for programs that read them all at start.
    pub bundle: PathBuf,
    recorder: Arc<Recorder>,
}

#[derive(Default)]
struct Recorder {
    posts: AtomicUsize,
    is_on: AtomicBool,
    last: Mutex<Vec<u8>>,
}

impl Sink {
    /// Starts the webhook with its threads on `cpu` and writes certificates to `folder`.
    pub fn start(cpu: usize, folder: &Path) -> Result<Sink, Box<dyn Error>> {
        let (config, ca_pem) = identity()?;
        let (ca, bundle) = (folder.join("ca.pem"), folder.join("bundle.pem"));
        let machine = std::fs::read_to_string("/etc/ssl/certs/ca-certificates.crt");
        std::fs::write(&ca, &ca_pem)?;
        std::fs::write(&bundle, machine.unwrap_or_default() + &ca_pem)?;
        let recorder = Arc::new(Recorder::default());
        let plain = listen(cpu, Arc::clone(&recorder), None)?;
        let tls = listen(cpu, Arc::clone(&recorder), Some(config))?;
        Ok(Sink {
            plain,
            tls,
            ca,
            bundle,
            recorder,
        })
    }

    /// Returns the webhook URL of the chatbot with this token.
    pub fn webhook(&self, tls: bool, token: usize) -> String {
        let (scheme, host, port) = if tls {
            ("https", "localhost", self.tls.port())
        } else {
            ("http", "127.0.0.1", self.plain.port())
        };
        format!("{scheme}://{host}:{port}/robot/send?access_token={token:064x}")
    }

    /// Returns the number of requests so far.
    pub fn posts(&self) -> usize {
        self.recorder.posts.load(Ordering::SeqCst)
    }

    /// Turns recording of requests on or off.
    pub fn record(&self, on: bool) {
        self.recorder.is_on.store(on, Ordering::SeqCst);
    }

    /// Returns the latest recorded request.
    pub fn last(&self) -> Vec<u8> {
        let last = self.recorder.last.lock();
        last.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Accepts connections on a new thread. All threads stay on `cpu`.
fn listen(
    cpu: usize,
    recorder: Arc<Recorder>,
    tls: Option<Arc<ServerConfig>>,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        pinned(cpu);
        for stream in listener.incoming().flatten() {
            let (recorder, tls) = (Arc::clone(&recorder), tls.clone());
            std::thread::spawn(move || {
                let _ = stream.set_nodelay(true);
                match tls.map(ServerConnection::new) {
                    None => serve(stream, &recorder),
                    Some(Ok(connection)) => serve(StreamOwned::new(connection, stream), &recorder),
                    Some(Err(_)) => {}
                }
            });
        }
    });
    Ok(address)
}

/// Answers requests until the connection ends.
fn serve(mut stream: impl Read + Write, recorder: &Recorder) {
    let mut buffer = vec![0; 64 * 1024];
    let mut filled = 0;
    loop {
        let Ok(read @ 1..) = stream.read(&mut buffer[filled..]) else {
            return;
        };
        filled += read;
        if length(&buffer[..filled]).is_none_or(|length| filled < length) {
            continue;
        }
        recorder.posts.fetch_add(1, Ordering::SeqCst);
        if recorder.is_on.load(Ordering::SeqCst) {
            let mut last = recorder.last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = buffer[..filled].to_vec();
        }
        filled = 0;
        if stream
            .write_all(ANSWER)
            .and_then(|()| stream.flush())
            .is_err()
        {
            return;
        }
    }
}

/// Returns the length of the HTTP message in these bytes; `None` while its head is incomplete.
pub fn length(bytes: &[u8]) -> Option<usize> {
    let mut body = 0;
    let mut rest = bytes;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let line = &rest[..end];
        rest = &rest[end + 2..];
        if line.is_empty() {
            return Some(bytes.len() - rest.len() + body);
        }
        const NAME: &[u8] = b"content-length:";
        if line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME) {
            let value = std::str::from_utf8(&line[NAME.len()..]).ok()?;
            body = value.trim().parse().ok()?;
        }
    }
}

/// Generates a certificate for `localhost` and the authority that signs it.
fn identity() -> Result<(Arc<ServerConfig>, String), Box<dyn Error>> {
    // Two names: OpenSSL takes a certificate with the same subject and issuer for self-signed.
    let named = |name: &str, hosts: Vec<String>| {
        let mut params = CertificateParams::new(hosts)?;
        params.distinguished_name.push(DnType::CommonName, name);
        Ok::<_, rcgen::Error>(params)
    };
    let mut authority = named("footprint authority", Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf = named("localhost", vec!["localhost".to_owned()])?.signed_by(&key, &authority)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )?;
    Ok((Arc::new(config), authority.pem()))
}

/// Connects to the plain webhook, to measure it alone.
pub fn direct(sink: &Sink) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(sink.plain)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
