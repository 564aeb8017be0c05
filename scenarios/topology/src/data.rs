//! Parameters that are data: lists and maps as JSON, or one bare word where a list has one item.

use netwright_sdk::{ParamValue, Result};
use serde_json::Value;

use crate::read::value;

/// A list, or its only item.
#[derive(Debug)]
pub struct List(pub Value);

/// Names with values.
#[derive(Debug)]
pub struct Map(pub Value);

impl ParamValue for List {
    const TYPE: &'static str = "list";

    fn read(text: &str) -> Result<Self> {
        Ok(Self(value(text.to_owned())))
    }
}

impl ParamValue for Map {
    const TYPE: &'static str = "map";

    fn read(text: &str) -> Result<Self> {
        Ok(Self(value(text.to_owned())))
    }
}
