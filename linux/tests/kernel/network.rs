//! Addresses, rules, neighbours, entries and sysctls, each beside what `ip` does with the
//! same words in a namespace of its own.

use netwright_linux::change::{
    Address, AddressFlags, Change, Entry, Family, Kind, NamespaceRef, Neighbour, NeighbourState,
    Query, Rule, RuleAction, Setting, Write,
};

use crate::Named;
use crate::lab::{
    Lab, address, assert_same, create, link, named, option, prefix, put, query, set, space, veth,
};
use crate::routes::put_route;
use crate::twins::{addressed_twins, compare, hop, ip, route};

pub(crate) const TRIALS: &[Named] = &[
    ("addresses are as `ip address` makes them, and undone", addresses),
    ("rules are as `ip rule` makes them, and undone", rules),
    ("neighbours are as `ip neighbour` makes them, and undone", neighbours),
    ("forwarding entries are as `bridge fdb` makes them, and undone", entries),
    ("sysctls are set in their namespace alone, and undone", sysctls),
    ("what a removed address or a link set down loses is put back", losses),
    ("a namespace's id is as asked for", namespace_id),
];

fn put_address(address: Address, how: Write) -> Change {
    Change::PutAddress { link: link("ours/a"), address, how }
}

fn addresses() {
    let mut lab = addressed_twins();
    let full = Address {
        broadcast: Some("10.1.0.255".parse().expect("an address")),
        label: Some("a:x".to_owned()),
        scope: Some(253),
        flags: AddressFlags { noprefixroute: true, ..AddressFlags::default() },
        metric: Some(77),
        ..address("10.1.0.1/24")
    };
    let peer = Address { peer: Some(prefix("10.2.0.2/32")), ..address("10.2.0.1/32") };
    let six = Address {
        flags: AddressFlags { nodad: true, home: true, ..AddressFlags::default() },
        metric: Some(5),
        ..address("2001:db8:1::1/64")
    };
    let remove = |text: &str| Change::RemoveAddress {
        link: link("ours/a"),
        prefix: prefix(text),
        peer: None,
    };
    compare(
        &mut lab,
        &[
            (
                "ip address add 10.1.0.1/24 broadcast 10.1.0.255 label a:x scope link metric 77 dev a noprefixroute",
                put_address(full, Write::Add),
            ),
            ("ip address add 10.2.0.1 peer 10.2.0.2 dev a", put_address(peer, Write::Add)),
            ("ip address add 127.0.0.2/8 dev a", put_address(address("127.0.0.2/8"), Write::Add)),
            (
                "ip address add 2001:db8:1::1/64 dev a nodad home metric 5",
                put_address(six, Write::Add),
            ),
            (
                "ip address replace 10.1.0.1/24 dev a metric 78",
                put_address(Address { metric: Some(78), ..address("10.1.0.1/24") }, Write::Replace),
            ),
            ("ip address delete 10.0.0.1/24 dev a", remove("10.0.0.1/24")),
            ("ip address delete 2001:db8::1/64 dev a", remove("2001:db8::1/64")),
        ],
    );
    let text = lab.refused(remove("10.9.9.9/24"));
    assert!(
        text.starts_with(
            "kernel refused `-n ours address delete 10.9.9.9/24 dev a`: EADDRNOTAVAIL"
        )
    );
    assert!(text.contains("\n  help: `a` has 10.0.0.1/24, "), "{text}");
    let mut wrong = address("10.0.0.9/33");
    let change = |address: &Address| put_address(address.clone(), Write::Add);
    assert_eq!(lab.refused(change(&wrong)), "10.0.0.9/33: a prefix of it has 0 to 32 bits");
    wrong = Address {
        valid_lifetime: Some(10),
        preferred_lifetime: Some(20),
        ..address("10.0.0.9/32")
    };
    assert_eq!(lab.refused(change(&wrong)), "10.0.0.9/32: preferred for longer than it is valid");
}

fn rule(from: Option<&str>, action: RuleAction) -> Rule {
    Rule {
        family: Family::Ipv4,
        priority: None,
        inverted: false,
        from: from.map(prefix),
        to: None,
        incoming_link: None,
        outgoing_link: None,
        type_of_service: None,
        mark: None,
        action,
        protocol: None,
        options: Vec::new(),
    }
}

fn add_rule(rule: Rule) -> Change {
    Change::AddRule { namespace: space("ours"), rule }
}

