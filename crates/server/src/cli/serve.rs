//! `homecoming serve`: serves a programme until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::Stop;
use super::passphrase::Passphrase;
use crate::chance::Chance;
use crate::clock::{Clock, Stopwatch};
use crate::fhir::scope::Door;
use crate::fhir::{Api, Settings};
use crate::programme::Programme;
use crate::serving::{Network, Proxies, Serving, Tls};
use crate::site::Site;

#[derive(clap::Args)]
pub struct Args {
    /// The programme's data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8180")]
    listen: SocketAddr,
    /// Which outside witnesses there are and how many it takes (C2SP tlog-policy); kept in the data directory
    /// as `witness.policy` and used from now on
    #[arg(long, value_name = "FILE")]
    witness_policy: Option<PathBuf>,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    reached: Reached,
}

/// How much a request may be.
#[derive(clap::Args, Clone)]
pub struct Limits {
    /// The largest body of a batch or transaction, in MB
    #[arg(long, value_name = "MB", default_value_t = 64)]
    pub bundle_limit: usize,
    /// How many requests a second an address, and an account, may make (ten seconds of it at once); 0 for as
    /// many as they like. Whoever is on this machine is not counted
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub rate: u32,
}

/// How the server is reached.
#[derive(clap::Args, Clone, Default)]
pub struct Reached {
    /// Where people and programs reach it: https://record.example.org. Passkeys, cookies, organisations' sign-in and
    /// apps are bound to it; without it, pages answer whatever address is asked for, and apps this machine alone
    #[arg(long, value_name = "URL")]
    pub base: Option<String>,
    /// The proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks
    /// such as 10.0.0.0/8; may be given several times
    #[arg(long, value_name = "NETWORK")]
    pub proxy: Vec<Network>,
    /// The certificate with its chain (PEM), to speak TLS without a proxy
    #[arg(long, value_name = "FILE", requires_all = ["tls_key", "base"])]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Fetch clients' keys from addresses that only this network reaches, too, and over http
    #[arg(long)]
    pub jwks_inside: bool,
}

impl Reached {
    /// How connections are taken.
    fn serving(&self) -> Result<Serving, Stop> {
        let tls = match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(Tls::read(certificate, key).map_err(Stop::CouldNotRun)?)
            }
            _ => None,
        };
        Ok(Serving {
            proxies: Proxies::new(&self.proxy),
            tls,
            ..Serving::default()
        })
    }

    /// Where it is reached, if that was said.
    fn site(&self) -> Result<Option<Site>, Stop> {
        let site = self.base.as_deref().map(Site::parse).transpose();
        site.map_err(|error| Stop::WrongUse(error.message))
    }
}

pub fn run(args: &Args) -> Result<(), Stop> {
    crate::log::start();
    let watch = Stopwatch::start();
    let listener = listen(args.listen)?;
    if let Some(file) = &args.witness_policy {
        take_policy(&args.data, file)?;
    }
    let programme = open(&args.data, &args.passphrase)?;
    let scheme = if args.reached.tls_cert.is_some() {
        "https"
    } else {
        "http"
    };
    let ready = |address: SocketAddr, programme: &Programme| {
        say!(
            "Homecoming serves {} at {scheme}://{address}/ (FHIR at {scheme}://{address}/fhir), \
             ready after {:.2} s.",
            programme.name(),
            watch.seconds()
        );
    };
    serve(listener, programme, &args.limits, &args.reached, ready)
}

/// How often what the desk owes the record is written there, when no page has done so.
const SETTLING: Duration = Duration::from_secs(5);

/// Writes what the desk owes the record: what the command line has changed, and what a stop has left.
async fn settling(programme: Programme) {
    loop {
        let settled = match crate::users::settle(&programme).await {
            Ok(()) => crate::clients::settle(&programme).await,
            Err(error) => Err(error),
        };
        if let Err(error) = settled {
            tracing::warn!(error = %error.for_operator(), "what the desk owes the record is not written yet");
        }
        tokio::time::sleep(SETTLING).await;
    }
}

