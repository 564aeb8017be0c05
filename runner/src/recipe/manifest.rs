//! What a recipe says of itself: read from bytes that anybody can have written.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::grant::Rule;
use crate::text::escape;

/// The section that holds a recipe's manifest.
pub(super) const SECTION: &str = "netwright:manifest";

/// The version of the contract in guest-sdk/wit.
pub const HOST_API: &str = "0.2.0";

/// Bytes of a manifest.
const LONGEST: usize = 64 << 10;
const LONGEST_NAME: usize = 63;
/// Characters of a description or reason.
const LONGEST_TEXT: usize = 1000;
const MOST_PARAMETERS: usize = 256;
const MOST_CAPABILITIES: usize = 64;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    /// The contract that it was written for, such as `0.2.0`.
    pub api: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    #[serde(default)]
    pub capabilities: Vec<Asked>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub description: String,
    /// the least and the greatest
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<(i128, i128)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Vec<String>>,
}

/// A capability that a recipe would like, beyond the lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// with its limits, as a flag would grant it
    pub capability: String,
    #[serde(default)]
    pub reason: String,
}

impl Manifest {
    /// Reads a section. The error is the rule that it breaks.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > LONGEST {
            return Err(format!("it has {} bytes; {LONGEST} are allowed", bytes.len()));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("it is not UTF-8 text: byte {}", error.valid_up_to() + 1))?;
        // serde_json goes 128 levels deep and no further.
        let manifest: Self =
            serde_json::from_str(text).map_err(|error| escape(&error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), String> {
        title("name", &self.name)?;
        version("version", &self.version)?;
        version("api", &self.api)?;
        text("description", &self.description)?;
        if self.parameters.len() > MOST_PARAMETERS {
            return Err(format!("it has more than {MOST_PARAMETERS} parameters"));
        }
        if self.capabilities.len() > MOST_CAPABILITIES {
            return Err(format!("it asks for more than {MOST_CAPABILITIES} capabilities"));
        }
        let mut names = BTreeSet::new();
        for parameter in &self.parameters {
            title("name of a parameter", &parameter.name)?;
            if !names.insert(&parameter.name) {
                return Err(format!("parameter `{}` comes twice", parameter.name));
            }
            text("type of a parameter", &parameter.kind)?;
            text("description of a parameter", &parameter.description)?;
            for choice in parameter.choices.iter().flatten() {
                text("choice of a parameter", choice)?;
            }
        }
        self.capabilities.iter().try_for_each(|asked| text("reason", &asked.reason))
    }

    /// What it asks for, as rules.
    pub fn asks(&self) -> Result<Vec<Rule>, String> {
        let rule = |asked: &Asked| {
            Rule::ask(&asked.capability, "the recipe's manifest").map_err(|faults| {
                let first = faults.into_iter().next();
                let rule = first.map(|fault| fault.message).unwrap_or_default();
                format!("`{}`: {rule}", escape(&asked.capability))
            })
        };
        self.capabilities.iter().map(rule).collect()
    }
}

/// A name that can be shown anywhere and mistaken for nothing else.
fn title(what: &str, text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && text.len() <= LONGEST_NAME && text.chars().all(legal) {
        return Ok(());
    }
    Err(format!(
        "{what} `{}` is not a letter and up to {} letters, digits, `.`, `_` and `-`",
        escape(text),
        LONGEST_NAME - 1
    ))
}

/// As Semantic Versioning 2.0.0 writes them, in letters of a reasonable number.
fn version(what: &str, text: &str) -> Result<(), String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    if numbers(text).is_some() && text.len() <= LONGEST_NAME && text.chars().all(legal) {
        return Ok(());
    }
    Err(format!("{what} `{}` is not a version such as 1.0.0", escape(text)))
}

fn text(what: &str, text: &str) -> Result<(), String> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(format!("{what} has more than {LONGEST_TEXT} characters"));
    }
    // Lines are for descriptions; everything else that can't be seen has no business here.
    match text.split('\n').find(|line| escape(line) != **line) {
        None => Ok(()),
        Some(line) => Err(format!("{what} holds what can't be shown: `{}`", escape(line))),
    }
}