fn rules() {
    let mut lab = addressed_twins();
    let table = RuleAction::Table;
    let full = Rule {
        priority: Some(500),
        inverted: true,
        to: Some(prefix("10.3.0.0/16")),
        incoming_link: Some("a".to_owned()),
        type_of_service: Some(0x10),
        mark: Some((1, 0xff)),
        protocol: Some(4),
        options: vec![
            option("ipproto", "tcp"),
            option("dport", "80-90"),
            option("uidrange", "0-10"),
        ],
        ..rule(Some("10.2.0.0/16"), table(1000))
    };
    let six = Rule {
        family: Family::Ipv6,
        options: vec![option("suppress_prefixlength", "0")],
        ..rule(Some("2001:db8::/32"), table(100))
    };
    let remove = |rule: Rule| Change::RemoveRule { namespace: space("ours"), rule };
    compare(
        &mut lab,
        &[
            (
                "ip rule add from 10.1.0.0/16 table 100",
                add_rule(rule(Some("10.1.0.0/16"), table(100))),
            ),
            (
                "ip rule add not from 10.2.0.0/16 to 10.3.0.0/16 iif a tos 0x10 fwmark 1/0xff protocol static ipproto tcp dport 80-90 uidrange 0-10 priority 500 table 1000",
                add_rule(full),
            ),
            (
                "ip rule add from 10.4.0.0/16 priority 400 goto 500",
                add_rule(Rule {
                    priority: Some(400),
                    ..rule(Some("10.4.0.0/16"), RuleAction::Goto(500))
                }),
            ),
            (
                "ip rule add from 10.5.0.0/16 prohibit",
                add_rule(rule(Some("10.5.0.0/16"), RuleAction::Prohibit)),
            ),
            ("ip -6 rule add from 2001:db8::/32 suppress_prefixlength 0 table 100", add_rule(six)),
            ("ip rule delete from 10.1.0.0/16", remove(rule(Some("10.1.0.0/16"), table(0)))),
            (
                "ip rule delete priority 32767",
                remove(Rule { priority: Some(32767), ..rule(None, table(0)) }),
            ),
        ],
    );
    let wrong = Rule { options: vec![option("iproto", "tcp")], ..rule(None, table(5)) };
    assert_eq!(
        lab.refused(add_rule(wrong)),
        "a rule has no option `iproto`\n  help: did you mean `ipproto`?"
    );
}

fn neighbour(text: &str, mac: Option<&str>, state: NeighbourState) -> Neighbour {
    Neighbour {
        address: ip(text),
        mac: mac.map(|mac| mac.parse().expect("a MAC address")),
        state,
        proxy: false,
        router: false,
        extern_learn: false,
        protocol: None,
    }
}

fn neighbours() {
    let mut lab = addressed_twins();
    let permanent = NeighbourState::Permanent;
    let put = |neighbour, how| Change::PutNeighbour { link: link("ours/a"), neighbour, how };
    let router = Neighbour {
        router: true,
        ..neighbour("2001:db8::5", Some("02:00:00:00:00:55"), permanent)
    };
    compare(
        &mut lab,
        &[
            (
                "ip neighbour add 10.0.0.5 lladdr 02:00:00:00:00:05 dev a",
                put(neighbour("10.0.0.5", Some("02:00:00:00:00:05"), permanent), Write::Add),
            ),
            (
                "ip neighbour replace 10.0.0.5 lladdr 02:00:00:00:00:06 dev a",
                put(neighbour("10.0.0.5", Some("02:00:00:00:00:06"), permanent), Write::Replace),
            ),
            (
                "ip neighbour add 10.0.0.7 lladdr 02:00:00:00:00:07 dev a nud noarp",
                put(
                    neighbour("10.0.0.7", Some("02:00:00:00:00:07"), NeighbourState::Noarp),
                    Write::Add,
                ),
            ),
            (
                "ip neighbour add 2001:db8::5 lladdr 02:00:00:00:00:55 dev a router",
                put(router, Write::Add),
            ),
            (
                "ip neighbour add proxy 10.0.0.9 dev a",
                put(
                    Neighbour { proxy: true, ..neighbour("10.0.0.9", None, permanent) },
                    Write::Add,
                ),
            ),
            (
                "ip neighbour delete 10.0.0.5 dev a",
                Change::RemoveNeighbour {
                    link: link("ours/a"),
                    address: ip("10.0.0.5"),
                    proxy: false,
                    put: None,
                },
            ),
        ],
    );
    let text = lab.refused(put(neighbour("10.0.0.8", None, permanent), Write::Add));
    assert!(text.contains("EINVAL") && text.contains("needs a MAC address"), "{text}");
}

