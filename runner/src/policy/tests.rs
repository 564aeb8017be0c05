//! What kinds of links need that few kernels have, in front of a machine that only tells what is
//! there: `eth1` is others', `lab-a` the run's own, the namespace `lab-n` too.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

mod claims;

use super::{HostPolicy, Permitted, Policy};
use crate::change::{
    Answer, Applied, Attribute, Change, Family, Kind, LinkName, LinkRef, Name, NamespaceRef,
    NextHop, Options, Prefix, Query, Route, RouteKind, Setting, Spec, Undo, Vlan, VlanProtocol,
    Write,
};
use crate::grant::{Grants, Rule};
use crate::journal::Claim;
use crate::kernel::mark::Mark;
use crate::kernel::{
    BatchError, Census, Error, Kernel, Lacking, LinkSight, NamespaceWatcher, SpaceSight, Stations,
    kind,
};

struct Machine;

impl Machine {
    fn sight(&self, link: &LinkRef, own: bool) -> LinkSight {
        let space = self.space(&link.namespace);
        let index = if own { 7 } else { 2 };
        let reference = LinkRef { namespace: space.reference, index: Some(index), ..link.clone() };
        LinkSight {
            reference,
            in_own_space: space.own,
            own,
            kind: if own { "bridge" } else { "device" }.to_owned(),
            alias: None,
            group: 0,
            loopback: false,
            master: None,
            parent: None,
            below: None,
            vlan: None,
            mtu: None,
            usual_mtu: None,
        }
    }

    fn space(&self, namespace: &NamespaceRef) -> SpaceSight {
        let own = namespace.name.is_some();
        let reference = NamespaceRef { cookie: Some(1 + u64::from(own)), ..namespace.clone() };
        SpaceSight { reference, own }
    }
}

