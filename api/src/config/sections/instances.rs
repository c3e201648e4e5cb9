use crate::config::table::settings;

settings! {
    /// Instances of every type. Defaults of instances, here and below, are written into an instance when
    /// it is created: a later change of a default changes no instance.
    pub struct Instances = "Instances";

    /// The base domain of instances that set none.
    instances_base_domain: String = "localhost".into();
    /// The repositories that playbooks may come from, separated by commas: `https://host/owner/*`, `https://*` (any
    /// https server, but not this host or its link), `ssh://user@host/path/*`, one repository, or an absolute directory
    /// with everything below it. The repositories that this program writes are always allowed. An instance of another
    /// source keeps its app servers, and cannot launch others. See
    /// [configuration-repositories.md](configuration-repositories.md#where-playbooks-may-come-from).
    ocim_configuration_sources: Vec<String> = Vec::new(), unset("`https://*`");
    /// Seconds between two checks of each active app server; each is made up to a tenth earlier or later, so that they
    /// spread. A site whose check fails is checked again 5 s later, and is failing if it fails again. A site that was
    /// not checked for three intervals is shown as unknown.
    ocim_check_interval: u64 = 30, seconds(5..=3600);
    /// Seconds to wait until requests in progress at a replaced app server have ended. No request is cut off; after
    /// that time the app server counts as idle. An activation may set its own limit.
    ocim_drain_limit: u32 = 30, seconds(0..=3600);
}
