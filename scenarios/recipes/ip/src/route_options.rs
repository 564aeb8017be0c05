//! The words of a route: where to, how, and with which metrics.

use netwright_sdk::wit::routes::{NextHop, RouteKind};
use netwright_sdk::wit::types::{Attribute, Family, IpAddress, IpPrefix};

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::inet::{Families, address, address_word, is_any, prefix, prefix_word};
use crate::keyword::{Keyword, begins, exact, find, names, short};
use crate::lex::Word;
use crate::names::{protocol, scope, service, table};
use crate::route_metrics::{Metric, metric};
use crate::value::{device, link, number_within, number32};

#[derive(Default)]
pub(crate) struct RouteWords<'a> {
    pub(crate) kind: Option<(&'a Word, RouteKind)>,
    pub(crate) destination: Option<(&'a Word, IpPrefix)>,
    destination_wrong: bool,
    pub(crate) gateway: Option<IpAddress>,
    pub(crate) link: Option<String>,
    pub(crate) onlink: bool,
    pub(crate) next_hops: Vec<NextHop>,
    pub(crate) table: Option<u32>,
    pub(crate) vrf: Option<String>,
    pub(crate) metric: Option<u32>,
    pub(crate) protocol: Option<u8>,
    pub(crate) scope: Option<u8>,
    pub(crate) source: Option<IpAddress>,
    pub(crate) from: Option<(&'a Word, IpPrefix)>,
    pub(crate) service: Option<u8>,
    pub(crate) metrics: Vec<Attribute>,
}

#[derive(Clone, Copy)]
enum RouteOption {
    Source,
    Via,
    From,
    Service,
    Priority,
    Scope,
    Metric(Metric),
    Onlink,
    NextHop,
    Protocol,
    Table,
    Vrf,
    Device,
    To,
    Refused(&'static str),
}

const REALMS: &str = "realms, classes of routes, are not among what a recipe can set; `table` and `ip rule` sort them";
const LABELS: &str = "it is for label switching; `via` and `dev` lead a route";
const NEXTHOP: &str =
    "say where the route leads: `via` and `dev`, or `nexthop via … nexthop via …` for several";
const ENCAP: &str = "a tunnel is a link here: `ip link add NAME type vxlan …`, then `dev NAME`";

/// In iproute2's order (ip/iproute.c, `iproute_modify`), which decides between abbreviations.
const OPTIONS: &[Keyword<RouteOption>] = &[
    exact("src", RouteOption::Source),
    exact("as", RouteOption::Refused(LABELS)),
    exact("via", RouteOption::Via),
    exact("from", RouteOption::From),
    exact("tos", RouteOption::Service),
    short("dsfield", RouteOption::Service),
    exact("expires", RouteOption::Metric(Metric::Expires)),
    short("metric", RouteOption::Priority),
    short("priority", RouteOption::Priority),
    exact("preference", RouteOption::Priority),
    exact("scope", RouteOption::Scope),
    exact("mtu", RouteOption::Metric(Metric::Number)),
    exact("hoplimit", RouteOption::Metric(Metric::Small)),
    exact("advmss", RouteOption::Metric(Metric::Number)),
    short("reordering", RouteOption::Metric(Metric::Number)),
    exact("rtt", RouteOption::Metric(Metric::Time)),
    exact("rto_min", RouteOption::Metric(Metric::LockedTime)),
    short("window", RouteOption::Metric(Metric::Number)),
    short("cwnd", RouteOption::Metric(Metric::Number)),
    short("initcwnd", RouteOption::Metric(Metric::Number)),
    short("initrwnd", RouteOption::Metric(Metric::Number)),
    short("features", RouteOption::Metric(Metric::Features)),
    short("quickack", RouteOption::Metric(Metric::Bit)),
    short("congctl", RouteOption::Metric(Metric::Name)),
    short("rttvar", RouteOption::Metric(Metric::Time)),
    short("ssthresh", RouteOption::Metric(Metric::Number)),
    short("realms", RouteOption::Refused(REALMS)),
    exact("onlink", RouteOption::Onlink),
    exact("nexthop", RouteOption::NextHop),
    exact("nhid", RouteOption::Refused(NEXTHOP)),
    short("protocol", RouteOption::Protocol),
    short("table", RouteOption::Table),
    short("vrf", RouteOption::Vrf),
    exact("dev", RouteOption::Device),
    exact("oif", RouteOption::Device),
    short("pref", RouteOption::Metric(Metric::Preference)),
    exact("encap", RouteOption::Refused(ENCAP)),
    exact("ttl-propagate", RouteOption::Refused(LABELS)),
    short("fastopen_no_cookie", RouteOption::Metric(Metric::Bit)),
    exact("to", RouteOption::To),
];

/// In iproute2's order (lib/rt_names.c, `rtnl_rtntype_a2n`).
const KINDS: &[Keyword<RouteKind>] = &[
    exact("local", RouteKind::Local),
    exact("nat", RouteKind::Nat),
    short("broadcast", RouteKind::Broadcast),
    exact("brd", RouteKind::Broadcast),
    short("anycast", RouteKind::Anycast),
    short("multicast", RouteKind::Multicast),
    short("prohibit", RouteKind::Prohibit),
    short("unreachable", RouteKind::Unreachable),
    short("blackhole", RouteKind::Blackhole),
    short("unicast", RouteKind::Unicast),
    short("throw", RouteKind::Throw),
];

/// A route's kind by its name, abbreviated or not.
pub(crate) fn kind_of(text: &str) -> Option<RouteKind> {
    find(KINDS, text).map(|(_, kind)| kind)
}

pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    names(KINDS)
}

/// Whether a word is meant as a prefix, be it a good one or not.
fn is_like_prefix(text: &str) -> bool {
    is_any(text)
        || text.contains([':', '/'])
        || text.starts_with(|first: char| first.is_ascii_digit())
}

pub(crate) fn read<'a>(
    cursor: &mut Cursor<'a>,
    verb: Named<'_>,
    families: &mut Families,
) -> Option<RouteWords<'a>> {
    let mut words = RouteWords::default();
    while let Some(word) = cursor.next() {
        match find(OPTIONS, &word.text) {
            Some((name, option)) => words.option(cursor, Named { word, name }, option, families)?,
            None => words.destination(cursor, word, families)?,
        }
    }
    if words.destination.is_none() && !words.destination_wrong {
        let message = format!("`{}` needs a destination", verb.name);
        cursor.refuse_with(verb.word, message, "a prefix such as `10.0.0.0/8`, or `default`");
    }
    Some(words)
}

