//! Settings below /proc/sys/net as they were.

use std::fmt;

use crate::setting::SettingKey;
use serde::{Deserialize, Serialize};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctl {
    /// with slashes
    pub key: String,
    /// the index of the link that it is a setting of, whatever that is called by now
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<u32>,
    pub value: String,
}

impl Sysctl {
    /// The key as the link is called now.
    pub fn key_of(&self, name: &str) -> String {
        match SettingKey::of(&self.key) {
            Ok(key) => key.of_link(name).to_string(),
            // Links may be called what no key can be written with.
            Err(_) => {
                let mut parts: Vec<&str> = self.key.split('/').collect();
                if let (Some(link), Some(_)) = (parts.get_mut(3), self.link) {
                    *link = name;
                }
                parts.join("/")
            }
        }
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The kernel puts tabs between several values, and takes spaces.
        write!(f, "{}={}", self.key.escape_debug(), self.value.replace('\t', " ").escape_debug())
    }
}
