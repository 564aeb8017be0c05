//! Takes out of what the kernel says what differs from run to run.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Numbers that the kernel hands out, timers, and what follows from random MAC addresses.
const VOLATILE: [&str; 14] = [
    "ifindex",
    "link_index",
    "link_netnsid",
    "bridge_id",
    "root_id",
    "hello_timer",
    "tcn_timer",
    "topology_change_timer",
    "gc_timer",
    "message_age_timer",
    "forward_delay_timer",
    "hold_timer",
    "permaddr",
    "port_id",
];

/// Counters of seconds: whether there is one matters, and about how many are left.
const SECONDS: [&str; 3] = ["valid_life_time", "preferred_life_time", "expires"];
const FOR_EVER: u64 = 4_294_967_295;
/// Longer than any two runs are apart.
const MINUTE: u64 = 60;

/// The answers as they can be compared. What the script itself names is left as it is.
pub(crate) fn normalise(answers: Map<String, Value>, script: &str) -> Map<String, Value> {
    let owners = owners(&answers, script);
    answers
        .into_iter()
        .map(|(question, mut answer)| {
            if question.contains("neighbour")
                && let Value::Array(neighbours) = &mut answer
            {
                neighbours.retain(|neighbour| lasts(neighbour, script));
            }
            let answer = list(answer, script, &owners);
            (question, answer)
        })
        .collect()
}

/// Neighbours that the script made, not those that the kernel has just asked for.
fn lasts(neighbour: &Value, script: &str) -> bool {
    let named = neighbour["dst"].as_str().is_some_and(|address| script.contains(address));
    let passing = ["INCOMPLETE", "DELAY", "PROBE", "FAILED"];
    let states = neighbour["state"].as_array().into_iter().flatten();
    named && !states.filter_map(Value::as_str).any(|state| passing.contains(&state))
}

/// Whose each random MAC address is: the first link that has it.
fn owners(answers: &Map<String, Value>, script: &str) -> BTreeMap<String, String> {
    let mut named = Vec::new();
    for (question, answer) in answers.iter().filter(|(question, _)| question.ends_with("link show"))
    {
        let namespace = question.split(' ').next().unwrap_or_default();
        for link in answer.as_array().into_iter().flatten() {
            let (mac, name) = (link["address"].as_str(), link["ifname"].as_str());
            if let (Some(mac), Some(name)) = (mac, name) {
                named.push((format!("{namespace}/{name}"), mac.to_owned()));
            }
        }
    }
    named.sort();
    let mut owners = BTreeMap::new();
    for (name, mac) in named {
        let fixed = script.contains(&mac) || mac == "00:00:00:00:00:00";
        if is_mac(&mac) && !fixed {
            owners.entry(mac).or_insert_with(|| format!("random, of {name}"));
        }
    }
    owners
}

fn is_mac(text: &str) -> bool {
    text.len() == 17 && text.split(':').filter(|byte| byte.len() == 2).count() == 6
}

/// The members in an order of their own, for the kernel's follows the numbers of links.
fn list(answer: Value, script: &str, owners: &BTreeMap<String, String>) -> Value {
    let Value::Array(members) = answer else { return answer };
    let mut members: Vec<Value> = members
        .into_iter()
        .filter(|member| !by_chance(member, script))
        .map(|member| value(None, member, script, owners))
        .collect();
    members.sort_by_key(ToString::to_string);
    Value::Array(members)
}

/// Link-local and multicast addresses that the kernel derives from MAC addresses, and their
/// routes, which come and go with duplicate address detection.
fn by_chance(member: &Value, script: &str) -> bool {
    ["local", "dst", "prefsrc", "address"].iter().any(|key| {
        let text = member[*key].as_str().unwrap_or_default();
        let address = text.split('/').next().unwrap_or_default();
        (address.starts_with("fe80:") || address.starts_with("ff"))
            && address.contains("::")
            && !script.contains(address)
    })
}

fn value(
    key: Option<&str>,
    found: Value,
    script: &str,
    owners: &BTreeMap<String, String>,
) -> Value {
    match found {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(key, _)| !VOLATILE.contains(&key.as_str()));
            let kept = kept.filter(|(key, _)| key != "tentative");
            Value::Object(
                kept.map(|(key, member)| {
                    let member = value(Some(&key), member, script, owners);
                    (key, member)
                })
                .collect(),
            )
        }
        Value::Array(_) if key == Some("addr_info") => list(found, script, owners),
        Value::Array(members) => Value::Array(
            members.into_iter().map(|member| value(None, member, script, owners)).collect(),
        ),
        Value::String(text) => Value::String(owners.get(&text).cloned().unwrap_or(text)),
        Value::Number(number) if key.is_some_and(|key| SECONDS.contains(&key)) => {
            let seconds = number.as_u64().unwrap_or_default();
            let shown =
                if seconds == FOR_EVER { seconds } else { seconds.div_ceil(MINUTE) * MINUTE };
            shown.into()
        }
        other => other,
    }
}
