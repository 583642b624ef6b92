//! The roll's content without its layout: what an edit must change, and what it must not.

use crate::core::edit::{Op, Value};

/// One value of the roll. Numbers, booleans and texts are told apart, since the other writers do.
#[derive(Clone, Debug)]
pub(crate) enum Datum {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    List(Vec<Datum>),
    /// In file order. A key can be there twice: whether that is an error depends on where it is.
    Map(Vec<(Datum, Datum)>),
    /// A value with a tag of somebody's own.
    Tagged(String, Box<Datum>),
}

/// Why a step cannot be carried out on a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misfit {
    /// The key.
    pub(crate) key: String,
    /// What its value is.
    pub(crate) found: &'static str,
    /// What the step needs it to be.
    pub(crate) needed: &'static str,
}

impl Datum {
    /// What a person calls this kind of value.
    pub(crate) const fn noun(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a yes or no",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Tagged(..) => "a tagged value",
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs
            .iter()
            .find(|(known, _)| known.text() == Some(key))
            .map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Map(pairs) = self else { return None };
        pairs
            .iter_mut()
            .find(|(known, _)| known.text() == Some(key))
            .map(|(_, value)| value)
    }

    /// An item of a list, to be changed.
    pub(crate) fn item_mut(&mut self, index: usize) -> Option<&mut Self> {
        match self {
            Self::List(items) => items.get_mut(index),
            _ => None,
        }
    }

    /// Whether two values mean the same. The order of a mapping's keys means nothing.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b))
            }
            (Self::Map(a), Self::Map(b)) => same_pairs(a, b),
            (Self::Tagged(tag, a), Self::Tagged(other, b)) => tag == other && a.same(b),
            _ => false,
        }
    }

    /// A hash of the value: FNV-1a, 64 bits, over the kind and the content of each part. The keys of a mapping
    /// are hashed apart and added up, so that their order does not count. It depends on nothing else, neither
    /// on the run nor on the machine: the ledger keeps it.
    pub(crate) fn hash(&self) -> u64 {
        match self {
            Self::Null => fnv(b'n', &[]),
            Self::Bool(value) => fnv(b'b', &[u8::from(*value)]),
            Self::Int(value) => fnv(b'i', &value.to_le_bytes()),
            Self::Float(value) => fnv(b'f', &value.to_bits().to_le_bytes()),
            Self::Text(text) => fnv(b't', text.as_bytes()),
            Self::List(items) => items
                .iter()
                .fold(fnv(b'l', &[]), |sum, item| chain(sum, item.hash())),
            Self::Map(pairs) => {
                let sum = pairs.iter().fold(0u64, |sum, (key, value)| {
                    sum.wrapping_add(chain(key.hash(), value.hash()))
                });
                chain(fnv(b'm', &(pairs.len() as u64).to_le_bytes()), sum)
            }
            Self::Tagged(tag, value) => chain(fnv(b'g', tag.as_bytes()), value.hash()),
        }
    }

    /// Carries out one step on a row, or on the root where the step appends a row.
    pub(crate) fn carry_out(&mut self, op: &Op) -> Result<(), Misfit> {
        match op {
            Op::Set { path, value } => self.set(path, value),
            Op::Gather { keys, under } => {
                let pairs = self.pairs_mut("row")?;
                let (moved, kept) = std::mem::take(pairs).into_iter().partition::<Vec<_>, _>(
                    |(key, _)| matches!(key, Self::Text(key) if keys.contains(key)),
                );
                *pairs = kept;
                if !moved.is_empty() {
                    *self.slot(under)? = Self::Map(moved);
                }
                Ok(())
            }
            Op::Prepend { key, text } => {
                let text = Self::Text(text.clone());
                match self.slot(key)? {
                    slot @ Self::Null => *slot = Self::List(vec![text]),
                    Self::List(items) => items.insert(0, text),
                    other => {
                        return Err(Misfit {
                            key: key.clone(),
                            found: other.noun(),
                            needed: "a list",
                        });
                    }
                }
                Ok(())
            }
            Op::Append { row } => {
                let row = Self::from_pairs(row);
                match self.slot("tmux_sessions")? {
                    slot @ Self::Null => *slot = Self::List(vec![row]),
                    Self::List(rows) => rows.push(row),
                    other => {
                        return Err(Misfit {
                            key: "tmux_sessions".to_owned(),
                            found: other.noun(),
                            needed: "a list",
                        });
                    }
                }
                Ok(())
            }
        }
    }

    fn set(&mut self, path: &[String], value: &Value) -> Result<(), Misfit> {
        let Some((key, rest)) = path.split_first() else {
            return Ok(());
        };
        let slot = self.slot(key)?;
        if rest.is_empty() {
            *slot = Self::from(value);
            return Ok(());
        }
        match slot {
            Self::Null => *slot = Self::Map(Vec::new()),
            Self::Map(_) => {}
            other => {
                return Err(Misfit {
                    key: key.clone(),
                    found: other.noun(),
                    needed: "a mapping",
                });
            }
        }
        slot.set(rest, value)
    }

    /// The value of a key, made (as null) where it is missing.
    fn slot(&mut self, key: &str) -> Result<&mut Self, Misfit> {
        let pairs = self.pairs_mut(key)?;
        let at = pairs
            .iter()
            .position(|(known, _)| known.text() == Some(key));
        let at = at.unwrap_or_else(|| {
            pairs.push((Self::Text(key.to_owned()), Self::Null));
            pairs.len() - 1
        });
        Ok(&mut pairs[at].1)
    }

    fn pairs_mut(&mut self, of: &str) -> Result<&mut Vec<(Self, Self)>, Misfit> {
        match self {
            Self::Map(pairs) => Ok(pairs),
            other => Err(Misfit {
                key: of.to_owned(),
                found: other.noun(),
                needed: "a mapping",
            }),
        }
    }

    fn from_pairs(pairs: &[(String, Value)]) -> Self {
        Self::Map(
            pairs
                .iter()
                .map(|(key, value)| (Self::Text(key.clone()), Self::from(value)))
                .collect(),
        )
    }
}

