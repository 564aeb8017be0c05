//! What a run used, as the policy that would have been enough.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::capability::Capability;
use crate::key::{Key, Request};
use crate::rule::Rule;

/// Every use of a capability in a run. Clones are the same list.
#[derive(Debug, Clone, Default)]
pub struct Uses(Arc<Mutex<Used>>);

#[derive(Debug, Default)]
struct Used {
    /// the least grant of each use, and how often
    allowed: BTreeMap<(Capability, String), u32>,
    refused: BTreeSet<String>,
}

impl Uses {
    /// A use that was allowed elsewhere, as by a flag of its own.
    pub fn used(&self, request: &Request) {
        self.note(request, true);
    }

    /// A use that was charged before, or may come.
    pub(crate) fn mentioned(&self, request: &Request) {
        let Some(least) = Rule::least(request) else { return };
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.allowed.entry((request.capability, least.to_string())).or_default();
    }

    pub(crate) fn note(&self, request: &Request, allowed: bool) {
        let Some(least) = Rule::least(request) else { return };
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if allowed {
            *used.allowed.entry((request.capability, least.to_string())).or_default() += 1;
        } else {
            used.refused.insert(least.to_string());
        }
    }

    /// The grants that this run needed and no more, in the flag's form.
    pub fn least(&self) -> Vec<String> {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = Vec::new();
        let mut lines = Vec::new();
        for ((capability, least), times) in &used.allowed {
            let counts = capability.keys().iter().any(|(key, _)| *key == Key::Max);
            match least.strip_prefix("host.link.read name=") {
                Some(name) => names.push(name),
                None if counts => lines.push(format!("{least} max={}", (*times).max(1))),
                None => lines.push(least.clone()),
            }
        }
        // Whoever may see every link needs no list of them.
        let everything = (Capability::HostLinkRead, "host.link.read".to_owned());
        if !names.is_empty() && !used.allowed.contains_key(&everything) {
            lines.insert(0, format!("host.link.read name={}", names.join(",")));
        }
        lines
    }

    /// The same as a policy file. What was refused is in comments, so that nobody grants it
    /// unread.
    pub fn policy(&self) -> String {
        let list = |key: &str, lines: &[String]| match lines {
            [] => format!("{key}: []\n"),
            lines => {
                lines.iter().fold(format!("{key}:\n"), |text, line| text + "  - " + line + "\n")
            }
        };
        let mut text = list("allow", &self.least());
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.refused.is_empty() {
            text += "# refused in this run:\n";
            text.extend(used.refused.iter().map(|line| format!("#  - {line}\n")));
        }
        text
    }
}
