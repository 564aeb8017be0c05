//! Many changes at once.

use netwright_linux::change::{
    Change, Kind, LinkRef, MacvlanMode, Neighbour, NeighbourState, NextHop, Options, Rule,
    RuleAction, Setting, Write,
};

use netwright_linux::kernel::Kernel;

use crate::Named;
use crate::lab::{Lab, create, link, macvlan, named, options, prefix, put, set, space, veth};
use crate::twins::{hop, ip, route};

pub(crate) const TRIALS: &[Named] = &[
    ("a batch is ordered by what it needs", ordered),
    ("a batch that fails leaves nothing", nothing),
    ("a batch of every change leaves what one after the other leaves", whole),
    ("what removes something keeps its place in a batch", barriers),
    ("links that need each other are refused, with nothing made", circle),
    ("a namespace that is made twice is refused, with nothing made", twice),
    ("every position of a batch can fail, and nothing is left", every_position),
    ("a deleted namespace has left the others when the call returns", deleted),
];

fn ordered() {
    let mut lab = Lab::new();
    let kind = || Kind::Macvlan(macvlan(MacvlanMode::Bridge));
    let answers = lab.batch(vec![
        put("ns1/mac1", "10.0.0.1/24"),
        create("ns1/mac1", kind(), Some("/p0"), &[Setting::Up(true)]),
        create("ns2/mac1", kind(), Some("/p0"), &[Setting::Up(true)]),
        put("ns2/mac1", "10.0.0.2/24"),
        veth("p0", "p1"),
        Change::CreateNamespace { name: named("ns1") },
        Change::CreateNamespace { name: named("ns2") },
    ]);
    assert_eq!(answers.expect("all of it").len(), 7);
    assert!(lab.run("ns1", "ping -c1 -W1 10.0.0.2").status.success());
}

fn nothing() {
    let mut lab = Lab::new();
    let before = lab.state("");
    let error = lab
        .batch(vec![
            veth("p0", "p1"),
            Change::CreateNamespace { name: named("ns1") },
            create("ns1/m1", Kind::Macvlan(macvlan(MacvlanMode::Bridge)), Some("/p0"), &[]),
            put("ns1/m1", "10.0.0.1/24"),
            put("ns1/m1", "10.0.0.1/24"),
        ])
        .expect_err("an address twice");
    assert_eq!(error.index, 4);
    let text = error.error.to_string();
    assert!(text.starts_with("kernel refused `-n ns1 address add 10.0.0.1/24 dev m1`: EEXIST"));
    assert!(text.ends_with("\n  help: `m1` has 10.0.0.1/24 already"));
    assert!(error.left.is_empty());
    assert_eq!(lab.state(""), before);
    assert!(lab.kernel.namespaces().is_empty());
}

fn child(path: &str, parent: &str) -> Change {
    let kind = Kind::Macvlan(macvlan(MacvlanMode::Bridge));
    create(path, kind, Some(parent), &[Setting::Up(true)])
}

fn bridge(path: &str) -> Change {
    create(path, Kind::Bridge(Vec::new()), None, &[Setting::Up(true)])
}

fn namespace(name: &str) -> Change {
    Change::CreateNamespace { name: named(name) }
}

/// Each kind of change that a batch may order, the neediest first.
fn everything() -> Vec<Change> {
    let neighbour = Neighbour {
        address: ip("10.0.0.9"),
        mac: Some("02:00:00:00:00:09".parse().expect("a MAC address")),
        state: NeighbourState::Permanent,
        proxy: false,
        router: false,
        extern_learn: false,
        protocol: None,
    };
    let rule = Rule {
        family: netwright_linux::change::Family::Ipv4,
        priority: Some(100),
        inverted: false,
        from: Some(prefix("10.9.0.0/16")),
        to: None,
        incoming_link: None,
        outgoing_link: None,
        type_of_service: None,
        mark: None,
        action: RuleAction::Table(100),
        protocol: None,
        options: Vec::new(),
    };
    let hairpin =
        Options { kind: "bridge_slave".to_owned(), options: options(&[("hairpin", "on")]) };
    let via: [NextHop; 1] = [hop(Some("10.0.0.9"), None)];
    vec![
        Change::PutNeighbour { link: link("ns1/m1"), neighbour, how: Write::Add },
        Change::AddRule { namespace: space("ns1"), rule },
        Change::PutRoute {
            namespace: space("ns1"),
            route: route("default", &via),
            how: Write::Add,
        },
        put("ns1/m1", "10.0.0.1/24"),
        Change::SetSysctl {
            namespace: space("ns1"),
            key: "net.ipv4.conf.m1.rp_filter".to_owned(),
            value: "2".to_owned(),
        },
        set("p1", &[Setting::Master(Some("br0".to_owned())), Setting::Options(hairpin)]),
        child("ns1/m1", "/p0"),
        veth("p0", "p1"),
        bridge("br0"),
        namespace("ns1"),
    ]
}

