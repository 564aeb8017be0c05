//! Reads typed values out of JSON and notes what doesn't fit.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::fault::{Fault, Place, quote, suggestion};

/// Collects faults while values are read; `None` means that one has been noted.
#[derive(Debug, Default)]
pub struct Reader {
    pub faults: Vec<Fault>,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub struct At<'a> {
    pub value: &'a Value,
    pub place: Place,
}

impl<'a> At<'a> {
    /// All parameters of a run, as [`parameters`] has them.
    pub fn everything(value: &'a Value) -> Self {
        Self { value, place: Place::everywhere() }
    }

    fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        }
    }
}

/// The parameters of a run as one map. Lists, maps, numbers, true and false come as JSON.
pub fn parameters(given: Vec<(String, String)>) -> Value {
    Value::Object(given.into_iter().map(|(name, text)| (name, value(text))).collect())
}

/// One parameter: data where it looks like data and is, otherwise text.
pub(crate) fn value(text: String) -> Value {
    let data = text.starts_with(['[', '{', '-']) || text.starts_with(|c: char| c.is_ascii_digit());
    let data = data || ["true", "false", "null"].contains(&text.as_str());
    match serde_json::from_str(&text) {
        Ok(value) if data => value,
        Ok(_) | Err(_) => Value::String(text),
    }
}

/// The keys of one map; what nobody asked for is unknown.
pub struct Fields<'a> {
    what: &'static str,
    place: Place,
    entries: &'a Map<String, Value>,
    known: BTreeSet<&'static str>,
    /// complained of already
    forgiven: BTreeSet<&'static str>,
}

impl Reader {
    pub fn fault(&mut self, place: &Place, message: impl Into<String>) {
        self.fault_with(place, message, None);
    }

    pub fn fault_with(&mut self, place: &Place, message: impl Into<String>, help: Option<String>) {
        self.faults.push(Fault { place: place.clone(), message: message.into(), help });
    }

    pub fn wrong<T>(&mut self, at: &At<'_>, wanted: &str) -> Option<T> {
        let null = at.value.is_null();
        let help = null.then(|| "leave the key out, or give it a value".to_owned());
        self.fault_with(&at.place, format!("{wanted} is expected, this is {}", at.kind()), help);
        None
    }

    /// Takes a sentence; what follows in a line of its own after `help: ` is the help.
    pub fn accept<T>(&mut self, place: &Place, result: Result<T, String>) -> Option<T> {
        result
            .map_err(|sentence| {
                let (message, help) = match sentence.split_once("\n  help: ") {
                    Some((message, help)) => (message.to_owned(), Some(help.to_owned())),
                    None => (sentence, None),
                };
                self.fault_with(place, message, help);
            })
            .ok()
    }

    pub fn fields<'a>(&mut self, at: &At<'a>, what: &'static str) -> Option<Fields<'a>> {
        let Value::Object(entries) = at.value else {
            return self.wrong(at, &format!("a map ({what})"));
        };
        Some(Fields {
            what,
            place: at.place.clone(),
            entries,
            known: BTreeSet::new(),
            forgiven: BTreeSet::new(),
        })
    }

    pub fn list<'a>(&mut self, at: &At<'a>) -> Vec<At<'a>> {
        let Value::Array(items) = at.value else {
            return self.wrong(at, "a list").unwrap_or_default();
        };
        let numbered = items.iter().enumerate();
        numbered
            .map(|(index, value)| At { value, place: at.place.step(&index.to_string()) })
            .collect()
    }

    pub fn text<'a>(&mut self, at: &At<'a>) -> Option<&'a str> {
        match at.value {
            Value::String(text) => Some(text),
            Value::Number(_) | Value::Bool(_) => {
                let message = format!("text is expected, this is {}", at.kind());
                self.fault_with(&at.place, message, Some("put it in quotes".to_owned()));
                None
            }
            Value::Null | Value::Array(_) | Value::Object(_) => self.wrong(at, "text"),
        }
    }

    pub fn boolean(&mut self, at: &At<'_>) -> Option<bool> {
        let Value::Bool(value) = at.value else { return self.wrong(at, "true or false") };
        Some(*value)
    }

    /// A whole number within a range.
    pub fn number(&mut self, at: &At<'_>, least: u32, most: u32) -> Option<u32> {
        let Some(value) = at.value.as_i64() else {
            return self.wrong(at, &format!("a whole number from {least} to {most}"));
        };
        if (i64::from(least)..=i64::from(most)).contains(&value) {
            return u32::try_from(value).ok();
        }
        let message = format!("{value} is out of range; {least} to {most} is possible");
        self.fault(&at.place, message);
        None
    }

    /// Text that `parse` makes something of.
    pub fn parsed<T>(
        &mut self,
        at: &At<'_>,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(at)?;
        self.accept(&at.place, parse(text))
    }

    /// One of a few words.
    pub fn word<T: Copy>(&mut self, at: &At<'_>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(at)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let names = || words.iter().map(|(word, _)| *word);
        let help = suggestion(text, names())
            .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
        self.fault_with(&at.place, format!("unknown {what} {}", quote(text)), Some(help));
        None
    }

    /// Notes the keys that nobody asked for.
    pub fn close(&mut self, fields: Fields<'_>) {
        let Fields { known, forgiven, .. } = &fields;
        let unknown =
            |key: &&String| !known.contains(key.as_str()) && !forgiven.contains(key.as_str());
        for key in fields.entries.keys().filter(unknown) {
            let near = suggestion(key, known.union(forgiven).copied());
            let keys: Vec<_> = fields.known.iter().copied().collect();
            let help = near.unwrap_or_else(|| format!("{} has {}", fields.what, keys.join(", ")));
            let message = format!("unknown key {} of {}", quote(key), fields.what);
            self.fault_with(&fields.place.step(key), message, Some(help));
        }
    }
}

impl<'a> Fields<'a> {
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// A key that may be absent.
    pub fn get(&mut self, key: &'static str) -> Option<At<'a>> {
        self.known.insert(key);
        self.entries.get(key).map(|value| At { value, place: self.place.step(key) })
    }

    /// A key that must be there; a fault where neither it nor a misspelling of it is.
    pub fn need(&mut self, reader: &mut Reader, key: &'static str) -> Option<At<'a>> {
        let found = self.get(key);
        let misspelt = || {
            self.entries.keys().any(|given| {
                suggestion(given, [key]).is_some() && !self.known.contains(given.as_str())
            })
        };
        if found.is_none() && !misspelt() {
            reader.fault(&self.place, format!("{} needs the key `{key}`", self.what));
        }
        found
    }

    /// The keys given that are among these, with their places.
    pub fn given(&self, keys: &[&'static str]) -> Vec<(&'static str, Place)> {
        let present = keys.iter().filter(|key| self.entries.contains_key(**key));
        present.map(|key| (*key, self.place.step(key))).collect()
    }

    /// Has nothing more said of keys that have been complained of.
    pub fn forgive(&mut self, keys: &[&'static str]) {
        self.forgiven.extend(keys);
    }
}
