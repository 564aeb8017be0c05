//! What a recipe is told of a denial follows from what it asked, and not from what the machine has.

use netwright_tests::Host;

const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set sw1 up
                       address add 192.0.2.2/24 dev eth1
                       address add 2001:db8::2/64 dev eth1 nodad
                       link set eth1 up
                       route add 203.0.113.0/24 via 192.0.2.1
                       route add 198.51.100.0/24 dev eth1 table 77
                       link add docker0 type bridge
                       link add eth5 group 1845493760 type bridge
                       rule add pref 100 from 203.0.113.7 lookup 77";
const SESSION: (&str, &str) = ("SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22");

/// Lines, and the word that is there on the machine, and one that isn't.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("ip route add 10.1.0.0/16 via X", &["10.0.0.1", "192.0.2.9", "203.0.113.1"]),
    ("ip route add 10.1.0.0/16 nexthop via X nexthop via 10.9.9.9", &["10.0.0.1", "192.0.2.9"]),
    ("ip -6 route add 2001:db8:9::/64 via X", &["2001:db9::1", "2001:db8::9"]),
    ("ip route add 10.1.0.0/16 dev X", &["nosuch", "eth1", "docker0", "eth5"]),
    ("ip route add default via X", &["10.0.0.1", "192.0.2.9"]),
    ("ip route delete X", &["8.8.9.0/24", "203.0.113.0/24", "192.0.2.0/24"]),
    ("ip route delete X via 192.0.2.1", &["8.8.9.0/24", "203.0.113.0/24"]),
    ("ip route delete X dev eth1", &["8.8.9.0/24", "203.0.113.0/24", "192.0.2.0/24"]),
    ("ip route delete X table 77", &["8.8.9.0/24", "198.51.100.0/24"]),
    ("ip route replace X via 192.0.2.1", &["8.8.9.0/24", "203.0.113.0/24"]),
    ("ip route change X via 192.0.2.1", &["8.8.9.0/24", "203.0.113.0/24"]),
    ("ip route append X dev sw1", &["8.8.9.0/24", "203.0.113.0/24"]),
    ("ip rule add from X lookup 90", &["10.0.0.1", "192.0.2.2", "203.0.113.7"]),
    ("ip rule delete from X lookup 77", &["10.0.0.1", "203.0.113.7"]),
    ("ip link delete X", &["nosuch", "eth1", "docker0", "eth5"]),
    (
        "ip link add link X name lab-m type macvlan mode bridge",
        &["nosuch", "eth1", "docker0", "eth5"],
    ),
    ("ip neighbour add 10.0.0.9 lladdr 02:00:00:00:00:01 dev X", &["nosuch", "eth1", "docker0"]),
];

/// What came to the recipe, which it ends with.
fn told(host: &Host, line: &str, word: &str) -> String {
    let line = line.replace('X', word);
    let output = host.run_ip_with(&line, &[], &[SESSION]).expect_code(4);
    let from = output.stderr.find("error: recipe").expect("it ends with what it was told");
    output.stderr[from..].replace(word, "X")
}

#[test]
fn a_denial_tells_the_recipe_nothing_of_the_machine() {
    let host = Host::with(MACHINE);
    for (line, words) in QUESTIONS {
        let answers: Vec<String> = words.iter().map(|word| told(&host, line, word)).collect();
        for (word, answer) in words.iter().zip(&answers) {
            assert_eq!(answer, &answers[0], "{line}: {word}");
            let known = ["eth1", "sw1", "docker", "203.0.113.9", "another run"];
            let leaks =
                known.iter().filter(|known| !word.contains(*known) && !line.contains(*known));
            let leaks: Vec<_> = leaks.filter(|known| answer.contains(*known)).collect();
            assert!(leaks.is_empty(), "{line}: {word}: {answer}");
        }
    }
}

#[test]
fn the_operator_is_told_what_would_allow_it() {
    let host = Host::with(MACHINE);
    let line = "ip route add 10.1.0.0/16 via 192.0.2.9";
    let grant = "host.route.add cidr=10.1.0.0/16 link=eth1";
    let output = host.run_ip_with(line, &[], &[]).expect_code(4);
    assert!(output.stderr.contains(&format!("help: --grant '{grant}'")), "{}", output.stderr);
    // Who may read everything is told the same.
    let output = host.run_ip_with(line, &["host.link.read"], &[]).expect_code(4);
    let recipe = output.stderr.find("error: recipe").map(|from| &output.stderr[from..]);
    assert!(recipe.is_some_and(|told| told.contains(grant)), "{}", output.stderr);
    host.run_ip_with(line, &[grant], &[]).expect_code(0);
}
