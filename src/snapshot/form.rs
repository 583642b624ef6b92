//! How values stand in a snapshot: each type says once what it is written as, read from, and described by.
//!
//! Structures are objects with their fields' names, words are texts, times are milliseconds since the epoch, maps are
//! lists of pairs. What may not be seen is `{"seen": …}`, `{"absent": proof}` or `{"unknown": reason}`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

#[cfg(test)]
use serde_json::Map;
use serde_json::{Value, json};

use crate::core::ids::{
    AgentKind, BootId, ConversationId, DriftId, ServerName, SessionName, Timestamp,
};
use crate::core::jobs::JobId;
use crate::core::sighting::{Proof, Reason, Sighting};

/// The descriptions of structures, by name.
#[cfg(test)]
pub(super) type Defs = Map<String, Value>;

/// A value that a snapshot can hold.
pub(super) trait Form: Sized {
    /// As it is written.
    fn shown(&self) -> Value;

    /// From what was written.
    fn read(value: &Value) -> Result<Self, Fault>;

    /// What is written, as JSON Schema.
    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value;
}

/// What is wrong with a value, and where in the document it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    place: String,
    what: String,
}

impl Fault {
    pub(super) fn expected(what: &str) -> Self {
        Self {
            place: String::new(),
            what: format!("{what} is expected"),
        }
    }

    /// The same, within a key or an item.
    pub(super) fn within(mut self, place: &str) -> Self {
        self.place.insert_str(0, place);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.place.trim_start_matches('.');
        write!(f, "at {place}: {}", self.what)
    }
}

/// The value of a key of an object.
pub(super) fn field<T: Form>(value: &Value, key: &str) -> Result<T, Fault> {
    let found = value.get(key).unwrap_or(&Value::Null);
    T::read(found).map_err(|fault| fault.within(&format!(".{key}")))
}

/// Gives a structure its form: an object of its fields.
macro_rules! structure {
    ($type:ident { $($field:ident: $of:ty),* $(,)? }) => {
        impl $crate::snapshot::form::Form for $type {
            fn shown(&self) -> serde_json::Value {
                // Taken apart without `..`, so that nothing new can be forgotten.
                let Self { $($field),* } = self;
                let mut object = serde_json::Map::new();
                $(object.insert(
                    stringify!($field).to_owned(),
                    $crate::snapshot::form::Form::shown($field),
                );)*
                serde_json::Value::Object(object)
            }

            fn read(value: &serde_json::Value) -> Result<Self, $crate::snapshot::form::Fault> {
                Ok(Self { $($field: $crate::snapshot::form::field::<$of>(value, stringify!($field))?),* })
            }

            #[cfg(test)]
            fn schema(defs: &mut $crate::snapshot::form::Defs) -> serde_json::Value {
                let fields = vec![$((
                    stringify!($field),
                    <$of as $crate::snapshot::form::Form>::schema(defs),
                )),*];
                $crate::snapshot::form::described(defs, stringify!($type), fields)
            }
        }
    };
}
pub(super) use structure;

/// Gives an enum of words its form: the word.
macro_rules! words {
    ($type:ty { $($variant:path => $word:expr),* $(,)? }) => {
        impl $crate::snapshot::form::Form for $type {
            fn shown(&self) -> serde_json::Value {
                match self {
                    $($variant => $word.into(),)*
                }
            }

            fn read(value: &serde_json::Value) -> Result<Self, $crate::snapshot::form::Fault> {
                $(if value.as_str() == Some($word) {
                    return Ok($variant);
                })*
                Err($crate::snapshot::form::Fault::expected(
                    &[$($word),*].join(" or "),
                ))
            }

            #[cfg(test)]
            fn schema(_: &mut $crate::snapshot::form::Defs) -> serde_json::Value {
                serde_json::json!({ "enum": [$($word),*] })
            }
        }
    };
}
pub(super) use words;

#[cfg(test)]
pub(super) fn described(defs: &mut Defs, name: &str, fields: Vec<(&str, Value)>) -> Value {
    let required: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = fields
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    let schema = json!({ "type": "object", "required": required, "properties": properties });
    defs.insert(name.to_owned(), schema);
    json!({ "$ref": format!("#/$defs/{name}") })
}

macro_rules! number {
    ($($type:ty),*) => {$(
        impl Form for $type {
            fn shown(&self) -> Value {
                (*self).into()
            }

            fn read(value: &Value) -> Result<Self, Fault> {
                let number = value.as_i64().and_then(|number| Self::try_from(number).ok());
                let large = || value.as_u64().and_then(|number| Self::try_from(number).ok());
                number.or_else(large).ok_or_else(|| Fault::expected("a number"))
            }

            #[cfg(test)]
            fn schema(_: &mut Defs) -> Value {
                json!({ "type": "integer" })
            }
        }
    )*};
}
number!(u32, u64, i64);

