//! The options of each kind of link: their names in ip-link(8), the attributes that carry them and
//! what their values may be. One table for the runner, which sends them, and for recipes, which say
//! what is wrong with them before anything is done. Without any I/O.

mod nest;
mod tables;
mod tunnels;
mod wire;

pub use tables::{INET6, LINK, OPERATIONAL_STATES};
pub use wire::{
    Direction, Encoder, GRE_INPUT_FLAGS, GRE_KEY, GRE_OUTPUT_FLAGS, Row, TunnelKeys, Wire,
};

use netwright_network::text;
pub use netwright_network::text::mac;
use tables::{GENEVE_TTL_INHERIT, VXLAN_TTL_INHERIT};

/// What is wrong with an option, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    /// what would be right
    pub remedy: Option<String>,
}

impl From<String> for Fault {
    fn from(message: String) -> Self {
        Self { message, remedy: None }
    }
}

/// The options of a kind, or of a port of a master (`bridge_slave`). `None`: not known here.
#[must_use]
pub fn table(kind: &str) -> Option<&'static [Row]> {
    Some(match kind {
        "bridge" => tables::BRIDGE,
        "bridge_slave" => tables::BRIDGE_SLAVE,
        "vlan" => tables::VLAN,
        "vxlan" => tables::VXLAN,
        "geneve" => tables::GENEVE,
        "vrf" => tables::VRF,
        "bond" => tables::BOND,
        "bond_slave" => tables::BOND_SLAVE,
        "hsr" => tables::HSR,
        "xfrm" => tables::XFRM,
        "bareudp" => tables::BAREUDP,
        "macsec" => tables::MACSEC,
        "ipvlan" | "ipvtap" => tables::IPVLAN,
        "tun" => tables::TUN,
        "gre" | "gretap" => tunnels::GRE,
        "erspan" => tunnels::ERSPAN,
        "ip6gre" | "ip6gretap" => tunnels::GRE6,
        "ipip" | "sit" => tunnels::IPTUN,
        "ip6tnl" => tunnels::IP6TNL,
        "vti" => tunnels::VTI,
        "vti6" => tunnels::VTI6,
        "dummy" | "ifb" | "nlmon" | "vcan" | "wireguard" | "team" | "vrf_slave" | "team_slave" => {
            &[]
        }
        _ => return None,
    })
}

/// Where one option of a kind is described.
///
/// # Errors
/// Where the kind has no such option, or nothing is known of the kind's.
pub fn find(kind: &str, name: &str, value: &str) -> Result<&'static Row, Fault> {
    let inherits = matches!(name, "ttl" | "hoplimit") && value == "inherit";
    match kind {
        "vxlan" if inherits => return Ok(&VXLAN_TTL_INHERIT),
        "geneve" if inherits => return Ok(&GENEVE_TTL_INHERIT),
        _ => {}
    }
    let rows = table(kind).ok_or_else(|| {
        Fault::from(format!(
            "options of kind {} are not known here, so not {} either",
            text::quote(kind),
            text::quote(name)
        ))
    })?;
    rows.iter().find(|row| row.name == name).ok_or_else(|| unknown(kind, name, rows))
}

fn unknown(kind: &str, name: &str, rows: &[Row]) -> Fault {
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    let shown = name.escape_debug();
    let remedy = nearest(name, &names).map(|near| format!("did you mean `{near}`?"));
    let message = match names.is_empty() {
        true => format!("`{kind}` takes no options, but has `{shown}`"),
        false => format!("`{kind}` has no option `{shown}`"),
    };
    Fault { message, remedy }
}

/// What is wrong with an option, as far as that shows without the links that it may name.
#[must_use]
pub fn fault(kind: &str, name: &str, value: &str) -> Option<Fault> {
    let checked = find(kind, name, value).and_then(|row| {
        let value = value_for(row, value);
        Encoder::default().add(row, value, &mut |_| Ok::<_, Fault>(1))
    });
    checked.err()
}

/// A value as the row wants it: what `inherit` means is in the row.
#[must_use]
pub fn value_for<'a>(row: &Row, value: &'a str) -> &'a str {
    let inherit = value == "inherit" && matches!(row.wire, Wire::Flag);
    if inherit { "" } else { value }
}

/// The known word that a mistyped one was meant to be, or that it begins.
#[must_use]
pub fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    text::nearest(word, known.iter().copied()).or_else(|| {
        let begun = |one: &&str| word.len() > 2 && one.starts_with(word);
        known.iter().copied().find(begun)
    })
}
