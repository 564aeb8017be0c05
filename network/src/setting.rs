//! The key of a setting below /proc/sys: one reading of it, for grants, for the policy and for the
//! file that is opened.

use std::fmt;

use super::text::quote;

/// A file below /proc/sys/net, however its key was written. As sysctl(8): whichever of `.` and `/`
/// comes first separates, the other one stands for a dot in a name: `net.ipv4.conf.eth0/5.x` and
/// `net/ipv4/conf/eth0.5/x` are the same key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SettingKey {
    parts: Vec<String>,
}

/// Why a text is no key of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSetting {
    /// of another part of the kernel
    Elsewhere,
    Malformed,
}

/// What a setting is a setting of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// the network stack
    Stack,
    /// one link, by its name
    Link(&'a str),
    /// every link, those that are there and those to come: `all` and `default`
    EveryLink,
}

/// Who forwards heeds no redirects, unless somebody says so afterwards.
const HEEDING: [&str; 5] = ["net", "ipv4", "conf", "all", "accept_redirects"];

/// Deeper than any key is.
const DEEPEST: usize = 8;

impl SettingKey {
    pub fn of(text: &str) -> Result<Self, NoSetting> {
        let separator = text.chars().find(|c| matches!(c, '.' | '/')).unwrap_or('.');
        let part = |part: &str| match separator {
            '.' => part.replace('/', "."),
            _ => part.to_owned(),
        };
        let parts: Vec<String> = text.split(separator).map(part).collect();
        if parts.first().map(String::as_str) != Some("net") {
            return Err(NoSetting::Elsewhere);
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-@:+".contains(c);
        let odd = |part: &String| {
            part.is_empty() || part == "." || part == ".." || !part.chars().all(plain)
        };
        if parts.len() < 2 || parts.len() > DEEPEST || parts.iter().any(odd) {
            return Err(NoSetting::Malformed);
        }
        Ok(Self { parts })
    }

    /// The folders and the file, below /proc/sys.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(String::as_str)
    }

