//! Addresses of others' that end by themselves.

use netwright_tests::Host;

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.modify name=eth1",
    "host.link.move name=eth1",
];

/// A deployment of these lines of ip(8), kept until it is destroyed.
#[track_caller]
fn keep(host: &Host, script: &str) {
    let script = format!("script={script}");
    let mut words = vec!["run", "builtin:ip", "-p", &script, "--target", "host", "--keep", "place"];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[]).expect_code(0);
}

/// Seconds that an address has left.
fn left(host: &Host, address: &str) -> u64 {
    let all = host.ip_json(&["address", "show"]).to_string();
    let place = all.find(&format!("\"{address}\"")).unwrap_or_else(|| panic!("{address}: {all}"));
    let rest = &all[place..];
    let name = "\"valid_life_time\":";
    let number = &rest[rest.find(name).expect("each has one") + name.len()..];
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number of seconds")
}

#[test]
fn an_address_that_ends_by_itself_comes_back_with_what_is_left_of_it() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         link set eth1 up
         address add 198.51.100.3/25 dev eth1 valid_lft 3000 preferred_lft 2000
         address add fd00:1::3/64 dev eth1 nodad valid_lft 3000 preferred_lft 2000
         address add 198.51.100.200/25 dev eth1 valid_lft 3 preferred_lft 3",
    );
    let scripts = [
        "ip address delete 198.51.100.3/25 dev eth1\nip address delete fd00:1::3/64 dev eth1",
        "ip netns add lab-n\nip link set eth1 netns lab-n",
        "ip link set eth1 down",
        "ip link set eth1 mtu 1000",
    ];
    for script in scripts {
        keep(&host, script);
        std::thread::sleep(std::time::Duration::from_secs(2));
        host.netwright(["destroy", "place"], &[]).expect_code(0);
        for address in ["198.51.100.3", "fd00:1::3"] {
            let rest = left(&host, address);
            assert!((2000..=2998).contains(&rest), "{script}: {address} has {rest} s left");
        }
    }
    let all = host.ip_json(&["address", "show", "dev", "eth1"]).to_string();
    assert!(!all.contains("198.51.100.200"), "it was over meanwhile: {all}");
}
