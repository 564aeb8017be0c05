//! Settings that bring about what nobody could take back.

use netwright_network::setting::{Reach, SettingKey};

use super::Netlink;
use super::restore::{MAKING_UP, read};
use super::space::Space;
use crate::kernel::Error;
use crate::text::help;

/// IN6_ADDR_GEN_MODE_RANDOM of linux/if_link.h
const RANDOM: i64 = 3;
/// What lets a link's routers tell it of addresses and routes, where it is on.
const LEARNING: [&str; 6] = [
    "accept_ra",
    "accept_ra_defrtr",
    "accept_ra_pinfo",
    "accept_ra_rt_info_max_plen",
    "autoconf",
    "use_tempaddr",
];

impl Netlink {
    /// Refuses a setting of others' links that brings about what nobody could take back.
    pub(super) fn check_restorable(
        &self,
        space: &Space,
        key: &SettingKey,
        (now, value): (&str, &str),
    ) -> Result<(), Error> {
        let Reach::Link(name) = key.reach() else { return Ok(()) };
        let ours = |space: &Space| {
            space.link(name).ok().flatten().is_some_and(|link| self.is_own(space, &link))
        };
        let parts: Vec<&str> = key.parts().collect();
        let ["net", "ipv6", "conf", _, setting] = parts.as_slice() else { return Ok(()) };
        if !self.guards(space) || ours(space) {
            return Ok(());
        }
        let number = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
        let link = name.escape_debug();
        let why = if LEARNING.contains(setting) && number(now) <= 0 && number(value) > 0 {
            format!(
                "`{link}` would get addresses and routes from its routers, which stay{}",
                help("give it addresses and routes yourself")
            )
        } else if *setting == MAKING_UP[1] && number(value) == RANDOM {
            let secret = format!("net/ipv6/conf/{name}/{}", MAKING_UP[0]);
            match space.within(|| Ok(read(&secret, None))) {
                Ok(Some(_)) => return Ok(()),
                Ok(None) | Err(_) => format!(
                    "the kernel would make up a secret of `{link}`, and keeps it{}",
                    help(format_args!("`{key}=0` and `=1` need none"))
                ),
            }
        } else {
            return Ok(());
        };
        Err(Error::Invalid(format!("{key}={} can't be taken back: {why}", value.escape_debug())))
    }
}
