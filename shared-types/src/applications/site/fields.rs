//! Every setting of a site, in the order of the form.

use super::Statuses;
use crate::settings::{Field, FieldKind, HOSTNAME_MAX, Records};

/// How long a check may wait for its answer unless it says otherwise, in seconds.
pub(super) const CHECK_TIMEOUT: u32 = 5;
/// The longest that a check may wait, in seconds: less than a request to the API may take.
const MAX_CHECK_TIMEOUT: i32 = 20;

pub(super) const FIELDS: &[Field] = &[
    Field::new(
        "hostnames",
        "Host names",
        "The main one first; a name without a dot is a label below the base domain",
        FieldKind::Hostnames { most: 20 },
        0,
    )
    .required(),
    Field::new("playbooks", "Playbooks", "What configures a machine, in the order of the runs", PLAYBOOKS, 0)
        .required(),
    Field::new("variables", "Variables", "YAML for all playbooks; may hold secrets", FieldKind::Yaml, 100_000).basic(),
    Field::new(
        "base_domain",
        "Base domain",
        "What host names without a dot end with; blank for the default",
        FieldKind::Hostname,
        190,
    ),
    Field::new("protocol", "Protocol", "What the public URLs begin with", FieldKind::Choice(&["http", "https"]), 5),
    Field::new(
        "resources",
        "Databases and buckets outside the machine",
        "They outlive app servers; the playbooks find them in ocim_resources",
        RESOURCES,
        0,
    ),
    Field::new("checks", "Checks", "What proves that an app server works; none: / of each host name", CHECKS, 0),
    Field::new("hooks", "Hooks", "Playbooks that run when traffic moves or a machine ends", HOOKS, 0),
    Field::new(
        "memory_mb",
        "Memory in MB",
        "What the machine must have; 0: any",
        FieldKind::Whole { least: 0, most: 1 << 20 },
        7,
    ),
    Field::new(
        "disk_gb",
        "Disk in GB",
        "What the machine must have; 0: any",
        FieldKind::Whole { least: 0, most: 1 << 16 },
        5,
    ),
];

const PLAYBOOKS: FieldKind = FieldKind::Records(&Records {
    item: "playbook",
    fields: &[
        Field::new("repository", "Repository", "URL or absolute path of a git repository", FieldKind::Repository, 500)
            .required(),
        Field::new("version", "Version", "Branch, tag or commit; blank for main", FieldKind::GitRef, 250),
        Field::new("path", "Playbook", "Blank for playbooks/site.yml", FieldKind::Path, 250),
        Field::new(
            "requirements",
            "Python requirements",
            "They must install ansible-playbook; blank for requirements.txt",
            FieldKind::Path,
            250,
        ),
    ],
    most: 8,
});

const RESOURCES: FieldKind = FieldKind::Records(&Records {
    item: "database or bucket",
    fields: &[
        Field::new("kind", "Kind", "Of the server", FieldKind::Choice(RESOURCE_KINDS), 10).required(),
        Field::new(
            "name",
            "Name",
            "How the playbooks call it; blank for main; a bucket named public is publicly readable",
            FieldKind::Line,
            32,
        ),
    ],
    most: 20,
});

/// The words of [`crate::ResourceKind`].
const RESOURCE_KINDS: &[&str] = &["mysql", "postgresql", "redis", "mongodb", "s3", "swift"];

const CHECKS: FieldKind = FieldKind::Records(&Records {
    item: "check",
    fields: &[
        Field::new(
            "host",
            "Host name",
            "One of the host names; blank for the main one",
            FieldKind::Hostname,
            HOSTNAME_MAX,
        ),
        Field::new("path", "Path", "With its query; blank for /", FieldKind::Line, 500),
        Field::new("statuses", "Statuses", "Right answers, like 200,302; blank for 200-399", FieldKind::Line, 80),
        Field::new("text", "Text", "What the body must contain; blank for anything", FieldKind::Line, 200),
        Field::new(
            "timeout_seconds",
            "Timeout in seconds",
            "Blank for 5",
            FieldKind::Whole { least: 1, most: MAX_CHECK_TIMEOUT },
            2,
        ),
    ],
    most: 40,
});

const HOOKS: FieldKind = FieldKind::Records(&Records {
    item: "hook",
    fields: &[
        Field::new(
            "moment",
            "Moment",
            "When it runs",
            FieldKind::Choice(&["before_traffic", "after_traffic", "before_end"]),
            14,
        )
        .required(),
        Field::new("playbook", "Playbook", "Its path in the repository of the first playbook", FieldKind::Path, 250)
            .required(),
    ],
    most: 24,
});

/// What a blank field of a record becomes, by the list's and the field's name; none: it stays blank.
pub fn record_default(list: &str, field: &str) -> serde_json::Value {
    match (list, field) {
        ("playbooks", "version") => "main".into(),
        ("playbooks", "path") => "playbooks/site.yml".into(),
        ("playbooks", "requirements") => "requirements.txt".into(),
        ("resources", "name") => "main".into(),
        ("checks", "path") => "/".into(),
        ("checks", "statuses") => Statuses::DEFAULT.into(),
        ("checks", "timeout_seconds") => CHECK_TIMEOUT.into(),
        _ => "".into(),
    }
}
