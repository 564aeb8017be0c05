//! Reads rules, neighbours and sysctls.

use netwright_sdk::wit::netwright::host::neighbours::{Neighbour, NeighbourState};
use netwright_sdk::wit::netwright::host::rules::{Rule, RuleAction};
use netwright_sdk::wit::netwright::host::types::Family;
use serde_json::Value;

use netwright_network::setting;

use crate::links::namespace;
use crate::model::Topology;
use crate::read::{At, Fields, Reader};
use crate::routes::link_name;
use crate::values;

/// The `rules` parameter: ip-rule(8).
pub fn rules(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) {
    for item in reader.list(at) {
        let Some(mut fields) = reader.fields(&item, "a rule") else { continue };
        let namespace = namespace(&mut fields, reader).unwrap_or_default();
        let rule = rule(&mut fields, reader);
        reader.close(fields);
        topology.rules.extend(rule.map(|rule| (namespace, rule, item.place)));
    }
}

const ACTIONS: &[(&str, RuleAction)] = &[
    ("blackhole", RuleAction::Blackhole),
    ("unreachable", RuleAction::Unreachable),
    ("prohibit", RuleAction::Prohibit),
    ("nop", RuleAction::Nop),
];

fn rule(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Rule> {
    let priority = fields.get("priority").and_then(|at| reader.number(&at, 0, u32::MAX));
    let (from_at, to_at) = (fields.get("from"), fields.get("to"));
    let from = from_at.as_ref().and_then(|at| reader.parsed(at, values::network));
    let to = to_at.as_ref().and_then(|at| reader.parsed(at, values::network));
    let families = [("ipv4", Family::Ipv4), ("ipv6", Family::Ipv6)];
    let family = fields.get("family").and_then(|at| reader.word(&at, "family", &families));
    let mut link = |key| fields.get(key).and_then(|at| reader.parsed(&at, values::name));
    let (incoming_link, outgoing_link) = (link("incoming-link"), link("outgoing-link"));
    let mark = fields.get("mark").and_then(|at| reader.number(&at, 0, u32::MAX));
    let action = action(fields, reader);
    let own = [from, to].into_iter().flatten().map(|prefix| values::family(prefix.address));
    let family = family.or_else(|| own.clone().next()).unwrap_or(Family::Ipv4);
    for (at, prefix) in [(from_at, from), (to_at, to)] {
        if let (Some(at), Some(prefix)) = (at, prefix)
            && values::family(prefix.address) != family
        {
            reader.fault(&at.place, format!("{prefix} is of another family than the rule"));
        }
    }
    Some(Rule {
        family,
        priority,
        inverted: false,
        from: from.map(values::prefix_to_wit),
        to: to.map(values::prefix_to_wit),
        incoming_link,
        outgoing_link,
        type_of_service: None,
        mark: mark.map(|mark| (mark, u32::MAX)),
        action: action?,
        protocol: None,
        options: Vec::new(),
    })
}

/// Either `table` or `action`.
fn action(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<RuleAction> {
    let table = fields.get("table");
    let Some(at) = fields.get("action") else {
        let at = table.or_else(|| fields.need(reader, "table"))?;
        return reader.number(&at, 1, u32::MAX).map(RuleAction::Table);
    };
    if table.is_some() {
        reader.fault(&at.place, "a rule has either a `table` or an `action`");
        return None;
    }
    reader.word(&at, "action", ACTIONS)
}

const STATES: &[(&str, NeighbourState)] = &[
    ("permanent", NeighbourState::Permanent),
    ("noarp", NeighbourState::Noarp),
    ("reachable", NeighbourState::Reachable),
    ("stale", NeighbourState::Stale),
];

/// The `neighbours` parameter: ip-neighbour(8).
pub fn neighbours(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) {
    for item in reader.list(at) {
        let Some(mut fields) = reader.fields(&item, "a neighbour") else { continue };
        let namespace = namespace(&mut fields, reader).unwrap_or_default();
        let link = link_name(&mut fields, reader, true);
        let address = fields.need(reader, "address");
        let address = address.and_then(|at| reader.parsed(&at, values::address));
        let proxy = fields.get("proxy").and_then(|at| reader.boolean(&at)).unwrap_or(false);
        let mac_at = if proxy { fields.get("mac") } else { fields.need(reader, "mac") };
        let mac = mac_at.and_then(|at| reader.parsed(&at, values::mac));
        let state = fields.get("state").and_then(|at| reader.word(&at, "state", STATES));
        reader.close(fields);
        let (Some((link, _)), Some(address)) = (link, address) else { continue };
        let neighbour = Neighbour {
            address: values::to_wit(address),
            mac,
            state: state.unwrap_or(NeighbourState::Permanent),
            proxy,
            router: false,
            extern_learn: false,
        };
        topology.neighbours.push(((namespace, link), neighbour, item.place));
    }
}

/// The `sysctls` parameter: settings of one namespace's network stack.
pub fn sysctls(at: &At<'_>, topology: &mut Topology, reader: &mut Reader) {
    for item in reader.list(at) {
        let Some(mut fields) = reader.fields(&item, "a sysctl") else { continue };
        let namespace = namespace(&mut fields, reader).unwrap_or_default();
        let key = fields.need(reader, "key").and_then(|at| reader.parsed(&at, setting::written));
        let value = fields.need(reader, "value").and_then(|at| match at.value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                reader.wrong(&at, "text or a number")
            }
        });
        reader.close(fields);
        if let (Some(key), Some(value)) = (key, value) {
            topology.sysctls.push((namespace, key, value, item.place));
        }
    }
}
