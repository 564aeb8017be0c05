//! Sets of grants and their intersection, against the naive model.
#![no_main]

use arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use netwright_grants::model::{Asked, KINDS, Line, NAMES, PARENTS, PATTERNS, Side, answers, model};

fuzz_target!(|bytes: &[u8]| {
    // Bytes that end too early make no case.
    let _ = compare(&mut Unstructured::new(bytes));
});

fn compare(input: &mut Unstructured<'_>) -> Result<()> {
    let (one, other, third) = (side(input)?, side(input)?, side(input)?);
    let mut all = Vec::new();
    for _ in 0..input.int_in_range(1..=12)? {
        all.push(asked(input)?);
    }
    assert_eq!(answers(&one.grants(), &all), model(&[&one], &all));
    let both = one.grants().intersect(&other.grants());
    assert_eq!(answers(&both, &all), model(&[&one, &other], &all));
    let three = || one.grants().intersect(&other.grants()).intersect(&third.grants());
    let expected = model(&[&one, &other, &third], &all);
    assert_eq!(answers(&three(), &all), expected);
    // In any order, and never wider than a side.
    let turned = third.grants().intersect(&other.grants().intersect(&one.grants()));
    assert_eq!(answers(&turned, &all), expected);
    let (whole, sides) = (three(), [&one, &other, &third].map(Side::grants));
    for asked in &all {
        let request = asked.request();
        if whole.allows(&request).is_ok() {
            assert!(sides.iter().all(|side| side.allows(&request).is_ok()));
        }
    }
    Ok(())
}

fn side(input: &mut Unstructured<'_>) -> Result<Side> {
    let gives = input.arbitrary()?;
    let mut side = Side { gives, rules: Vec::new(), denied: Vec::new() };
    for _ in 0..input.int_in_range(0..=4)? {
        side.rules.push(line(input, gives)?);
    }
    for _ in 0..if gives { input.int_in_range(0..=2)? } else { 0 } {
        side.denied.push(Line { max: None, ..line(input, false)? });
    }
    Ok(side)
}

/// `whole`: with what a grant must name.
fn line(input: &mut Unstructured<'_>, whole: bool) -> Result<Line> {
    let from = input.int_in_range(0..=4)?;
    let more = input.int_in_range(0..=3)?;
    Ok(Line {
        kinds: some_of(input, &KINDS, whole)?,
        names: some_of(input, &PATTERNS, whole)?,
        parents: some_of(input, &PARENTS, false)?,
        vlans: (from > 0).then_some((from, from + more)),
        max: if input.arbitrary()? { Some(input.int_in_range(1..=3)?) } else { None },
    })
}

/// None of the words is no key at all.
fn some_of(
    input: &mut Unstructured<'_>,
    words: &[&'static str],
    needed: bool,
) -> Result<Option<Vec<&'static str>>> {
    let bits: u8 = input.arbitrary()?;
    let chosen: Vec<_> = (0..words.len()).filter(|at| bits >> at & 1 == 1).collect();
    Ok(match chosen.is_empty() {
        true if needed => Some(words[..1].to_vec()),
        true => None,
        false => Some(chosen.into_iter().map(|at| words[at]).collect()),
    })
}

fn asked(input: &mut Unstructured<'_>) -> Result<Asked> {
    let parent = if input.arbitrary()? { Some(*input.choose(&PARENTS)?) } else { None };
    let vlan = if input.arbitrary()? { Some(input.int_in_range(1..=6)?) } else { None };
    Ok(Asked { kind: input.choose(&KINDS)?, name: input.choose(&NAMES)?, parent, vlan })
}
