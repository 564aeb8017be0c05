//! What a child of `eth1` is known by: `lab-i` is an ipvlan on it, in the namespace `lab-n`.

use std::net::IpAddr;

use super::{Machine, allowed, create, option, other, policy, put, refused};
use crate::change::{Change, LinkRef, MacAddress, NamespaceRef, Setting};
use crate::kernel::{Holder, LinkSight, Stations};

const MACHINES: [u8; 4] = [198, 51, 100, 2];
const ROUTERS: MacAddress = MacAddress([2, 0, 0, 0, 0, 9]);
const GRANT: &str =
    "host.link.create kind=macvlan,macvtap,ipvlan,ipvtap,bond name=lab-* parent=eth1";

pub(super) fn ipvlan(sight: LinkSight) -> LinkSight {
    let root = NamespaceRef::named(None);
    let parent = LinkRef { namespace: root, name: "eth1".to_owned(), index: Some(2) };
    let (parent, below) = (Some(parent.clone()), Some(parent));
    LinkSight { kind: "ipvlan".to_owned(), parent, below, ..sight }
}

pub(super) fn stations(link: &LinkRef) -> Stations {
    if link.name != "eth1" {
        return Stations::default();
    }
    let (address, link) = ([198, 51, 100, 1].into(), link.clone());
    let router = Holder::Neighbour { address, link: link.name.clone() };
    Stations {
        macs: vec![(ROUTERS, router)],
        addresses: vec![(MACHINES.into(), Holder::Link(link))],
        near: Vec::new(),
    }
}

fn named(name: &str) -> LinkRef {
    let namespace = NamespaceRef::named(Some("lab-n".parse().expect("a name")));
    LinkRef { namespace, name: name.to_owned(), index: None }
}

fn addresses(name: &str) -> [Change; 3] {
    let (machines, own): (IpAddr, IpAddr) = (MACHINES.into(), [10, 0, 0, 1].into());
    [
        put(named(name), machines, 32, None),
        put(named(name), machines, 24, None),
        // The kernel takes it for the peer's.
        put(named(name), own, 32, Some(machines)),
    ]
}

#[test]
fn an_ipvlan_is_not_known_by_an_address_of_the_machines() {
    let policy = policy(&[GRANT], &[]);
    for change in addresses("lab-i") {
        refused(&policy, change, "`eth1` has it");
    }
    allowed(&policy, put(named("lab-i"), [198, 51, 100, 77].into(), 24, None));
    // Where the same batch makes it.
    for kind in ["ipvlan", "ipvtap", "macvlan"] {
        for change in addresses("lab-x") {
            let child = create(Some("lab-n"), other(kind, &[]), Some("eth1"), &[]);
            let answer = policy.permit_all(vec![child, change.clone()], &Machine);
            let answer = answer.map_err(|(place, error)| (place, error.to_string()));
            match answer {
                Err((1, why)) if why.contains("`eth1` has it") => assert_ne!(kind, "macvlan"),
                answer => {
                    assert!(answer.is_ok() && kind == "macvlan", "{kind} {change}: {answer:?}");
                }
            }
        }
    }
}

#[test]
fn a_macvlan_is_not_known_by_a_stations_mac_address() {
    let policy = policy(&[GRANT], &[]);
    let mac = || Setting::Mac(ROUTERS);
    for kind in ["macvlan", "macvtap"] {
        let child =
            |settings: &[Setting]| create(Some("lab-n"), other(kind, &[]), Some("eth1"), settings);
        refused(&policy, child(&[mac()]), "the neighbour 198.51.100.1 of `eth1`");
        let later = Change::ChangeLink { link: named("lab-x"), settings: vec![mac()] };
        let answer = policy.permit_all(vec![child(&[]), later], &Machine);
        assert!(matches!(&answer, Err((1, _))), "{answer:?}");
        // A bond would give it its own.
        let bond = Change::CreateLink {
            namespace: named("").namespace,
            spec: crate::change::Spec {
                name: "lab-b".parse().expect("a name"),
                kind: other("bond", &[option("mode", "active-backup")]),
                parent: None,
                settings: vec![mac()],
            },
        };
        let joins = Setting::Master(Some("lab-b".to_owned()));
        let answer = policy.permit_all(vec![bond, child(&[joins])], &Machine);
        let why = answer.err().map(|(_, error)| error.to_string()).unwrap_or_default();
        assert!(why.contains("a bond or team"), "{why}");
    }
}
