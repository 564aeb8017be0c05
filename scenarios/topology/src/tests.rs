//! Values that every part of a topology is made of.

use crate::values::{destination, host, link, mac, name, network};

#[test]
fn names_follow_the_grammar_of_new_things() {
    assert_eq!(name("eth0.100"), Ok("eth0.100".to_owned()));
    assert_eq!(name("0_a@b+c"), Ok("0_a@b+c".to_owned()));
    for (text, why) in [
        ("", "a name must not be empty"),
        ("-eth", "name `-eth` must begin with a letter, a digit or `_`"),
        ("sixteen-letters-", "name `sixteen-letters-` has 16 bytes; the kernel allows 15"),
        (
            "a\u{1b}[2J",
            "name `a\\u{1b}[2J` must not hold `\\u{1b}`; letters, digits, `.`, `_`, `@`, `+` and `-` are allowed",
        ),
    ] {
        assert_eq!(name(text), Err(why.to_owned()));
    }
}

#[test]
fn a_link_is_named_alone_or_with_its_namespace() {
    let spaces = ["p0", "n1/p0", "/p0"].map(|text| link(text).map(|link| link.namespace));
    assert_eq!(spaces, [Ok(None), Ok(Some("n1".to_owned())), Ok(Some(String::new()))]);
    assert!(link("n1/n2/p0").is_err());
}

#[test]
fn addresses_that_no_link_can_have_are_refused() {
    assert!(host("10.0.0.1/24").is_ok());
    assert!(host("fe80::1/64").is_ok());
    for text in ["224.0.0.1/24", "ff02::1/64", "0.0.0.0/0", "255.255.255.255/32", "10.0.0.1"] {
        assert!(host(text).is_err(), "{text}");
    }
    assert!(mac("02:00:00:00:00:01").is_ok());
    for text in ["01:00:5e:00:00:01", "00:00:00:00:00:00", "02:00:00:00:00", "02:00:00:00:00:0g"] {
        assert!(mac(text).is_err(), "{text}");
    }
}

#[test]
fn a_destination_is_a_network() {
    assert_eq!(destination("default"), Ok(None));
    assert_eq!(network("10.0.0.1").map(|network| network.length), Ok(32));
    assert_eq!(
        network("10.0.0.1/8").map(|network| network.length),
        Err("`10.0.0.1/8` has bits behind its prefix length\n  help: the network is 10.0.0.0/8"
            .to_owned())
    );
}