fn route(to: [u8; 4], length: u8, link: Option<&str>, gateway: Option<IpAddr>) -> Route {
    let link = link.map(str::to_owned);
    Route {
        family: Family::Ipv4,
        kind: RouteKind::Unicast,
        destination: Some(Prefix { address: to.into(), length }),
        next_hops: match (&link, gateway) {
            (None, None) => Vec::new(),
            _ => vec![NextHop { gateway, link, weight: 1, onlink: false, opaque: Vec::new() }],
        },
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

fn none<T>() -> Result<T, Error> {
    Err(Error::Invalid("this machine does nothing".to_owned()))
}

impl Kernel for Machine {
    fn apply(&mut self, _: &Permitted<Change>) -> Result<Applied, Error> {
        none()
    }

    fn apply_all(&mut self, _: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError> {
        Ok(Vec::new())
    }

    fn foresee(&self, _: &[Permitted<Change>]) -> Vec<Undo> {
        Vec::new()
    }

    fn lacking(&self, _: &Change) -> Result<Lacking, Error> {
        none()
    }

    fn claims(&self, _: &Permitted<Change>) -> Vec<Claim> {
        Vec::new()
    }

    fn revert(&mut self, _: &Undo) -> Result<(), Error> {
        none()
    }

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error> {
        Ok(Answer::Routes(match query.get() {
            Query::Routes { family: Family::Ipv4, .. } | Query::Lookup { .. } => {
                vec![route([203, 0, 113, 0], 24, Some("eth1"), None)]
            }
            _ => Vec::new(),
        }))
    }

    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)> {
        Vec::new()
    }

    fn watch_namespaces(&mut self, _: NamespaceWatcher) {}

    fn namespace_descriptor(&self, _: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        none()
    }

    fn see_space(&self, namespace: &NamespaceRef) -> Result<SpaceSight, Error> {
        Ok(self.space(namespace))
    }

    fn see_link(&self, link: &LinkRef) -> Result<LinkSight, Error> {
        match link.name.as_str() {
            "eth1" if link.namespace.name.is_none() => Ok(self.sight(link, false)),
            "lab-a" if link.namespace.name.is_none() => Ok(self.sight(link, true)),
            "lab-i" if link.namespace.name.is_some() => Ok(claims::ipvlan(self.sight(link, true))),
            _ => none(),
        }
    }

    fn stations(&self, link: &LinkRef) -> Result<Stations, Error> {
        Ok(claims::stations(link))
    }

    fn hands_on(&self, _: &LinkRef) -> Result<bool, Error> {
        Ok(false)
    }

    fn carriers(&self, _: IpAddr, _: IpAddr) -> Result<Vec<LinkRef>, Error> {
        Ok(Vec::new())
    }

    fn ways(&self, _: IpAddr, _: IpAddr) -> Result<Vec<Route>, Error> {
        Ok(Vec::new())
    }

    fn differences(&self, _: &Undo) -> Vec<String> {
        Vec::new()
    }

    fn census(&self) -> Result<Census, Error> {
        Ok(Census::default())
    }

    fn remains(&self) -> Vec<String> {
        Vec::new()
    }
}

fn policy(grants: &[&str], denied: &[&str]) -> Policy {
    let rules = |texts: &[&str], read: fn(&str, &str) -> Result<Rule, _>| -> Vec<Rule> {
        texts.iter().map(|text| read(text, "test").expect("a rule")).collect()
    };
    let grants = Grants::given(rules(grants, Rule::grant), rules(denied, Rule::deny));
    let mark = Mark::new().expect("random numbers");
    Policy::Host(HostPolicy::new(grants, mark, Vec::new()).into())
}

fn option(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}

fn other(kind: &str, options: &[Attribute]) -> Kind {
    Kind::Other(Options { kind: kind.to_owned(), options: options.to_vec() })
}

fn put(link: LinkRef, address: IpAddr, length: u8, peer: Option<IpAddr>) -> Change {
    let address = crate::change::Address {
        prefix: Prefix { address, length },
        peer: peer.map(|address| Prefix { address, length }),
        broadcast: None,
        anycast: None,
        label: None,
        scope: None,
        flags: crate::change::AddressFlags::default(),
        valid_lifetime: None,
        preferred_lifetime: None,
        counted_from: None,
        metric: None,
        protocol: None,
    };
    Change::PutAddress { link, address, how: Write::Add }
}

fn create(namespace: Option<&str>, kind: Kind, parent: Option<&str>, more: &[Setting]) -> Change {
    let name = |text: &str| -> Name { text.parse().expect("a name") };
    let parent = parent.map(|parent| LinkName { namespace: Some(None), name: parent.to_owned() });
    Change::CreateLink {
        namespace: NamespaceRef::named(namespace.map(name)),
        spec: Spec { name: name("lab-x"), kind, parent, settings: more.to_vec() },
    }
}

/// Why it is refused, or nothing.
fn answer(policy: &Policy, change: Change) -> String {
    let permitted = policy.permit_all(vec![change], &Machine);
    permitted.err().map(|(_, error)| error.to_string()).unwrap_or_default()
}

#[track_caller]
fn refused(policy: &Policy, change: Change, words: &str) {
    let shown = change.to_string();
    let answer = answer(policy, change);
    assert!(answer.contains(words), "{shown}: `{answer}`");
}

#[track_caller]
fn allowed(policy: &Policy, change: Change) {
    let shown = change.to_string();
    assert_eq!(answer(policy, change), "", "{shown}");
}

#[test]
fn a_vlan_has_its_id_however_it_is_spelt() {
    let none = policy(&["host.link.create kind=vlan name=lab-* parent=eth1"], &[]);
    let some = "host.link.create kind=vlan name=lab-* parent=eth1 vlan=100-200";
    let forbids = policy(&[some], &["host.link.create vlan=150"]);
    let some = policy(&[some], &[]);
    let vlan = |id| Kind::Vlan(Vlan { id, protocol: VlanProtocol::Dot1q, options: Vec::new() });
    let later = |id: &str| {
        let options = vec![option("id", id)];
        [Setting::Options(Options { kind: "vlan".to_owned(), options })]
    };
    let all = |id: u16, text: &str| {
        [
            create(None, vlan(id), Some("eth1"), &[]),
            create(None, other("vlan", &[option("id", text)]), Some("eth1"), &[]),
            create(
                None,
                other("vlan", &[option("id", "100"), option("id", text)]),
                Some("eth1"),
                &[],
            ),
            create(None, vlan(100), Some("eth1"), &later(text)),
            create(Some("lab-n"), other("vlan", &[option("id", text)]), Some("eth1"), &[]),
        ]
    };
    for change in all(666, "666").into_iter().chain(all(666, "0x29a")) {
        refused(&none, change.clone(), "host.link.create");
        refused(&some, change, "host.link.create");
    }
    for change in all(150, "150") {
        allowed(&some, change.clone());
        refused(&forbids, change, "host.link.create");
    }
}

#[test]
fn of_two_mtus_the_one_counts_that_the_kernel_takes() {
    let grants = policy(&["host.link.create kind=bridge name=lab-* mtu=1400-1500"], &[]);
    let bridge = |mtus: &[u32]| {
        let settings: Vec<Setting> = mtus.iter().map(|mtu| Setting::Mtu(*mtu)).collect();
        create(None, Kind::Bridge(Vec::new()), None, &settings)
    };
    refused(&grants, bridge(&[1400, 9000]), "host.link.create");
    allowed(&grants, bridge(&[9000, 1400]));
}

#[test]
fn no_other_end_comes_under_a_name_that_nobody_granted() {
    let grants = policy(&["host.link.create kind=veth,vxcan,netkit name=lab-*"], &[]);
    for kind in ["veth", "vxcan", "netkit"] {
        refused(&grants, create(None, other(kind, &[]), None, &[]), "making a link");
        allowed(&grants, create(Some("lab-n"), other(kind, &[]), None, &[]));
        // The request would go to the parent's namespace, and the other end stay there.
        let Change::CreateLink { spec, .. } =
            create(Some("lab-n"), other(kind, &[]), Some("lab-a"), &[])
        else {
            continue;
        };
        assert!(!kind::validate(&spec).is_empty(), "{kind}");
    }
}

#[test]
fn nobody_listens_among_others() {
    let grants = policy(&["host.link.create kind=nlmon name=lab-*"], &[]);
    refused(&grants, create(None, other("nlmon", &[]), None, &[]), "a link of kind nlmon");
    allowed(&grants, create(Some("lab-n"), other("nlmon", &[]), None, &[]));
    refused(&grants, create(None, other("vsockmon", &[]), None, &[]), "a link of kind vsockmon");
    let Change::CreateLink { spec, .. } = create(Some("lab-n"), other("vsockmon", &[]), None, &[])
    else {
        return;
    };
    assert!(!kind::validate(&spec).is_empty());
}

#[test]
fn what_gets_its_parents_frames_needs_the_right_to() {
    let kinds = ["macsec", "virt_wifi", "rmnet", "ipoib"];
    let link = "host.link.create kind=macsec,virt_wifi,rmnet,ipoib name=lab-* parent=eth1";
    for kind in kinds {
        let child = create(None, other(kind, &[]), Some("eth1"), &[]);
        refused(&policy(&[link], &[]), child.clone(), "uplink.passthru");
        allowed(&policy(&[link, "uplink.passthru link=eth1"], &[]), child);
    }
}

/// The slaves of an hsr are ports, and are looked for where the request goes.
#[test]
fn a_link_that_an_option_names_is_looked_at_where_it_is() {
    let hsr = |namespace, parent| {
        let slaves = [option("slave1", "eth1"), option("slave2", "lab-a")];
        create(namespace, other("hsr", &slaves), parent, &[])
    };
    let link = "host.link.create kind=hsr,vxlan,gre,xfrm name=lab-*";
    refused(&policy(&[link], &[]), hsr(None, None), "host.link.modify");
    allowed(&policy(&[link, "host.link.modify name=eth1"], &[]), hsr(None, None));
    let Change::CreateLink { spec, .. } = hsr(Some("lab-n"), Some("lab-a")) else { return };
    let faults = kind::validate(&spec).join("\n");
    assert!(faults.contains("stands on no other link, but parent `lab-a` is given"), "{faults}");
    // An underlay is a parent, by whichever word; both words are one too many.
    for kind in ["gre", "xfrm", "vxlan"] {
        let id = if kind == "vxlan" { vec![option("id", "7")] } else { Vec::new() };
        let options = [id, vec![option("dev", "eth1")]].concat();
        let tunnel = create(None, other(kind, &options), None, &[]);
        refused(&policy(&[link], &[]), tunnel.clone(), "host.link.create");
        let on = format!("host.link.create kind={kind} name=lab-* parent=eth1");
        allowed(&policy(&[&on], &[]), tunnel);
        let Change::CreateLink { spec, .. } =
            create(None, other(kind, &options), Some("lab-a"), &[])
        else {
            continue;
        };
        assert!(kind::validate(&spec).join("\n").contains("one of them is enough"), "{kind}");
    }
}

#[test]
fn what_is_considered_is_not_used_up() {
    let grants = policy(&["host.link.create kind=bridge name=lab-* max=1"], &[]);
    let bridge = || create(None, Kind::Bridge(Vec::new()), None, &[]);
    for _ in 0..2 {
        assert!(grants.consider_all(vec![bridge()], &Machine).is_ok());
    }
    allowed(&grants, bridge());
    // It may be there by then.
    assert!(grants.consider_all(vec![bridge()], &Machine).is_ok());
    refused(&grants, bridge(), "has been used");
    let other = create(None, Kind::Dummy, None, &[]);
    assert!(grants.consider_all(vec![other], &Machine).is_err());
}

#[test]
fn links_that_stand_on_each_other_in_a_ring_are_refused() {
    let policy = policy(&["host.link.create kind=ipvlan name=lab-* parent=eth1"], &[]);
    let on_itself = create(None, other("ipvlan", &[]), Some("lab-x"), &[]);
    refused(&policy, on_itself, "in a ring\n  help: name a parent that is there");
}

/// A batch says all at once what single changes say in their order.
#[test]
fn addresses_of_a_vrfs_ports_are_routes_of_its_table() {
    let links = "host.link.create kind=vrf,veth name=lab-*";
    let address = "host.address.add cidr=10.0.0.0/8 link=lab-*";
    let root = || NamespaceRef::named(None);
    let named = |name: &str| LinkRef { namespace: root(), name: name.to_owned(), index: None };
    let joins = Change::ChangeLink {
        link: named("lab-a"),
        settings: vec![Setting::Master(Some("lab-x".to_owned()))],
    };
    let connects = || put(named("lab-a"), [10, 1, 0, 1].into(), 16, None);
    let table = |text: &str| [option("table", text)];
    let twice = [option("table", "90"), option("table", "91")];
    let kinds = [
        Kind::Vrf(91),
        other("vrf", &table("91")),
        other("vrf", &table("0x5b")),
        other("vrf", &twice),
    ];
    for kind in kinds {
        let vrf = create(None, kind, None, &[]);
        let batches = [
            vec![vrf.clone(), joins.clone(), connects()],
            vec![connects(), vrf.clone(), joins.clone()],
        ];
        for batch in batches {
            let denial = |table: &str| {
                let route = format!("host.route.add cidr={table}");
                let policy = policy(&[links, address, &route], &[]);
                policy.permit_all(batch.clone(), &Machine).err().map(|(_, error)| error.to_string())
            };
            assert_eq!(denial("10.1.0.0/16 link=lab-* table=91"), None, "{batch:?}");
            for less in [
                "10.1.0.0/16 link=lab-*",
                "10.1.0.0/16 link=lab-* table=90",
                "10.2.0.0/16 link=lab-* table=91",
                "10.1.0.0/16 link=lab-b table=91",
            ] {
                let denial = denial(less).unwrap_or_default();
                assert!(denial.contains("host.route.add"), "{less}: {batch:?}: `{denial}`");
            }
        }
    }
    for given in [other("vrf", &table("255")), Kind::Vrf(254), other("vrf", &table("0xfd"))] {
        let every = "host.route.add cidr=10.0.0.0/8 link=lab-* table=local,main,default";
        refused(&policy(&[links, every], &[]), create(None, given, None, &[]), "no grant allows");
    }
    // Inside a namespace of its own it is nobody else's.
    allowed(&policy(&[], &[]), create(Some("lab-n"), Kind::Vrf(255), None, &[]));
    let alters = Change::ChangeLink {
        link: named("lab-a"),
        settings: vec![Setting::Options(Options {
            kind: "vrf".to_owned(),
            options: table("255").to_vec(),
        })],
    };
    refused(&policy(&[links], &[]), alters, "no grant allows");
}

/// The operator is shown the link; the recipe, which may not read, is told what it asked.
#[test]
fn a_denial_tells_no_more_than_was_asked() {
    let namespace = || NamespaceRef::named(None);
    let remove =
        |to, link| Change::RemoveRoute { namespace: namespace(), route: route(to, 24, link, None) };
    let put = |how, to, gateway: [u8; 4]| Change::PutRoute {
        namespace: namespace(),
        route: route(to, 24, None, Some(gateway.into())),
        how,
    };
    let on = |name: &str| LinkRef { namespace: namespace(), name: name.to_owned(), index: None };
    let (there, missing) = ([203, 0, 113, 0], [203, 0, 114, 0]);
    let pairs = [
        (remove(there, None), remove(missing, None)),
        (remove(there, Some("eth1")), remove(missing, Some("eth1"))),
        (put(Write::Replace, there, [192, 0, 2, 1]), put(Write::Replace, missing, [192, 0, 2, 1])),
        (put(Write::Add, there, [192, 0, 2, 1]), put(Write::Add, missing, [192, 0, 2, 1])),
        (Change::DeleteLink { link: on("eth1") }, Change::DeleteLink { link: on("eth3") }),
    ];
    for (first, second) in pairs {
        let told = |grants: &[&str], change: &Change| {
            let policy = policy(grants, &[]);
            match policy.permit_all(vec![change.clone()], &Machine) {
                Err((_, Error::Denied(denial))) => {
                    let shown = Error::Denied(denial.clone()).to_string();
                    let told = Error::Denied(denial.as_told()).to_string();
                    (shown, told.replace("203.0.114.0", "203.0.113.0").replace("eth3", "eth1"))
                }
                other => panic!("{change}: {other:?}"),
            }
        };
        let (shown, recipes) = told(&[], &first);
        assert_eq!(recipes, told(&[], &second).1, "{first}: {shown}");
        assert!(shown.contains("eth1"), "{shown}");
        assert!(recipes.contains("eth1") == first.to_string().contains("eth1"), "{recipes}");
        // Who may read everything is told all.
        let (shown, recipes) = told(&["host.link.read"], &first);
        assert_eq!(shown.replace("203.0.114.0", "203.0.113.0"), recipes, "{first}");
    }
}
