//! VLANs of a bridge's ports: what bridge(8) sees of them.

use std::time::{Duration, Instant};

use netwright_linux::change::{Change, Kind, LinkRef, Options, PortVlan, Setting};
use netwright_linux::kernel::Error;
use serde_json::{Value, json};

use crate::Named;
use crate::lab::{Lab, create, link, named, options, put, set, veth};

pub(crate) const TRIALS: &[Named] = &[
    ("vlans of a port are put, removed, set and undone, or said to be missing", ports),
    ("vlans of a bridge itself are told from those of its ports", itself),
    ("stations reach those of their own vlan over a trunk, and no others", reach),
    ("bridges without filtering need no kernel that has it", plain),
];

fn vlan(first: u16, last: u16, flags: &str) -> PortVlan {
    PortVlan { first, last, pvid: flags.contains('p'), untagged: flags.contains('u') }
}

/// As bridge(8) sees them: id, or first and last, and flags where there are some.
fn seen(lab: &Lab, device: &str) -> Value {
    let text = lab.output("", &format!("bridge -j -compressvlans vlan show dev {device}"));
    let all: Value = serde_json::from_str(&text).expect("JSON of bridge");
    let mut vlans = all[0]["vlans"].clone();
    for vlan in vlans.as_array_mut().into_iter().flatten() {
        if vlan["flags"] == json!([]) {
            vlan.as_object_mut().expect("a map").remove("flags");
        }
    }
    vlans
}

fn set_vlans(path: &str, vlans: &[PortVlan]) -> Change {
    Change::SetVlans { link: link(path), vlans: vlans.to_vec() }
}

/// A bridge that filters, with a port; none where the kernel lacks it and says so.
fn bridge() -> Option<Lab> {
    let mut lab = Lab::new();
    let kind = Kind::Bridge(options(&[("vlan_filtering", "1")]));
    match lab.try_apply(create("br0", kind, None, &[Setting::Up(true)])) {
        Ok(_) => {}
        Err(error) => {
            assert!(std::env::var_os("NETWRIGHT_COMPLETE_KERNEL").is_none(), "{error}");
            assert_eq!(
                error,
                Error::Unsupported(
                    "bridges that filter by VLAN: the kernel lacks CONFIG_BRIDGE_VLAN_FILTERING\n  \
                     help: no module brings it; run it on a kernel that has it"
                        .to_owned()
                )
            );
            assert_eq!(lab.names(""), Lab::new().names(""));
            let change = set_vlans("lo", &[vlan(1, 1, "")]);
            assert_eq!(lab.try_apply(change).err(), Some(error));
            return None;
        }
    }
    lab.apply(veth("p0", "p1"));
    lab.apply(set("p0", &[Setting::Master(Some("br0".to_owned()))]));
    Some(lab)
}

fn ports() {
    let Some(mut lab) = bridge() else { return };
    let first = json!([{ "vlan": 1, "flags": ["PVID", "Egress Untagged"] }]);
    assert_eq!(seen(&lab, "p0"), first);
    let put = lab.apply(Change::PutVlan { link: link("p0"), vlan: vlan(100, 200, "") });
    let more = json!([
        { "vlan": 1, "flags": ["PVID", "Egress Untagged"] },
        { "vlan": 100, "vlanEnd": 200 },
    ]);
    assert_eq!(seen(&lab, "p0"), more);
    let own = lab.apply(Change::PutVlan { link: link("p0"), vlan: vlan(150, 150, "pu") });
    assert_eq!(
        seen(&lab, "p0"),
        json!([
            { "vlan": 1, "flags": ["Egress Untagged"] },
            { "vlan": 100, "vlanEnd": 149 },
            { "vlan": 150, "flags": ["PVID", "Egress Untagged"] },
            { "vlan": 151, "vlanEnd": 200 },
        ])
    );
    lab.revert(&own);
    assert_eq!(seen(&lab, "p0"), more);
    let removed = lab.apply(Change::RemoveVlan { link: link("p0"), first: 1, last: 150 });
    assert_eq!(seen(&lab, "p0"), json!([{ "vlan": 151, "vlanEnd": 200 }]));
    lab.revert(&removed);
    lab.revert(&put);
    assert_eq!(seen(&lab, "p0"), first);
    let access = lab.apply(set_vlans("p0", &[vlan(7, 7, "pu")]));
    assert_eq!(seen(&lab, "p0"), json!([{ "vlan": 7, "flags": ["PVID", "Egress Untagged"] }]));
    lab.revert(&access);
    assert_eq!(seen(&lab, "p0"), first);
    let none = lab.refused(Change::RemoveVlan { link: link("p1"), first: 1, last: 1 });
    assert!(none.contains("`p1` is no port of a bridge"), "{none}");
    let bad = lab.refused(set_vlans("p0", &[vlan(4095, 4095, "")]));
    assert_eq!(bad, "vlan id 4095 is out of range: 1 to 4094");
    assert_eq!(seen(&lab, "p0"), first);
}

