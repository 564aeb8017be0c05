//! The options that every link has, when it is made or later (ip-link(8)).

use netwright_sdk::wit::links::Setting;

use crate::command::Place;
use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, exact, find, names, short};
use crate::lex::Word;
use crate::link::Needs;
use crate::names::group;
use crate::value::{
    alias, attribute, choice, existing_namespace, link, link_word, mac, namespace, number_within,
    number32, read_number, reading, station, switch,
};

/// What stands before `type`, which ends it.
#[derive(Default)]
pub(crate) struct LinkWords<'a> {
    /// without an option's name before it, or after `dev`
    pub(crate) device: Option<&'a Word>,
    pub(crate) name: Option<&'a Word>,
    pub(crate) parent: Option<(&'a Word, String)>,
    pub(crate) parent_namespace: Option<String>,
    pub(crate) namespace: Option<Place>,
    pub(crate) group: Option<u32>,
    pub(crate) kind: Option<&'a Word>,
    pub(crate) settings: Vec<Setting>,
    vrf: Option<String>,
    pub(crate) first_setting: Option<&'a Word>,
    seen: Vec<&'static str>,
    largest_mtu: u32,
}

#[derive(Clone, Copy)]
enum LinkOption {
    Name,
    Type,
    Device,
    Link,
    LinkNetns,
    Netns,
    Group,
    Setting(SettingOption),
    Refused(&'static str),
}

#[derive(Clone, Copy)]
enum SettingOption {
    Up(bool),
    Address,
    Broadcast,
    QueueLength,
    Mtu,
    Switch(fn(bool) -> Setting),
    Master,
    Vrf,
    Nomaster,
    Alias,
    /// a number that the host takes under ip(8)'s own word
    Number(u32),
    /// as [`SettingOption::Number`], one of several words
    Word(&'static [(&'static str, &'static str)]),
}

/// ETH_MIN_MTU: what IPv4 demands of every link (RFC 791).
const LEAST_MTU: u64 = 68;
/// What a frame's length can be at most.
pub(crate) const LARGEST_MTU: u32 = 65535;
/// Loopback's own, 64 KiB (drivers/net/loopback.c).
pub(crate) const LOOPBACK_MTU: u32 = 65536;
const LARGEST: u32 = i32::MAX.unsigned_abs();

/// In iproute2's order (ip/iplink.c, `iplink_parse`), which decides between abbreviations.
const OPTIONS: &[Keyword<LinkOption>] = &[
    exact("up", LinkOption::Setting(SettingOption::Up(true))),
    exact("down", LinkOption::Setting(SettingOption::Up(false))),
    exact("name", LinkOption::Name),
    exact("index", LinkOption::Setting(SettingOption::Number(LARGEST))),
    short("link", LinkOption::Link),
    short("address", LinkOption::Setting(SettingOption::Address)),
    short("broadcast", LinkOption::Setting(SettingOption::Broadcast)),
    exact("brd", LinkOption::Setting(SettingOption::Broadcast)),
    short("txqueuelen", LinkOption::Setting(SettingOption::QueueLength)),
    exact("qlen", LinkOption::Setting(SettingOption::QueueLength)),
    short("txqlen", LinkOption::Setting(SettingOption::QueueLength)),
    exact("mtu", LinkOption::Setting(SettingOption::Mtu)),
    exact("xdp", LinkOption::Refused("it loads a program into the kernel")),
    exact("xdpgeneric", LinkOption::Refused("it loads a program into the kernel")),
    exact("xdpdrv", LinkOption::Refused("it loads a program into the kernel")),
    exact("xdpoffload", LinkOption::Refused("it loads a program into the kernel")),
    exact("netns", LinkOption::Netns),
    exact("multicast", LinkOption::Setting(SettingOption::Switch(Setting::Multicast))),
    exact("allmulticast", LinkOption::Setting(SettingOption::Switch(Setting::AllMulticast))),
    exact("promisc", LinkOption::Setting(SettingOption::Switch(Setting::Promiscuous))),
    exact("trailers", LinkOption::Setting(SettingOption::Switch(Setting::Trailers))),
    exact("arp", LinkOption::Setting(SettingOption::Switch(Setting::Arp))),
    exact("carrier", LinkOption::Setting(SettingOption::Switch(Setting::Carrier))),
    exact("vf", LinkOption::Refused("it is for the functions of physical cards")),
    short("master", LinkOption::Setting(SettingOption::Master)),
    exact("vrf", LinkOption::Setting(SettingOption::Vrf)),
    short("nomaster", LinkOption::Setting(SettingOption::Nomaster)),
    short("dynamic", LinkOption::Setting(SettingOption::Switch(Setting::Dynamic))),
    short("type", LinkOption::Type),
    short("alias", LinkOption::Setting(SettingOption::Alias)),
    exact("group", LinkOption::Group),
    exact("mode", LinkOption::Setting(SettingOption::Word(MODES))),
    exact("state", LinkOption::Setting(SettingOption::Word(STATES))),
    short("numtxqueues", LinkOption::Setting(SettingOption::Number(4096))),
    short("numrxqueues", LinkOption::Setting(SettingOption::Number(4096))),
    short("addrgenmode", LinkOption::Setting(SettingOption::Word(GENERATION))),
    short("link-netns", LinkOption::LinkNetns),
    short("link-netnsid", LinkOption::Refused("name the namespace: `link-netns NAME`")),
    exact("protodown", LinkOption::Setting(SettingOption::Switch(Setting::ProtocolDown))),
    exact("protodown_reason", LinkOption::Refused("it is for protocol daemons")),
    exact("gso_max_size", LinkOption::Setting(SettingOption::Number(u32::MAX))),
    exact("gso_max_segs", LinkOption::Setting(SettingOption::Number(u32::MAX))),
    exact("gro_max_size", LinkOption::Setting(SettingOption::Number(u32::MAX))),
    exact("parentdev", LinkOption::Refused("it is for physical cards")),
    exact("dev", LinkOption::Device),
];

/// Reads options up to the end of the command or past `type KIND`.
pub(crate) fn words<'a>(
    cursor: &mut Cursor<'a>,
    place: &str,
    largest_mtu: u32,
) -> Option<LinkWords<'a>> {
    let mut words = LinkWords { largest_mtu, ..LinkWords::default() };
    while words.kind.is_none() {
        let Some(word) = cursor.next() else { break };
        match find(OPTIONS, &word.text) {
            Some((name, option)) => words.option(cursor, Named { word, name }, option)?,
            None => words.device(cursor, word, place)?,
        }
    }
    Some(words)
}

