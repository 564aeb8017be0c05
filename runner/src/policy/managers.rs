//! Links that other programs of the machine look after. Nothing here touches them.

use crate::kernel::LinkSight;

/// How a program's links are known.
struct Manager {
    name: &'static str,
    /// names that begin so
    prefixes: &'static [&'static str],
    /// ip-link(8)'s word for the kind; empty for any
    kind: &'static str,
}

const fn manager(
    name: &'static str,
    kind: &'static str,
    prefixes: &'static [&'static str],
) -> Manager {
    Manager { name, prefixes, kind }
}

const MANAGERS: &[Manager] = &[
    manager("Docker", "", &["docker"]),
    // Docker's bridges of networks are called by the first digits of their ids.
    manager("Docker", "bridge", &["br-"]),
    manager("Podman", "", &["podman"]),
    manager(
        "a CNI plugin",
        "",
        &["cni", "flannel", "cali", "cilium", "weave", "kube-", "nodelocal"],
    ),
    manager("libvirt", "", &["virbr", "vnet"]),
    manager("LXC", "", &["lxcbr", "lxdbr", "incusbr"]),
    manager("WireGuard", "wireguard", &[""]),
    manager("WireGuard", "", &["wg"]),
    manager("Tailscale", "", &["tailscale"]),
    manager("ZeroTier", "", &["zt"]),
    manager("the program that holds it open", "tun", &[""]),
    manager("Open vSwitch", "openvswitch", &[""]),
];

/// Who looks after a link that this run did not make, where that is somebody.
pub(super) fn manager_of(link: &LinkSight) -> Option<String> {
    let alias = link.alias.as_deref().unwrap_or_default().to_lowercase();
    let by_alias = MANAGERS.iter().find(|known| alias.starts_with(&known.name.to_lowercase()));
    let own = by_alias.or_else(|| known(&link.reference.name, &link.kind));
    if let Some(manager) = own {
        return Some(manager.name.to_owned());
    }
    let (name, kind) = link.master.as_ref()?;
    known(name, kind).map(|manager| format!("{}, by its bridge `{name}`", manager.name))
}

fn known(name: &str, kind: &str) -> Option<&'static Manager> {
    MANAGERS.iter().find(|manager| {
        (manager.kind.is_empty() || manager.kind == kind)
            && manager.prefixes.iter().any(|prefix| name.starts_with(prefix))
    })
}

#[cfg(test)]
mod tests {
    use super::manager_of;
    use crate::change::{LinkRef, NamespaceRef};
    use crate::kernel::LinkSight;

    fn link(
        name: &str,
        kind: &str,
        alias: Option<&str>,
        master: Option<(&str, &str)>,
    ) -> LinkSight {
        LinkSight {
            reference: LinkRef {
                namespace: NamespaceRef::named(None),
                name: name.to_owned(),
                index: Some(7),
            },
            in_own_space: false,
            own: false,
            kind: kind.to_owned(),
            alias: alias.map(str::to_owned),
            group: 0,
            loopback: false,
            master: master.map(|(name, kind)| (name.to_owned(), kind.to_owned())),
            parent: None,
            below: None,
            vlan: None,
            mtu: None,
            usual_mtu: None,
        }
    }

    #[test]
    fn links_of_other_programs_are_known_by_name_kind_alias_and_master() {
        let managed = [
            link("docker0", "bridge", None, None),
            link("br-0123456789ab", "bridge", None, None),
            link("vethabc", "veth", None, Some(("docker0", "bridge"))),
            link("vethabc", "veth", None, Some(("cni0", "bridge"))),
            link("virbr0", "bridge", None, None),
            link("office", "wireguard", None, None),
            link("wg0", "device", None, None),
            link("tun0", "tun", None, None),
            link("x", "device", Some("Docker network 7"), None),
        ];
        for link in managed {
            assert!(manager_of(&link).is_some(), "{}", link.reference.name);
        }
    }

    #[test]
    fn other_links_are_nobodys() {
        let free = [
            link("eth0", "device", None, None),
            link("br0", "bridge", None, None),
            link("br-lan", "vlan", None, None),
            link("veth0", "veth", None, Some(("br0", "bridge"))),
            link("enp0s8", "device", Some("uplink of the lab"), None),
        ];
        for link in free {
            assert_eq!(manager_of(&link), None, "{}", link.reference.name);
        }
    }
}
