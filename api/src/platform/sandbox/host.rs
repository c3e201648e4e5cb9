//! This host's routes, as the kernel lists them.

use std::fs;

/// A network interface to name where no route leads out: the first one that has a route. None: pasta finds its own.
pub(super) fn only_interface() -> Option<String> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    interface(&read("/proc/net/route"), &read("/proc/net/ipv6_route"))
}

fn interface(four: &str, six: &str) -> Option<String> {
    let routes: Vec<_> = four
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split_whitespace();
            Some((fields.next()?, fields.next()?))
        })
        .collect();
    let zeros = "0".repeat(32);
    let leads_out = |line: &str| line.starts_with(&zeros) && line.split_whitespace().next_back() != Some("lo");
    if routes.iter().any(|(_, to)| *to == "00000000") || six.lines().any(leads_out) {
        return None;
    }
    routes.iter().map(|(name, _)| *name).find(|name| *name != "lo").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_named_only_where_no_route_leads_out() {
        let head = "Iface\tDestination\tGateway\n";
        let bridge = format!("{head}br0\t0007D50A\t00000000\n");
        assert_eq!(interface(&bridge, ""), Some("br0".to_owned()));
        assert_eq!(interface(&format!("{bridge}eth0\t00000000\t010200C0\n"), ""), None);
        let six = format!("{} 00 {} 00 {} 00000400 0 0 0 eth0\n", "0".repeat(32), "0".repeat(32), "0".repeat(32));
        assert_eq!(interface(&bridge, &six), None);
        assert_eq!(interface(head, ""), None);
    }
}
