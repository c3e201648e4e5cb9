//! Metrics that this process counts.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::proto::MetricFamily;
use prometheus::{Error, Histogram, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

/// Histogram buckets for response times, in seconds.
const ANSWERS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Histogram buckets for the time until a playbook's line is stored, in seconds.
const LAGS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0];

/// One per process, so that counting code needs no reference to it.
static PROCESS: LazyLock<Result<Process, Error>> = LazyLock::new(Process::new);

#[derive(Debug)]
struct Process {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    log_lag: Histogram,
}

impl Process {
    fn new() -> Result<Self, Error> {
        let requests = IntCounterVec::new(
            Opts::new("ocim_http_requests_total", "Requests that were answered."),
            &["route", "method", "status"],
        )?;
        let durations = HistogramVec::new(
            HistogramOpts::new("ocim_http_request_duration_seconds", "How long until the answer began.")
                .buckets(ANSWERS.to_vec()),
            &["route", "method"],
        )?;
        let log_lag = Histogram::with_opts(
            HistogramOpts::new(
                "ocim_log_lag_seconds",
                "How long after it was printed a playbook's line was in the database.",
            )
            .buckets(LAGS.to_vec()),
        )?;
        let registry = Registry::new();
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(durations.clone()))?;
        registry.register(Box::new(log_lag.clone()))?;
        Ok(Self { registry, requests, durations, log_lag })
    }
}

/// Counts a response. `route` and `method` must come from closed lists: each pair takes memory until the process ends.
pub fn request_answered(route: &str, method: &str, status: u16, took: Duration) {
    if let Ok(process) = &*PROCESS {
        process.requests.with_label_values(&[route, method, &status.to_string()]).inc();
        process.durations.with_label_values(&[route, method]).observe(took.as_secs_f64());
    }
}

/// Observes the delay between the times when a playbook printed lines and now, when they are stored.
pub fn lines_stored(printed: impl IntoIterator<Item = DateTime<Utc>>) {
    let now = Utc::now();
    if let Ok(process) = &*PROCESS {
        for at in printed {
            // A machine's clock may be ahead of this one's; then the delay counts as 0.
            process.log_lag.observe((now - at).to_std().unwrap_or_default().as_secs_f64());
        }
    }
}

/// All metrics of this process.
pub(super) fn gather() -> Result<Vec<MetricFamily>, Error> {
    match &*PROCESS {
        Ok(process) => Ok(process.registry.gather()),
        Err(error) => Err(Error::Msg(error.to_string())),
    }
}
