use crate::config::table::{WEEK, settings};

settings! {
    /// Checks and limits that a request must pass before it is handled.
    pub struct Guard = "Requests";

    /// The host names that requests may be for, separated by commas, beside addresses, `localhost`, names under
    /// `.localhost`, and `OCIM_PUBLIC_URL`'s. Other hosts are refused with 400, which prevents DNS rebinding: an
    /// attacker's page whose name resolves to this address.
    ocim_allowed_hosts: Vec<String> = Vec::new();
    /// Addresses and networks (`10.0.0.0/24`) of proxies whose `X-Forwarded-For` is trusted, for limits and the audit
    /// log.
    ocim_trusted_proxies: Vec<String> = Vec::new();
    /// Other sites (`https://console.example`) whose pages may call the API, with a token; a browser sends them no
    /// cookie.
    ocim_cors_origins: Vec<String> = Vec::new();
    /// Seconds that a response may take, plus the time of `Prefer: wait`; then 503, and an uncommitted transaction is
    /// rolled back. Streams have no limit.
    ocim_request_timeout: u64 = 30, seconds(1..=WEEK);
    /// Seconds that a client may read nothing of what is sent to it before its connection is closed.
    ocim_stall_timeout: u64 = 60, seconds(1..=WEEK);
    /// Requests a minute of one user, with all their sessions and tokens; then 429 with `Retry-After`. 0: any number.
    ocim_principal_rate: u32 = 3000;
    /// Requests a minute of one address, or of one IPv6 network of 64 bits. 0: any number.
    ocim_address_rate: u32 = 6000;
    /// How many connections one address, or one IPv6 network of 64 bits, may have open; further ones are closed at once.
    /// Trusted proxies have no limit. 0: any number.
    ocim_max_connections_each: usize = 1000;
    /// How many live streams may be open at once.
    ocim_max_streams: usize = 4000;
    /// How many live streams one user may have open, with all their sessions and tokens.
    ocim_max_streams_each: usize = 200;
}
