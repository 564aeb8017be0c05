//! What follows `type`: the kind of a link and the options of its own.

use netwright_network::kind;
use netwright_network::text::suggestion;
use netwright_sdk::wit::links::{
    Ipvlan, IpvlanFlag, IpvlanMode, Kind, LinkName, Other, Setting, Veth,
};

use crate::command::{Context, Place};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::keyword::{Keyword, begins, find, names, short};
use crate::kind_tables::{BRIDGE, BRIDGE_SLAVE};
use crate::lex::Word;
use crate::link_options::{LARGEST_MTU, LinkWords, words};
use crate::options::{pairs, read_options};
use crate::value::{attribute, choice, new_name};
use crate::{macvlan, names as numbers, vlan, vxlan};

/// What `type` takes beside the kinds: places of ports, which are altered and not made.
const PORTS: [&str; 3] = ["bond_slave", "bridge_slave", "team_slave"];

/// What iproute2 knows (`ip link help`); `tun` and `tap` only by way of `ip tuntap`.
fn known_kinds() -> impl Iterator<Item = &'static str> {
    kind::names().chain(PORTS)
}

/// Refuses a kind that there is none of.
pub(crate) fn known(cursor: &mut Cursor<'_>, word: &Word) -> Option<()> {
    if known_kinds().any(|kind| kind == word.text) {
        return Some(());
    }
    let message = format!("`{}` is not a kind of link", shown(&word.text));
    cursor.fault(word, message, suggestion(&word.text, known_kinds()));
    None
}

/// The kind of a new link, up to the end of the command.
pub(crate) fn parse_new(
    cursor: &mut Cursor<'_>,
    word: &Word,
    link: &LinkWords<'_>,
    context: &Context,
) -> Option<Kind> {
    known(cursor, word)?;
    match word.text.as_str() {
        "macvlan" => macvlan::parse_new(cursor).map(Kind::Macvlan),
        "macvtap" => macvlan::parse_new(cursor).map(Kind::Macvtap),
        "veth" => veth(cursor, link, context).map(Kind::Veth),
        "bridge" => read_options(cursor, BRIDGE, "`type bridge`").map(Kind::Bridge),
        "vlan" => vlan::parse_new(cursor, word).map(Kind::Vlan),
        "vxlan" => vxlan::parse(cursor, word, true).map(Kind::Vxlan),
        "dummy" => none(cursor, word, Kind::Dummy),
        "ifb" => none(cursor, word, Kind::Ifb),
        "ipvlan" => new_ipvlan(cursor, word).map(Kind::Ipvlan),
        "ipvtap" => new_ipvlan(cursor, word).map(Kind::Ipvtap),
        "vrf" => vrf(cursor, word).map(Kind::Vrf),
        "tun" | "tap" => {
            let message = "a tun or tap is not made by `ip link`".to_owned();
            cursor.refuse_with(
                word,
                message,
                &format!("`ip tuntap add dev NAME mode {}`", word.text),
            );
            None
        }
        kind if kind.ends_with("_slave") => {
            let message = format!("`{kind}` is the place of a port, not a kind of link");
            cursor.refuse_with(word, message, "`ip link set DEVICE type …` alters it");
            None
        }
        kind => {
            let options = pairs(cursor, kind)?;
            Some(Kind::Other(Other { kind: kind.to_owned(), options }))
        }
    }
}

/// What `ip link set … type KIND` alters.
pub(crate) fn parse_change(cursor: &mut Cursor<'_>, word: &Word) -> Option<Vec<Setting>> {
    known(cursor, word)?;
    let before = cursor.faults();
    let options = match word.text.as_str() {
        "macvlan" | "macvtap" => return macvlan::parse_change(cursor, word),
        "bridge" => read_options(cursor, BRIDGE, "`type bridge`")?,
        "bridge_slave" => read_options(cursor, BRIDGE_SLAVE, "`type bridge_slave`")?,
        "vxlan" => vxlan::parse(cursor, word, false)?,
        "vlan" => vlan::parse_change(cursor)?,
        "ipvlan" | "ipvtap" => {
            let ipvlan = ipvlan(cursor, word)?;
            let mode = ipvlan.mode.map(|mode| attribute("mode", mode_name(mode)));
            // Without a word of them all flags are taken away (ip/iplink_ipvlan.c).
            let flag = flag_name(ipvlan.flag.unwrap_or(IpvlanFlag::Bridge));
            mode.into_iter().chain([attribute("flag", flag)]).collect()
        }
        "veth" | "dummy" | "ifb" | "vrf" | "tun" | "tap" => {
            let message = format!("`{}` has nothing that can be set later", word.text);
            cursor.refuse(word, message);
            return None;
        }
        kind => pairs(cursor, kind)?,
    };
    if options.is_empty() && cursor.faults() == before {
        cursor.refuse(word, format!("no option of `{}` follows", word.text));
    }
    Some(vec![Setting::Options(Other { kind: word.text.clone(), options })])
}

