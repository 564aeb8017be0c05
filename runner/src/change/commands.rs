//! A change as the commands that somebody would type: ip(8), bridge(8), tc(8) and sysctl(8).

use super::{Change, Kind, LinkName, LinkRef, Name, PortVlan, Setting, Spec, Veth};

impl Change {
    /// Usually one; more where ip(8) needs several for what is one request to the kernel.
    pub fn commands(&self) -> Vec<String> {
        match self {
            Self::CreateLink { namespace, spec } => create(namespace.name.as_ref(), spec),
            Self::SetSysctl { namespace, key, value } => {
                let inside = match &namespace.name {
                    Some(name) => format!("ip netns exec {name} "),
                    None => String::new(),
                };
                vec![format!("{inside}sysctl -w {}={}", quoted(key), quoted(value))]
            }
            Self::PutEntry { .. }
            | Self::RemoveEntry { .. }
            | Self::PutVlan { .. }
            | Self::RemoveVlan { .. } => vec![format!("bridge {self}")],
            Self::PutQdisc { .. } | Self::RemoveQdisc { .. } => vec![format!("tc {self}")],
            Self::SetVlans { link, vlans } => set_vlans(link, vlans),
            Self::ChangeLink { link, settings } => set(link, settings),
            Self::CreateNamespace { .. }
            | Self::DeleteNamespace { .. }
            | Self::SetNamespaceId { .. }
            | Self::MoveLink { .. }
            | Self::DeleteLink { .. }
            | Self::PutAddress { .. }
            | Self::RemoveAddress { .. }
            | Self::PutRoute { .. }
            | Self::RemoveRoute { .. }
            | Self::AddRule { .. }
            | Self::RemoveRule { .. }
            | Self::PutNeighbour { .. }
            | Self::RemoveNeighbour { .. } => vec![format!("ip {self}")],
        }
    }
}

/// bridge(8) has no word for just these: all go, and come one by one.
fn set_vlans(link: &LinkRef, vlans: &[PortVlan]) -> Vec<String> {
    let inside = match &link.namespace.name {
        Some(name) => format!("bridge -n {name} vlan"),
        None => "bridge vlan".to_owned(),
    };
    let device = quoted(&link.name);
    let none = format!("{inside} delete dev {device} vid 1-4094");
    let each = vlans.iter().map(|vlan| format!("{inside} add dev {device} {vlan}"));
    std::iter::once(none).chain(each).collect()
}

/// ip(8) names a parent in its own namespace only: the command is given there, and says with
/// `netns` where the link is born.
fn create(namespace: Option<&Name>, spec: &Spec) -> Vec<String> {
    if let Kind::Tun(_) | Kind::Tap(_) = &spec.kind {
        return create_tuntap(namespace, spec);
    }
    let here = match &spec.parent {
        Some(LinkName { namespace: Some(parent), .. }) => parent.as_ref(),
        Some(LinkName { namespace: None, .. }) | None => namespace,
    };
    let mut words = ip(here) + " link add";
    if let Some(parent) = &spec.parent {
        words += &format!(" link {}", quoted(&parent.name));
    }
    words += &format!(" name {}", spec.name);
    if here != namespace {
        words += &format!(" netns {}", target(namespace));
    }
    for setting in &spec.settings {
        words += &format!(" {setting}");
    }
    words += &match &spec.kind {
        Kind::Veth(veth) => veth_words(veth),
        other => format!(" type {other}"),
    };
    vec![words]
}

/// ip(8) takes one `type`, and all that comes after it as the type's own.
fn set(link: &LinkRef, settings: &[Setting]) -> Vec<String> {
    let typed = |setting: &&Setting| matches!(setting, Setting::Macvlan(_) | Setting::Options(_));
    let start = format!("{} link set {}", ip(link.namespace.name.as_ref()), quoted(&link.name));
    let plain: String =
        settings.iter().filter(|each| !typed(each)).map(|setting| format!(" {setting}")).collect();
    let mut typed = settings.iter().filter(typed);
    let mut first = start.clone() + &plain;
    if let Some(setting) = typed.next() {
        first += &format!(" {setting}");
    }
    let more = typed.map(|setting| format!("{start} {setting}"));
    std::iter::once(first).chain(more).collect()
}

fn veth_words(veth: &Veth) -> String {
    let mut words = format!(" type veth peer name {}", quoted(&veth.peer.name));
    if let Some(namespace) = &veth.peer.namespace {
        words += &format!(" netns {}", target(namespace.as_ref()));
    }
    for setting in &veth.peer_settings {
        words += &format!(" {setting}");
    }
    words
}

/// ip-tuntap(8): the kernel makes these by an ioctl, without settings.
fn create_tuntap(namespace: Option<&Name>, spec: &Spec) -> Vec<String> {
    let kind = spec.kind.to_string();
    let (mode, options) = kind.split_once(' ').unwrap_or((&kind, ""));
    let add = format!("{} tuntap add dev {} mode {mode} {options}", ip(namespace), spec.name);
    let mut commands = vec![add.trim_end().to_owned()];
    if !spec.settings.is_empty() {
        let settings: String = spec.settings.iter().map(|setting| format!(" {setting}")).collect();
        commands.push(format!("{} link set {}{settings}", ip(namespace), spec.name));
    }
    commands
}

fn ip(namespace: Option<&Name>) -> String {
    match namespace {
        Some(name) => format!("ip -n {name}"),
        None => "ip".to_owned(),
    }
}

/// The root namespace has no name: it is that of the first process.
fn target(namespace: Option<&Name>) -> &str {
    namespace.map_or("1", Name::as_str)
}

/// For a shell, and for ip's own batch files.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.escape_debug())
}
