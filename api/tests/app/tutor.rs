//! The application type Tutor, with defaults that point to no real server.

use ocim::applications::tutor::{Defaults, Tutor};

pub fn tutor() -> Tutor {
    let defaults = Defaults {
        base_domain: "localhost".into(),
        email: "contact@example.com".into(),
        protocol: "http".into(),
        release: "verawood".into(),
        playbooks_repository_url: "https://git.example/tutor.git".into(),
        playbooks_version: "master".into(),
        wheels: String::new(),
    };
    Tutor { defaults }
}
