//! The way out of local machines, as the settings say.

use std::net::Ipv4Addr;

use ipnet::IpNet;

use super::{StartError, sandbox};
use crate::config::sections::LocalMachines;
use crate::config::{LocalNetwork, Settings};
use crate::machines::providers::local::Outbound;

/// What local machines may reach beyond this host; none: nothing. Of the sandbox's networks, those of IPv4.
///
/// # Errors
/// A message that names the setting, and says what is wrong.
pub(super) fn outbound(settings: &Settings, own: &LocalMachines) -> Result<Option<Outbound>, StartError> {
    let addresses = own.ocim_local_resolvers.iter().filter(|text| !text.is_empty()).map(|text| resolver(text));
    let resolvers = addresses.collect::<Result<_, _>>()?;
    let networks = sandbox::networks(settings)?.into_iter().filter_map(|network| match network {
        IpNet::V4(network) => Some(network),
        IpNet::V6(_) => None,
    });
    let outbound = Outbound { networks: networks.collect(), resolvers };
    Ok((own.ocim_local_network == LocalNetwork::Outbound).then_some(outbound))
}

fn resolver(text: &str) -> Result<Ipv4Addr, StartError> {
    text.trim().parse().map_err(|_| format!("OCIM_LOCAL_RESOLVERS: `{text}` is no IPv4 address such as 9.9.9.9").into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Outbound>, StartError> {
        let settings = Settings::of(variables.iter().copied(), &[]).unwrap();
        outbound(&settings, &settings.local)
    }

    #[test]
    fn a_way_out_is_opened_only_by_its_own_setting() {
        let networks = ("OCIM_SANDBOX_NETWORKS", "10.8.0.0/24,fd00:8::/64");
        assert_eq!(read(&[networks, ("OCIM_LOCAL_RESOLVERS", "9.9.9.9")]).unwrap(), None);
        let open = ("OCIM_LOCAL_NETWORK", "outbound");
        let found = read(&[networks, open, ("OCIM_LOCAL_RESOLVERS", "9.9.9.9, 10.8.0.53")]).unwrap().unwrap();
        assert_eq!(found.networks, ["10.8.0.0/24".parse().unwrap()]);
        assert_eq!(found.resolvers, [Ipv4Addr::new(9, 9, 9, 9), Ipv4Addr::new(10, 8, 0, 53)]);
        for wrong in ["dns.example", "fd00::53", "10.8.0.0/24"] {
            let words = read(&[("OCIM_LOCAL_RESOLVERS", wrong)]).unwrap_err().to_string();
            assert!(words.contains("OCIM_LOCAL_RESOLVERS") && words.contains(wrong), "{words}");
        }
    }
}
