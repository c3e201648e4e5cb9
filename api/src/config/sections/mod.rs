//! The settings of the program, section by section, in the order of docs/settings.md.

mod backups;
mod builds;
mod certificates;
mod command_machines;
mod containers;
mod data;
mod dns;
mod fake_machines;
mod gateway;
mod github;
mod guard;
mod instances;
mod local_machines;
mod machines;
mod mail;
mod openstack;
mod sandbox;
mod server;
mod sign_in;
mod watch;

pub use backups::{BackupBucket, Backups};
pub use builds::{Builds, OnSigterm};
pub use certificates::{AcmeChallenge, Certificates, CertificatesFrom};
pub use command_machines::CommandMachines;
pub use containers::{Containers, ContainersReach};
pub use data::Data;
pub use dns::{DnsProvider, DnsSettings};
pub use fake_machines::FakeMachines;
pub use gateway::Gateway;
pub use github::GitHub;
pub use guard::Guard;
pub use instances::Instances;
pub use local_machines::{LocalMachines, LocalNetwork};
pub use machines::Machines;
pub use mail::Mail;
pub use openstack::{IpVersion, OpenStack, ServerAddress};
pub use sandbox::{Sandbox, SandboxMode};
pub use server::{LogFormat, Server};
pub use sign_in::SignIn;
pub use watch::{OnCommit, Watch};

use super::ConfigError;
use super::table::{Declared, Values};

/// Makes [`Settings`] from its sections.
macro_rules! sections {
    ($($name:ident: $section:ident,)+) => {
        /// All settings. A setting that is absent has its default.
        #[derive(Debug, Clone, Default)]
        pub struct Settings {
            $(pub $name: $section,)+
            /// All values, for the sections that other rooms declare.
            pub(super) values: Values,
        }

        impl Settings {
            /// The sections that are declared here.
            pub(super) const fn own() -> &'static [Declared] {
                const { &[$(Declared::of::<$section>()),+] }
            }

            pub(super) fn read(values: Values) -> Result<Self, ConfigError> {
                Ok(Self { $($name: values.read()?,)+ values })
            }
        }
    };
}

sections! {
    server: Server,
    data: Data,
    guard: Guard,
    sign_in: SignIn,
    gateway: Gateway,
    dns: DnsSettings,
    certificates: Certificates,
    machines: Machines,
    local: LocalMachines,
    containers: Containers,
    openstack: OpenStack,
    command: CommandMachines,
    fake: FakeMachines,
    builds: Builds,
    sandbox: Sandbox,
    instances: Instances,
    backups: Backups,
    github: GitHub,
    watch: Watch,
    mail: Mail,
}
