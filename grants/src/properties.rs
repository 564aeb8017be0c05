//! The sets against the naive model.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::model::{Asked, KINDS, Line, NAMES, PARENTS, PATTERNS, Side, answers, model};
use super::{Capability, Facts, Grants, Request, Rule};

fn some_of(words: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(words, 1..=words.len())
}

/// `whole`: with what a grant must name.
fn line(whole: bool, max: bool) -> impl Strategy<Value = Line> {
    let needed = move |words| {
        if whole {
            some_of(words).prop_map(Some).boxed()
        } else {
            prop::option::of(some_of(words)).boxed()
        }
    };
    let max = if max { prop::option::of(1..3_u32).boxed() } else { Just(None).boxed() };
    let vlans = prop::option::of((1..4_u16, 0..3_u16).prop_map(|(from, more)| (from, from + more)));
    (needed(&KINDS), needed(&PATTERNS), prop::option::of(some_of(&PARENTS)), vlans, max)
        .prop_map(|(kinds, names, parents, vlans, max)| Line { kinds, names, parents, vlans, max })
}

fn side() -> impl Strategy<Value = Side> {
    any::<bool>().prop_flat_map(|gives| {
        let rules = prop::collection::vec(line(gives, true), 0..4);
        let denied = prop::collection::vec(line(false, false), 0..if gives { 2 } else { 1 });
        (rules, denied).prop_map(move |(rules, denied)| Side { gives, rules, denied })
    })
}

fn asked() -> impl Strategy<Value = Vec<Asked>> {
    let one = (
        select(&KINDS[..]),
        select(&NAMES[..]),
        prop::option::of(select(&PARENTS[..])),
        prop::option::of(1..6_u16),
    );
    let one = one.prop_map(|(kind, name, parent, vlan)| Asked { kind, name, parent, vlan });
    prop::collection::vec(one, 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_set_and_an_intersection_are_what_the_model_says(
        one in side(), other in side(), asked in asked()
    ) {
        prop_assert_eq!(answers(&one.grants(), &asked), model(&[&one], &asked));
        let both = one.grants().intersect(&other.grants());
        prop_assert_eq!(answers(&both, &asked), model(&[&one, &other], &asked));
    }

    #[test]
    fn intersection_is_commutative_and_associative(
        a in side(), b in side(), c in side(), asked in asked()
    ) {
        let all = |order: fn(Grants, Grants, Grants) -> Grants| {
            answers(&order(a.grants(), b.grants(), c.grants()), &asked)
        };
        let first = all(|a, b, c| a.intersect(&b).intersect(&c));
        prop_assert_eq!(&first, &all(|a, b, c| a.intersect(&b.intersect(&c))));
        prop_assert_eq!(&first, &all(|a, b, c| c.intersect(&b).intersect(&a)));
        prop_assert_eq!(&first, &all(|a, b, c| b.intersect(&a.intersect(&c))));
    }

    #[test]
    fn intersection_is_never_wider_than_either_side(a in side(), b in side(), asked in asked()) {
        let (alone, other) = (a.grants(), b.grants());
        let both = alone.intersect(&other);
        for asked in &asked {
            let request = asked.request();
            if both.permit(&request).is_ok() {
                prop_assert!(a.grants().allows(&request).is_ok());
                prop_assert!(b.grants().allows(&request).is_ok());
            }
        }
        // And with itself it is itself, counted uses included.
        let (itself, twice) = (a.grants(), a.grants());
        let twice = twice.intersect(&twice);
        prop_assert_eq!(answers(&itself, &asked), answers(&twice, &asked));
    }

    #[test]
    fn intersection_is_monotone(a in side(), more in line(true, true), b in side(), asked in asked()) {
        let mut wider = a.clone();
        wider.rules.push(more);
        let narrow = a.grants().intersect(&b.grants());
        let wide = wider.grants().intersect(&b.grants());
        for asked in &asked {
            let request = asked.request();
            prop_assert!(narrow.allows(&request).is_err() || wide.allows(&request).is_ok());
        }
    }

    #[test]
    fn deny_wins(a in side(), deny in line(false, false), asked in asked()) {
        let mut denied = Side { gives: true, ..a };
        denied.rules.retain(|line| line.kinds.is_some() && line.names.is_some());
        let before = denied.grants();
        denied.denied.push(deny.clone());
        let after = denied.grants();
        for asked in &asked {
            let request = asked.request();
            if deny.forbids(asked) {
                prop_assert!(after.allows(&request).is_err());
            } else {
                prop_assert_eq!(after.allows(&request).is_ok(), before.allows(&request).is_ok());
            }
        }
    }

    #[test]
    fn the_least_grant_allows_the_request_and_no_other(asked in asked()) {
        let Some(least) = Rule::least(&asked[0].request()) else {
            prop_assert!(asked[0].name.contains(['%', '/']), "{:?}", asked[0]);
            return Ok(());
        };
        let grants = Grants::given(vec![least], Vec::new());
        for other in &asked {
            prop_assert_eq!(grants.allows(&other.request()).is_ok(), *other == asked[0]);
        }
    }

    #[test]
    fn a_prefix_is_within_another_when_all_its_addresses_are(
        (granted, length) in (any::<u32>(), 1..=32_u8), (asked, asked_length) in (any::<u32>(), 0..=32_u8),
        same in any::<bool>(),
    ) {
        // Half of the time near each other, for otherwise nothing would ever fit.
        let asked = if same { granted ^ (asked >> length.min(31)) } else { asked };
        let mask = |length: u8| u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        let network = std::net::Ipv4Addr::from(granted & mask(length));
        let line = format!("host.address.add cidr={network}/{length} link=a");
        let grants = Grants::given(vec![Rule::grant(&line, "").expect("a grant")], Vec::new());
        let cidr = format!("{}/{asked_length}", std::net::Ipv4Addr::from(asked)).parse().ok();
        let facts = Facts { cidr, link: Some("a".to_owned()), ..Facts::default() };
        let (first, last) = (asked & mask(asked_length), asked | !mask(asked_length));
        let within = |address: u32| address & mask(length) == granted & mask(length);
        let request = Request::new(Capability::HostAddressAdd, facts);
        prop_assert_eq!(grants.allows(&request).is_ok(), within(first) && within(last));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "\\PC*|[a-z.]{0,20}( [a-z]{0,6}=?[^ ]{0,8}){0,4}|(host.link.create|exec|host.address.add)( (kind|name|vlan|cidr|program|max)=[-a-z0-9*,/.:%]{0,12}){0,4}") {
        for read in [Rule::grant, Rule::ask, Rule::deny] {
            match read(&text, "test") {
                Ok(rule) => {
                    let shown = rule.to_string();
                    prop_assert_eq!(read(&shown, "test").map(|again| again.to_string()), Ok(shown));
                }
                Err(faults) => {
                    prop_assert!(!faults.is_empty());
                    for fault in faults {
                        prop_assert!(text.get(fault.place).is_some());
                    }
                }
            }
        }
    }
}