/// Checks a witness policy and keeps it in the data directory.
pub(super) fn take_policy(data: &std::path::Path, file: &std::path::Path) -> Result<(), Stop> {
    crate::cosigning::read_policy(file)?;
    let cannot = |error: std::io::Error| {
        Stop::CouldNotRun(format!(
            "the policy cannot be kept in {}: {error}",
            data.display()
        ))
    };
    let text = std::fs::read(file).map_err(cannot)?;
    let new = data.join("witness.policy.new");
    std::fs::write(&new, text).map_err(cannot)?;
    std::fs::rename(&new, data.join(crate::cosigning::POLICY)).map_err(cannot)
}

/// Takes the address before anything else, so that a port in use is said at once.
pub(super) fn listen(address: SocketAddr) -> Result<std::net::TcpListener, Stop> {
    let listener = std::net::TcpListener::bind(address).map_err(|error| {
        Stop::CouldNotRun(match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "{address} is in use by another program. Stop it, or choose another address \
                 with --listen."
            ),
            std::io::ErrorKind::PermissionDenied => format!(
                "this user may not listen on {address}. Choose a port above 1023 with --listen."
            ),
            _ => format!("cannot listen on {address}: {error}"),
        })
    })?;
    listener
        .set_nonblocking(true)
        .map_err(|error| Stop::CouldNotRun(format!("cannot listen on {address}: {error}")))?;
    Ok(listener)
}

/// Opens a programme, telling how far the index is if it must be brought up first.
pub(super) fn open(data: &std::path::Path, passphrase: &Passphrase) -> Result<Programme, Stop> {
    let mut told = Stopwatch::start();
    let programme = Programme::open(
        data,
        passphrase.open(data)?,
        Clock::System,
        Chance::System,
        &mut |reached, size| {
            if told.seconds() > 2.0 {
                told = Stopwatch::start();
                eprintln!("bringing the index up to the ledger: {reached} of {size} entries");
            }
        },
        Box::new(|why| {
            // The ledger's own state on disk is unknown: nothing may go on as if it were known.
            eprintln!("homecoming: stopped: {why}");
            std::process::exit(i32::from(super::COULD_NOT_RUN));
        }),
    )?;
    Ok(programme)
}

/// How long the start waits for the witnesses' first answers at most.
const WITNESSES_ASKED: Duration = Duration::from_secs(3);

/// Serves until SIGTERM or SIGINT, then lets the requests under way finish.
pub(super) fn serve(
    listener: std::net::TcpListener,
    programme: Programme,
    limits: &Limits,
    reached: &Reached,
    ready: impl FnOnce(SocketAddr, &Programme),
) -> Result<(), Stop> {
    let (serving, site) = (reached.serving()?, reached.site()?);
    let base = site.as_ref().map(|site| format!("{}/fhir", site.origin()));
    if let Some(site) = site {
        programme.set_site(site);
    }
    let could_not = |error: std::io::Error| Stop::CouldNotRun(format!("the server: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(could_not)?;
    runtime.block_on(async {
        let address = listener.local_addr().map_err(could_not)?;
        let listener = tokio::net::TcpListener::from_std(listener).map_err(could_not)?;
        let settings = Settings {
            bundle_bytes_max: limits.bundle_limit << 20,
            base,
            rate: Some(limits.rate),
            keys_inside: reached.jwks_inside,
            ..Settings::default()
        };
        let door = Door::of(programme.clone());
        let api = Api::new(programme.clone(), door, programme.clock().clone(), settings);
        let pages = crate::pages::routes(programme.clone());
        let router = crate::router::router(api, pages, crate::pages::error_page);
        programme.cosigning().start()?;
        let cosigning = programme.cosigning().clone();
        tokio::task::spawn_blocking(move || cosigning.asked(WITNESSES_ASKED))
            .await
            .map_err(|error| {
                Stop::CouldNotRun(format!("the witnesses cannot be asked: {error}"))
            })?;
        if let Err(error) = crate::clients::settle(&programme).await {
            // Those whose registration is not on the record are not let in; the rest is served.
            tracing::error!(
                "changes of clients are not on the record: {}",
                error.for_operator()
            );
        }
        ready(address, &programme);
        let settling = tokio::spawn(settling(programme.clone()));
        crate::serving::serve(listener, router, serving, told_to_stop()).await;
        settling.abort();
        programme.cosigning().stop();
        Ok(())
    })
}

pub(super) async fn told_to_stop() {
    let mut terminated =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match terminated.as_mut() {
            Some(signal) => signal.recv().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
