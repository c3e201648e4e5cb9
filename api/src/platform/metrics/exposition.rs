//! The metrics in Prometheus's text format.

use prometheus::{Error, Gauge, GaugeVec, Opts, Registry, TextEncoder};
use shared_types::{AppServerStatus, CertificateState, HealthState};

use super::process;
use super::store::Figures;
use crate::platform::db::PoolState;

/// Values of this process at the time of the request.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The state of the connection pool.
    pub pool: PoolState,
    /// The number of open streams.
    pub streams: usize,
}

/// All metrics as text. Without those of the database if `figures` is none.
///
/// # Errors
/// [`Error`] if a metric's name is invalid or used twice.
pub fn text(now: Now, figures: Option<&Figures>) -> Result<String, Error> {
    let looked_at = Looked(Registry::new());
    looked_at.process(now)?;
    looked_at.one("ocim_up_database", "1 where the database answers, 0 where not.", u8::from(figures.is_some()))?;
    if let Some(figures) = figures {
        looked_at.database(figures)?;
    }
    let mut families = process::gather()?;
    families.extend(looked_at.0.gather());
    TextEncoder::new().encode_to_string(&families)
}

/// A registry of gauges that is filled for one request.
struct Looked(Registry);

impl Looked {
    fn process(&self, now: Now) -> Result<(), Error> {
        let Now { pool: PoolState { size, free, waiting }, streams } = now;
        self.some(
            "ocim_info",
            "1; the label says which version this is.",
            "version",
            &[(env!("CARGO_PKG_VERSION"), 1.0)],
        )?;
        self.one("ocim_streams_open", "Streams that are open.", count(streams))?;
        self.one("ocim_database_pool_size", "Connections of this process to the database.", count(size))?;
        self.one("ocim_database_pool_free", "Open connections that are not in use.", count(free))?;
        self.one("ocim_database_pool_waiting", "Tasks of this process that wait for a connection.", count(waiting))
    }

    fn database(&self, figures: &Figures) -> Result<(), Error> {
        let of = |status: &AppServerStatus| figures.builds.get(status.as_str()).and_then(|n| n.as_f64());
        let builds: Vec<_> =
            AppServerStatus::ALL.iter().map(|status| (status.as_str(), of(status).unwrap_or(0.0))).collect();
        self.some("ocim_builds", "App servers of each status.", "status", &builds)?;
        let instances = [("in_use", whole(figures.instances_in_use)), ("archived", whole(figures.instances_archived))];
        self.some("ocim_instances", "Instances, in use or archived.", "state", &instances)?;
        let of = |state: &HealthState| figures.health.get(state.as_str()).and_then(|n| n.as_f64());
        let health: Vec<_> = HealthState::ALL.iter().map(|state| (state.as_str(), of(state).unwrap_or(0.0))).collect();
        self.some(
            "ocim_instances_health",
            "Instances of each health, of those with an active app server.",
            "state",
            &health,
        )?;
        let gateways = figures.gateways.as_object().into_iter().flatten();
        let gateways: Vec<_> = gateways.map(|(name, is_up)| (name.as_str(), f64::from(*is_up == true))).collect();
        if !gateways.is_empty() {
            let help = "1 if the agent of a gateway asks and its HAProxy has all routes, else 0.";
            self.some("ocim_gateway_up", help, "gateway", &gateways)?;
        }
        self.certificates(figures)?;
        let counts = [
            ("ocim_queue_depth", "Builds that no worker has begun.", figures.queue_depth),
            ("ocim_leases_held", "Builds that a worker is at.", figures.leases_held),
            ("ocim_leases_expired", "Builds whose worker has not renewed its lease in time.", figures.leases_expired),
            ("ocim_servers", "Servers that live, of all hosts.", figures.servers),
            ("ocim_workers", "Workers that live, of all processes.", figures.workers),
            ("ocim_worker_slots", "Builds that may be under way at once.", figures.slots),
            ("ocim_worker_slots_in_use", "Builds that are under way.", figures.slots_in_use),
            ("ocim_routing_behind", "Instances whose traffic is not yet as decided.", figures.routing_behind),
            ("ocim_jobs_waiting", "Jobs to be done.", figures.jobs_waiting),
            ("ocim_jobs_failed", "Jobs that were given up.", figures.jobs_failed),
            ("ocim_outbox_waiting", "Messages that are to be sent.", figures.outbox_waiting),
            ("ocim_outbox_given_up", "Messages that were given up in the last 30 days.", figures.outbox_given_up),
        ];
        for (name, help, n) in counts {
            self.one(name, help, whole(n))?;
        }
        let ages = [
            ("ocim_queue_oldest_seconds", "Age of the oldest build that no worker has begun.", figures.queue_oldest),
            ("ocim_leases_expired_oldest_seconds", "Since the first lease ran out.", figures.leases_expired_oldest),
            (
                "ocim_checks_stale_seconds",
                "Since no site has been checked in time; 0 while checks are made.",
                figures.checks_stale,
            ),
            ("ocim_outbox_oldest_seconds", "Age of the oldest message that is to be sent.", figures.outbox_oldest),
            ("ocim_routing_behind_oldest_seconds", "Age of the oldest switch to do.", figures.routing_behind_oldest),
        ];
        ages.into_iter().try_for_each(|(name, help, seconds)| self.one(name, help, seconds))
    }

    fn certificates(&self, figures: &Figures) -> Result<(), Error> {
        let each = |of: &serde_json::Value, none: f64| {
            let value = |state: &CertificateState| of.get(state.as_str()).and_then(|n| n.as_f64()).unwrap_or(none);
            CertificateState::ALL.iter().map(|state| (state.as_str(), value(state))).collect::<Vec<_>>()
        };
        let (counts, expire) = (each(&figures.certificates, 0.0), each(&figures.certificates_expire, f64::INFINITY));
        self.some("ocim_certificates", "Certificates in each state.", "state", &counts)?;
        let help = "Until the first certificate in a state expires; +Inf: none in that state was issued.";
        self.some("ocim_certificates_expire_seconds", help, "state", &expire)
    }

    fn one(&self, name: &str, help: &str, value: impl Into<f64>) -> Result<(), Error> {
        let gauge = Gauge::new(name, help)?;
        gauge.set(value.into());
        self.0.register(Box::new(gauge))
    }

    fn some(&self, name: &str, help: &str, label: &str, values: &[(&str, f64)]) -> Result<(), Error> {
        let gauges = GaugeVec::new(Opts::new(name, help), &[label])?;
        for (word, value) in values {
            gauges.with_label_values(&[word]).set(*value);
        }
        self.0.register(Box::new(gauges))
    }
}

fn count(n: usize) -> f64 {
    u32::try_from(n).unwrap_or(u32::MAX).into()
}

fn whole(n: i64) -> f64 {
    u32::try_from(n.max(0)).unwrap_or(u32::MAX).into()
}
