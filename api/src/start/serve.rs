//! `ocim server`: starts everything, serves until a signal, then stops everything it started.

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Extensions;
use actix_web::middleware::{Compress, Condition, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::{HttpServer, web};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;

use super::assembly::Admission;
use super::report::{say, step};
use super::{StartError, admin, assembly, data_dir, database, limits, outside, presence, vault};
use crate::app::App;
use crate::config::gateway::GatewaySettings;
use crate::config::{OnSigterm, Settings};
use crate::http::router;
use crate::http::span::RequestSpan;
use crate::http::{middleware, problems};
use crate::instances::traffic::apply_routing;
use crate::machines::providers::local::LocalProvider;
use crate::platform::db::Db;
use crate::platform::db::embedded::EmbeddedPostgres;
use crate::platform::events::Bus;
use crate::platform::guard::Guard;
use crate::platform::peers;
use crate::platform::peers::store::ServerReport;
use crate::routing::providers::agents::Agents;
use crate::routing::providers::haproxy::{GatewayConfig, HaproxyGateway};
use crate::routing::traffic::Traffic;
use crate::system::opened_walls;
use crate::worker::{Duties, Worker};

/// How long requests in progress may take when the program ends, in seconds.
const GRACE_SECONDS: u64 = 5;

/// Child processes and machines to stop at the end.
#[derive(Default)]
struct Children {
    postgres: Option<EmbeddedPostgres>,
    machines: Option<Arc<LocalProvider>>,
    gateway: Option<Arc<HaproxyGateway>>,
}

/// Starts everything, serves until SIGINT or SIGTERM, and stops everything. If a step fails, undoes the earlier ones.
/// `works`: whether it runs a worker, too.
///
/// # Errors
/// An error that says what could not be started, and what to do.
pub async fn serve(settings: Settings, works: bool) -> Result<(), StartError> {
    if !works && !settings.gateway.ocim_gateway_agents {
        let words =
            "--no-worker: without OCIM_GATEWAY_AGENTS=true this server runs the gateway, which its worker sees to";
        return Err(words.into());
    }
    let admission = Admission::new(&settings)?;
    let listener = listen(&settings)?;
    opened_walls::log(&settings);
    let (data_dir, _lock) = data_dir::lock(&settings.data.ocim_data_dir).await?;
    let mut children = Children::default();
    let stop = CancellationToken::new();
    let served = run(&settings, works, admission, &data_dir, listener, &mut children, &stop).await;
    stop.cancel();
    // With an external database, this may be one of several programs: the gateway and the machines keep running.
    if settings.data.database_url.is_none() {
        children.take_down().await;
    }
    served
}

async fn run(
    settings: &Settings,
    works: bool,
    admission: Admission,
    data_dir: &Path,
    listener: TcpListener,
    children: &mut Children,
    stop: &CancellationToken,
) -> Result<(), StartError> {
    let db = database::start(settings, data_dir, &mut children.postgres).await?;
    let has_gateway = !settings.gateway.ocim_gateway_agents;
    // Only one server uses the embedded database: that of its data directory, which is locked.
    if settings.data.database_url.is_some() {
        presence::refuse_second_gateway(&db, has_gateway).await?;
    }
    let keyring = vault::keyring(settings, data_dir, &db, settings.data.database_url.is_none()).await?;
    let public_url = settings.server.ocim_public_url.clone();
    let data = data_dir.display().to_string();
    let about = ServerReport { public_url, has_gateway, key_ids: keyring.ids(), data_dir: data };
    // At once, so that a server that starts at the same time sees it.
    peers::store::report(&mut *db.vital().await?, &about).await?;
    let password = admin::ensure_first(settings, &db).await?;
    let outside = outside::open(settings, data_dir, &db, &keyring, Some(stop)).await?;
    children.machines.clone_from(&outside.local);
    let traffic = traffic(settings, data_dir, &db, &mut children.gateway).await?;
    let parts = outside.parts(settings, data_dir, db.clone(), traffic, keyring)?;
    let watch = parts.assemble(settings)?;
    // Until then the gateway uses the routes of the previous run; the sweep retries.
    if let Err(error) = step("Routes", apply_routing::apply_all(&watch.manager)).await {
        tracing::error!(%error, "the routes could not be applied at the start; trying again every few seconds");
    }
    if let Some(gateway) = children.gateway.clone() {
        tokio::spawn(async move { gateway.supervise().await });
    }
    if let Some(postgres) = &children.postgres {
        let (postgres, stop) = (postgres.clone(), stop.clone());
        tokio::spawn(async move { stop.run_until_cancelled(postgres.supervise()).await });
    }
    let bus = Bus::start(db.clone(), stop.clone()).await?;
    let are_others = Arc::<AtomicBool>::default();
    let showing = tokio::spawn(presence::show(db.clone(), about, are_others.clone(), stop.clone()));
    tokio::spawn(peers::exchange(db, bus.clone(), admission.guard.clone(), are_others));
    let duties = Duties { slots: settings.builds.ocim_build_slots, tells_gateway: true };
    let worker = match works {
        true => Some(Worker::start(watch.clone(), &bus, duties, stop.clone()).await?),
        false => None,
    };
    let pulse = worker.as_ref().map(Worker::pulse);
    let app = assembly::app(settings, admission, watch, bus, pulse, stop.clone())?;
    let server = http(app, listener)?;
    let handle = server.handle();
    let serving = tokio::spawn(server);
    greet(settings, password.as_deref());
    until_signal().await?;
    if let Some(worker) = &worker {
        finish_or_hand_over(settings, worker).await?;
    }
    say("Stopping …");
    stop.cancel();
    handle.stop(true).await;
    serving.await??;
    if let Some(worker) = worker {
        worker.ended().await;
    }
    showing.await?;
    Ok(())
}

/// The gateways with their agents, or a gateway that is started here.
async fn traffic(
    settings: &Settings,
    data_dir: &Path,
    db: &Db,
    own: &mut Option<Arc<HaproxyGateway>>,
) -> Result<Arc<dyn Traffic>, StartError> {
    let connections = limits::raise_and_size();
    let settings = GatewaySettings::new(settings)?;
    if settings.has_agents {
        return Ok(Arc::new(Agents { db: db.clone(), front: settings.front }));
    }
    let config = GatewayConfig { settings, dir: data_dir.join("gateway"), connections };
    let gateway = Arc::new(step("Gateway", HaproxyGateway::start(config)).await?);
    *own = Some(gateway.clone());
    Ok(gateway)
}

/// Binds the port before anything is started, so that a port in use is reported first.
fn listen(settings: &Settings) -> Result<TcpListener, StartError> {
    let address = settings.server.ocim_listen;
    let cannot = |error| format!("cannot listen on {address} ({error}); choose another address with OCIM_LISTEN");
    let listener = TcpListener::bind(address).map_err(cannot)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The server for API and pages on this listener, which must be non-blocking. Nothing runs before the server is polled.
///
/// # Errors
/// An error if the listener cannot be used.
pub fn http(app: App, listener: TcpListener) -> Result<actix_web::dev::Server, StartError> {
    let document = router::document();
    let known = web::Data::new(problems::Known::of(&document));
    let guard = app.guard.clone();
    let admission = guard.clone();
    let factory = move || {
        let (document, known) = (document.clone(), known.clone());
        let cors = Condition::new(!guard.cors_origins.is_empty(), cors(&guard));
        let (app, _) = actix_web::App::new()
            .app_data(web::Data::new(app.clone()))
            .into_utoipa_app()
            .configure(router::api)
            .split_for_parts();
        app.configure(|config| router::pages(config, document, known))
            // The middleware that is wrapped last runs first.
            .wrap(from_fn(middleware::refusals))
            .wrap(from_fn(middleware::idempotency))
            .wrap(from_fn(middleware::admit))
            .wrap(from_fn(middleware::around))
            .wrap(cors)
            .wrap(Compress::default())
            .wrap(from_fn(middleware::etag))
            .wrap(from_fn(middleware::measure))
            .wrap(TracingLogger::<RequestSpan>::new())
    };
    let server = HttpServer::new(factory)
        // A client that has closed its connection waits for no answer: its request ends, and its query is cancelled.
        .h1_allow_half_closed(false)
        .on_connect(move |connection, data| admit(connection, data, &admission))
        .workers(2)
        .disable_signals()
        .shutdown_timeout(GRACE_SECONDS)
        .listen(listener)?
        .run();
    Ok(server)
}

/// Allows pages of these other origins to call the API with a token; browsers send them no cookies.
fn cors(guard: &Guard) -> Cors {
    let cors =
        Cors::default().allowed_methods(["GET", "POST", "PUT", "PATCH", "DELETE"]).max_age(3600).allowed_headers([
            "authorization",
            "content-type",
            "idempotency-key",
            "if-match",
            "if-none-match",
            "last-event-id",
            "prefer",
        ]);
    let cors = cors.expose_headers(["etag", "location", "retry-after", "x-request-id"]);
    guard.cors_origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// Counts a connection until its data is dropped, and closes it at once if its network has too many.
fn admit(connection: &dyn std::any::Any, data: &mut Extensions, guard: &Guard) {
    let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
    cut_when_stalled(stream, guard.stall_timeout);
    let Ok(peer) = stream.peer_addr() else { return };
    let peer = peer.ip().to_canonical();
    if guard.proxies.trusts(peer) {
        return;
    }
    if let Some(permit) = guard.connections.open(peer) {
        data.insert(permit);
    } else if let Err(error) = rustix::net::shutdown(stream, rustix::net::Shutdown::Both) {
        tracing::debug!(%error, "a connection too many could not be closed");
    }
}

/// Sets TCP_USER_TIMEOUT: the kernel closes connections of clients that accept no data.
fn cut_when_stalled(stream: &TcpStream, limit: Duration) {
    let limit = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, limit) {
        tracing::debug!(%error, "a connection has no time-out");
    }
}

fn greet(settings: &Settings, password: Option<&str>) {
    say(format_args!("\nOpenCraft Instance Manager: http://localhost:{}/", settings.server.ocim_listen.port()));
    match password {
        Some(password) => say(format_args!("Sign in as admin with the password {password} (shown this once)")),
        None => say("Sign in as admin with the password of the first start (lost: ocim admin set-password admin)"),
    }
    say("Ctrl-C stops it.\n");
}

/// Hands the running builds over, or waits until they have ended, as the settings say.
pub(super) async fn finish_or_hand_over(settings: &Settings, worker: &Worker) -> Result<(), StartError> {
    if settings.builds.ocim_on_sigterm == OnSigterm::Finish && !worker.is_idle() {
        say("Ending the builds under way; a second signal hands them over …");
        tokio::select! {
            () = worker.finish() => {}
            signal = until_signal() => signal?,
        }
    }
    Ok(())
}

pub(super) async fn until_signal() -> Result<(), StartError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

impl Children {
    /// Stops the children, those that need others first. Errors are printed, and the others are stopped all the same.
    async fn take_down(self) {
        let Self { postgres, machines, gateway } = self;
        if let Some(gateway) = gateway
            && let Err(error) = gateway.stop().await
        {
            say(format_args!("the gateway was not stopped: {error}"));
        }
        if let Some(machines) = machines {
            shut_down(&machines).await;
        }
        if let Some(postgres) = postgres
            && let Err(error) = postgres.stop().await
        {
            say(format_args!("Postgres was not stopped: {error}"));
        }
    }
}

/// Shuts the machines down; the next start boots them again.
async fn shut_down(machines: &LocalProvider) {
    match machines.shutdown_all().await {
        Ok(failures) => {
            failures.iter().for_each(|(id, error)| say(format_args!("machine {id} was not shut down: {error}")));
        }
        Err(error) => say(format_args!("the machines were not shut down: {error}")),
    }
    if let Err(error) = machines.close().await {
        say(format_args!("the machines' network was not removed: {error}"));
    }
}