impl<'a> LinkWords<'a> {
    pub(crate) fn needs(&self) -> Needs {
        Needs { vrf: self.vrf.clone(), namespace: self.parent_namespace.clone() }
    }

    /// A word that is no option is the link; a second one is a mistake.
    fn device(&mut self, cursor: &mut Cursor<'a>, word: &'a Word, place: &str) -> Option<()> {
        if self.device.is_some() || (crate::keyword::begins("help", &word.text)) {
            cursor.unknown(word, place, names(OPTIONS));
            return None;
        }
        self.device = Some(word);
        Some(())
    }

    fn once(&mut self, cursor: &mut Cursor<'a>, option: Named<'a>) {
        if self.seen.contains(&option.name) {
            cursor.twice(option);
        }
        self.seen.push(option.name);
    }

    /// A short word before the name of an option was meant as the name of a link.
    fn swallows(cursor: &mut Cursor<'a>, named: Named<'a>, option: LinkOption) -> bool {
        let takes_name = match option {
            LinkOption::Link
            | LinkOption::Setting(
                SettingOption::Master | SettingOption::Vrf | SettingOption::Alias,
            ) => true,
            LinkOption::Name
            | LinkOption::Type
            | LinkOption::Device
            | LinkOption::LinkNetns
            | LinkOption::Netns
            | LinkOption::Group
            | LinkOption::Setting(_)
            | LinkOption::Refused(_) => false,
        };
        let Some(value) = cursor.peek() else { return false };
        let Some(help) = reading(named).filter(|_| takes_name) else { return false };
        if !names(OPTIONS).any(|name| name == value.text) {
            return false;
        }
        let message = format!("`{}` stands where the value of `{}` should", value.text, named.name);
        cursor.refuse_with(value, message, &help);
        true
    }