/// A text that stands for a value.
macro_rules! text {
    ($($type:ty: $read:expr),* $(,)?) => {$(
        impl Form for $type {
            fn shown(&self) -> Value {
                self.to_string().into()
            }

            fn read(value: &Value) -> Result<Self, Fault> {
                let text = value.as_str().ok_or_else(|| Fault::expected("a text"))?;
                let read: fn(&str) -> Option<Self> = $read;
                read(text).ok_or_else(|| Fault::expected("another text"))
            }

            #[cfg(test)]
            fn schema(_: &mut Defs) -> Value {
                json!({ "type": "string" })
            }
        }
    )*};
}
text! {
    String: |text| Some(text.to_owned()),
    SessionName: |text| Some(Self::new(text)),
    ServerName: |text| Some(Self::new(text)),
    ConversationId: |text| Some(Self::new(text)),
    BootId: |text| Some(Self::new(text)),
    DriftId: |text| Some(Self::new(text)),
    JobId: Self::parse,
    AgentKind: Self::named,
    glob::Pattern: |text| Self::new(text).ok(),
}

impl Form for bool {
    fn shown(&self) -> Value {
        (*self).into()
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        value
            .as_bool()
            .ok_or_else(|| Fault::expected("true or false"))
    }

    #[cfg(test)]
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "boolean" })
    }
}

impl Form for () {
    fn shown(&self) -> Value {
        Value::Null
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        value.as_null().ok_or_else(|| Fault::expected("null"))
    }

    #[cfg(test)]
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "null" })
    }
}

impl Form for Timestamp {
    fn shown(&self) -> Value {
        self.millis().into()
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        i64::read(value).map(Self::from_millis)
    }

    #[cfg(test)]
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "integer", "description": "Milliseconds since the epoch." })
    }
}

impl Form for Duration {
    fn shown(&self) -> Value {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX).into()
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        u64::read(value).map(Self::from_millis)
    }

    #[cfg(test)]
    fn schema(_: &mut Defs) -> Value {
        json!({ "type": "integer", "description": "Milliseconds." })
    }
}

impl<T: Form> Form for Option<T> {
    fn shown(&self) -> Value {
        self.as_ref().map_or(Value::Null, Form::shown)
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        json!({ "anyOf": [{ "type": "null" }, T::schema(defs)] })
    }
}

fn list<T: Form, C: FromIterator<T>>(value: &Value) -> Result<C, Fault> {
    let items = value.as_array().ok_or_else(|| Fault::expected("a list"))?;
    let read = |(at, item)| T::read(item).map_err(|fault| fault.within(&format!("[{at}]")));
    items.iter().enumerate().map(read).collect()
}

macro_rules! lists {
    ($([$($of:tt)*] $type:ty),*) => {$(
        impl<T: $($of)*> Form for $type {
            fn shown(&self) -> Value {
                self.iter().map(Form::shown).collect()
            }

            fn read(value: &Value) -> Result<Self, Fault> {
                list(value)
            }

            #[cfg(test)]
            fn schema(defs: &mut Defs) -> Value {
                json!({ "type": "array", "items": T::schema(defs) })
            }
        }
    )*};
}
lists!([Form] Vec<T>, [Form + Ord] BTreeSet<T>);

impl<A: Form, B: Form> Form for (A, B) {
    fn shown(&self) -> Value {
        Value::Array(vec![self.0.shown(), self.1.shown()])
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        match value.as_array().map(Vec::as_slice) {
            Some([first, second]) => Ok((
                A::read(first).map_err(|fault| fault.within("[0]"))?,
                B::read(second).map_err(|fault| fault.within("[1]"))?,
            )),
            _ => Err(Fault::expected("a pair")),
        }
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        let pair = [A::schema(defs), B::schema(defs)];
        json!({ "type": "array", "prefixItems": pair, "minItems": 2, "maxItems": 2 })
    }
}

impl<K: Form + Ord, V: Form> Form for BTreeMap<K, V> {
    fn shown(&self) -> Value {
        self.iter()
            .map(|(key, value)| Value::Array(vec![key.shown(), value.shown()]))
            .collect()
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        list::<(K, V), Self>(value)
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        json!({ "type": "array", "items": <(K, V)>::schema(defs) })
    }
}

impl<T: Form> Form for Sighting<T> {
    fn shown(&self) -> Value {
        match self {
            Self::Present(thing) => json!({ "seen": thing.shown() }),
            Self::Absent(proof) => json!({ "absent": proof.to_string() }),
            Self::Unknown(reason) => json!({ "unknown": reason.to_string() }),
        }
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        let said = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        if value.get("seen").is_some() {
            field(value, "seen").map(Self::Present)
        } else if let Some(proof) = said("absent") {
            Ok(Self::Absent(Proof::new(proof)))
        } else if let Some(reason) = said("unknown") {
            Ok(Self::Unknown(Reason::new(reason)))
        } else {
            Err(Fault::expected("seen, absent or unknown"))
        }
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        let one = |key: &str, of: Value| json!({ "type": "object", "required": [key], "properties": { key: of } });
        json!({ "oneOf": [
            one("seen", T::schema(defs)),
            one("absent", json!({ "type": "string" })),
            one("unknown", json!({ "type": "string" })),
        ] })
    }
}
