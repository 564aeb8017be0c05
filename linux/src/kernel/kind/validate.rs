//! What is refused before the kernel is asked: every fault of a link, as sentences.

use super::{Parent, is_underlay, kind_options, listens, options, parent, sent_options};
use crate::change::{
    Attribute, Kind, MacAddress, Macvlan, MacvlanChange, MacvlanMode, Name, Options, Setting, Spec,
};

/// RFC 791: what every IPv4 link must carry.
const SMALLEST_MTU: u32 = 68;
const LARGEST_MTU: u32 = 65535;
/// Loopback's own, 64 KiB (drivers/net/loopback.c).
const LOOPBACK_MTU: u32 = 65536;
/// IFALIASZ less its NUL
const LONGEST_ALIAS: usize = 255;

/// All that is wrong with a link to be made.
pub fn validate(spec: &Spec) -> Vec<String> {
    let mut faults = Vec::new();
    parent_faults(spec, &mut faults);
    kind_faults(spec, &mut faults);
    for setting in &spec.settings {
        match setting {
            Setting::Name(_) => {
                faults.push(format!("`{}` is new: its name can't be set twice", spec.name));
            }
            Setting::Options(options) => own_options(&spec.kind, options, &mut faults),
            Setting::Macvlan(change) => birth_change(&spec.kind, change, &mut faults),
            Setting::Mtu(mtu) => mtu_faults(*mtu, LARGEST_MTU, &mut faults),
            other => setting_faults(other, &mut faults),
        }
    }
    faults
}

/// All that is wrong with settings of a link that exists.
pub fn validate_settings(settings: &[Setting]) -> Vec<String> {
    let mut faults = Vec::new();
    for setting in settings {
        setting_faults(setting, &mut faults);
    }
    faults
}

fn parent_faults(spec: &Spec, faults: &mut Vec<String>) {
    let kind = spec.kind.word();
    if let Some(given) = &spec.parent
        && let Some(other) = sent_options(spec).iter().find(|one| is_underlay(&spec.kind, one))
    {
        faults.push(format!(
            "`{}`: both its parent `{}` and `dev {}` say what it stands on; one of them is enough",
            spec.name,
            given.name.escape_debug(),
            other.value.escape_debug()
        ));
    }
    match (parent(&spec.kind), &spec.parent) {
        (Parent::Needed, None) => {
            faults.push(format!("`{}`: kind `{kind}` needs a parent link", spec.name));
        }
        (Parent::None, Some(given)) => faults.push(format!(
            "`{}`: kind `{kind}` stands on no other link, but parent `{}` is given",
            spec.name, given.name
        )),
        (Parent::Needed, Some(given)) if given.name == "lo" => {
            faults.push(format!("`{}`: `lo` can't be the parent of a `{kind}`", spec.name));
        }
        (Parent::Needed, Some(given))
            if given.namespace.is_none() && given.name == spec.name.as_str() =>
        {
            faults.push(format!("`{}` can't be its own parent", spec.name));
        }
        (
            Parent::Needed | Parent::Underlay | Parent::Uplink | Parent::Unknown | Parent::None,
            _,
        ) => {}
    }
}

fn kind_faults(spec: &Spec, faults: &mut Vec<String>) {
    match &spec.kind {
        Kind::Macvlan(macvlan) | Kind::Macvtap(macvlan) => macvlan_faults(macvlan, faults),
        // The host names the other end.
        Kind::Veth(_) if spec.parent.is_some() => {}
        Kind::Veth(veth) => {
            if let Err(why) = veth.peer.name.parse::<Name>() {
                faults.push(format!("peer of `{}`: {why}", spec.name));
            }
            if veth.peer.namespace.is_none() && veth.peer.name == spec.name.as_str() {
                faults.push(format!("`{}` can't have a peer of its own name beside it", spec.name));
            }
            for setting in &veth.peer_settings {
                match setting {
                    Setting::Name(_) => {
                        faults
                            .push(format!("peer of `{}`: its name can't be set twice", spec.name));
                    }
                    other => setting_faults(other, faults),
                }
            }
        }
        Kind::Vlan(vlan) => {
            if !(1..=4094).contains(&vlan.id) {
                faults.push(format!("VLAN id is {}; 1 to 4094 are allowed", vlan.id));
            }
            faults.extend(options::faults("vlan", &vlan.options));
        }
        Kind::Vxlan(given) => {
            vxlan_faults(&spec.name, given, faults);
            faults.extend(options::faults("vxlan", given));
        }
        Kind::Vrf(0) => faults.push(format!("`{}`: the table of a vrf can't be 0", spec.name)),
        Kind::Bridge(_) | Kind::Ipvlan(_) | Kind::Ipvtap(_) | Kind::Vrf(_) => {
            faults.extend(options::faults(spec.kind.word(), &kind_options(&spec.kind)));
        }
        Kind::Other(other) => other_faults(&spec.name, other, faults),
        Kind::Dummy | Kind::Ifb | Kind::Tun(_) | Kind::Tap(_) => {}
    }
}

fn macvlan_faults(macvlan: &Macvlan, faults: &mut Vec<String>) {
    let mode = macvlan.mode.map_or("vepa, the default", MacvlanMode::word);
    if macvlan.nopromisc && macvlan.mode != Some(MacvlanMode::Passthru) {
        faults.push(format!("`nopromisc` needs mode passthru, not {mode}"));
    }
    let source = macvlan.mode == Some(MacvlanMode::Source);
    if macvlan.nodst && !source {
        faults.push(format!("`nodst` needs mode source, not {mode}"));
    }
    if !macvlan.sources.is_empty() && !source {
        faults.push(format!("a list of source addresses needs mode source, not {mode}"));
    }
    macvlan.sources.iter().for_each(|mac| unicast("source", *mac, faults));
}

