//! What of a link is decided when it is made: to have it otherwise takes a replacement, the link
//! deleted and made anew. Everything else can be changed in place, under the same index.

use netwright_network::refusal::{self, PASSTHRU_STAYS};

use super::options;
use crate::change::{Attribute, MacvlanChange, MacvlanMode, Setting};
use crate::text::help;

/// A link as it is, as far as this depends on it.
pub(crate) struct Present<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) macvlan: Option<MacvlanMode>,
    /// its kind's data in ip(8)'s words
    pub(crate) data: &'a [Attribute],
}

/// A kind's options that can't be changed in place, and why.
struct Fixed {
    kinds: &'static [&'static str],
    options: &'static [&'static str],
    rule: &'static str,
}

const FIXED: &[Fixed] = &[
    Fixed {
        kinds: &["vlan"],
        options: &["id", "protocol"],
        // It passes over them without a word.
        rule: "of a vlan that exists the kernel alters flags and priorities only (net/8021q/vlan_netlink.c, vlan_changelink)",
    },
    Fixed {
        kinds: &["vxlan"],
        options: &[
            "id",
            "dstport",
            "srcport",
            "maxaddress",
            "proxy",
            "rsc",
            "l2miss",
            "l3miss",
            "udpcsum",
            "udp6zerocsumtx",
            "udp6zerocsumrx",
            "remcsumtx",
            "remcsumrx",
            "gbp",
            "gpe",
            "external",
            "vnifilter",
        ],
        rule: "the kernel doesn't alter it on a vxlan that exists (drivers/net/vxlan, vxlan_nl2conf)",
    },
    Fixed {
        kinds: &["geneve"],
        options: &["id", "dstport", "external", "udpcsum", "udp6zerocsumtx", "udp6zerocsumrx"],
        rule: "the kernel doesn't alter it on a geneve that exists (drivers/net/geneve.c, geneve_nl2info)",
    },
    Fixed {
        kinds: &["vrf"],
        options: &["table"],
        rule: "the kernel can't alter a vrf that exists (drivers/net/vrf.c has no changelink)",
    },
];

/// Why one of the settings needs a replacement; none where all can be tried in place.
pub(crate) fn refusal(link: &Present<'_>, settings: &[Setting]) -> Option<String> {
    settings.iter().find_map(|setting| match setting {
        Setting::Macvlan(change) => macvlan(link, change),
        Setting::Options(given) if given.kind == link.kind => {
            given.options.iter().find_map(|option| fixed(link, option))
        }
        Setting::Options(_)
        | Setting::Up(_)
        | Setting::Mtu(_)
        | Setting::Mac(_)
        | Setting::Broadcast(_)
        | Setting::Name(_)
        | Setting::Alias(_)
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
        | Setting::Master(_)
        | Setting::Other(_) => None,
    })
}

/// Passthru takes the parent for itself alone, which is settled when the child is made.
fn macvlan(link: &Present<'_>, change: &MacvlanChange) -> Option<String> {
    let MacvlanChange::Mode(wanted) = change else { return None };
    let now = link.macvlan.filter(|now| now != wanted)?;
    if ![now, *wanted].contains(&MacvlanMode::Passthru) {
        return None;
    }
    Some(replacement(link, "mode", now.word(), wanted.word(), PASSTHRU_STAYS))
}

fn fixed(link: &Present<'_>, wanted: &Attribute) -> Option<String> {
    let name = options::canonical(link.kind, &wanted.name)?;
    let fixed = FIXED
        .iter()
        .find(|fixed| fixed.kinds.contains(&link.kind) && fixed.options.contains(&name))?;
    // An option may have another word for its opposite, such as `noproxy`.
    let now =
        link.data.iter().find(|option| options::canonical(link.kind, &option.name) == Some(name));
    let same = now.is_some_and(|now| {
        now.name == wanted.name && now.value.eq_ignore_ascii_case(&wanted.value)
    });
    let shown = |option: &Attribute| match option.value.as_str() {
        "" => option.name.clone(),
        value => value.to_owned(),
    };
    let now = now.map_or_else(|| "unset".to_owned(), shown);
    (!same).then(|| replacement(link, name, &now, &shown(wanted), fixed.rule))
}

fn replacement(link: &Present<'_>, what: &str, now: &str, wanted: &str, rule: &str) -> String {
    let Present { name, kind, .. } = link;
    refusal::settled(what, kind, name, now, wanted, rule).told(help)
}
