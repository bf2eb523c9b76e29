//! `homecoming serve`: serves a programme until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::Stop;
use super::passphrase::Passphrase;
use crate::chance::Chance;
use crate::clock::{Clock, Stopwatch};
use crate::fhir::scope::Door;
use crate::fhir::{Api, Settings};
use crate::programme::Programme;
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
    /// Where people reach it: https://record.example.org. Passkeys, cookies and organisations' sign-in
    /// are bound to it; without it, whatever address is asked for
    #[arg(long, value_name = "URL")]
    base: Option<String>,
    #[command(flatten)]
    limits: Limits,
}

/// How much a request may be.
#[derive(clap::Args, Clone)]
pub struct Limits {
    /// The largest body of a batch or transaction, in MB
    #[arg(long, value_name = "MB", default_value_t = 64)]
    pub bundle_limit: usize,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    crate::log::start();
    let watch = Stopwatch::start();
    let listener = listen(args.listen)?;
    if let Some(file) = &args.witness_policy {
        take_policy(&args.data, file)?;
    }
    let programme = open(&args.data, &args.passphrase)?;
    set_base(&programme, args.base.as_deref())?;
    serve(listener, programme, &args.limits, |address, programme| {
        say!(
            "Homecoming serves {} at http://{address}/ (FHIR at http://{address}/fhir), \
             ready after {:.2} s.",
            programme.name(),
            watch.seconds()
        );
    })
}

/// Says where a programme is reached from outside.
pub(super) fn set_base(programme: &Programme, base: Option<&str>) -> Result<(), Stop> {
    if let Some(base) = base {
        let site = Site::parse(base).map_err(|error| Stop::WrongUse(error.message))?;
        programme.set_site(site);
    }
    Ok(())
}

/// How often what the desk owes the record is written there, when no page has done so.
const SETTLING: std::time::Duration = std::time::Duration::from_secs(5);

/// Writes what the desk owes the record: what the command line has changed, and what a stop has left.
async fn settling(programme: Programme) {
    loop {
        if let Err(error) = crate::users::settle(&programme).await {
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

/// Serves until SIGTERM or SIGINT, then lets the requests under way finish.
pub(super) fn serve(
    listener: std::net::TcpListener,
    programme: Programme,
    limits: &Limits,
    ready: impl FnOnce(SocketAddr, &Programme),
) -> Result<(), Stop> {
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
            ..Settings::default()
        };
        let door = Door::new(crate::fhir::scope::desk_lookup(programme.clone()));
        let api = Api::new(programme.clone(), door, programme.clock().clone(), settings);
        let pages = crate::pages::routes(programme.clone());
        let router = crate::router::router(api, pages, crate::pages::error_page);
        programme.cosigning().start()?;
        ready(address, &programme);
        let settling = tokio::spawn(settling(programme.clone()));
        let router = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, router)
            .with_graceful_shutdown(told_to_stop())
            .await;
        settling.abort();
        programme.cosigning().stop();
        served.map_err(could_not)
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