fn vxlan_faults(link: &Name, given: &[Attribute], faults: &mut Vec<String>) {
    let has = |name: &str| given.iter().any(|option| option.name == name);
    if !has("id") && !has("vni") && !has("external") {
        faults.push(format!("`{link}`: a vxlan needs `id`, or `external`"));
    }
    if has("remote") && has("group") {
        faults.push(format!("`{link}`: a vxlan has either `remote` or `group`"));
    }
    let group = given.iter().find(|option| option.name == "group");
    let multicast = |text: &str| text.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_multicast());
    if group.is_some_and(|group| multicast(&group.value)) && !has("dev") {
        faults.push(format!("`{link}`: a vxlan with a multicast `group` needs `dev`"));
    }
}

fn other_faults(link: &Name, other: &Options, faults: &mut Vec<String>) {
    let kind = other.kind.as_str();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if kind.is_empty() || kind.len() > 31 || !kind.chars().all(plain) {
        faults.push(format!("`{link}`: `{}` can't be a link kind", kind.escape_debug()));
        return;
    }
    // Its frames are of no network namespace.
    if let ("vsockmon", Some(why)) = (kind, listens(kind)) {
        faults.push(format!("`{link}`: a link of kind `{kind}` is not made for anybody: {why}"));
    }
    if matches!(kind, "veth" | "vxcan" | "netkit" | "tun" | "tap") && !other.options.is_empty() {
        faults.push(format!("`{link}`: kind `{kind}` is not made from plain options"));
        return;
    }
    if other.options.is_empty() {
        return;
    }
    match kind {
        "macvlan" | "macvtap" => {
            faults.push(format!("`{link}`: kind `{kind}` has a form of its own for its options"));
        }
        _ => faults.extend(options::faults(kind, &other.options)),
    }
}

/// Options at birth are the link's own, or those of its place in a master.
fn own_options(kind: &Kind, given: &Options, faults: &mut Vec<String>) {
    let own = kind.word();
    if given.kind != own && !given.kind.ends_with("_slave") {
        faults.push(format!("options of kind `{}` don't fit a link of kind `{own}`", given.kind));
        return;
    }
    faults.extend(options::faults(&given.kind, &given.options));
}

fn birth_change(kind: &Kind, change: &MacvlanChange, faults: &mut Vec<String>) {
    match kind {
        Kind::Macvlan(_) | Kind::Macvtap(_) => macvlan_change(change, faults),
        other => {
            faults.push(format!("macvlan settings don't fit a link of kind `{}`", other.word()))
        }
    }
}

fn macvlan_change(change: &MacvlanChange, faults: &mut Vec<String>) {
    match change {
        MacvlanChange::AddSource(mac) | MacvlanChange::RemoveSource(mac) => {
            unicast("source", *mac, faults);
        }
        MacvlanChange::SetSources(all) => {
            all.iter().for_each(|mac| unicast("source", *mac, faults));
        }
        MacvlanChange::Mode(_)
        | MacvlanChange::Nopromisc(_)
        | MacvlanChange::Nodst(_)
        | MacvlanChange::BroadcastQueueLength(_)
        | MacvlanChange::FlushSources => {}
    }
}

fn setting_faults(setting: &Setting, faults: &mut Vec<String>) {
    match setting {
        Setting::Mtu(mtu) => mtu_faults(*mtu, LOOPBACK_MTU, faults),
        Setting::Mac(mac) => unicast("link", *mac, faults),
        Setting::Alias(alias) => {
            if alias.len() > LONGEST_ALIAS {
                faults.push(format!(
                    "alias has {} bytes; the kernel allows {LONGEST_ALIAS}",
                    alias.len()
                ));
            }
            if alias.contains('\0') {
                faults.push("alias must not hold a NUL".to_owned());
            }
        }
        Setting::Macvlan(change) => macvlan_change(change, faults),
        Setting::Options(given) => faults.extend(options::faults(&given.kind, &given.options)),
        Setting::Other(attribute) => faults.extend(other_fault(attribute)),
        Setting::Up(_)
        | Setting::Broadcast(_)
        | Setting::Name(_)
        | Setting::Group(_)
        | Setting::TransmitQueueLength(_)
        | Setting::Promiscuous(_)
        | Setting::AllMulticast(_)
        | Setting::Multicast(_)
        | Setting::Arp(_)
        | Setting::Dynamic(_)
        | Setting::Trailers(_)
        | Setting::Carrier(_)
        | Setting::ProtocolDown(_)
        | Setting::Master(_) => {}
    }
}

fn other_fault(attribute: &Attribute) -> Option<String> {
    match attribute.name.as_str() {
        "index" => match attribute.value.parse::<i32>() {
            Ok(index) if index > 0 => None,
            _ => Some(format!("`index` must be a positive number, not `{}`", attribute.value)),
        },
        name if options::is_inet6(name) => options::inet6_attribute(attribute).err(),
        _ => options::link_attribute(attribute).err(),
    }
}

fn mtu_faults(mtu: u32, largest: u32, faults: &mut Vec<String>) {
    if !(SMALLEST_MTU..=largest).contains(&mtu) {
        faults.push(format!("mtu is {mtu}; {SMALLEST_MTU} to {LARGEST_MTU} are allowed"));
    }
}

fn unicast(what: &str, mac: MacAddress, faults: &mut Vec<String>) {
    if mac.is_multicast() {
        faults.push(format!("{what} address {mac} is a multicast address; a station's is needed"));
    } else if mac.0 == [0; 6] {
        faults.push(format!("{what} address {mac} is all zeros; a station's is needed"));
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
