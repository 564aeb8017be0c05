//! TCP and UDP, both ends.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use netwright_linux::kernel::Error;
use netwright_linux::probe::{Listener, Transport, tcp, udp};

use crate::lab::{Lab, ip, run};
use crate::{Test, tests};

pub(crate) fn all() -> Vec<Test> {
    let mut all = tests![Root:
        connect::tcp_is_echoed_in_both_families,
        connect::a_mebibyte_goes_there_and_back,
        connect::a_refused_connection_is_told_with_its_errno,
        connect::a_silent_destination_is_late,
        connect::a_peer_that_says_nothing_is_no_error,
        connect::what_is_discarded_does_not_come_back,
        connect::datagrams_are_echoed_in_both_families,
        connect::an_echo_comes_from_the_address_that_was_asked,
        connect::a_datagram_to_nobody_is_refused,
        connect::a_discarded_datagram_is_late,
        connect::a_listener_counts,
        connect::a_closed_listener_refuses_and_frees_its_port,
        connect::a_dropped_listener_closes_its_connections,
        connect::a_taken_port_is_told,
        connect::what_is_too_much_is_refused_before_it_is_sent,
    ];
    all.extend(tests![Nobody: connect::an_ordinary_user_serves_in_a_lab]);
    all
}

const SOON: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(200);

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

fn listen(namespace: &OwnedFd, transport: Transport, echo: bool) -> Listener {
    Listener::open(namespace, transport, 0, echo).unwrap()
}

pub(crate) fn tcp_is_echoed_in_both_families(lab: Lab) {
    let (a, b) = lab.settled_pair();
    run(async {
        let listener = listen(&b, Transport::Tcp, true);
        assert_ne!(listener.port(), 0);
        for address in ["10.0.0.2", "fd00::2"] {
            let destination = at(address, listener.port());
            let connection = tcp(&a, destination, b"hello", 5, SOON).await.unwrap();
            assert_eq!(connection.received, b"hello");
            assert_ne!(connection.local_port, 0);
            assert!(connection.elapsed > Duration::ZERO && connection.elapsed < SOON);
        }
    });
}

pub(crate) fn an_ordinary_user_serves_in_a_lab(lab: Lab) {
    tcp_is_echoed_in_both_families(lab);
}

pub(crate) fn a_mebibyte_goes_there_and_back(lab: Lab) {
    let (a, b) = lab.pair();
    run(async {
        let listener = listen(&b, Transport::Tcp, true);
        let sent: Vec<u8> = (0..1_u32 << 20).map(|n| (n / 251) as u8).collect();
        let destination = at("10.0.0.2", listener.port());
        let connection = tcp(&a, destination, &sent, sent.len(), SOON).await.unwrap();
        assert!(connection.received == sent, "{} bytes came", connection.received.len());
    });
}

pub(crate) fn a_refused_connection_is_told_with_its_errno(lab: Lab) {
    let (a, _b) = lab.pair();
    let refused = run(tcp(&a, at("10.0.0.2", 81), b"", 1, SOON)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "kernel refused `connect to 10.0.0.2:81 by TCP`: ECONNREFUSED (Connection refused)"
    );
    let nowhere = run(tcp(&a, at("192.0.2.1", 81), b"", 1, SOON)).unwrap_err();
    assert_eq!(
        nowhere.to_string(),
        "kernel refused `connect to 192.0.2.1:81 by TCP`: ENETUNREACH (Network is unreachable)"
    );
}

pub(crate) fn a_silent_destination_is_late(lab: Lab) {
    let (a, _b) = lab.pair();
    ip("-n a neighbour add 10.0.0.9 lladdr 02:00:00:00:00:99 dev eth0");
    let started = Instant::now();
    let late = run(tcp(&a, at("10.0.0.9", 80), b"", 1, MOMENT)).unwrap_err();
    assert_eq!(late, Error::Timeout(200));
    assert!((200..2000).contains(&started.elapsed().as_millis()));
}

pub(crate) fn a_peer_that_says_nothing_is_no_error(lab: Lab) {
    let (a, b) = lab.pair();
    run(async {
        let listener = listen(&b, Transport::Tcp, true);
        let destination = at("10.0.0.2", listener.port());
        let connection = tcp(&a, destination, b"hello", 100, MOMENT).await.unwrap();
        assert_eq!(connection.received, b"hello");
        // Nothing asked for: done as soon as it is sent.
        let started = Instant::now();
        assert_eq!(tcp(&a, destination, b"hello", 0, SOON).await.unwrap().received, b"");
        assert!(started.elapsed() < SOON);
    });
}

pub(crate) fn what_is_discarded_does_not_come_back(lab: Lab) {
    let (a, b) = lab.pair();
    run(async {
        let listener = listen(&b, Transport::Tcp, false);
        let destination = at("10.0.0.2", listener.port());
        let connection = tcp(&a, destination, b"hello", 100, MOMENT).await.unwrap();
        assert_eq!(connection.received, b"");
    });
}

