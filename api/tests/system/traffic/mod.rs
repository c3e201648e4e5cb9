//! The gateway as visitors, proxies and attackers see it: raw requests to a real HAProxy, and what gets through.
//!
//! `make test-traffic` runs more of each: see `script/test-traffic`.

mod application;
mod django;
mod forms;
mod forwarding;
mod heads;
mod holding;
mod https;
mod limits;
mod maintenance;
mod previews;
mod requests;
mod visitor;

use std::net::{IpAddr, SocketAddr};

use ocim::config::Settings;
use ocim::config::gateway::{GatewaySettings, Scheme};
use ocim::platform::children::Signal;
use ocim::routing::providers::haproxy::{GatewayConfig, HaproxyGateway};
use ocim::routing::traffic::{Route, Traffic};
use shared_types::https::HttpsPolicy;
use tokio::net::TcpStream;

use self::application::Application;
use self::visitor::Answer;
use crate::app::{ports, until};

/// The limit of visitors' connections in these tests.
const CONNECTIONS: u32 = 400;

/// A gateway with one application. `echo.localhost` is `http`, `secure.localhost` is `https`, and `idle.localhost` has
/// no active app server.
pub struct Gateway {
    inner: HaproxyGateway,
    pub listen: SocketAddr,
    pub application: Application,
    _directory: tempfile::TempDir,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.inner.process().signal(Signal::KILL).unwrap();
    }
}

impl Gateway {
    async fn start() -> Self {
        Self::with(CONNECTIONS, |_| {}).await
    }

    async fn with(connections: u32, change: impl FnOnce(&mut Settings)) -> Self {
        let listen = ports::reserved();
        let mut settings = Settings::with(|settings| settings.gateway.ocim_gateway_listen = listen);
        change(&mut settings);
        let settings = GatewaySettings::new(&settings).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let config = GatewayConfig { settings, dir: directory.path().join("gateway"), connections };
        let inner = HaproxyGateway::start(config).await.unwrap();
        let application = Application::start().await;
        let route = |hostname: &str, target, scheme| Route {
            hostname: hostname.to_owned(),
            target,
            notice: None,
            scheme,
            https: HttpsPolicy::Optional,
            previews: Vec::new(),
        };
        let target = Some(application.address);
        let routes = [
            route("echo.localhost", target, Scheme::Http),
            route("secure.localhost", target, Scheme::Https),
            route("idle.localhost", None, Scheme::Http),
        ];
        inner.replace_all(&routes).await.unwrap();
        Self { inner, listen, application, _directory: directory }
    }

    async fn route(&self, hostname: &str, target: SocketAddr, scheme: Scheme) {
        let route = Route {
            hostname: hostname.to_owned(),
            target: Some(target),
            notice: None,
            scheme,
            https: HttpsPolicy::Optional,
            previews: Vec::new(),
        };
        self.inner.apply(&[route]).await.unwrap();
    }

    /// Kills HAProxy, and waits until it is supervised back into service.
    async fn crash_and_come_back(&self) {
        self.inner.process().signal(Signal::KILL).unwrap();
        let answered = until("the gateway serves again", async || {
            TcpStream::connect(self.listen).await.is_ok() && self.inner.answers().await.is_ok()
        });
        tokio::select! { () = self.inner.supervise() => {}, () = answered => {} }
    }

    /// Sends bytes from an address of this host; gives every answer until the gateway closes the connection.
    async fn send(&self, from: &str, bytes: &[u8]) -> Vec<Answer> {
        visitor::send(self.listen, from.parse::<IpAddr>().unwrap(), bytes).await
    }

    /// The head of a GET as the application got it, in lower case.
    async fn seen(&self, from: &str, host: &str, headers: &str) -> String {
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n");
        self.application.forget();
        let answers = self.send(from, request.as_bytes()).await;
        assert_eq!(answers.first().map(|answer| answer.status), Some(200), "{headers:?}: {answers:?}");
        self.application.requests().first().unwrap().head.to_lowercase()
    }
}
