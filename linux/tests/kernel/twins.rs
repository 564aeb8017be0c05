//! Two namespaces alike: `ours` for changes, `theirs` for `ip`.

use std::net::IpAddr;

use netwright_linux::change::{Change, Family, Kind, NextHop, Route, RouteKind, Setting, Veth};

use crate::lab::{Lab, assert_same, create, link_name, option, prefix, put, set, space};

/// With a veth pair each, `a` and `b`, that know each other and have no IPv6 address.
pub(crate) fn twins() -> Lab {
    let mut lab = Lab::new();
    for name in ["ours", "theirs"] {
        lab.namespace(name);
        let quiet = |mac: &str| {
            vec![
                Setting::Other(option("addrgenmode", "none")),
                Setting::Mac(mac.parse().expect("a MAC address")),
                Setting::Up(true),
            ]
        };
        let peer_settings = quiet("02:00:00:00:00:0b");
        let kind = Kind::Veth(Veth { peer: link_name("b"), peer_settings });
        lab.apply(create(&format!("{name}/a"), kind, None, &quiet("02:00:00:00:00:0a")));
        lab.settle(name);
    }
    lab
}

/// The same with addresses on `a`, and loopback up.
pub(crate) fn addressed_twins() -> Lab {
    let mut lab = twins();
    for name in ["ours", "theirs"] {
        lab.apply(set(&format!("{name}/lo"), &[Setting::Up(true)]));
        lab.apply(Change::SetSysctl {
            namespace: space(name),
            key: "net.ipv6.conf.a.accept_dad".to_owned(),
            value: "0".to_owned(),
        });
        lab.apply(put(&format!("{name}/a"), "10.0.0.1/24"));
        lab.apply(put(&format!("{name}/a"), "2001:db8::1/64"));
    }
    lab
}

/// Each change and `ip`'s words for it, one after the other; then all of it back.
pub(crate) fn compare(lab: &mut Lab, cases: &[(&str, Change)]) {
    let state = |lab: &Lab, space: &str| steady(&lab.state(space));
    let before = state(lab, "ours");
    assert_same(|| before.clone(), || state(lab, "theirs"), "at the start");
    let mut undo = Vec::new();
    for (words, change) in cases {
        lab.output("theirs", words);
        undo.push(lab.apply(change.clone()));
        assert_same(|| state(lab, "ours"), || state(lab, "theirs"), words);
    }
    for (one, (words, _)) in undo.iter().zip(cases).rev() {
        assert_eq!(lab.kernel_revert(one), Ok(()), "undoing {words}");
    }
    assert_same(|| state(lab, "ours"), || before.clone(), "at the end");
}

/// Without what the kernel chooses at random or by time.
pub(crate) fn steady(text: &str) -> String {
    let mut kept = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let mut line = String::new();
        while let Some(word) = words.next() {
            if matches!(word, "bridge_id" | "designated_root" | "gc_timer") {
                words.next();
                continue;
            }
            line = line + word + " ";
        }
        kept.push(line);
    }
    kept.join("\n")
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub(crate) fn hop(gateway: Option<&str>, link: Option<&str>) -> NextHop {
    NextHop {
        gateway: gateway.map(ip),
        link: link.map(str::to_owned),
        weight: 1,
        onlink: false,
        opaque: Vec::new(),
    }
}

pub(crate) fn route(destination: &str, hops: &[NextHop]) -> Route {
    let four = !destination.contains(':') && destination != "default6";
    Route {
        family: if four { Family::Ipv4 } else { Family::Ipv6 },
        kind: RouteKind::Unicast,
        destination: (!destination.starts_with("default")).then(|| prefix(destination)),
        next_hops: hops.to_vec(),
        table: None,
        metric: None,
        protocol: None,
        scope: None,
        source: None,
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
        opaque: Vec::new(),
    }
}
