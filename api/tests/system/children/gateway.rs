//! The gateway with a real HAProxy: switches under load, killed, adopted, replaced, refused.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ocim::config::Settings;
use ocim::config::gateway::{GatewaySettings, Scheme};
use ocim::platform::children::Signal;
use ocim::routing::providers::haproxy::{GatewayConfig, GatewayError, HaproxyGateway, HaproxyRoutes};
use ocim::routing::traffic::{AskError, Question, Route, Traffic};
use shared_types::https::HttpsPolicy;

use super::http::{Answer, Backend, Visitor, get};
use crate::app::ports;

/// A gateway that is killed if its test fails.
struct Gateway {
    inner: Arc<HaproxyGateway>,
    listen: SocketAddr,
    directory: tempfile::TempDir,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.inner.process().signal(Signal::KILL).unwrap();
    }
}

/// A data directory deeper than the maximum length of a socket's path.
fn config(directory: &Path, listen: SocketAddr) -> GatewayConfig {
    let settings = Settings::with(|settings| settings.gateway.ocim_gateway_listen = listen);
    let settings = GatewaySettings::new(&settings).unwrap();
    let dir = directory.join("a data directory").join("x".repeat(120)).join("gateway");
    GatewayConfig { settings, dir, connections: 1000 }
}

impl Gateway {
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listen = ports::reserved();
        let inner = Arc::new(HaproxyGateway::start(config(directory.path(), listen)).await.unwrap());
        Self { inner, listen, directory }
    }

    async fn send(&self, host: &str, backend: &Backend) {
        self.inner.apply(&[route(host, Some(backend.address))]).await.unwrap();
    }

    async fn get(&self, host: &str, path: &str) -> Answer {
        get(self.listen, host, path).await.unwrap()
    }
}

fn route(host: &str, target: Option<SocketAddr>) -> Route {
    let (hostname, previews) = (host.to_owned(), Vec::new());
    Route { hostname, target, notice: None, scheme: Scheme::Http, https: HttpsPolicy::Optional, previews }
}

/// Counts of a switch's visitors.
#[derive(Default)]
struct Tally {
    asked: AtomicU32,
    failed: AtomicU32,
    mixed: AtomicU32,
    reconnected: AtomicU32,
}

