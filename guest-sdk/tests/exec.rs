//! Programs in a recipe's own tests: the test says what they come to.

use netwright_sdk::testing::MemoryHost;
use netwright_sdk::{Namespace, Outcome};

#[test]
fn a_program_comes_to_what_the_test_says() {
    let host = MemoryHost::new();
    let outcome = Outcome {
        code: 1,
        stdout: b"no such link".to_vec(),
        stderr: Vec::new(),
        truncated: false,
        elapsed_ms: 3,
    };
    host.program("/usr/sbin/ethtool", outcome.clone());
    let namespace = Namespace::create("ns1").expect("there is none");
    let found = namespace.program("/usr/sbin/ethtool").argument("eth0").run();
    assert_eq!(found.expect("the test answers for it"), outcome);
    let unknown = namespace.program("/usr/bin/id").arguments(["-u", "-n"]).run();
    assert!(unknown.is_err_and(|error| error.is_unsupported()));
    let words: Vec<String> = host.executed().iter().map(|words| words.join(" ")).collect();
    assert_eq!(words, ["/usr/sbin/ethtool eth0", "/usr/bin/id -u -n"]);
}
