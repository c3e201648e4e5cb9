//! Where the engine's socket is: the setting, `DOCKER_HOST`, Podman's own places, or a service that is started here.

use std::path::{Path, PathBuf};

use super::ContainersConfig;
use super::engine::Engine;
use super::error::ContainersError;
use super::pace::Pace;
use super::service;

/// The ways to containers, for an error.
const WAYS_OUT: &str = "Install Debian's packages podman, runc, uidmap, slirp4netns and fuse-overlayfs (script/bootstrap \
                        does), or set OCIM_CONTAINERS_SOCKET to the socket of an engine that runs";

/// Finds an engine that answers. Where none is named and none runs, Podman's is started.
///
/// # Errors
/// [`ContainersError`]: the named engine does not answer, or there is none; says what to do.
pub(super) async fn find(config: &ContainersConfig, pace: Pace) -> Result<Engine, ContainersError> {
    if let Some(socket) = &config.socket {
        return named(socket, "OCIM_CONTAINERS_SOCKET", pace).await;
    }
    if let Some(host) = config.docker_host.as_deref().filter(|host| !host.is_empty()) {
        let Some(path) = host.strip_prefix("unix://").filter(|path| path.starts_with('/')) else {
            let words = "DOCKER_HOST must be unix:// and the absolute path of a socket on this host: machines of another \
                         host could not be reached. Set OCIM_CONTAINERS_SOCKET to use another engine than DOCKER_HOST's";
            return Err(ContainersError::Settings(words.to_owned()));
        };
        return named(Path::new(path), "DOCKER_HOST", pace).await;
    }
    for socket in usual_places() {
        // Something else may have left a file there.
        if let Ok(engine) = Engine::connect(&socket, pace).await {
            return Ok(engine);
        }
    }
    let explain = |words: &str| format!("There is no engine for containers: {words}. {WAYS_OUT}.");
    service::start(&config.data_dir, pace).await.map_err(|error| {
        if let ContainersError::Settings(words) = error {
            return ContainersError::Settings(explain(&words));
        }
        ContainersError::NotDone(explain(&error.to_string()))
    })
}

async fn named(socket: &Path, setting: &str, pace: Pace) -> Result<Engine, ContainersError> {
    Engine::connect(socket, pace).await.map_err(|error| {
        let ContainersError::NotListening(words) = error else { return error };
        ContainersError::NotListening(format!(
            "{words}. Start the engine whose socket {setting} names (`podman system service --time=0 unix://{}`), or correct {setting}",
            socket.display()
        ))
    })
}

/// Where Podman's systemd units listen: root's, or this user's.
fn usual_places() -> Vec<PathBuf> {
    let uid = rustix::process::getuid();
    if uid.is_root() {
        return vec!["/run/podman/podman.sock".into()];
    }
    let by_environment = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
    by_environment.into_iter().chain([usual]).map(|dir| dir.join("podman/podman.sock")).collect()
}
