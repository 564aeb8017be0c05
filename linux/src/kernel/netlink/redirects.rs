//! Links that tc(8) hands frames to: the targets of `action mirred … redirect`.

use super::attributes::{Nest, find, read, u32_of};
use super::raw_dump;
use super::space::Space;

/// linux/rtnetlink.h
const RTM_NEWACTION: u16 = 48;
const RTM_GETACTION: u16 = 50;
/// struct tcamsg
const HEADER: usize = 4;
const TCA_ACT_TAB: u16 = 1;
const TCA_ACT_KIND: u16 = 1;
const TCA_ACT_OPTIONS: u16 = 2;
/// linux/tc_act/tc_mirred.h
const KIND: &[u8] = b"mirred\0";
const TCA_MIRRED_PARMS: u16 = 2;
/// struct tc_mirred: behind tc_gen, five words, what is done and the link that it is done with
const ACTION: usize = 20;
const INDEX: usize = 24;
const EGRESS_REDIRECT: u32 = 1;
const INGRESS_REDIRECT: u32 = 3;

/// The indexes of the links that a namespace's frames are redirected to, by whatever filter: which
/// link a filter is on isn't told with its action. Nothing where the kernel has no such action.
pub(super) fn targets(space: &Space) -> Vec<u32> {
    let mut kind = Nest::new();
    kind.put(TCA_ACT_KIND, KIND);
    let mut first = Nest::new();
    first.put_nest(1, &kind);
    let mut table = Nest::new();
    table.put_nest(TCA_ACT_TAB, &first);
    let header = [vec![0; HEADER], table.bytes()].concat();
    let parts = raw_dump::all(space, RTM_GETACTION, &header, &[RTM_NEWACTION, RTM_GETACTION]);
    let tables = parts.iter().filter_map(|part| find(part.get(HEADER..)?, TCA_ACT_TAB));
    tables.flat_map(read).filter_map(|(_, action)| target(action)).collect()
}

fn target(action: &[u8]) -> Option<u32> {
    let parameters = find(find(action, TCA_ACT_OPTIONS)?, TCA_MIRRED_PARMS)?;
    let done = parameters.get(ACTION..).and_then(u32_of)?;
    let index = parameters.get(INDEX..).and_then(u32_of)?;
    [EGRESS_REDIRECT, INGRESS_REDIRECT].contains(&done).then_some(index)
}