/// About 50 requests per second on one kept-alive connection, to the moving host and two fixed ones in turn.
async fn visit(gateway: SocketAddr, tally: Arc<Tally>, until: Arc<AtomicBool>) {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let mut visitor = Visitor::connect(gateway).await.unwrap();
    for host in ["moving.localhost", "one.localhost", "moving.localhost", "two.localhost"].into_iter().cycle() {
        if until.load(Ordering::Relaxed) {
            return;
        }
        ticks.tick().await;
        tally.asked.fetch_add(1, Ordering::Relaxed);
        match visitor.get(host, "/", "").await {
            Some(answer) if answer.status == 200 => {
                let is_mixed = match host {
                    "one.localhost" => answer.server() != "one",
                    "two.localhost" => answer.server() != "two",
                    _ => false,
                };
                tally.mixed.fetch_add(u32::from(is_mixed), Ordering::Relaxed);
            }
            Some(_) => drop(tally.failed.fetch_add(1, Ordering::Relaxed)),
            None => {
                tally.failed.fetch_add(1, Ordering::Relaxed);
                tally.reconnected.fetch_add(1, Ordering::Relaxed);
                visitor = Visitor::connect(gateway).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_switches_under_load_lose_no_request_and_mix_no_hosts() {
    let gateway = Gateway::start().await;
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    gateway.send("one.localhost", &one).await;
    gateway.send("two.localhost", &two).await;
    gateway.send("moving.localhost", &one).await;
    let (tally, until) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
    let visitors: Vec<_> = (0..4).map(|_| tokio::spawn(visit(gateway.listen, tally.clone(), until.clone()))).collect();
    let mut kept = Visitor::connect(gateway.listen).await.unwrap();
    let mut slowest = Duration::ZERO;
    let began = Instant::now();
    for (target, name) in [(&two, "two"), (&one, "one")].into_iter().cycle().take(10) {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let began = Instant::now();
        gateway.send("moving.localhost", target).await;
        slowest = slowest.max(began.elapsed());
        assert_eq!(gateway.get("moving.localhost", "/").await.server(), name, "on a new connection");
        assert_eq!(kept.get("moving.localhost", "/", "").await.unwrap().server(), name, "on a kept connection");
    }
    until.store(true, Ordering::Relaxed);
    for visitor in visitors {
        visitor.await.unwrap();
    }
    let count = |number: &AtomicU32| number.load(Ordering::Relaxed);
    let (asked, elapsed) = (count(&tally.asked), began.elapsed());
    println!(
        "10 switches, the slowest {slowest:?}; {asked} requests in {elapsed:?} ({:.0}/s): {} failed, {} mixed, {} reconnected",
        f64::from(asked) / elapsed.as_secs_f64(),
        count(&tally.failed),
        count(&tally.mixed),
        count(&tally.reconnected)
    );
    assert!(asked > 400, "there was a load");
    assert_eq!((count(&tally.failed), count(&tally.mixed), count(&tally.reconnected)), (0, 0, 0));
    gateway.inner.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_is_restarted_with_its_routes() {
    let gateway = Gateway::start().await;
    let one = Backend::start("one").await;
    gateway.send("a.localhost", &one).await;
    let supervised = gateway.inner.clone();
    let supervision = tokio::spawn(async move { supervised.supervise().await });
    for _ in 0..2 {
        let killed = gateway.inner.process();
        assert!(killed.signal(Signal::KILL).unwrap());
        let began = Instant::now();
        assert!(killed.wait(Duration::from_secs(2)).await);
        while get(gateway.listen, "a.localhost", "/").await.is_none_or(|answer| answer.status != 200) {
            assert!(began.elapsed() < Duration::from_secs(2), "not back within 2 s");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        println!("killed; back with its routes after {:?}", began.elapsed());
        // The new process serves a moment before it is recorded.
        while gateway.inner.process() == killed {
            assert!(began.elapsed() < Duration::from_secs(2), "not known within 2 s");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    gateway.inner.stop().await.unwrap();
    tokio::time::timeout(Duration::from_secs(2), supervision).await.unwrap().unwrap();
    assert!(!gateway.inner.process().is_alive());
    // Another process may have got the port by now.
    let answer = get(gateway.listen, "a.localhost", "/").await;
    assert!(answer.is_none_or(|answer| answer.server() != "one"), "nothing serves after a stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_is_adopted_after_a_crash_without_losing_connections() {
    let gateway = Gateway::start().await;
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    gateway.send("a.localhost", &one).await;
    let mut kept = Visitor::connect(gateway.listen).await.unwrap();
    assert_eq!(kept.get("a.localhost", "/", "").await.unwrap().server(), "one");

    // As if the program had crashed after writing the table and before updating HAProxy.
    let config = config(gateway.directory.path(), gateway.listen);
    std::fs::write(config.dir.join("routes.map"), format!("a.localhost 127.0.0.1|{}\n", two.address.port())).unwrap();
    let adopted = HaproxyGateway::start(config).await.unwrap();
    assert_eq!(adopted.process(), gateway.inner.process());
    assert_eq!(kept.get("a.localhost", "/", "").await.unwrap().server(), "two");
    adopted.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_configuration_replaces_the_gateway_without_ending_requests() {
    let gateway = Gateway::start().await;
    let one = Backend::start("one").await;
    gateway.send("a.localhost", &one).await;
    let listen = gateway.listen;
    let slow = tokio::spawn(async move { get(listen, "a.localhost", "/slow").await });
    wait_for_open(&gateway, &one, 1).await;
    let moved = ports::reserved();
    let replaced = HaproxyGateway::start(config(gateway.directory.path(), moved)).await.unwrap();
    assert_ne!(replaced.process(), gateway.inner.process());
    assert_eq!(get(moved, "a.localhost", "/").await.unwrap().server(), "one");
    assert_eq!(slow.await.unwrap().unwrap().server(), "one");
    assert!(gateway.inner.process().wait(Duration::from_secs(5)).await, "the old one has gone");
    replaced.stop().await.unwrap();
}

/// Polls until the gateway counts `count` open requests to a target.
async fn wait_for_open(gateway: &Gateway, backend: &Backend, count: u64) {
    let began = Instant::now();
    while gateway.inner.open_connections(backend.address).await.unwrap() != count {
        assert!(began.elapsed() < Duration::from_secs(5), "never {count} under way");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_are_counted_where_they_began_and_end_there() {
    let gateway = Gateway::start().await;
    let (one, two) = (Backend::start("one").await, Backend::start("two").await);
    assert_eq!(gateway.inner.open_connections(one.address).await.unwrap(), 0);
    gateway.send("a.localhost", &one).await;
    let listen = gateway.listen;
    let slow = tokio::spawn(async move { get(listen, "a.localhost", "/slow").await });
    wait_for_open(&gateway, &one, 1).await;
    gateway.send("a.localhost", &two).await;
    assert_eq!(gateway.get("a.localhost", "/").await.server(), "two");
    assert_eq!(gateway.inner.open_connections(one.address).await.unwrap(), 1);
    assert_eq!(slow.await.unwrap().unwrap().server(), "one");
    wait_for_open(&gateway, &one, 0).await;

    // A WebSocket survives a switch and counts while it is open; an idle kept-alive connection does not count.
    let mut idle = Visitor::connect(listen).await.unwrap();
    idle.get("a.localhost", "/", "").await.unwrap();
    wait_for_open(&gateway, &two, 0).await;
    let mut socket = Visitor::connect(listen).await.unwrap();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert_eq!(socket.get("a.localhost", "/ws", upgrade).await.unwrap().status, 101);
    gateway.send("a.localhost", &one).await;
    assert_eq!(socket.say("hello").await.unwrap(), "two hello");
    assert_eq!(gateway.inner.open_connections(two.address).await.unwrap(), 1);
    drop(socket);
    wait_for_open(&gateway, &two, 0).await;
    gateway.inner.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn error_pages_name_the_reason_and_headers_of_visitors_are_dropped() {
    let gateway = Gateway::start().await;
    let one = Backend::start("one").await;
    let unused = ports::reserved();
    let routes =
        [route("a.localhost", Some(one.address)), route("idle.localhost", None), route("gone.localhost", Some(unused))];
    gateway.inner.replace_all(&routes).await.unwrap();

    let unknown = gateway.get("stranger.localhost", "/").await;
    assert_eq!((unknown.status, unknown.body.contains("No such instance here")), (404, true));
    let idle = gateway.get("idle.localhost", "/").await;
    assert_eq!((idle.status, idle.body.contains("none of its app servers is active")), (503, true));
    assert!(idle.head.to_lowercase().contains("retry-after: "), "{}", idle.head);
    let began = Instant::now();
    let gone = gateway.get("gone.localhost", "/").await;
    assert_eq!((gone.status, gone.body.contains("could not be reached")), (503, true));
    assert!(began.elapsed() < Duration::from_secs(5), "tried again, but not for long");

    let mut visitor = Visitor::connect(gateway.listen).await.unwrap();
    let claims =
        "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\nForwarded: for=6.6.6.6\r\n";
    let seen = visitor.get("A.LocalHost:8080", "/", claims).await.unwrap();
    let head = seen.body.to_lowercase();
    assert_eq!(seen.server(), "one", "case and port of the host do not matter");
    assert!(head.contains("x-forwarded-for: 127.0.0.1\r") && head.contains("x-forwarded-proto: http\r"), "{head}");
    assert!(head.contains("x-forwarded-host: a.localhost:8080\r"), "{head}");
    assert!(!head.contains("6.6.6.6") && !head.contains("evil"), "{head}");

    gateway.inner.replace_all(&routes[1..]).await.unwrap();
    assert_eq!(gateway.get("a.localhost", "/").await.status, 404, "what is not among all is gone");
    gateway.inner.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_reach_their_target_independently_of_routes() {
    let gateway = Gateway::start().await;
    let one = Backend::start("one").await;
    gateway.inner.apply(&[route("a.localhost", None)]).await.unwrap();
    let ask = async |target, path| {
        let answer = gateway.inner.ask(target, &Question::status("a.localhost", path)).await;
        answer.map(|answer| answer.status)
    };
    assert_eq!(ask(one.address, "/heartbeat").await, Ok(200));
    let head = one.heads().pop().unwrap().to_lowercase();
    let port = gateway.listen.port();
    assert!(head.starts_with("get /heartbeat http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nhost: a.localhost:{port}\r\n")), "{head}");
    assert!(head.contains(&format!("x-forwarded-host: a.localhost:{port}\r")) && !head.contains("x-ocim"), "{head}");
    assert_eq!(ask(one.address, "/missing").await, Ok(404), "what the target says is given as it is");
    assert_eq!(gateway.inner.open_connections(one.address).await, Ok(0), "a question is no visitor");

    let refused = ask(ports::reserved(), "/").await.unwrap_err();
    assert_eq!(refused, AskError::NoAnswer("no connection: nothing listens there, or it refuses".into()));
    for target in ["0.0.0.0:80", "224.0.0.1:80", "10.0.0.1:0"] {
        let wrong = ask(target.parse().unwrap(), "/").await.unwrap_err();
        assert!(wrong.to_string().contains("is not an address that visitors can be sent to"), "{wrong}");
    }
    let wrong = gateway.inner.ask(one.address, &Question::status("a b", "/")).await.unwrap_err();
    assert!(wrong.to_string().contains("is not a host name"));

    // The header gives visitors no access, and only the program's user may open the socket.
    let mut visitor = Visitor::connect(gateway.listen).await.unwrap();
    let header = format!("X-Ocim-Target: 127.0.0.1|{}\r\n", one.address.port());
    assert_eq!(visitor.get("a.localhost", "/", &header).await.unwrap().status, 503);
    let socket = config(gateway.directory.path(), gateway.listen).dir.join("questions");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(socket).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    gateway.inner.stop().await.unwrap();
    let gone = ask(one.address, "/").await.unwrap_err();
    assert!(matches!(&gone, AskError::NotAsked(words) if words.contains("the gateway does not answer")), "{gone}");
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_through_the_gateway_time_out() {
    let gateway = Gateway::start().await;
    // This target accepts connections and does not answer.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let error =
        gateway.inner.ask(silent.local_addr().unwrap(), &Question::status("a.localhost", "/")).await.unwrap_err();
    assert_eq!(error, AskError::NoAnswer("no answer within 5 s".into()));
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    gateway.inner.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_the_gateway_name_the_remedy() {
    let directory = tempfile::tempdir().unwrap();
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = stranger.local_addr().unwrap();
    let error = HaproxyGateway::start(config(directory.path(), taken)).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, GatewayError::Listen { .. }), "{text}");
    assert!(text.contains(&taken.to_string()) && text.contains("OCIM_GATEWAY_LISTEN"), "{text}");

    let file = directory.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let under_file = GatewayConfig { dir: file.join("gateway"), ..config(directory.path(), ports::reserved()) };
    let error = HaproxyGateway::start(under_file).await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("OCIM_DATA_DIR"), "{text}");

    let gateway = Gateway::start().await;
    let evil = route("a.localhost;disable frontend visitors", None);
    assert!(gateway.inner.apply(&[evil]).await.unwrap_err().0.contains("is not a host name"));
    gateway.inner.stop().await.unwrap();

    // A worker gets an error if the gateway is down while it changes routes; the next start applies the change.
    let config = config(gateway.directory.path(), gateway.listen);
    let routes = HaproxyRoutes::new(&config);
    let error = routes.apply(&[route("a.localhost", None)]).await.unwrap_err();
    assert!(error.0.contains("the gateway does not answer"), "{error}");
    let again = HaproxyGateway::start(config).await.unwrap();
    assert_eq!(gateway.get("a.localhost", "/").await.status, 503);
    again.stop().await.unwrap();
}
