//! The JSON Schema of the scenario file, for editors: as the file is read, minus what a schema
//! can't say.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::{Check, Limits};

/// A netwright scenario: which recipes to run, with which parameters, and what must hold
/// afterwards.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ScenarioFile {
    /// a letter, then letters, digits, `.`, `_` and `-`, 63 in all
    #[schemars(regex(pattern = "^[A-Za-z][A-Za-z0-9._-]{0,62}$"))]
    pub name: String,
    pub description: Option<String>,
    /// where the recipes act: a private lab (default) or this machine's own network
    pub target: Option<TargetFile>,
    /// defaults of the parameters that `${name}` stands for; `-p name=value` overrides them
    pub params: Option<BTreeMap<String, Value>>,
    /// links whose every frame is captured, from before the first one
    pub captures: Option<Vec<CaptureFile>>,
    #[schemars(length(min = 1))]
    pub steps: Vec<StepFile>,
    /// what must hold after the last step, in this order
    pub checks: Option<Vec<Check>>,
    pub limits: Option<LimitsFile>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum TargetFile {
    Lab,
    Host,
}

/// A link to capture; it need not be there yet
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CaptureFile {
    /// the root namespace where it is left out
    pub namespace: Option<String>,
    pub link: String,
    /// bytes kept of each frame; all of them where it is left out
    #[schemars(range(min = 64, max = 262_144))]
    pub snap_length: Option<u32>,
}

/// One recipe run
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct StepFile {
    pub name: Option<String>,
    /// `builtin:ip`, `builtin:topology`, `builtin:macvlan-network`, or a path relative to the file
    pub recipe: String,
    /// the recipe's own parameters
    pub params: Option<BTreeMap<String, Value>>,
    /// what the recipe's requests are narrowed to; a lab needs none
    pub grants: Option<Vec<GrantFile>>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum GrantFile {
    /// such as `host.link.create kind=macvlan parent=eth1`
    Text(String),
    /// such as `{ host.link.create: { kind: macvlan, parent: eth1 } }`
    #[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
    Map(BTreeMap<String, Value>),
}

/// What the run may use up
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsFile {
    /// wall clock: `30s`, `2m`
    pub time: Option<String>,
    /// of each recipe: `64MiB`
    pub memory: Option<String>,
    /// elements of each table of functions
    pub table: Option<u32>,
    /// what crosses between recipe and host: `256MiB`
    pub call_bytes: Option<String>,
    pub handles: Option<u32>,
    pub namespaces: Option<u32>,
    pub links: Option<u32>,
    /// log text: `1MiB`
    pub log: Option<String>,
    /// frames that captures hold: `16MiB`
    pub captured: Option<String>,
}

/// The schema as the repository publishes it.
pub fn schema() -> Schema {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.untagged_enum_variant_titles = false);
    let mut schema = settings.into_generator().into_root_schema_for::<ScenarioFile>();
    allow_variables(&mut schema);
    tell_defaults(&mut schema);
    schema
}

/// The limits that hold where a file is silent, from the one table of them.
fn tell_defaults(schema: &mut Schema) {
    for (key, value) in Limits::defaults() {
        let limit = schema.pointer_mut(&format!("/$defs/LimitsFile/properties/{key}"));
        let Some(Value::Object(limit)) = limit else { continue };
        let value = value.parse::<u64>().map_or_else(|_| json!(value), |count| json!(count));
        limit.insert("default".to_owned(), value);
    }
}

/// A number, a yes-or-no or one of a few words may be written as `${name}` too.
fn allow_variables(schema: &mut Schema) {
    transform_subschemas(&mut allow_variables, schema);
    refuse_null(schema);
    let Some(kinds) = schema.get("type").map(kinds) else { return };
    let narrow = ["integer", "number", "boolean"];
    let words = schema.get("enum").is_some();
    if words || kinds.iter().any(|kind| narrow.contains(&kind.as_str())) {
        let description = schema.remove("description");
        let plain = schema.clone().to_value();
        let variable = json!({ "type": "string", "pattern": "^\\$\\{[A-Za-z][A-Za-z0-9_-]*\\}$" });
        let mut either = json!({ "anyOf": [plain, variable] });
        if let Some(description) = description {
            either["description"] = description;
        }
        if let Ok(made) = Schema::try_from(either) {
            *schema = made;
        }
    }
}

/// What may be left out must not be given as nothing.
fn refuse_null(schema: &mut Schema) {
    let remaining = schema.get("type").map(kinds).unwrap_or_default();
    let remaining: Vec<_> = remaining.into_iter().filter(|kind| kind != "null").collect();
    if let [kind] = remaining.as_slice() {
        schema.insert("type".to_owned(), json!(kind));
    }
    let Some(Value::Array(either)) = schema.get("anyOf") else { return };
    let remaining: Vec<_> = either.iter().filter(|one| one["type"] != "null").cloned().collect();
    if let [Value::Object(only)] = remaining.as_slice() {
        let only = only.clone();
        schema.remove("anyOf");
        for (key, value) in only {
            schema.insert(key, value);
        }
    }
}

fn kinds(value: &Value) -> Vec<String> {
    match value {
        Value::String(kind) => vec![kind.clone()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}