    /// The file's own name.
    pub fn name(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// Whether it makes a router.
    pub fn forwards(&self) -> bool {
        matches!(self.name(), "ip_forward" | "forwarding" | "mc_forwarding" | "force_forwarding")
    }

    /// Whether the kernel forgets the default routes that routers advertised when it is altered, all
    /// of the namespace whichever link it is a setting of (addrconf_fixup_forwarding,
    /// net/ipv6/addrconf.c).
    pub fn purges_advertised(&self) -> bool {
        self.parts().nth(1) == Some("ipv6") && self.name() == "forwarding"
    }

    /// Whether routes count that did not, for want of a carrier.
    pub fn wakes_routes(&self) -> bool {
        self.name() == "ignore_routes_with_linkdown"
    }

    /// The same value under the name by which the kernel tells it most exactly.
    pub fn finest(&self) -> Self {
        let parts: Vec<&str> = self.parts().collect();
        let as_it_is = || parts.iter().map(|part| (*part).to_owned()).collect();
        let finest = |name: &str| {
            let folder = &parts[..parts.len() - 1];
            folder.iter().copied().chain([name]).map(str::to_owned).collect()
        };
        let parts = match parts.as_slice() {
            ["net", "ipv4", "ip_forward"] => {
                ["net", "ipv4", "conf", "all", "forwarding"].map(str::to_owned).to_vec()
            }
            ["net", "nf_conntrack_max"] => {
                ["net", "netfilter", "nf_conntrack_max"].map(str::to_owned).to_vec()
            }
            ["net", _, "neigh", _, "base_reachable_time"] => finest("base_reachable_time_ms"),
            ["net", _, "neigh", _, "retrans_time"] => finest("retrans_time_ms"),
            ["net", _, "neigh", _, "unres_qlen"] => finest("unres_qlen_bytes"),
            ["net", _, "route", "gc_min_interval"] => finest("gc_min_interval_ms"),
            ["net", "mptcp", "pm_type"] => finest("path_manager"),
            _ => as_it_is(),
        };
        Self { parts }
    }

    /// The same setting of another link.
    #[must_use]
    pub fn of_link(&self, name: &str) -> Self {
        let mut parts = self.parts.clone();
        if let (Reach::Link(_) | Reach::EveryLink, Some(link)) = (self.reach(), parts.get_mut(3)) {
            name.clone_into(link);
        }
        Self { parts }
    }

    /// Whether the kernel may alter another setting when this one is written. It writes those of all
    /// links with `all`, or with `default` (inet_forward_change and devinet_copy_dflt_conf of
    /// net/ipv4/devinet.c, the functions …_change of net/ipv6/addrconf.c, neigh_copy_dflt_parms of
    /// net/core/neighbour.c).
    pub fn alters(&self, other: &Self) -> bool {
        let (one, other) = (self.finest(), other.finest());
        if one == other {
            return true;
        }
        let parts: Vec<&str> = one.parts().collect();
        match (parts.as_slice(), one.reach()) {
            (["net", "ipv4", "conf", "all", "forwarding"], _) if other.is(&HEEDING) => true,
            (_, Reach::EveryLink) => other.of_link("all") == one.of_link("all"),
            (["net", "ipv6", "conf", link, "stable_secret"], _) => {
                other.is(&["net", "ipv6", "conf", *link, "addr_gen_mode"])
            }
            _ => false,
        }
    }

    fn is(&self, parts: &[&str]) -> bool {
        self.parts().eq(parts.iter().copied())
    }

    /// net/FAMILY/conf/LINK/… and net/FAMILY/neigh/LINK/… are settings of links.
    pub fn reach(&self) -> Reach<'_> {
        let parts: Vec<&str> = self.parts().collect();
        match parts.as_slice() {
            ["net", _, "conf" | "neigh", "all" | "default", _, ..] => Reach::EveryLink,
            ["net", _, "conf" | "neigh", link, _, ..] => Reach::Link(link),
            _ => Reach::Stack,
        }
    }
}

/// A key as somebody wrote it, once it is known to be one.
pub fn written(text: &str) -> Result<String, String> {
    SettingKey::of(text).map(|_| text.to_owned()).map_err(|_| {
        let help = "keys of a namespace begin with net: net.ipv4.ip_forward";
        format!("{} is not a sysctl of a network\n  help: {help}", quote(text))
    })
}

impl NoSetting {
    /// What is wrong, of the text that was read.
    pub fn explain(self, text: &str) -> String {
        match self {
            Self::Elsewhere => format!("sysctl {} is not under `net`", quote(text)),
            Self::Malformed => {
                format!("{} can't be a sysctl; it must look like net.ipv4.ip_forward", quote(text))
            }
        }
    }
}

/// Whether two values are the same: the kernel takes spaces between words, and tells tabs.
pub fn same_value(one: &str, other: &str) -> bool {
    one.split_whitespace().eq(other.split_whitespace())
}

