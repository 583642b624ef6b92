use super::*;

fn text(text: &str) -> Datum {
    Datum::Text(text.to_owned())
}

fn map(pairs: &[(&str, Datum)]) -> Datum {
    Datum::Map(
        pairs
            .iter()
            .map(|(key, value)| (text(key), value.clone()))
            .collect(),
    )
}

#[test]
fn the_order_of_keys_means_nothing_and_that_of_items_does() {
    let one = map(&[("a", Datum::Int(1)), ("b", Datum::Null)]);
    let other = map(&[("b", Datum::Null), ("a", Datum::Int(1))]);
    assert!(one.same(&other));
    assert_eq!(one.hash(), other.hash());
    let one = Datum::List(vec![text("a"), text("b")]);
    let other = Datum::List(vec![text("b"), text("a")]);
    assert!(!one.same(&other));
    assert_ne!(one.hash(), other.hash());
}

#[test]
fn values_of_different_kinds_differ_however_they_look() {
    let values = [
        Datum::Null,
        Datum::Bool(false),
        Datum::Int(0),
        Datum::Float(0.0),
        Datum::Float(-0.0),
        text(""),
        text("0"),
        Datum::List(vec![]),
        Datum::List(vec![Datum::Null]),
        map(&[]),
        map(&[("", Datum::Null)]),
        Datum::Tagged("!t".to_owned(), Box::new(Datum::Null)),
    ];
    for (at, one) in values.iter().enumerate() {
        for (other_at, other) in values.iter().enumerate() {
            assert_eq!(one.same(other), at == other_at, "{one:?} and {other:?}");
            assert_eq!(
                one.hash() == other.hash(),
                at == other_at,
                "{one:?} and {other:?}"
            );
        }
    }
    assert!(Datum::Float(f64::NAN).same(&Datum::Float(f64::NAN)));
}

#[test]
fn what_is_the_same_in_one_half_only_is_not_the_same() {
    let tagged = |tag: &str, value| Datum::Tagged(tag.to_owned(), Box::new(value));
    assert!(!tagged("!t", Datum::Null).same(&tagged("!t", Datum::Int(1))));
    assert!(!tagged("!t", Datum::Null).same(&tagged("!u", Datum::Null)));
    let one = map(&[("a", Datum::Int(1)), ("b", Datum::Int(2))]);
    let other = map(&[("b", Datum::Int(3)), ("a", Datum::Int(1))]);
    assert!(!one.same(&other));
}

#[test]
fn what_moves_from_one_key_to_another_changes_the_hash() {
    let one = map(&[("a", text("x")), ("b", text("y"))]);
    let other = map(&[("a", text("y")), ("b", text("x"))]);
    assert_ne!(one.hash(), other.hash());
}

/// The ledger keeps it: a version that counts differently would take every row for a changed one.
#[test]
fn the_hash_is_the_same_in_every_version() {
    let row = map(&[
        ("name", text("a")),
        ("pane", map(&[("pid", Datum::Int(7))])),
        (
            "ids",
            Datum::List(vec![Datum::Null, Datum::Bool(true), Datum::Float(0.5)]),
        ),
    ]);
    assert_eq!(format!("{:016x}", row.hash()), "5e66d352118294a7");
}
