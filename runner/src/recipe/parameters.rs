//! Parameters against what the manifest says of them: missing, unknown, of the wrong type, out of
//! range; all of it before the recipe is started.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::manifest::{Manifest, Parameter};
use crate::scenario::RecipeFault;

impl Manifest {
    /// All that is wrong with what a step gives.
    pub fn faults(&self, given: &[(String, String)]) -> Vec<RecipeFault> {
        let known: Vec<&str> = self.parameters.iter().map(|each| each.name.as_str()).collect();
        let mut faults: Vec<RecipeFault> = Vec::new();
        for (name, text) in given {
            match self.parameters.iter().find(|each| each.name == *name) {
                Some(parameter) => faults.extend(parameter.faults(text)),
                None => faults.push(RecipeFault {
                    parameter: name.clone(),
                    message: format!(
                        "recipe `{}` has no parameter `{}`",
                        self.name,
                        name.escape_debug()
                    ),
                    help: Some(match crate::near::nearest(name, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if known.is_empty() => "it takes none".to_owned(),
                        None => format!("it has {}", known.join(", ")),
                    }),
                    ..RecipeFault::default()
                }),
            }
        }
        let is_given =
            |parameter: &&Parameter| given.iter().all(|(name, _)| *name != parameter.name);
        let needed = self.parameters.iter().filter(|each| each.required && each.default.is_none());
        for Parameter { name, .. } in needed.filter(is_given) {
            faults.push(RecipeFault {
                parameter: name.clone(),
                message: format!("parameter `{name}` is missing"),
                help: Some(format!("give it by `-p {name}=…` or under the step's `params`")),
                ..RecipeFault::default()
            });
        }
        faults
    }
}

impl Parameter {
    fn faults(&self, text: &str) -> Vec<RecipeFault> {
        let one = |text: &str, pointer: String| {
            self.fault(text).map(|(message, help)| RecipeFault {
                parameter: self.name.clone(),
                pointer,
                message,
                help,
                ..RecipeFault::default()
            })
        };
        match self.kind.strip_prefix("list of ") {
            None => one(text, String::new()).into_iter().collect(),
            Some(_) => items(text)
                .iter()
                .enumerate()
                .filter_map(|(place, item)| one(item, format!("/{place}")))
                .collect(),
        }
    }

    /// The rule that one value breaks, and what would help.
    fn fault(&self, text: &str) -> Option<(String, Option<String>)> {
        let shown = text.escape_debug();
        if let Some(choices) = &self.choices {
            let known = || choices.iter().map(String::as_str);
            return (!choices.iter().any(|choice| choice == text)).then(|| {
                let help = match crate::near::nearest(text, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", choices.join(", ")),
                };
                (format!("unknown {} `{shown}`", self.name), Some(help))
            });
        }
        let wrong = |what: &str| Some((format!("`{shown}` is not {what}"), None));
        match self.kind.strip_prefix("list of ").unwrap_or(&self.kind) {
            "integer" => self.number_fault(text).map(|message| (message, None)),
            "boolean" if !matches!(text, "true" | "false") => {
                Some((format!("`{shown}` is neither `true` nor `false`"), None))
            }
            "address" if text.parse::<IpAddr>().is_err() => wrong("an IPv4 or IPv6 address"),
            "ipv4-address" if text.parse::<Ipv4Addr>().is_err() => wrong("an IPv4 address"),
            "ipv6-address" if text.parse::<Ipv6Addr>().is_err() => wrong("an IPv6 address"),
            "mac-address" => {
                let broken = text.parse::<crate::change::MacAddress>().err();
                broken.map(|message| (message, None))
            }
            // What only the recipe understands, it checks itself: prefixes may lack their length,
            // lists and maps have a shape, and types of later manifests are unknown here.
            _ => None,
        }
    }

    fn number_fault(&self, text: &str) -> Option<String> {
        let shown = text.escape_debug();
        let Ok(number) = text.parse::<i128>() else {
            return Some(match self.range {
                Some((least, most)) => {
                    format!("`{shown}` is not a whole number from {least} to {most}")
                }
                None => format!("`{shown}` is not a whole number"),
            });
        };
        let (least, most) = self.range?;
        (!(least..=most).contains(&number))
            .then(|| format!("`{shown}` is not from {least} to {most}"))
    }
}

/// A JSON list, or values with commas between, as the SDK reads them. What is neither has no items
/// here; the recipe says so itself.
fn items(text: &str) -> Vec<String> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    if !text.trim_start().starts_with('[') {
        return text.split(',').map(|item| item.trim().to_owned()).collect();
    }
    let list: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    let plain = |item: Value| match item {
        Value::String(text) => text,
        other => other.to_string(),
    };
    list.into_iter().map(plain).collect()
}
