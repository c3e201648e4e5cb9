//! HTTP clients outside of the program.

/// Installs the TLS implementation that clients use; a whole program does so at its start.
pub fn install_tls() {
    // Installing it again fails, which is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A client that uses no proxy.
pub fn http() -> reqwest::ClientBuilder {
    install_tls();
    reqwest::Client::builder().no_proxy()
}
