//! The types that one parameter can have.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Fault;
use crate::wit::links::{IpvlanFlag, IpvlanMode, MacvlanMode};
use crate::{Error, IntoAddress, IntoMac, IntoPrefix, MacAddress, Prefix, Result};

/// The type of a parameter. `#[derive(ParamValue)]` gives it to an enum without fields, each
/// variant in kebab-case.
///
/// ```
/// use netwright_sdk::prelude::*;
///
/// #[derive(ParamValue, Debug, PartialEq)]
/// enum Shape { FullMesh, Star }
///
/// assert_eq!(Shape::read("full-mesh"), Ok(Shape::FullMesh));
/// ```
pub trait ParamValue: Sized {
    /// What the manifest calls the type: `string`, `integer` …
    const TYPE: &'static str;
    /// Before the type's name, for several of it.
    #[doc(hidden)]
    const LIST: &'static str = "";
    /// The numbers that fit, a JSON list of the least and the greatest; empty for other types.
    const RANGE: &'static str = "";
    /// The words that are allowed, a JSON list; empty where there are too many.
    const CHOICES: &'static str = "";
    /// Whether it may be left out.
    const OPTIONAL: bool = false;

    /// Reads the text, or says what is wrong with it.
    fn read(text: &str) -> Result<Self>;

    /// The same, with the place of the fault inside the text.
    #[doc(hidden)]
    fn read_param(text: &str) -> Result<Self, Fault> {
        Self::read(text).map_err(|error| Fault::new("", error.to_string()))
    }

    /// What it is when it is left out.
    #[doc(hidden)]
    fn left_out() -> Option<Self> {
        None
    }

    /// The number that is outside of the limits.
    #[doc(hidden)]
    fn outside(&self, _least: i128, _most: i128) -> Option<i128> {
        None
    }
}

impl ParamValue for String {
    const TYPE: &'static str = "string";

    fn read(text: &str) -> Result<Self> {
        Ok(text.to_owned())
    }
}

impl ParamValue for bool {
    const TYPE: &'static str = "boolean";

    fn read(text: &str) -> Result<Self> {
        text.parse().map_err(|_| {
            Error::invalid(format!("`{}` is neither `true` nor `false`", text.escape_debug()))
        })
    }
}

macro_rules! integers {
    ($($type:ty: $least:literal $most:literal),+ $(,)?) => {$(
        impl ParamValue for $type {
            const TYPE: &'static str = "integer";
            const RANGE: &'static str = concat!("[", $least, ",", $most, "]");

            fn read(text: &str) -> Result<Self> {
                whole_number(text, concat!($least, " to ", $most))
            }

            fn outside(&self, least: i128, most: i128) -> Option<i128> {
                let number = i128::from(*self);
                (!(least..=most).contains(&number)).then_some(number)
            }
        }
    )+};
}

integers! {
    u8: 0 255,
    u16: 0 65535,
    u32: 0 4294967295_u32,
    u64: 0 18446744073709551615_u64,
    i8: "-128" 127,
    i16: "-32768" 32767,
    i32: "-2147483648" 2147483647,
    i64: "-9223372036854775808" 9223372036854775807_i64,
}

fn whole_number<T: FromStr>(text: &str, range: &str) -> Result<T> {
    text.parse().map_err(|_| {
        Error::invalid(format!("`{}` is not a whole number from {range}", text.escape_debug()))
    })
}

macro_rules! addresses {
    ($($type:ty: $name:literal $convert:expr),+ $(,)?) => {$(
        impl ParamValue for $type {
            const TYPE: &'static str = $name;

            fn read(text: &str) -> Result<Self> {
                $convert(text)
            }
        }
    )+};
}

addresses! {
    IpAddr: "address" |text: &str| text.into_address(),
    Ipv4Addr: "ipv4-address" |text: &str| exact(text, "IPv4 address"),
    Ipv6Addr: "ipv6-address" |text: &str| exact(text, "IPv6 address"),
    Prefix: "prefix" |text: &str| text.into_prefix(),
    MacAddress: "mac-address" |text: &str| text.into_mac(),
}

fn exact<T: FromStr>(text: &str, what: &str) -> Result<T> {
    text.parse().map_err(|_| Error::invalid(format!("`{}` is not an {what}", text.escape_debug())))
}

macro_rules! choices {
    ($($type:ty: $choices:literal),+ $(,)?) => {$(
        impl ParamValue for $type {
            const TYPE: &'static str = "string";
            const CHOICES: &'static str = $choices;

            fn read(text: &str) -> Result<Self> {
                text.parse()
            }
        }
    )+};
}

choices! {
    MacvlanMode: r#"["private","vepa","bridge","passthru","source"]"#,
    IpvlanMode: r#"["l2","l3","l3s"]"#,
    IpvlanFlag: r#"["private","vepa","bridge"]"#,
}

impl<T: ParamValue> ParamValue for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const LIST: &'static str = T::LIST;
    const RANGE: &'static str = T::RANGE;
    const CHOICES: &'static str = T::CHOICES;
    const OPTIONAL: bool = true;

    fn read(text: &str) -> Result<Self> {
        T::read(text).map(Some)
    }

    fn read_param(text: &str) -> Result<Self, Fault> {
        T::read_param(text).map(Some)
    }

    fn left_out() -> Option<Self> {
        Some(None)
    }

    fn outside(&self, least: i128, most: i128) -> Option<i128> {
        self.as_ref()?.outside(least, most)
    }
}

/// A JSON list, or values with commas between: `-p sources=02:00:00:00:00:01,02:00:00:00:00:02`.
impl<T: ParamValue> ParamValue for Vec<T> {
    const TYPE: &'static str = T::TYPE;
    const LIST: &'static str = "list of ";
    const RANGE: &'static str = T::RANGE;
    const CHOICES: &'static str = T::CHOICES;

    fn read(text: &str) -> Result<Self> {
        Self::read_param(text).map_err(|fault| Error::invalid(fault.message))
    }

    fn read_param(text: &str) -> Result<Self, Fault> {
        let items = items(text)?;
        let mut values = Self::with_capacity(items.len());
        for (place, item) in items.iter().enumerate() {
            values.push(T::read_param(item).map_err(|fault| fault.pointer(format!("/{place}")))?);
        }
        Ok(values)
    }

    fn outside(&self, least: i128, most: i128) -> Option<i128> {
        self.iter().find_map(|item| item.outside(least, most))
    }
}

fn items(text: &str) -> Result<Vec<String>, Fault> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    if !text.trim_start().starts_with('[') {
        return Ok(text.split(',').map(|item| item.trim().to_owned()).collect());
    }
    let list: Vec<Value> = read_json(text)?;
    Ok(list.into_iter().map(plain_text).collect())
}

/// A JSON value as a parameter of its own would be given.
fn plain_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// Structured data, a fault of which is told with its place: as a JSON pointer where the data has
/// another shape, as line and column where it is no JSON at all.
pub(super) fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        fault_of(error.inner(), pointer)
    })?;
    reader.end().map_err(|error| fault_of(&error, String::new()))?;
    Ok(value)
}

fn fault_of(error: &serde_json::Error, pointer: String) -> Fault {
    // serde_json ends its text with a place that data of another shape, written as YAML, has not.
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text).to_owned();
    let fault = Fault::new("", message).pointer(pointer);
    if error.is_data() {
        return fault;
    }
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    fault.position(narrow(error.line()), narrow(error.column()))
}

/// The path in the words of RFC 6901, `~` and `/` written `~0` and `~1`.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}
