//! What a group may use, and how each version of control groups is told.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use super::Controller;
use super::place::Place;

/// The period in which a share of the CPUs is counted, in microseconds.
const PERIOD_US: u32 = 100_000;

/// Limits of a group. None: not limited.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    /// Memory, with the page cache of the files that the group reads and writes; no swap beyond it.
    pub memory_bytes: Option<u64>,
    /// CPUs, such as 1.5.
    pub cpus: Option<f64>,
    /// Processes and threads.
    pub processes: Option<u32>,
    /// Share of the disks' time if several groups want it: 1 to 1000; groups without one have 100.
    pub io_weight: Option<u16>,
}

/// A limit that cannot be set on this host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// What is not limited: `memory`, `processes`, `cpu` or `io`.
    pub what: &'static str,
    /// Why, and what to do.
    pub reason: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is not limited: {}", self.what, self.reason)
    }
}

pub(super) fn lost(place: &Place, limits: &Limits) -> Vec<Lost> {
    let wanted = [
        ("memory", limits.memory_bytes.is_some(), Controller::Memory, "memory"),
        ("processes", limits.processes.is_some(), Controller::Processes, "pids"),
        ("cpu", limits.cpus.is_some(), Controller::Cpu, "cpu"),
        ("io", limits.io_weight.is_some(), Controller::Io, "io"),
    ];
    wanted
        .into_iter()
        .filter(|(_, is_wanted, ..)| *is_wanted)
        .filter_map(|(what, _, controller, name)| {
            let reason = match place {
                Place::Unified { controllers, .. } if controllers.iter().any(|known| known == name) => return None,
                Place::Unified { .. } => format!("the controller {name} is not passed on to this process' group"),
                Place::Separate(roots) => match roots.iter().find(|(known, _)| *known == controller) {
                    Some((_, root)) if can_weigh(controller, root) => return None,
                    Some(_) => "this kernel's disk scheduler knows no weights: use bfq".to_owned(),
                    None => format!("the controller {name} is not mounted: mount it at /sys/fs/cgroup/{name}"),
                },
                Place::Nowhere(reason) => reason.clone(),
            };
            Some(Lost { what, reason })
        })
        .collect()
}

/// The root of v1 has the file itself, on kernels that have it at all.
fn can_weigh(controller: Controller, root: &Path) -> bool {
    controller != Controller::Io || WEIGHTS.iter().any(|file| root.join(file).exists())
}

const WEIGHTS: &[&str] = &["blkio.bfq.weight", "blkio.weight"];

/// Sets the limits that the directory's controllers have.
pub(super) fn set(controller: Controller, dir: &Path, limits: &Limits) -> io::Result<()> {
    match controller {
        Controller::Unified => set_unified(dir, limits),
        Controller::Memory => {
            let Some(bytes) = limits.memory_bytes else { return Ok(()) };
            // The limit with swap may not be below the one without: raise it first, where it is accounted at all.
            put_if_there(dir, "memory.memsw.limit_in_bytes", "-1")?;
            put(dir, "memory.limit_in_bytes", &bytes.to_string())?;
            put_if_there(dir, "memory.memsw.limit_in_bytes", &bytes.to_string())
        }
        Controller::Processes => match limits.processes {
            Some(processes) => put(dir, "pids.max", &processes.to_string()),
            None => Ok(()),
        },
        Controller::Cpu => {
            let Some(cpus) = limits.cpus else { return Ok(()) };
            put(dir, "cpu.cfs_period_us", &PERIOD_US.to_string())?;
            put(dir, "cpu.cfs_quota_us", &quota(cpus))
        }
        Controller::Io => {
            let Some(weight) = limits.io_weight else { return Ok(()) };
            WEIGHTS.iter().try_for_each(|file| put_if_there(dir, file, &weight.clamp(10, 1000).to_string()))
        }
    }
}

/// A controller that is not passed on has no files; [`lost`] says so.
fn set_unified(dir: &Path, limits: &Limits) -> io::Result<()> {
    if let Some(bytes) = limits.memory_bytes {
        put_if_there(dir, "memory.max", &bytes.to_string())?;
        put_if_there(dir, "memory.swap.max", "0")?;
    }
    if let Some(processes) = limits.processes {
        put_if_there(dir, "pids.max", &processes.to_string())?;
    }
    if let Some(cpus) = limits.cpus {
        put_if_there(dir, "cpu.max", &format!("{} {PERIOD_US}", quota(cpus)))?;
    }
    if let Some(weight) = limits.io_weight {
        put_if_there(dir, "io.weight", &format!("default {}", weight.clamp(1, 1000)))?;
    }
    Ok(())
}

/// Microseconds of CPU in a period; the kernel accepts no less than a millisecond.
fn quota(cpus: f64) -> String {
    format!("{:.0}", (cpus * f64::from(PERIOD_US)).max(1000.0))
}

fn put(dir: &Path, file: &str, value: &str) -> io::Result<()> {
    let path = dir.join(file);
    fs::write(&path, value)
        .map_err(|error| io::Error::new(error.kind(), format!("{} = {value}: {error}", path.display())))
}

fn put_if_there(dir: &Path, file: &str, value: &str) -> io::Result<()> {
    if dir.join(file).exists() { put(dir, file, value) } else { Ok(()) }
}