fn itself() {
    let Some(mut lab) = bridge() else { return };
    let undo = lab.apply(Change::PutVlan { link: link("br0"), vlan: vlan(30, 30, "") });
    assert_eq!(
        seen(&lab, "br0"),
        json!([{ "vlan": 1, "flags": ["PVID", "Egress Untagged"] }, { "vlan": 30 }])
    );
    assert_eq!(seen(&lab, "p0"), json!([{ "vlan": 1, "flags": ["PVID", "Egress Untagged"] }]));
    lab.revert(&undo);
    assert_eq!(seen(&lab, "br0"), json!([{ "vlan": 1, "flags": ["PVID", "Egress Untagged"] }]));
    let batch = lab.batch(vec![
        set_vlans("q0", &[vlan(1, 1, "pu"), vlan(100, 101, "")]),
        veth("q0", "q1"),
        Change::ChangeLink {
            link: LinkRef { index: None, ..link("q0") },
            settings: vec![Setting::Master(Some("br0".to_owned()))],
        },
    ]);
    batch.expect("vlans come after their port");
    assert_eq!(
        seen(&lab, "q0"),
        json!([
            { "vlan": 1, "flags": ["PVID", "Egress Untagged"] },
            { "vlan": 100, "vlanEnd": 101 },
        ])
    );
}

/// Two switches with a trunk between, on each a station in vlan 100 and one in 200.
fn reach() {
    let Some(mut lab) = bridge() else { return };
    let mut changes = vec![
        create(
            "br1",
            Kind::Bridge(options(&[("vlan_filtering", "1")])),
            None,
            &[Setting::Up(true)],
        ),
        veth("trunk0", "trunk1"),
    ];
    let in_bridge = |path: &str, bridge: &str| {
        set(path, &[Setting::Master(Some(bridge.to_owned())), Setting::Up(true)])
    };
    for (side, trunk) in [("br0", "trunk0"), ("br1", "trunk1")] {
        changes.push(in_bridge(trunk, side));
        let all = [vlan(1, 1, "pu"), vlan(100, 100, ""), vlan(200, 200, "")];
        changes.push(set_vlans(trunk, &all));
    }
    for (number, bridge, id) in [(1, "br0", 100), (2, "br0", 200), (3, "br1", 100), (4, "br1", 200)]
    {
        let (desk, port) = (format!("desk{number}"), format!("port{number}"));
        changes.push(Change::CreateNamespace { name: named(&desk) });
        changes.push(veth(&port, &format!("{desk}/eth0")));
        changes.push(in_bridge(&port, bridge));
        changes.push(set_vlans(&port, &[vlan(id, id, "pu")]));
        changes.push(put(&format!("{desk}/eth0"), &format!("10.0.0.{number}/24")));
    }
    lab.batch(changes).expect("two switches");
    let end = Instant::now() + Duration::from_secs(20);
    let answers = |from: &str, to: &str| {
        lab.run(from, &format!("ping -n -q -c 1 -W 1 {to}")).status.success()
    };
    // A port forwards as soon as the bridge has seen its carrier.
    while !(answers("desk1", "10.0.0.3") && answers("desk2", "10.0.0.4")) {
        assert!(Instant::now() < end, "stations of one vlan don't reach each other");
    }
    for other in ["10.0.0.2", "10.0.0.4"] {
        assert!(!answers("desk1", other), "desk1 reaches {other} of another vlan");
    }
}

fn plain() {
    let mut lab = Lab::new();
    lab.apply(create("br0", Kind::Bridge(options(&[("ageing_time", "0")])), None, &[]));
    // Where it is missing, even to be told that it is off is too much.
    let off = options(&[("vlan_filtering", "0")]);
    let settings = [Setting::Options(Options { kind: "bridge".to_owned(), options: off })];
    let told = lab.try_apply(set("br0", &settings)).map(|_| ());
    if std::env::var_os("NETWRIGHT_COMPLETE_KERNEL").is_some() {
        assert_eq!(told, Ok(()));
    } else if let Err(error) = told {
        assert!(error.to_string().contains("CONFIG_BRIDGE_VLAN_FILTERING\n"), "{error}");
    }
}