fn none(cursor: &mut Cursor<'_>, word: &Word, kind: Kind) -> Option<Kind> {
    cursor.end(&format!("`type {}`", word.text));
    Some(kind)
}

/// The other end, with options of its own. Without `netns` it is born where the command is given.
fn veth(cursor: &mut Cursor<'_>, link: &LinkWords<'_>, context: &Context) -> Option<Veth> {
    let elsewhere = link.namespace.is_some().then(|| context.namespace());
    let Some(word) = cursor.next() else {
        let peer = LinkName { namespace: elsewhere, name: String::new() };
        return Some(Veth { peer, peer_settings: Vec::new() });
    };
    if word.text != "peer" {
        cursor.unknown(word, "`type veth`", std::iter::once("peer"));
        return None;
    }
    let peer = words(cursor, "`peer`", LARGEST_MTU)?;
    if let Some(kind) = peer.kind {
        cursor.refuse(kind, "a peer has no kind of its own".to_owned());
    }
    if let Some((lower, _)) = &peer.parent {
        cursor.refuse(lower, "a veth has no lower link".to_owned());
    }
    let name_word = peer.name.or(peer.device);
    let name = match name_word {
        Some(word) => new_name(cursor, word)?,
        None => String::new(),
    };
    let own = link.name.or(link.device).filter(|own| own.text == name);
    if let (Some(word), Some(own), true) = (name_word, own, peer.namespace == link.namespace) {
        cursor.refuse(word, format!("the two ends of a veth can't both be `{}`", own.text));
    }
    let namespace = match peer.namespace {
        Some(Place::Named(name)) => Some(name),
        Some(Place::Root) => Some(String::new()),
        None => elsewhere,
    };
    let mut peer_settings = peer.settings;
    peer_settings.extend(peer.group.map(Setting::Group));
    Some(Veth { peer: LinkName { namespace, name }, peer_settings })
}

const IPVLAN_MODES: [(&str, IpvlanMode); 3] =
    [("l2", IpvlanMode::L2), ("l3", IpvlanMode::L3), ("l3s", IpvlanMode::L3s)];

const IPVLAN_FLAGS: [(&str, IpvlanFlag); 3] =
    [("private", IpvlanFlag::Private), ("vepa", IpvlanFlag::Vepa), ("bridge", IpvlanFlag::Bridge)];

/// Without a word of them all flags are taken away from the others on that parent, too
/// (ip/iplink_ipvlan.c, ipvlan_link_new).
fn new_ipvlan(cursor: &mut Cursor<'_>, kind: &Word) -> Option<Ipvlan> {
    let read = ipvlan(cursor, kind)?;
    Some(Ipvlan { flag: read.flag.or(Some(IpvlanFlag::Bridge)), ..read })
}

fn ipvlan(cursor: &mut Cursor<'_>, kind: &Word) -> Option<Ipvlan> {
    let mut ipvlan = Ipvlan { mode: None, flag: None };
    while let Some(word) = cursor.next() {
        let flag = IPVLAN_FLAGS.iter().find(|(name, _)| begins(name, &word.text));
        if begins("mode", &word.text) {
            let option = Named { word, name: "mode" };
            ipvlan.mode = choice(cursor, option, &IPVLAN_MODES).or(ipvlan.mode);
        } else if let Some((name, flag)) = flag {
            if ipvlan.flag.is_some() {
                let message = format!("`{name}` comes after another flag; one is allowed");
                cursor.refuse(word, message);
            }
            ipvlan.flag = Some(*flag);
        } else {
            let known = IPVLAN_FLAGS.iter().map(|(name, _)| *name).chain(["mode"]);
            cursor.unknown(word, &format!("`type {}`", kind.text), known);
            return None;
        }
    }
    Some(ipvlan)
}

fn mode_name(mode: IpvlanMode) -> &'static str {
    match mode {
        IpvlanMode::L2 => "l2",
        IpvlanMode::L3 => "l3",
        IpvlanMode::L3s => "l3s",
    }
}

fn flag_name(flag: IpvlanFlag) -> &'static str {
    match flag {
        IpvlanFlag::Private => "private",
        IpvlanFlag::Vepa => "vepa",
        IpvlanFlag::Bridge => "bridge",
    }
}

const VRF: &[Keyword<()>] = &[short("table", ())];

fn vrf(cursor: &mut Cursor<'_>, kind: &Word) -> Option<u32> {
    let mut table = None;
    while let Some(word) = cursor.next() {
        let Some((name, ())) = find(VRF, &word.text) else {
            cursor.unknown(word, "`type vrf`", names(VRF));
            return None;
        };
        table = numbers::table(cursor, Named { word, name });
        table?;
    }
    match table {
        None => cursor.refuse(kind, "`vrf` needs `table`".to_owned()),
        Some(0) => cursor.refuse(kind, "the table of a vrf can't be 0".to_owned()),
        Some(_) => {}
    }
    table
}