impl<'a> RouteWords<'a> {
    /// Perhaps a kind, then the prefix.
    fn destination(
        &mut self,
        cursor: &mut Cursor<'a>,
        word: &'a Word,
        families: &mut Families,
    ) -> Option<()> {
        if let Some(kind) = kind_of(&word.text) {
            self.kind = Some((word, kind));
            let Some(next) = cursor.next().filter(|next| is_like_prefix(&next.text)) else {
                let message = format!("`{}` needs a destination after it", word.text);
                let help = "it is the route's type; a prefix or `default` follows";
                cursor.refuse_with(word, message, help);
                self.destination_wrong = true;
                return None;
            };
            return self.destination_prefix(cursor, next, families);
        }
        self.destination_prefix(cursor, word, families)
    }

    fn destination_prefix(
        &mut self,
        cursor: &mut Cursor<'a>,
        word: &'a Word,
        families: &mut Families,
    ) -> Option<()> {
        let second = self.destination.is_some() || self.destination_wrong;
        if second || !is_like_prefix(&word.text) || begins("help", &word.text) {
            let known = names(OPTIONS).chain(names(KINDS)).chain(["default"]);
            cursor.unknown(word, "`ip route`", known);
            self.destination_wrong = true;
            return None;
        }
        let prefix = prefix_word(cursor, word, families);
        self.destination_wrong = prefix.is_none();
        self.destination = prefix.map(|prefix| (word, prefix));
        Some(())
    }