fn whole() {
    let mut lab = Lab::new();
    let answers = lab.batch(everything()).expect("all of it");
    let routes = lab.output("ns1", "ip route show default");
    assert_eq!(routes, "default via 10.0.0.9 dev m1 \n");
    assert_eq!(
        lab.output("ns1", "ip rule show priority 100"),
        "100:\tfrom 10.9.0.0/16 lookup 100\n"
    );
    assert_eq!(lab.output("ns1", "cat /proc/sys/net/ipv4/conf/m1/rp_filter"), "2\n");
    assert_eq!(lab.link("", "p1")["linkinfo"]["info_slave_data"]["hairpin"], true);
    let neighbours = lab.output("ns1", "ip neighbour show nud permanent");
    assert_eq!(neighbours, "10.0.0.9 dev m1 lladdr 02:00:00:00:00:09 PERMANENT \n");
    for answer in answers.iter().rev() {
        lab.revert(&answer.undo);
    }
    assert_eq!(lab.names(""), ["lo"]);
    assert!(lab.kernel.namespaces().is_empty());
}

fn barriers() {
    let mut lab = Lab::new();
    lab.batch(vec![
        veth("p0", "p1"),
        Change::DeleteLink { link: link("p0") },
        bridge("p0"),
        namespace("ns1"),
        veth("q0", "q1"),
        Change::MoveLink { link: link("q0"), to: space("ns1") },
        bridge("q0"),
    ])
    .expect("all of it");
    assert_eq!(lab.names(""), ["lo", "p0", "q1", "q0"]);
    assert_eq!(lab.names("ns1"), ["lo", "q0"]);
}

fn circle() {
    let mut lab = Lab::new();
    let error = lab.batch(vec![child("m1", "m2"), child("m2", "m1")]).expect_err("a circle");
    assert_eq!(error.index, 0);
    assert_eq!(
        error.error.to_string(),
        "`link add link m2 name m1 up type macvlan mode bridge` and \
         `link add link m1 name m2 up type macvlan mode bridge` need each other"
    );
    assert_eq!(lab.names(""), ["lo"]);
}

fn twice() {
    let mut lab = Lab::new();
    let error = lab.batch(vec![namespace("ns1"), namespace("ns1")]).expect_err("twice");
    assert_eq!(error.index, 1);
    assert_eq!(error.error.to_string(), "namespace `ns1` is made twice in this batch");
    assert!(lab.kernel.namespaces().is_empty());
}

/// A change that only the kernel can refuse, at each place of a batch.
fn every_position() {
    let mut lab = Lab::new();
    let absent = LinkRef { index: Some(4711), ..link("lo") };
    for place in 0..=everything().len() {
        // The neediest last, so that any beginning of it can be made.
        let mut changes: Vec<_> = everything().into_iter().rev().take(place).collect();
        changes.push(Change::DeleteLink { link: absent.clone() });
        let error = lab.batch(changes).expect_err("a link that is not there");
        assert_eq!(error.index, place);
        assert_eq!(error.error.to_string(), "link `lo` of the root namespace is gone");
        assert!(error.left.is_empty(), "{:?}", error.left);
        assert_eq!(lab.names(""), ["lo"]);
        assert!(lab.kernel.namespaces().is_empty());
    }
}

fn deleted() {
    let mut lab = Lab::new();
    for _ in 0..5 {
        lab.namespace("ns1");
        lab.apply(veth("p0", "ns1/p1"));
        lab.apply(Change::DeleteNamespace { namespace: space("ns1") });
        assert_eq!(lab.names(""), ["lo"]);
    }
}
