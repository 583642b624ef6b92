//! Values of the roll as JSON, with the order of their keys kept.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::core::edit as core_edit;

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Value {
    /// Nothing.
    Null(()),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(String),
    /// A mapping.
    Map(Pairs),
}

/// Some keys of a row with their values, in the row's own order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(String, Value)>);

impl Pairs {
    /// The text of a key, if it has one.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().find_map(|(known, value)| match value {
            Value::Text(text) if known == key => Some(text.as_str()),
            _ => None,
        })
    }
}

impl From<&core_edit::Value> for Value {
    fn from(value: &core_edit::Value) -> Self {
        match value {
            core_edit::Value::Null => Self::Null(()),
            core_edit::Value::Int(number) => Self::Int(*number),
            core_edit::Value::Text(text) => Self::Text(text.clone()),
            core_edit::Value::Map(pairs) => Self::Map(Pairs::from(pairs.as_slice())),
        }
    }
}

impl From<&[(String, core_edit::Value)]> for Pairs {
    fn from(pairs: &[(String, core_edit::Value)]) -> Self {
        Self(
            pairs
                .iter()
                .map(|(key, value)| (key.clone(), Value::from(value)))
                .collect(),
        )
    }
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Pairs {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pairs".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Some keys of a row with their values, in the row's own order.",
            "type": "object",
            "additionalProperties": generator.subschema_for::<Value>(),
        })
    }
}
