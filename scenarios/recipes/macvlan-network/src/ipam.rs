//! Which addresses endpoints get: as Docker's address management gives them, and the same for the
//! same parameters.

use std::collections::BTreeMap;
use std::net::IpAddr;

use netwright_topology::values::Prefix;

/// A subnet and what is taken of it.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) subnet: Prefix,
    /// where addresses are given from; the subnet where there is none
    pub(crate) range: Option<Prefix>,
    pub(crate) gateway: Option<IpAddr>,
    /// each address with who has it
    taken: BTreeMap<u128, String>,
    /// nothing is free below
    next: u128,
}

impl Pool {
    pub(crate) fn new(subnet: Prefix) -> Self {
        let mut pool = Self { subnet, range: None, gateway: None, taken: BTreeMap::new(), next: 0 };
        let (first, last) = pool.bounds(&subnet);
        // RFC 3021: a /31 has neither. RFC 4291, 2.6.1: IPv6's first address is any router's.
        if last - first > 1 {
            pool.taken.insert(first, "the network itself".to_owned());
            if subnet.address.is_ipv4() {
                pool.taken.insert(last, "the broadcast address".to_owned());
            }
        }
        pool
    }

    /// Takes one address. The error says who has it.
    pub(crate) fn take(&mut self, address: IpAddr, owner: &str) -> Result<(), String> {
        let number = number(address);
        if let Some(first) = self.taken.get(&number) {
            return Err(first.clone());
        }
        self.taken.insert(number, owner.to_owned());
        Ok(())
    }

    /// Takes the first free address of the range; none where it is used up.
    pub(crate) fn give(&mut self, owner: &str) -> Option<IpAddr> {
        let (first, last) = self.bounds(&self.range.unwrap_or(self.subnet));
        let mut candidate = first.max(self.next);
        while candidate <= last {
            if !self.taken.contains_key(&candidate) {
                self.next = candidate + 1;
                self.taken.insert(candidate, owner.to_owned());
                return Some(self.address(candidate));
            }
            candidate = candidate.checked_add(1)?;
        }
        self.next = candidate;
        None
    }

    /// How many addresses endpoints have of the range.
    pub(crate) fn given(&self) -> usize {
        let (first, last) = self.bounds(&self.range.unwrap_or(self.subnet));
        self.taken.range(first..=last).filter(|(_, owner)| owner.starts_with("endpoint ")).count()
    }

    fn bounds(&self, prefix: &Prefix) -> (u128, u128) {
        let first = number(prefix.network().address);
        let bits = if prefix.address.is_ipv4() { 32 } else { 128 } - u32::from(prefix.length);
        (first, first | 1_u128.checked_shl(bits).map_or(u128::MAX, |size| size - 1))
    }

    fn address(&self, number: u128) -> IpAddr {
        match self.subnet.address {
            // A number of an IPv4 pool has 32 bits.
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
            IpAddr::V6(_) => IpAddr::V6(number.into()),
        }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u32::from(four).into(),
        IpAddr::V6(six) => six.into(),
    }
}
