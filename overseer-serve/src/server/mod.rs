//! Listening, with patience for nobody who is slow, until told to stop.

mod timed;

use axum::Router;
use axum_server::Handle;
use axum_server::accept::DefaultAcceptor;
use overseer_engine::core::{Error, Result};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use timed::Patient;

/// A client has this long to say what it wants.
const HEADERS: Duration = Duration::from_secs(10);
/// How long open requests may take to end once the service is told to stop.
const FAREWELL: Duration = Duration::from_secs(1);
/// How soon the service notices that it is to stop.
const ATTENTION: Duration = Duration::from_millis(50);
/// How many requests are worked on in parallel; what blocks has threads of its own.
const WORKERS: usize = 2;
/// Two requests that read, one that writes, one that works, two exports, and one to open what they read.
const BLOCKING: usize = 8;

/// Where a certificate and its key lie, as PEM.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Tls {
    /// The certificate, with those between it and the root after it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Tls {
    /// Names the two files.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificate: certificate.into(), key: key.into() }
    }
}

/// A bound address that serves once it is [`run`](Server::run).
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    tls: Option<Tls>,
}

impl Server {
    /// Takes an address; port 0 for one that is free.
    ///
    /// # Errors
    /// Unavailable if it is taken or not ours; unsupported for TLS without the feature `tls`.
    pub fn bind(address: SocketAddr, tls: Option<Tls>) -> Result<Self> {
        if tls.is_some() && !cfg!(feature = "tls") {
            let what = "TLS (this program was built without the feature `tls`)";
            return Err(Error::unsupported(what));
        }
        let unavailable =
            |e: std::io::Error| Error::unavailable(address.to_string(), e.to_string());
        let listener = TcpListener::bind(address).map_err(unavailable)?;
        listener.set_nonblocking(true).map_err(unavailable)?;
        Ok(Self { listener, tls })
    }

    /// The address, with the port that was chosen.
    ///
    /// # Errors
    /// If the system does not tell it.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(|e| Error::other("asking for the address", e))
    }

    /// Serves until `stop` is set, in this thread and some of its own.
    ///
    /// # Errors
    /// If the certificate or its key cannot be read, or the system offers no threads.
    pub fn run(self, app: Router, stop: &Arc<AtomicBool>) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WORKERS)
            .max_blocking_threads(BLOCKING)
            .thread_name("serve")
            .enable_all()
            .build()
            .map_err(|e| Error::other("starting to serve", e))?;
        let done = runtime.block_on(self.serve(app, Arc::clone(stop)));
        // A request that blocks is not waited for: what it reads changes nothing.
        runtime.shutdown_timeout(FAREWELL);
        done
    }

    async fn serve(self, app: Router, stop: Arc<AtomicBool>) -> Result<()> {
        let handle: Handle<SocketAddr> = Handle::new();
        let ending = handle.clone();
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(ATTENTION).await;
            }
            ending.graceful_shutdown(Some(FAREWELL));
        });
        let failed = |e| Error::other("serving", e);
        match &self.tls {
            None => {
                let mut server = axum_server::from_tcp(self.listener)
                    .map_err(failed)?
                    .acceptor(Patient::new(DefaultAcceptor::new()))
                    .handle(handle);
                strict(server.http_builder());
                server.serve(app.into_make_service()).await.map_err(failed)
            }
            #[cfg(feature = "tls")]
            Some(tls) => {
                use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
                let config = RustlsConfig::from_pem_file(&tls.certificate, &tls.key);
                let config = config.await.map_err(|e| {
                    let files = format!("{} and {}", tls.certificate.display(), tls.key.display());
                    Error::other(format!("reading {files}"), e)
                })?;
                let acceptor = Patient::new(RustlsAcceptor::new(config));
                let mut server = axum_server::from_tcp(self.listener)
                    .map_err(failed)?
                    .acceptor(acceptor)
                    .handle(handle);
                strict(server.http_builder());
                server.serve(app.into_make_service()).await.map_err(failed)
            }
            #[cfg(not(feature = "tls"))]
            Some(_) => Err(Error::unsupported("TLS")),
        }
    }
}

/// Who does not say what it wants soon is dropped, and one connection may take only so much memory.
fn strict<E: Clone>(builder: &mut hyper_util::server::conn::auto::Builder<E>) {
    use hyper_util::rt::TokioTimer;
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(64 * 1024)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADERS)
        .max_send_buf_size(64 * 1024)
        .max_concurrent_streams(64);
}
