//! Forwarding between the machines' bridges and the interfaces that lead out. The kernel decides by the interface that a
//! packet comes in by: for answers, that is the one which leads out.
//!
//! Where this host forwards already, nothing is changed. Otherwise forwarding is turned on for these interfaces alone, and
//! turned off again when the last site that needs it has no machine: a file, which a restart of the host removes, says
//! which sites those are. Meanwhile the rules of these sites drop all else that would be forwarded from there, so
//! that the host does not become a router for its neighbours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::command::run;
use super::error::LocalError;
use super::files::{read_json, write_json};
use super::site::{self, Site};

const STATE: &str = "/run/ocim-forwarding.json";
const PARAMETERS: &str = "/proc/sys/net/ipv4/conf";
/// All interfaces, present and future: what `net.ipv4.ip_forward` sets.
const ALL: &str = "all";

/// Interfaces on which forwarding was turned on, with the ids of the sites that need it.
type State = BTreeMap<String, BTreeSet<String>>;

#[derive(Debug, Deserialize)]
struct Route {
    dev: Option<String>,
}

/// The interfaces that lead to other networks: those of the default routes and of the routes to these places.
pub(super) async fn uplinks(places: impl Iterator<Item = Ipv4Addr>) -> BTreeSet<String> {
    let mut answers = vec![run("ip", &["-j", "-4", "route", "show", "default"]).await];
    for place in places.collect::<BTreeSet<_>>() {
        answers.push(run("ip", &["-j", "-4", "route", "get", &place.to_string()]).await);
    }
    // No route there: nothing to forward.
    let answers = answers.into_iter().filter_map(Result::ok);
    let routes = answers.flat_map(|text| serde_json::from_str::<Vec<Route>>(&text).unwrap_or_default());
    let interfaces = routes.filter_map(|route| route.dev);
    interfaces.filter(|name| name != "lo" && !site::is_interface(name)).collect()
}

/// Notes that this site needs forwarding on these interfaces, and on no others. Gives those on which it is on for machines
/// alone, or will be by [`turn_on`].
pub(super) async fn claim(site: &Site, uplinks: &BTreeSet<String>) -> Result<Vec<String>, LocalError> {
    let _host = site::host_lock().await?;
    let mut state = read(&site.id)?;
    if is_on(ALL) {
        // An administrator has made a router of this host: it stays one.
        state.clear();
    } else {
        for name in uplinks.iter().filter(|name| !is_on(name) || state.contains_key(*name)).cloned().collect::<Vec<_>>()
        {
            state.entry(name).or_default().insert(site.id.clone());
        }
    }
    settle(&mut state)?;
    Ok(state.into_keys().collect())
}

/// Turns forwarding on, once the rules are set. Says so in the log where it was off.
pub(super) fn turn_on(interfaces: &[String]) -> Result<(), LocalError> {
    for name in interfaces.iter().filter(|name| !is_on(name)) {
        set(name, "1").map_err(|error| cannot(name, &error))?;
        tracing::info!(
            interface = name,
            "turned on forwarding for the way out of local machines, and for nothing else"
        );
    }
    Ok(())
}

/// The interfaces on which forwarding is on for machines alone.
pub(super) fn turned_on() -> Vec<String> {
    let state: Option<State> = read_json(Path::new(STATE)).unwrap_or_default();
    state.unwrap_or_default().into_keys().collect()
}

/// Turns forwarding off where it was turned on and no other site needs it.
pub(super) async fn release(site: &Site) -> Result<(), LocalError> {
    if !Path::new(STATE).exists() {
        return Ok(());
    }
    let _host = site::host_lock().await?;
    settle(&mut read(&site.id)?)
}

/// Turns forwarding off where no site needs it any more, and writes the state.
fn settle(state: &mut State) -> Result<(), LocalError> {
    for name in state.iter().filter(|(_, sites)| sites.is_empty()).map(|(name, _)| name) {
        if is_on(name) && !is_on(ALL) {
            set(name, "0").map_err(LocalError::io(parameter(name)))?;
            tracing::info!(interface = name, "turned off forwarding: no local machine needs it");
        }
    }
    state.retain(|_, sites| !sites.is_empty());
    write(state)
}

/// Checks that forwarding can be turned on, without doing so.
pub(super) fn check() -> Result<(), LocalError> {
    let opened = OpenOptions::new().write(true).open(parameter(ALL));
    opened.map(drop).map_err(|error| cannot(ALL, &error))
}

fn cannot(interface: &str, error: &io::Error) -> LocalError {
    LocalError::NoWayOut(format!(
        "forwarding of packets cannot be turned on ({}: {error}). In a container, /proc/sys must be writable",
        parameter(interface).display()
    ))
}

/// The state without this site, and without those whose data directory is gone.
fn read(own_id: &str) -> Result<State, LocalError> {
    let mut state: State = read_json(Path::new(STATE))?.unwrap_or_default();
    let alive = site::ids();
    for sites in state.values_mut() {
        sites.retain(|id| id != own_id && alive.contains(id));
    }
    Ok(state)
}

fn write(state: &State) -> Result<(), LocalError> {
    let path = Path::new(STATE);
    if !state.is_empty() {
        return write_json(path, state);
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(LocalError::io(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn parameter(interface: &str) -> PathBuf {
    Path::new(PARAMETERS).join(interface).join("forwarding")
}

fn is_on(interface: &str) -> bool {
    fs::read_to_string(parameter(interface)).is_ok_and(|text| text.trim() == "1")
}

/// An interface that is gone has no parameter, and needs none.
fn set(interface: &str, value: &str) -> io::Result<()> {
    match fs::write(parameter(interface), value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