fn entries() {
    let mut lab = Lab::new();
    for name in ["ours", "theirs"] {
        lab.namespace(name);
        lab.apply(veth(&format!("{name}/a"), "b"));
        let bridge = Kind::Bridge(Vec::new());
        lab.apply(create(&format!("{name}/br0"), bridge, None, &[Setting::Up(true)]));
        lab.apply(set(&format!("{name}/a"), &[Setting::Master(Some("br0".to_owned()))]));
        let options = [("id", "7"), ("dstport", "4789"), ("local", "127.0.0.1")];
        let options = options.map(|(name, value)| option(name, value)).to_vec();
        let vxlan = Kind::Vxlan(options);
        lab.apply(create(&format!("{name}/vx0"), vxlan, None, &[Setting::Up(true)]));
    }
    let show = |lab: &Lab, name: &str| {
        let text = lab.output(name, "bridge fdb show");
        let kept = text.lines().filter(|line| line.starts_with("02:00:00:00:01"));
        kept.collect::<Vec<_>>().join("\n")
    };
    let entry = |mac: &str, aged, master, destination: Option<&str>| Entry {
        mac: mac.parse().expect("a MAC address"),
        vlan: None,
        aged,
        master,
        destination: destination.map(ip),
        told: None,
    };
    let put = |path: &str, entry| Change::PutEntry { link: link(path), entry, how: Write::Add };
    let cases = [
        (
            "bridge fdb add 02:00:00:00:01:01 dev a master static",
            put("ours/a", entry("02:00:00:00:01:01", true, true, None)),
        ),
        (
            "bridge fdb add 02:00:00:00:01:02 dev a master",
            put("ours/a", entry("02:00:00:00:01:02", false, true, None)),
        ),
        (
            "bridge fdb add 02:00:00:00:01:03 dev vx0 dst 10.0.0.9",
            put("ours/vx0", entry("02:00:00:00:01:03", false, false, Some("10.0.0.9"))),
        ),
    ];
    let mut undo = Vec::new();
    for (words, change) in cases {
        lab.output("theirs", words);
        undo.push(lab.apply(change));
        assert_eq!(show(&lab, "ours"), show(&lab, "theirs"));
    }
    // A kernel with VLAN filtering lists an entry of a port once more for its VLAN.
    let shown = show(&lab, "ours");
    for last in 1..=3 {
        assert!(shown.contains(&format!("02:00:00:00:01:0{last}")), "{shown}");
    }
    let answer = query(&lab.kernel, Query::Entries { link: link("ours/vx0") });
    let netwright_linux::change::Answer::Entries(found) = answer else { panic!("entries") };
    assert!(found.contains(&entry("02:00:00:00:01:03", false, false, Some("10.0.0.9"))));
    for one in undo.iter().rev() {
        lab.revert(one);
    }
    assert_eq!(show(&lab, "ours"), "");
}

fn sysctls() {
    let mut lab = addressed_twins();
    let set = |key: &str, value: &str| Change::SetSysctl {
        namespace: space("ours"),
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let read = |lab: &Lab, name: &str| lab.output(name, "cat /proc/sys/net/ipv4/ip_forward");
    let undo = lab.apply(set("net.ipv4.ip_forward", "1"));
    assert_eq!((read(&lab, "ours"), read(&lab, "theirs")), ("1\n".to_owned(), "0\n".to_owned()));
    lab.revert(&undo);
    assert_eq!(read(&lab, "ours"), "0\n");
    let text = lab.refused(set("net.ipv4.ip_foward", "1"));
    assert!(text.starts_with("kernel refused `-n ours sysctl net.ipv4.ip_foward=1`: ENOENT"));
    assert!(
        text.ends_with("\n  help: there is no `ip_foward`; did you mean `ip_forward`?"),
        "{text}"
    );
    let text = lab.refused(set("kernel.hostname", "x"));
    assert_eq!(text, "sysctl `kernel.hostname` is not under `net`");
}

fn losses() {
    let mut lab = addressed_twins();
    lab.apply(put("ours/a", "10.0.0.2/24"));
    lab.apply(put_route(route("default", &[hop(Some("10.0.0.9"), None)]), Write::Add));
    // An address's own route comes by work that the kernel puts off.
    let has_own = || lab.state("ours").contains("local 2001:db8::1 dev a table local").to_string();
    assert_same(has_own, || true.to_string(), "at the start");
    let before = lab.state("ours");
    let undo = lab.apply(Change::RemoveAddress {
        link: link("ours/a"),
        prefix: prefix("10.0.0.1/24"),
        peer: None,
    });
    assert!(!lab.state("ours").contains("10.0.0.2"), "the kernel takes secondary ones along");
    lab.revert(&undo);
    assert_same(|| lab.state("ours"), || before.clone(), "at the end");
    let undo = lab.apply(set("ours/a", &[Setting::Up(false)]));
    assert!(!lab.state("ours").contains("default via"));
    lab.revert(&undo);
    assert!(lab.state("ours").contains("default via 10.0.0.9 dev a"));
    assert!(lab.state("ours").contains("inet6 2001:db8::1/64"));
}

fn namespace_id() {
    let mut lab = Lab::new();
    lab.namespace("ns1");
    let peer = NamespaceRef::named(Some(named("ns1")));
    lab.apply(Change::SetNamespaceId { namespace: space(""), peer, id: 42 });
    lab.apply(veth("p0", "ns1/p1"));
    assert_eq!(lab.link("", "p0")["link_netnsid"], 42);
}
