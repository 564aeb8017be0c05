//! Names that other programs gave, through every change that can hold one.

use std::process::Command;

use crate::change::{
    Address, AddressFlags, Attribute, Change, Discipline, Family, Kind, LinkName, LinkRef, Name,
    NamespaceRef, NextHop, Options, PortVlan, Prefix, Qdisc, Route, RouteKind, Rule, RuleAction,
    Setting, Spec, Veth, Write,
};
use crate::text::is_harmless;

const HOSTILE: [&str; 16] = [
    "a$(id)",
    "-rf",
    "--help",
    "a b",
    "it's",
    "a\"b",
    "`id`",
    "*",
    "~",
    "a;b",
    "#x",
    "\u{1b}[31m",
    "e\u{202e}f",
    "a\u{9b}b",
    "x\ny",
    "网卡\u{200b}",
];

fn link(name: &str) -> LinkRef {
    LinkRef { namespace: NamespaceRef::named(None), name: name.to_owned(), index: None }
}

fn spec(kind: Kind, parent: Option<&str>) -> Spec {
    let parent = parent.map(|name| LinkName { namespace: None, name: name.to_owned() });
    let name: Name = "new".parse().expect("a name");
    Spec { name, kind, parent, settings: Vec::new() }
}

fn attribute(value: &str) -> Attribute {
    Attribute { name: "option".to_owned(), value: value.to_owned() }
}

fn route(hostile: &str) -> Route {
    let hop = NextHop {
        gateway: None,
        link: Some(hostile.to_owned()),
        weight: 1,
        onlink: false,
        opaque: Vec::new(),
    };
    Route { next_hops: vec![hop], ..plain_route() }
}

fn plain_route() -> Route {
    Route {
        family: Family::Ipv4,
        kind: RouteKind::Unicast,
        destination: None,
        from: None,
        next_hops: Vec::new(),
        type_of_service: None,
        table: None,
        protocol: None,
        scope: None,
        source: None,
        metric: None,
        metrics: Vec::new(),
        opaque: Vec::new(),
    }
}

fn rule(hostile: &str) -> Rule {
    Rule {
        family: Family::Ipv4,
        priority: None,
        inverted: false,
        from: None,
        to: None,
        incoming_link: Some(hostile.to_owned()),
        outgoing_link: None,
        type_of_service: None,
        mark: None,
        action: RuleAction::Nop,
        protocol: None,
        options: Vec::new(),
    }
}

/// Each holds the word as a word of its own.
fn changes(hostile: &str) -> Vec<Change> {
    let root = || NamespaceRef::named(None);
    let set = |setting| Change::ChangeLink { link: link("old"), settings: vec![setting] };
    let text = || hostile.to_owned();
    let options = Options { kind: text(), options: vec![attribute(hostile)] };
    let peer = LinkName { namespace: None, name: text() };
    let veth = Veth { peer, peer_settings: vec![Setting::Up(true)] };
    let address = Address {
        prefix: Prefix { address: "10.0.0.1".parse().expect("an address"), length: 24 },
        peer: None,
        broadcast: None,
        anycast: None,
        label: Some(text()),
        scope: None,
        flags: AddressFlags::default(),
        valid_lifetime: None,
        preferred_lifetime: None,
        counted_from: None,
        metric: None,
        protocol: None,
    };
    let discipline = Discipline::Other { kind: text(), options: None };
    let qdisc = Qdisc { handle: None, discipline };
    vec![
        Change::CreateLink { namespace: root(), spec: spec(Kind::Other(options.clone()), None) },
        Change::CreateLink { namespace: root(), spec: spec(Kind::Dummy, Some(hostile)) },
        Change::CreateLink { namespace: root(), spec: spec(Kind::Veth(veth), None) },
        Change::CreateLink {
            namespace: root(),
            spec: spec(Kind::Bridge(vec![attribute(hostile)]), None),
        },
        set(Setting::Alias(text())),
        set(Setting::Master(Some(text()))),
        set(Setting::Options(options)),
        set(Setting::Other(attribute(hostile))),
        Change::ChangeLink { link: link(hostile), settings: vec![Setting::Up(true)] },
        Change::MoveLink { link: link(hostile), to: root() },
        Change::DeleteLink { link: link(hostile) },
        Change::PutAddress { link: link(hostile), address, how: Write::Add },
        Change::PutRoute { namespace: root(), route: route(hostile), how: Write::Add },
        Change::RemoveRoute { namespace: root(), route: route(hostile) },
        Change::AddRule { namespace: root(), rule: rule(hostile) },
        Change::RemoveRule { namespace: root(), rule: rule(hostile) },
        Change::PutQdisc { link: link(hostile), qdisc, how: Write::Add },
        Change::RemoveQdisc { link: link(hostile) },
    ]
}