    /// A wrong value is noted and the rest still read.
    fn option(
        &mut self,
        cursor: &mut Cursor<'a>,
        named: Named<'a>,
        option: LinkOption,
    ) -> Option<()> {
        if Self::swallows(cursor, named, option) {
            return None;
        }
        match option {
            LinkOption::Name => self.name = cursor.value(named),
            LinkOption::Type => self.kind = cursor.value(named),
            LinkOption::Device => {
                let word = cursor.value(named)?;
                self.device(cursor, word, "`ip link`")?;
            }
            LinkOption::Link => {
                let word = cursor.value(named)?;
                self.parent = link_word(cursor, word).map(|name| (word, name));
            }
            LinkOption::LinkNetns => self.parent_namespace = namespace(cursor, named),
            LinkOption::Netns => {
                self.once(cursor, named);
                self.namespace = place(cursor, named);
            }
            LinkOption::Group => {
                self.once(cursor, named);
                self.group = group(cursor, named);
            }
            LinkOption::Setting(option) => {
                self.first_setting = self.first_setting.or(Some(named.word));
                let setting = self.setting(cursor, named, option);
                self.settings.extend(setting);
            }
            LinkOption::Refused(why) => {
                cursor.refuse_with(
                    named.word,
                    format!("`{}` is not offered here", named.name),
                    why,
                );
                return None;
            }
        }
        Some(())
    }

    fn setting(
        &mut self,
        cursor: &mut Cursor<'a>,
        named: Named<'a>,
        option: SettingOption,
    ) -> Option<Setting> {
        match option {
            SettingOption::Up(up) => Some(Setting::Up(up)),
            SettingOption::Address => station(cursor, named).map(Setting::Mac),
            SettingOption::Broadcast => mac(cursor, named).map(Setting::Broadcast),
            SettingOption::Switch(setting) => switch(cursor, named).map(setting),
            SettingOption::Master => link(cursor, named).map(|name| Setting::Master(Some(name))),
            SettingOption::Vrf => {
                self.vrf = link(cursor, named);
                self.vrf.clone().map(|name| Setting::Master(Some(name)))
            }
            SettingOption::Nomaster => Some(Setting::Master(None)),
            SettingOption::Alias => alias(cursor, named).map(Setting::Alias),
            SettingOption::QueueLength => {
                self.once(cursor, Named { name: "txqueuelen", ..named });
                number32(cursor, named).map(Setting::TransmitQueueLength)
            }
            SettingOption::Mtu => {
                self.once(cursor, named);
                let range = LEAST_MTU..=self.largest_mtu.into();
                number_within(cursor, named, range).map(Setting::Mtu)
            }
            SettingOption::Number(most) => {
                self.once(cursor, named);
                let number: Option<u32> = number_within(cursor, named, 1..=most.into());
                number.map(|number| Setting::Other(attribute(named.name, number)))
            }
            SettingOption::Word(words) => choice(cursor, named, words)
                .map(|value| Setting::Other(attribute(named.name, value))),
        }
    }
}

const GENERATION: &[(&str, &str)] = &[
    ("eui64", "eui64"),
    ("none", "none"),
    ("stable_secret", "stable_secret"),
    ("random", "random"),
];
const MODES: &[(&str, &str)] = &[("default", "default"), ("dormant", "dormant")];
const STATES: &[(&str, &str)] = &[
    ("unknown", "unknown"),
    ("notpresent", "notpresent"),
    ("down", "down"),
    ("lowerlayerdown", "lowerlayerdown"),
    ("testing", "testing"),
    ("dormant", "dormant"),
    ("up", "up"),
];

/// A namespace by name; a number is one only where the script has made it. Of process numbers only 1 can be understood: it is how commands inside
/// a namespace name the one that everything started in.
fn place(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<Place> {
    let word = cursor.value(named)?;
    match read_number(&word.text).filter(|_| !cursor.made(&word.text)) {
        Some(1) => Some(Place::Root),
        Some(_) => {
            let message = format!("`{}` is the number of a process", word.text);
            cursor.refuse_with(word, message, "namespaces go by name, also by a number that the script gave one; else `1` is the root namespace");
            None
        }
        None => existing_namespace(cursor, word).map(Place::Named),
    }
}
