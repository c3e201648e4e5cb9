//! How much of the time from a launch to the first login is the cloud's, and how much is ocim's.

use std::time::Duration;

use chrono::{DateTime, Utc};
use ocim::machines::probe::{Probe, SshProbe};
use serde_json::Value;

use super::user::User;

/// Between two looks at the only server of the project.
const LOOK: Duration = Duration::from_millis(100);
/// The most that ocim may add to the time of the cloud and of the machine.
const OURS: f64 = 1.0;

/// When the cloud and the machine of a launch were ready, as another user of the cloud saw it.
pub(super) struct CloudTimes {
    /// Nova lists the server.
    listed: DateTime<Utc>,
    active: DateTime<Utc>,
    /// sshd sends its greeting.
    answers: DateTime<Utc>,
}

impl CloudTimes {
    /// Watches the project, which has no server yet, until the sshd of its first one answers.
    pub(super) async fn watch(user: &User) -> Self {
        let (mut listed, mut active, mut answers) = (None, None, None);
        loop {
            let server = user.servers().await.into_iter().next();
            if let Some(server) = &server {
                listed = listed.or_else(|| Some(Utc::now()));
                if active.is_none() && server["status"] == "ACTIVE" {
                    active = Some(Utc::now());
                }
            }
            let address = server.as_ref().and_then(|server| server["addresses"]["private"][0]["addr"].as_str());
            if answers.is_none()
                && let Some(address) = address
                && SshProbe.answers_ssh(format!("{address}:22").parse().unwrap()).await
            {
                answers = Some(Utc::now());
            }
            if let (Some(listed), Some(active), Some(answers)) = (listed, active, answers) {
                return Self { listed, active, answers };
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Prints the parts of a launch with these lines of its log, and compares ocim's part with its limit.
    pub(super) fn compare(&self, posted: DateTime<Utc>, lines: &[Value]) {
        let at = |part: &str| {
            let line = lines.iter().find(|line| line["text"].as_str().unwrap().contains(part));
            let line = line.unwrap_or_else(|| panic!("no line has {part}"));
            line["created"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap()
        };
        let seconds = |from: DateTime<Utc>, to: DateTime<Utc>| (to - from).as_seconds_f64();
        let (building, booting, logged_in) = (at("VM building"), at("VM booting"), at(" has the host key "));
        let Self { listed, active, answers } = *self;
        let ready = active.max(answers);
        let ours = seconds(ready, logged_in);
        println!("  POST to the request for a machine (pin and checkout): {:.2} s", seconds(posted, building));
        println!("  the request until Nova lists the server: {:.2} s", seconds(building, listed));
        println!(
            "  listed to ACTIVE: {:.2} s, which ocim noticed {:.2} s later",
            seconds(listed, active),
            seconds(active, booting)
        );
        println!("  ACTIVE until sshd answers: {:.2} s", seconds(active, answers));
        println!("  ACTIVE and sshd's answer until ocim has logged in: {ours:.2} s; limit {OURS} s");
        assert!(ours <= OURS, "ocim adds {ours:.2} s to the time of the cloud");
    }
}