/// The words of a command as sh(1) has them.
fn split(command: &str) -> Vec<String> {
    let script = format!("set -- {command}\nfor word; do printf '%s\\0' \"$word\"; done");
    let output = Command::new("sh").args(["-c", &script]).output().expect("sh is there");
    assert!(output.status.success(), "{command}: {output:?}");
    let text = String::from_utf8(output.stdout).expect("the words were UTF-8");
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn no_name_steers_the_terminal_and_a_shell_reads_each_back() {
    for hostile in HOSTILE {
        for change in changes(hostile) {
            let shown = change.to_string();
            assert!(shown.chars().all(is_harmless), "{shown:?}");
            let commands = change.commands();
            assert!(commands.iter().all(|line| line.chars().all(is_harmless)), "{commands:?}");
            let words: Vec<String> = commands.iter().flat_map(|line| split(line)).collect();
            assert!(words.iter().any(|word| word == hostile), "{hostile:?}: {commands:?}");
        }
    }
}

#[test]
fn a_setting_is_one_word_behind_its_name() {
    let root = NamespaceRef::named(None);
    let (key, value) = ("net.ipv4.x".to_owned(), "0\t1 $(id)".to_owned());
    let change = Change::SetSysctl { namespace: root, key, value };
    let commands = change.commands();
    assert_eq!(commands, ["sysctl -w net.ipv4.x='0 1 $(id)'"]);
    assert_eq!(split(&commands[0]), ["sysctl", "-w", "net.ipv4.x=0 1 $(id)"]);
}

/// A port's are not: both are told apart by what was made before, and what is known to be there.
#[test]
fn vlans_of_a_bridge_itself_are_said_to_be_its_own() {
    let vlan = PortVlan { first: 10, last: 10, pvid: false, untagged: true };
    let named = |name: &str| link(name);
    let name = "b1".parse().expect("a name");
    let spec = Spec { name, ..spec(Kind::Bridge(Vec::new()), None) };
    let bridge = Change::CreateLink { namespace: NamespaceRef::named(None), spec };
    let changes = [
        bridge,
        Change::PutVlan { link: named("b1"), vlan },
        Change::ChangeLink {
            link: named("b1"),
            settings: vec![Setting::Name("b2".parse().expect("a name"))],
        },
        Change::RemoveVlan { link: named("b2"), first: 10, last: 10 },
        Change::SetVlans { link: named("there"), vlans: vec![vlan] },
        Change::PutVlan { link: named("p1"), vlan },
    ];
    let told = crate::change::commands(&changes, |link| link.name == "there");
    assert_eq!(
        told[1..],
        [
            "bridge vlan add dev b1 vid 10 untagged self",
            "ip link set b1 name b2",
            "bridge vlan delete dev b2 vid 10 self",
            "bridge vlan delete dev there vid 1-4094 self",
            "bridge vlan add dev there vid 10 untagged self",
            "bridge vlan add dev p1 vid 10 untagged",
        ]
    );
}

#[test]
fn both_ends_of_a_veth_come_up_once_both_are_there() {
    let namespace = |name: &str| Some(name.parse::<Name>().expect("a name"));
    let peer = LinkName { namespace: Some(namespace("n2")), name: "p1".to_owned() };
    let veth = Veth { peer, peer_settings: vec![Setting::Mtu(1400), Setting::Up(true)] };
    let settings = vec![Setting::Up(true)];
    let spec = Spec { settings, ..spec(Kind::Veth(veth), None) };
    let change = Change::CreateLink { namespace: NamespaceRef::named(namespace("n1")), spec };
    assert_eq!(
        change.commands(),
        [
            "ip -n n1 link add name new type veth peer name p1 netns n2 mtu 1400",
            "ip -n n1 link set dev new up",
            "ip -n n2 link set p1 up",
        ]
    );
}
