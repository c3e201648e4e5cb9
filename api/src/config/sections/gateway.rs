use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::config::table::settings;

settings! {
    /// The gateway, which visitors of the instances connect to; see [gateway.md](gateway.md).
    pub struct Gateway = "Gateway";

    /// Whether visitors come through gateways with an agent each, `ocim gateway`, on hosts of their own. `ocim server` runs
    /// none then. The same for `ocim server` and every `ocim worker`; see [gateways.md](gateways.md).
    ocim_gateway_agents: bool = false;
    /// For `ocim gateway`: the address of the servers, `https://ocim.example`.
    ocim_gateway_server: Option<String> = None;
    /// For `ocim gateway`: its token, which `ocim admin add-gateway` prints.
    ocim_gateway_token: Option<SecretString> = None;
    /// The address and port where the gateway accepts visitors.
    ocim_gateway_listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080));
    /// The address and port where the gateway accepts visitors by HTTPS (HTTP/2 and HTTP/1.1), with the certificates of
    /// `OCIM_CERTIFICATES`. Unset: it does not.
    ocim_gateway_listen_tls: Option<SocketAddr> = None;
    /// Where the gateway keeps certificates with their keys: a directory in memory, `/run/ocim-gateway`, keeps keys off the
    /// disk. Unset: in `OCIM_DATA_DIR`.
    ocim_gateway_run_dir: Option<PathBuf> = None;
    /// The address of the proxy in front of the gateway, `https://apps.example.org`: its scheme and port are those of
    /// every instance's address, and are passed to applications unless a trusted proxy says otherwise. Unset: the
    /// protocol of each instance, and the gateway's own port where that is `http`.
    ocim_gateway_public_url: Option<String> = None;
    /// Addresses and networks (`10.0.0.0/24`), separated by commas, of proxies in front of the gateway. Their
    /// `X-Forwarded-Proto`, `X-Forwarded-Port` and `X-Forwarded-For` are trusted.
    ocim_gateway_trusted_proxies: Vec<String> = Vec::new();
    /// Whether every connection from these proxies begins with a header of the PROXY protocol (version 1 or 2).
    ocim_gateway_proxy_protocol: bool = false;
    /// How many requests may be in progress at one app server, at most half of all that the gateway accepts; the next
    /// one is answered with 503 and `Retry-After` at once.
    ocim_gateway_target_connections: u32 = 1000, within(1..=1_000_000);
    /// How many connections one visitor's address (an IPv6 network of 64 bits) may hold. Behind a trusted proxy: how
    /// many requests. 0: any number, because a whole campus may share one address.
    ocim_gateway_source_connections: u32 = 0, within(0..=1_000_000);
    /// How many host names all instances that are not archived may have together; an instance has one or more. Above
    /// that, making or restoring an instance is refused. The same for `ocim server` and every `ocim worker`.
    ocim_gateway_max_hosts: u32 = 250_000, within(1..=1_000_000);
}
