//! A change as the commands that somebody would type: ip(8), bridge(8), tc(8) and sysctl(8).

use crate::kind::{self, Parent};

use super::{
    Change, Kind, LinkName, LinkRef, Name, NamespaceRef, PortVlan, Setting, Spec, Sysctl, Veth,
    Word,
};

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
                let value = value.replace('\t', " ");
                vec![format!("{inside}sysctl -w {}={}", Word(key), Word(&value))]
            }
            Self::RestoreSysctls { namespace, settings } => {
                let value = |setting: &Sysctl| setting.value.replace('\t', " ");
                let set = |setting: &Sysctl| {
                    let inside = match &namespace.name {
                        Some(name) => format!("ip netns exec {name} "),
                        None => String::new(),
                    };
                    format!("{inside}sysctl -w {}={}", Word(&setting.key), Word(&value(setting)))
                };
                settings.iter().map(set).collect()
            }
            // Only an undo knows what stands where.
            Self::OrderAddresses { .. } => Vec::new(),
            Self::PutEntry { .. }
            | Self::RemoveEntry { .. }
            | Self::PutVlan { .. }
            | Self::RemoveVlan { .. } => vec![format!("bridge {self}")],
            Self::PutQdisc { .. } | Self::RemoveQdisc { .. } => vec![format!("tc {self}")],
            Self::SetVlans { link, vlans } => set_vlans(link, vlans),
            Self::ChangeLink { link, settings } => set(link, settings),
            Self::MoveLink { link, to } => {
                let start = ip(link.namespace.name.as_ref());
                let to = target(to.name.as_ref());
                vec![format!("{start} link set {} netns {to}", device(&link.name))]
            }
            Self::DeleteLink { link } => {
                let start = ip(link.namespace.name.as_ref());
                vec![format!("{start} link delete {}", device(&link.name))]
            }
            Self::CreateNamespace { .. }
            | Self::DeleteNamespace { .. }
            | Self::SetNamespaceId { .. }
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
    let device = Word(&link.name);
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
    let kind = spec.kind.to_string();
    // ip-link(8) has an underlay as `dev`, behind the type.
    let name = kind.split(' ').next().unwrap_or_default();
    let stands_on = kind::find(name).is_some_and(|kind| kind.parent == Parent::Underlay);
    let parent = spec.parent.as_ref().map(|parent| Word(&parent.name));
    match &parent {
        Some(parent) if !stands_on => words += &format!(" link {parent}"),
        Some(_) | None => {}
    }
    words += &format!(" name {}", spec.name);
    if here != namespace {
        words += &format!(" netns {}", target(namespace));
    }
    let is_veth = matches!(spec.kind, Kind::Veth(_));
    let (now, later) = divided(&spec.settings, is_veth, here == namespace);
    now.iter().for_each(|setting| words += &format!(" {setting}"));
    let mut more = then(namespace, spec.name.as_str(), later);
    if let Kind::Veth(veth) = &spec.kind {
        let at = match &veth.peer.namespace {
            Some(peer) => peer.as_ref(),
            None => namespace,
        };
        let (now, later) = divided(&veth.peer_settings, is_veth, here == at);
        words += &veth_words(veth, &now);
        more.extend(then(at, &veth.peer.name, later));
    } else {
        words += &format!(" type {kind}");
        parent.iter().filter(|_| stands_on).for_each(|parent| words += &format!(" dev {parent}"));
    }
    std::iter::once(words).chain(more).collect()
}

/// What is set at once, and what by a line of its own: an end of a veth comes up when the other one
/// is there; a port's settings begin with a `type`, and there is one already; a master is looked for
/// where the command is given; and some the kernel doesn't heed of a link that is not there yet
/// (rtnl_create_link in net/core/rtnetlink.c).
fn divided(settings: &[Setting], is_veth: bool, here: bool) -> (Vec<&Setting>, Vec<&Setting>) {
    settings.iter().partition(|setting| match setting {
        Setting::Up(true) => !is_veth,
        Setting::Master(Some(_)) => here,
        Setting::Alias(_) | Setting::Carrier(_) | Setting::ProtocolDown(_) => false,
        Setting::Other(attribute) => attribute.name != "addrgenmode",
        other => !is_typed(other),
    })
}

/// What is set once the link is there.
fn then(namespace: Option<&Name>, name: &str, settings: Vec<&Setting>) -> Vec<String> {
    let namespace = NamespaceRef::named(namespace.cloned());
    let link = LinkRef { namespace, name: name.to_owned(), index: None };
    let settings: Vec<Setting> = settings.into_iter().cloned().collect();
    set(&link, &settings)
}

fn is_typed(setting: &Setting) -> bool {
    matches!(setting, Setting::Macvlan(_) | Setting::Options(_))
}

/// ip(8) takes one `type`, and all that comes after it as the type's own. What a port is like
/// (`type bridge_slave`) the kernel takes once it is one: in a command behind that of its master.
fn set(link: &LinkRef, settings: &[Setting]) -> Vec<String> {
    let start = format!("{} link set {}", ip(link.namespace.name.as_ref()), device(&link.name));
    let plain: String =
        settings.iter().filter(|each| !is_typed(each)).map(|each| format!(" {each}")).collect();
    let plain = (!plain.is_empty()).then(|| start.clone() + &plain);
    let typed = settings.iter().filter(|each| is_typed(each)).map(|each| format!("{start} {each}"));
    plain.into_iter().chain(typed).collect()
}

fn veth_words(veth: &Veth, settings: &[&Setting]) -> String {
    let mut words = format!(" type veth peer name {}", Word(&veth.peer.name));
    if let Some(namespace) = &veth.peer.namespace {
        words += &format!(" netns {}", target(namespace.as_ref()));
    }
    for setting in settings {
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

/// The words of ip-link(8): a link that has the name of one is found behind `dev` alone.
fn device(name: &str) -> String {
    let may_be_a_word = name.starts_with('-') || name.chars().all(|c| c.is_ascii_alphabetic());
    let dev = if may_be_a_word && name != "lo" { "dev " } else { "" };
    format!("{dev}{}", Word(name))
}
