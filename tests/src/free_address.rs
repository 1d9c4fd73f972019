//! Addresses for servers that stop and start.

use std::{
    mem,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::net::TcpSocket;

/// An address of this machine at which nobody listens, and which the system gives to nobody who
/// does not name it, until the process ends.
///
/// Whoever names it may listen there, as often as they start again (all servers here set
/// `SO_REUSEADDR`): of a port that is only looked up, a connection of another test may be the next
/// owner, be it for the moment in which a server is away.
pub fn free_address() -> SocketAddr {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a setting of every socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    let address = socket.local_addr().expect("a bound socket");
    // It is bound as long as it is open.
    mem::forget(socket);
    address
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, net::TcpListener};

    use super::*;

    #[test]
    fn only_who_names_it_listens_there_and_may_do_so_again() {
        let address = free_address();
        for _ in 0..2 {
            TcpListener::bind(address).unwrap();
        }
        // As the system does for a connection.
        let error = TcpSocket::new_v4().unwrap().bind(address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }
}