pub(crate) fn datagrams_are_echoed_in_both_families(lab: Lab) {
    let (a, b) = lab.settled_pair();
    run(async {
        let listener = listen(&b, Transport::Udp, true);
        for address in ["10.0.0.2", "fd00::2"] {
            let sent = vec![7; 3000];
            let received = udp(&a, at(address, listener.port()), &sent, SOON).await.unwrap();
            assert_eq!(received, sent);
        }
        // Everybody on the network.
        let received = udp(&a, at("255.255.255.255", listener.port()), b"all", MOMENT).await;
        ip("-n a route add 255.255.255.255 dev eth0");
        assert!(received.is_err(), "no route to it yet: {received:?}");
        let received = udp(&a, at("255.255.255.255", listener.port()), b"all", SOON).await;
        assert_eq!(received, Ok(b"all".to_vec()));
    });
}

pub(crate) fn an_echo_comes_from_the_address_that_was_asked(lab: Lab) {
    let (a, b) = lab.settled_pair();
    ip("-n b address add 10.0.0.3/24 dev eth0");
    ip("-n b address add fd00::3/64 dev eth0 nodad");
    run(async {
        let listener = listen(&b, Transport::Udp, true);
        for address in ["10.0.0.3", "fd00::3", "10.0.0.2", "fd00::2"] {
            let received = udp(&a, at(address, listener.port()), b"you", SOON).await;
            assert_eq!(received, Ok(b"you".to_vec()), "{address}");
        }
    });
}

pub(crate) fn a_datagram_to_nobody_is_refused(lab: Lab) {
    let (a, _b) = lab.pair();
    let refused = run(udp(&a, at("10.0.0.2", 9), b"hello", SOON)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "kernel refused `send to 10.0.0.2:9 by UDP`: ECONNREFUSED (Connection refused)"
    );
}

pub(crate) fn a_discarded_datagram_is_late(lab: Lab) {
    let (a, b) = lab.pair();
    run(async {
        let listener = listen(&b, Transport::Udp, false);
        let late = udp(&a, at("10.0.0.2", listener.port()), b"hello", MOMENT).await;
        assert_eq!(late, Err(Error::Timeout(200)));
        assert_eq!(listener.accepted(), 1);
    });
}

pub(crate) fn a_listener_counts(lab: Lab) {
    let (a, b) = lab.pair();
    run(async {
        for transport in [Transport::Tcp, Transport::Udp] {
            let listener = listen(&b, transport, true);
            let destination = at("10.0.0.2", listener.port());
            assert_eq!(listener.accepted(), 0);
            for _ in 0..70 {
                match transport {
                    Transport::Tcp => drop(tcp(&a, destination, b"x", 1, SOON).await.unwrap()),
                    Transport::Udp => drop(udp(&a, destination, b"x", SOON).await.unwrap()),
                }
            }
            assert_eq!(listener.accepted(), 70, "{transport:?}");
        }
    });
}

pub(crate) fn a_closed_listener_refuses_and_frees_its_port(lab: Lab) {
    let (a, b) = lab.pair();
    run(async {
        for transport in [Transport::Tcp, Transport::Udp] {
            let listener = listen(&b, transport, true);
            let port = listener.port();
            listener.close().await;
            let destination = at("10.0.0.2", port);
            let refused = match transport {
                Transport::Tcp => tcp(&a, destination, b"x", 1, SOON).await.unwrap_err(),
                Transport::Udp => udp(&a, destination, b"x", SOON).await.unwrap_err(),
            };
            assert!(refused.to_string().contains("ECONNREFUSED"), "{refused}");
            let again = Listener::open(&b, transport, port, true).unwrap();
            assert_eq!(again.port(), port);
        }
    });
}

pub(crate) fn a_dropped_listener_closes_its_connections(lab: Lab) {
    let (a, b) = lab.pair();
    run(async {
        let listener = listen(&b, Transport::Tcp, false);
        let destination = at("10.0.0.2", listener.port());
        let started = Instant::now();
        let waiting = tcp(&a, destination, b"", 100, SOON);
        let drop_soon = async {
            while listener.accepted() == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            drop(listener);
        };
        let (connection, ()) = tokio::join!(waiting, drop_soon);
        assert_eq!(connection.unwrap().received, b"");
        assert!(started.elapsed() < SOON);
    });
}

pub(crate) fn a_taken_port_is_told(lab: Lab) {
    let (_a, b) = lab.pair();
    run(async {
        let _first = Listener::open(&b, Transport::Tcp, 80, true).unwrap();
        let taken = Listener::open(&b, Transport::Tcp, 80, true).unwrap_err();
        assert_eq!(
            taken.to_string(),
            "kernel refused `listen on TCP port 80`: EADDRINUSE (Address already in use)"
        );
        // Another transport's port and another namespace's are others.
        let _udp = Listener::open(&b, Transport::Udp, 80, true).unwrap();
    });
}

pub(crate) fn what_is_too_much_is_refused_before_it_is_sent(lab: Lab) {
    let (a, _b) = lab.pair();
    run(async {
        let much = vec![0; (1 << 20) + 1];
        let to = at("10.0.0.2", 80);
        assert!(matches!(tcp(&a, to, &much, 0, SOON).await, Err(Error::Limit(_))));
        assert!(matches!(tcp(&a, to, b"", much.len(), SOON).await, Err(Error::Limit(_))));
        assert!(matches!(udp(&a, to, &much[..65_508], SOON).await, Err(Error::Limit(_))));
        assert!(matches!(tcp(&a, at("10.0.0.2", 0), b"", 0, SOON).await, Err(Error::Invalid(_))));
        assert!(matches!(udp(&a, at("fe80::1", 1), b"", SOON).await, Err(Error::Invalid(_))));
    });
}
