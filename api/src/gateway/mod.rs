//! `ocim gateway`: the agent beside the HAProxy of a host. It takes the routes from a server, gives them to HAProxy, and says
//! which it has. HAProxy is a process of its own, `ocim gateway proxy`: it serves visitors with the routes of its map file also
//! while agent, servers and database are away.

pub mod agent;
mod certificates;
mod identity;
mod take;