impl From<&Value> for Datum {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Int(number) => Self::Int(i128::from(*number)),
            Value::Text(text) => Self::Text(text.clone()),
            Value::Map(pairs) => Self::from_pairs(pairs),
        }
    }
}

fn same_pairs(a: &[(Datum, Datum)], b: &[(Datum, Datum)]) -> bool {
    let same = |a: &(Datum, Datum), b: &(Datum, Datum)| a.0.same(&b.0) && a.1.same(&b.1);
    if a.len() != b.len() {
        return false;
    }
    if a.iter().zip(b).all(|(a, b)| a.0.same(&b.0)) {
        return a.iter().zip(b).all(|(a, b)| a.1.same(&b.1));
    }
    // Sorted rather than searched, so that two large mappings in another order cost no square.
    let sorted = |pairs: &[(Datum, Datum)]| {
        let mut order: Vec<(u64, u64, usize)> = pairs
            .iter()
            .enumerate()
            .map(|(at, (key, value))| (key.hash(), value.hash(), at))
            .collect();
        order.sort_unstable();
        order
    };
    sorted(a)
        .iter()
        .zip(&sorted(b))
        .all(|(x, y)| same(&a[x.2], &b[y.2]))
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

fn fnv(kind: u8, bytes: &[u8]) -> u64 {
    let start = (FNV_BASIS ^ u64::from(kind)).wrapping_mul(FNV_PRIME);
    bytes.iter().fold(start, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)
    })
}

fn chain(first: u64, second: u64) -> u64 {
    second.to_le_bytes().iter().fold(first, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME)
    })
}

#[cfg(test)]
mod tests;