/// The three numbers of a version.
fn numbers(version: &str) -> Option<(u64, u64, u64)> {
    let core = version.split(['-', '+']).next()?;
    let mut parts = core.split('.').map(|part| part.parse::<u64>().ok());
    match (parts.next()??, parts.next()??, parts.next()??, parts.next()) {
        (major, minor, patch, None) => Some((major, minor, patch)),
        _ => None,
    }
}

/// Whether this program has what was there in another version of the contract: within 0.2, and
/// within 1, functions are added and none is altered.
pub(super) fn host_api_has(version: &str) -> bool {
    let (Some(host), Some(asked)) = (numbers(HOST_API), numbers(version)) else { return false };
    let same = host.0 == asked.0 && (host.0 > 0 || host.1 == asked.1);
    same && asked <= host
}

#[cfg(test)]
mod tests {
    use super::{HOST_API, Manifest, host_api_has};

    fn refused(json: &str) -> String {
        Manifest::read(json.as_bytes()).expect_err("it is broken")
    }

    #[test]
    fn the_host_api_is_the_version_of_the_contract() {
        let types = include_str!("../../../guest-sdk/wit/types.wit");
        assert!(types.contains(&format!("package netwright:host@{HOST_API};")));
    }

    #[test]
    fn later_and_other_contracts_are_not_offered() {
        assert!(host_api_has("0.2.0"));
        for other in
            ["0.1.0", "0.1.9", "0.2.1", "0.3.0", "0.0.9", "1.0.0", "2.2.0", "", "0.2", "0.2.0.0"]
        {
            assert!(!host_api_has(other), "{other}");
        }
    }

    #[test]
    fn hostile_manifests_are_refused_with_a_sentence() {
        let with = |key: &str, value: &str| {
            let fields = [("name", "\"x\""), ("version", "\"1.0.0\""), ("api", "\"0.2.0\"")];
            let known = fields.iter().filter(|(known, _)| *known != key);
            let known: Vec<_> = known.map(|(key, value)| format!("\"{key}\":{value}")).collect();
            format!("{{{},\"{key}\":{value}}}", known.join(","))
        };
        assert!(Manifest::read(with("description", "\"fine\"").as_bytes()).is_ok());
        assert_eq!(
            refused(&with("name", "\"\\u001b[2Jok\"")),
            "name `\\u{1b}[2Jok` is not a letter and up to 62 letters, digits, `.`, `_` and `-`"
        );
        assert_eq!(
            refused(&with("description", "\"\\u202e dessap\"")),
            "description holds what can't be shown: `\\u{202e} dessap`"
        );
        assert_eq!(
            refused(&with("version", "\"latest\"")),
            "version `latest` is not a version such as 1.0.0"
        );
        let long = format!("\"{}\"", "x".repeat(1001));
        assert_eq!(
            refused(&with("description", &long)),
            "description has more than 1000 characters"
        );
        assert_eq!(refused(&" ".repeat(70_000)), "it has 70000 bytes; 65536 are allowed");
        let deep = with("parameters", &("[".repeat(1000) + &"]".repeat(1000)));
        assert!(refused(&deep).starts_with("invalid type: sequence"));
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        let parameter = format!("[{{\"name\":\"p\",\"type\":\"json\",\"default\":{deep}}}]");
        let deep = with("parameters", &parameter);
        assert!(refused(&deep).starts_with("recursion limit exceeded"));
        let parameter = "{\"name\":\"p\",\"type\":\"string\"}";
        assert_eq!(
            refused(&with("parameters", &format!("[{parameter},{parameter}]"))),
            "parameter `p` comes twice"
        );
        let many = vec!["{\"capability\":\"uplink\"}"; 65].join(",");
        assert_eq!(
            refused(&with("capabilities", &format!("[{many}]"))),
            "it asks for more than 64 capabilities"
        );
        let error = Manifest::read(b"{\"name\":\"\xff\"}").expect_err("not UTF-8");
        assert_eq!(error, "it is not UTF-8 text: byte 10");
    }
}
