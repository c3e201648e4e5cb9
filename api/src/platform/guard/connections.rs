//! Limits the number of open connections of one network, so that none uses up the files that all need.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::platform::origin::network;

/// The connections that are open now, by network.
#[derive(Debug, Clone)]
pub struct Connections {
    most_each: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One open connection; closed when dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    network: IpAddr,
    connections: Connections,
}

impl Connections {
    /// The limit for each network; 0: any number.
    pub fn new(most_each: usize) -> Self {
        Self { most_each: if most_each == 0 { usize::MAX } else { most_each }, open: Arc::default() }
    }

    /// Counts a connection of this peer as open until the permit is dropped. None: its network has too many.
    pub fn open(&self, peer: IpAddr) -> Option<ConnectionPermit> {
        let network = network(peer);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let own = open.entry(network).or_default();
        if *own >= self.most_each {
            return None;
        }
        *own += 1;
        Some(ConnectionPermit { network, connections: self.clone() })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.network) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_closed_connection_makes_room_for_its_network() {
        let connections = Connections::new(2);
        let (one, other): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8:0:1::1".parse().unwrap());
        let first = connections.open(one).unwrap();
        let _second = connections.open("2001:db8::2".parse().unwrap()).unwrap();
        assert!(connections.open(one).is_none());
        assert!(connections.open(other).is_some());
        drop(first);
        assert!(connections.open(one).is_some());
        let any = Connections::new(0);
        let _many: Vec<_> = (0..10_000).map(|_| any.open(one).unwrap()).collect();
    }
}
