//! How long addresses last: one of others' that goes comes back with what it has left by then.

use crate::change::{Address, Change, LinkRef, Write};
use crate::clock::now;

const MILLISECONDS: u64 = 1000;

/// An address as it is there now, with the moment that its lifetimes run from.
pub(super) fn counted(address: Address) -> Address {
    let lasts = address.valid_lifetime.is_none() && address.preferred_lifetime.is_none();
    Address { counted_from: (!lasts).then(now), ..address }
}

/// The step that puts back an address that is gone. One with a lifetime may be there again, and for
/// longer, by whoever looks after it: that one stays.
pub(super) fn restored(link: LinkRef, address: Address) -> Change {
    let how = if address.counted_from.is_some() { Write::Add } else { Write::Replace };
    Change::PutAddress { link, address, how }
}

/// The same with what is left of its time; none where that is over.
pub(super) fn left(address: &Address) -> Option<Address> {
    match address.counted_from {
        None => Some(address.clone()),
        Some(then) => left_at(address, then, now()),
    }
}

fn left_at(address: &Address, then: u64, now: u64) -> Option<Address> {
    let passed = u32::try_from(now.saturating_sub(then) / MILLISECONDS).unwrap_or(u32::MAX);
    let valid_lifetime = match address.valid_lifetime {
        None => None,
        Some(valid) => Some(valid.checked_sub(passed).filter(|rest| *rest > 0)?),
    };
    // What is no longer preferred is there still, deprecated.
    let preferred_lifetime = address.preferred_lifetime.map(|time| time.saturating_sub(passed));
    Some(Address { valid_lifetime, preferred_lifetime, counted_from: None, ..address.clone() })
}

#[cfg(test)]
mod tests {
    use super::left_at;
    use crate::change::{Address, AddressFlags, Prefix};

    fn lasting(valid: Option<u32>, preferred: Option<u32>) -> Address {
        Address {
            prefix: Prefix { address: "192.0.2.1".parse().expect("an address"), length: 24 },
            peer: None,
            broadcast: None,
            anycast: None,
            label: None,
            scope: None,
            flags: AddressFlags::default(),
            valid_lifetime: valid,
            preferred_lifetime: preferred,
            counted_from: Some(5_000),
            metric: None,
            protocol: None,
        }
    }

    #[test]
    fn what_is_left_is_what_did_not_pass() {
        let rest = |valid, preferred, now| {
            let left = left_at(&lasting(valid, preferred), 5_000, now)?;
            Some((left.valid_lifetime, left.preferred_lifetime))
        };
        assert_eq!(rest(Some(30), Some(20), 15_900), Some((Some(20), Some(10))));
        assert_eq!(rest(Some(30), Some(20), 30_000), Some((Some(5), Some(0))));
        assert_eq!(rest(Some(30), Some(20), 35_000), None);
        assert_eq!(rest(None, Some(20), 35_000), Some((None, Some(0))));
        assert_eq!(rest(Some(30), Some(20), 4_000), Some((Some(30), Some(20))));
    }
}
