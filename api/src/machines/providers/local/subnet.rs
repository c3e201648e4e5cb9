//! IPv4 subnets: the addresses of machines, and whether two networks overlap. Pure.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An IPv4 network such as `10.213.0.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subnet {
    network: u32,
    prefix: u8,
}

/// The text is not a subnet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no IPv4 subnet; write it as 10.213.0.0/24, with every bit behind the prefix zero")]
pub struct NoSubnet(String);

impl Subnet {
    /// Networks of 5 to 65,533 machines.
    const USABLE_PREFIXES: std::ops::RangeInclusive<u8> = 16..=29;

    /// The networks to choose from if none is configured: 10.213.0.0/24, 10.213.1.0/24, ….
    pub(super) fn pool() -> impl Iterator<Item = Self> {
        (0..=255_u8).map(|third| Self { network: u32::from(Ipv4Addr::new(10, 213, third, 0)), prefix: 24 })
    }

    /// Whether machines may use it: private, and neither too small nor too large.
    pub(super) fn is_usable(self) -> bool {
        Ipv4Addr::from(self.network).is_private() && Self::USABLE_PREFIXES.contains(&self.prefix)
    }

    /// Length of the prefix in bits.
    pub(super) fn prefix(self) -> u8 {
        self.prefix
    }

    /// The host's own address on the machines' bridge: the first one.
    pub(super) fn host_address(self) -> Ipv4Addr {
        Ipv4Addr::from(self.network.saturating_add(1))
    }

    /// The address with this number in the subnet; none for the network's, the host's and the broadcast address.
    pub(super) fn address(self, number: u32) -> Option<Ipv4Addr> {
        let is_machines = number >= Self::FIRST && number <= self.last();
        is_machines.then(|| Ipv4Addr::from(self.network | number))
    }

    /// The number of an address in the subnet; none for addresses that machines do not get.
    pub(super) fn number(self, address: Ipv4Addr) -> Option<u32> {
        let number = u32::from(address) & !self.mask();
        (self.address(number) == Some(address)).then_some(number)
    }

    /// The machines' numbers, beginning behind `after` and wrapping around once.
    pub(super) fn numbers_after(self, after: u32) -> impl Iterator<Item = u32> {
        let after = after.clamp(Self::FIRST - 1, self.last());
        (after + 1..=self.last()).chain(Self::FIRST..=after)
    }

    /// Whether the networks have a common address.
    pub(super) fn overlaps(self, other: Self) -> bool {
        let mask = self.mask() & other.mask();
        self.network & mask == other.network & mask
    }

    const FIRST: u32 = 2;

    fn last(self) -> u32 {
        (!self.mask()).saturating_sub(1)
    }

    fn mask(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0)
    }
}

impl FromStr for Subnet {
    type Err = NoSubnet;

    /// `a.b.c.d/n`; an address without prefix is a network of one.
    fn from_str(text: &str) -> Result<Self, NoSubnet> {
        let refused = || NoSubnet(text.chars().take(64).collect());
        let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
        let address: Ipv4Addr = address.parse().map_err(|_| refused())?;
        let prefix: u8 = prefix.parse().map_err(|_| refused())?;
        let subnet = Self { network: u32::from(address), prefix };
        if prefix > 32 || subnet.network & !subnet.mask() != 0 {
            return Err(refused());
        }
        Ok(subnet)
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.network), self.prefix)
    }
}

impl Serialize for Subnet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subnet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().unwrap()
    }

    #[test]
    fn machines_get_every_address_but_three() {
        let tiny = subnet("10.1.2.8/29");
        assert_eq!(tiny.host_address(), Ipv4Addr::new(10, 1, 2, 9));
        let all: Vec<_> = tiny.numbers_after(0).filter_map(|number| tiny.address(number)).collect();
        assert_eq!(all, (10..=14).map(|last| Ipv4Addr::new(10, 1, 2, last)).collect::<Vec<_>>());
        assert_eq!(tiny.numbers_after(4).collect::<Vec<_>>(), [5, 6, 2, 3, 4]);
        assert_eq!(tiny.number(Ipv4Addr::new(10, 1, 2, 12)), Some(4));
        assert_eq!(tiny.number(Ipv4Addr::new(10, 1, 2, 9)), None);
        assert_eq!(tiny.number(Ipv4Addr::new(10, 9, 9, 12)), None);
    }

    #[test]
    fn networks_meet_when_one_holds_the_other() {
        assert!(subnet("10.213.4.0/24").overlaps(subnet("10.0.0.0/8")));
        assert!(subnet("10.213.4.7").overlaps(subnet("10.213.4.0/24")));
        assert!(!subnet("10.213.4.0/24").overlaps(subnet("10.213.5.0/24")));
        assert!(subnet("0.0.0.0/0").overlaps(subnet("10.213.5.0/24")));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.1/24", "10.0.0.0/33", "10.0.0/24", "10.0.0.0/-1", "fd00::/64"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
        assert!(!subnet("8.8.8.0/24").is_usable());
        assert!(!subnet("10.0.0.0/8").is_usable());
        assert!(!subnet("10.0.0.0/30").is_usable());
        assert!(Subnet::pool().all(Subnet::is_usable));
        assert!(!Subnet::pool().any(|subnet| subnet.overlaps(self::subnet("10.77.0.0/20"))));
    }
}