/// With slashes, as it can always be written.
impl fmt::Display for SettingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::{NoSetting, Reach, SettingKey, same_value};

    fn key(text: &str) -> SettingKey {
        SettingKey::of(text).expect("a key")
    }

    #[test]
    fn both_spellings_are_one_key() {
        let dotted = key("net/ipv4/conf/eth0.100/forwarding");
        assert_eq!(dotted, key("net.ipv4.conf.eth0/100.forwarding"));
        assert_eq!(dotted.to_string(), "net/ipv4/conf/eth0.100/forwarding");
        assert_ne!(dotted, key("net.ipv4.conf.eth0.100.forwarding"));
        assert_eq!(key("net.ipv4.ip_forward").to_string(), "net/ipv4/ip_forward");
    }

    #[test]
    fn values_are_compared_by_words() {
        assert!(same_value("20000\t30000\n", "20000 30000"));
        assert!(!same_value("20000 30000", "2000030000"));
    }

    #[test]
    fn settings_of_links_are_known_by_their_place() {
        assert_eq!(key("net.ipv4.conf.lan/5.arp_ignore").reach(), Reach::Link("lan.5"));
        assert_eq!(key("net/ipv6/neigh/lan.5/gc_stale_time").reach(), Reach::Link("lan.5"));
        assert_eq!(key("net/mpls/conf/lan.5/input").reach(), Reach::Link("lan.5"));
        for every in ["net.ipv6.conf.all.disable_ipv6", "net/ipv4/neigh/default/gc_thresh1"] {
            assert_eq!(key(every).reach(), Reach::EveryLink, "{every}");
        }
        for stack in ["net.ipv4.ip_forward", "net.core.somaxconn", "net/ipv4/conf"] {
            assert_eq!(key(stack).reach(), Reach::Stack, "{stack}");
        }
    }

    #[test]
    fn any_links_forwarding_of_ipv6_forgets_advertised_routes() {
        for text in ["net.ipv6.conf.all.forwarding", "net/ipv6/conf/lan.5/forwarding"] {
            assert!(key(text).purges_advertised(), "{text}");
        }
        for text in ["net.ipv4.conf.all.forwarding", "net.ipv6.conf.all.mc_forwarding"] {
            assert!(!key(text).purges_advertised(), "{text}");
        }
    }

    #[test]
    fn what_the_kernel_alters_together_is_known() {
        for (one, other) in [
            ("net.ipv4.ip_forward", "net/ipv4/conf/all/forwarding"),
            ("net.ipv4.ip_forward", "net/ipv4/conf/lan.5/forwarding"),
            ("net.ipv4.conf.all.forwarding", "net/ipv4/conf/default/forwarding"),
            ("net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"),
            ("net.ipv6.conf.all.forwarding", "net.ipv6.conf.eth1.forwarding"),
            ("net.ipv6.conf.all.disable_ipv6", "net.ipv6.conf.default.disable_ipv6"),
            ("net.ipv4.neigh.default.retrans_time", "net.ipv4.neigh.eth1.retrans_time_ms"),
            ("net.ipv4.neigh.eth1.unres_qlen", "net.ipv4.neigh.eth1.unres_qlen_bytes"),
            ("net.ipv6.conf.eth1.stable_secret", "net.ipv6.conf.eth1.addr_gen_mode"),
            ("net.ipv6.route.gc_min_interval", "net.ipv6.route.gc_min_interval_ms"),
            ("net.nf_conntrack_max", "net.netfilter.nf_conntrack_max"),
        ] {
            assert!(key(one).alters(&key(other)), "{one}, {other}");
        }
        for (one, other) in [
            ("net.ipv4.ip_forward", "net.ipv6.conf.eth1.forwarding"),
            ("net.ipv4.conf.eth1.forwarding", "net.ipv4.conf.eth2.forwarding"),
            ("net.ipv4.conf.eth1.forwarding", "net.ipv4.conf.all.forwarding"),
            ("net.ipv6.conf.all.forwarding", "net.ipv6.conf.all.accept_redirects"),
            ("net.ipv4.neigh.eth1.unres_qlen", "net.ipv6.neigh.eth1.unres_qlen_bytes"),
        ] {
            assert!(!key(one).alters(&key(other)), "{one}, {other}");
        }
    }

    #[test]
    fn no_key_leads_out_of_net() {
        for (text, wrong) in [
            ("kernel.hostname", NoSetting::Elsewhere),
            ("", NoSetting::Elsewhere),
            ("/net/ipv4/ip_forward", NoSetting::Elsewhere),
            ("net", NoSetting::Malformed),
            ("net/../kernel/hostname", NoSetting::Malformed),
            ("net..ipv4", NoSetting::Malformed),
            ("net.ipv4.conf.//.x", NoSetting::Malformed),
            ("net/ipv4/\u{1b}[0m", NoSetting::Malformed),
        ] {
            assert_eq!(SettingKey::of(text), Err(wrong), "{text:?}");
        }
    }
}