    fn option(
        &mut self,
        cursor: &mut Cursor<'a>,
        named: Named<'a>,
        option: RouteOption,
        families: &mut Families,
    ) -> Option<()> {
        match option {
            RouteOption::To => {
                let word = cursor.value(named)?;
                self.destination(cursor, word, families)?;
            }
            RouteOption::Source => self.source = address(cursor, named, families),
            RouteOption::Via => self.gateway = gateway(cursor, named, families),
            RouteOption::From => {
                let from = prefix(cursor, named, families);
                self.from = from.map(|prefix| (named.word, prefix));
                if families.chosen == Some(Family::Ipv4) && from.is_some_and(|from| from.length > 0)
                {
                    let message = "routes of IPv4 don't choose by source".to_owned();
                    cursor.refuse_with(named.word, message, "`ip rule add from PREFIX table …`");
                }
            }
            RouteOption::Service => self.service = service(cursor, named),
            RouteOption::Priority => self.metric = number32(cursor, named),
            RouteOption::Scope => self.scope = scope(cursor, named),
            RouteOption::Protocol => self.protocol = protocol(cursor, named),
            RouteOption::Table => self.table = table(cursor, named),
            RouteOption::Vrf => self.vrf = link(cursor, named),
            RouteOption::Device => self.link = device(cursor, named),
            RouteOption::Onlink => self.onlink = true,
            RouteOption::Metric(kind) => self.metrics.extend(metric(cursor, named, kind)),
            RouteOption::NextHop => {
                self.next_hops.push(next_hop(cursor, named, families)?);
            }
            RouteOption::Refused(why) => {
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
}

/// `via [inet|inet6] ADDRESS`: only with the family said may it be another than the route's.
fn gateway(
    cursor: &mut Cursor<'_>,
    named: Named<'_>,
    families: &mut Families,
) -> Option<IpAddress> {
    let word = cursor.value(named)?;
    let family = match word.text.as_str() {
        "inet" => Family::Ipv4,
        "inet6" => Family::Ipv6,
        "mpls" | "bridge" | "link" => {
            cursor.refuse(word, format!("`via {}` is not offered here", word.text));
            return None;
        }
        _address => return address_word(cursor, word, families),
    };
    let word = cursor.value(named)?;
    address_word(cursor, word, &mut Families { chosen: Some(family) })
}

#[derive(Clone, Copy)]
enum HopOption {
    Via,
    Device,
    Weight,
    Onlink,
    Refused,
}

const HOP: &[Keyword<HopOption>] = &[
    exact("via", HopOption::Via),
    exact("dev", HopOption::Device),
    exact("weight", HopOption::Weight),
    exact("onlink", HopOption::Onlink),
    short("realms", HopOption::Refused),
    exact("encap", HopOption::Refused),
    exact("as", HopOption::Refused),
];

/// One of several ways, up to the next `nexthop` or the end of the line.
fn next_hop(cursor: &mut Cursor<'_>, named: Named<'_>, families: &mut Families) -> Option<NextHop> {
    let mut hop = NextHop { gateway: None, link: None, weight: 1, onlink: false };
    let before = cursor.faults();
    while let Some(word) = cursor.peek() {
        if word.text == "nexthop" {
            break;
        }
        cursor.next();
        let Some((name, option)) = find(HOP, &word.text) else {
            cursor.unknown(word, "`nexthop`", names(HOP).chain(["nexthop"]));
            return None;
        };
        let option_word = Named { word, name };
        match option {
            HopOption::Via => hop.gateway = gateway(cursor, option_word, families),
            HopOption::Device => hop.link = device(cursor, option_word),
            HopOption::Weight => {
                hop.weight = number_within(cursor, option_word, 1..=256).unwrap_or(1);
            }
            HopOption::Onlink => hop.onlink = true,
            HopOption::Refused => {
                let help = "`via`, `dev`, `weight` and `onlink` are, of each hop";
                cursor.refuse_with(word, format!("`{}` is not offered here", shown(name)), help);
                return None;
            }
        }
    }
    if hop.gateway.is_none() && hop.link.is_none() && cursor.faults() == before {
        cursor.refuse(named.word, "`nexthop` needs `via` or `dev`".to_owned());
    }
    Some(hop)
}
