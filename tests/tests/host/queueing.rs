//! Queueing disciplines of others': put back as the kernel told them, or refused before anything is
//! touched.

use std::time::Duration;

use netwright_tests::{Host, Output, is_complete_kernel};

const LINK: &str = "link add eth1 type veth peer name sw1
                    link set sw1 up
                    link set eth1 up";

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1",
    "host.link.modify name=eth1",
];

const MOVED: &str = "ip netns add lab-n\nip link set eth1 netns lab-n";
const DELETED: &str = "tc qdisc delete dev eth1 root";
const REPLACED: &str = "tc qdisc replace dev eth1 root netem delay 10ms";
const ALIKE: &str =
    "tc qdisc delete dev eth1 root\ntc qdisc add dev eth1 root handle 5: netem delay 10ms";

/// What netwright can write as the kernel tells it.
const KNOWN: [&str; 24] = [
    "pfifo limit 33",
    "bfifo limit 33000",
    "pfifo_head_drop limit 44",
    "pfifo_fast",
    "noqueue",
    "prio bands 4 priomap 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3",
    "multiq",
    "mq",
    "hfsc default 7",
    "htb default 9 r2q 20",
    "drr",
    "qfq",
    "sfq perturb 10",
    "sfq limit 100 depth 20 headdrop",
    "codel target 9ms limit 77 interval 77ms ecn ce_threshold 3ms",
    "fq_codel limit 77 target 9ms",
    "fq_codel limit 77 target 7ms interval 55ms flows 99 quantum 333 ce_threshold 1ms noecn",
    "fq",
    "fq limit 333 flow_limit 44 maxrate 10mbit quantum 2000 ce_threshold 3ms horizon 3s",
    "cake bandwidth 10mbit nat wash overhead 30 mpu 64 ack-filter",
    "cake raw besteffort",
    "tbf rate 1mbit burst 10kb latency 50ms peakrate 2mbit mtu 2000",
    "netem delay 3ms loss 1% 2% duplicate 3% corrupt 1% reorder 3% 5% rate 10mbit",
    "netem limit 70 loss 5%",
];

/// What hangs there, or can't be written, by lines of tc(8); what a run would do; and why it may not.
const REFUSED: [(&str, &str, &str); 24] = [
    ("clsact", MOVED, "`clsact` of `eth1` can't be put back: netwright puts root disciplines back"),
    ("ingress", MOVED, "`ingress` of `eth1` can't be put back"),
    (
        "root handle 7: tbf rate 1mbit burst 10kb latency 50ms; qdisc parent 7:1 handle 8: netem delay 3ms",
        REPLACED,
        "`tbf` of `eth1` can't be put back: `netem` hangs below it",
    ),
    ("root handle 7: prio; qdisc parent 7:2 pfifo limit 9", MOVED, "`pfifo` hangs below it"),
    ("root handle 7: mq; qdisc parent 7:1 pfifo limit 9", DELETED, "`pfifo` hangs below it"),
    ("root handle 7: netem delay 3ms; qdisc parent 7:1 pfifo limit 9", DELETED, "`pfifo` hangs"),
    (
        "root handle 7: tbf rate 1mbit burst 10kb latency 50ms; qdisc parent 7:1 pfifo limit 9",
        "tc qdisc change dev eth1 root tbf rate 2mbit burst 10kb latency 50ms",
        "`pfifo` hangs below it",
    ),
    ("root handle 7: htb; class parent 7: classid 7:1 htb rate 1mbit", MOVED, "it has classes"),
    ("root handle 7: drr; class parent 7: classid 7:1 drr", DELETED, "it has classes"),
    ("root handle 7: prio; filter parent 7: matchall flowid 7:1", REPLACED, "it has filters"),
    (
        "root handle 7: fq_codel; filter parent 7: matchall flowid 7:1",
        "tc qdisc replace dev eth1 root fq_codel",
        "it has filters",
    ),
    (
        "root handle 7: netem delay 3ms loss gemodel 1% 10% 70% 0.1%",
        "tc qdisc change dev eth1 root netem delay 9ms",
        "it has a model of loss (`loss state` or `loss gemodel`)",
    ),
    ("root handle 7: netem loss state 1%", MOVED, "it has a model of loss"),
    ("root handle 7: netem slot 1ms 2ms", DELETED, "it has a `slot`"),
    ("root handle 7: netem delay 3ms ecn loss 1%", REPLACED, "it has `ecn`"),
    ("root handle 7: netem rate 1mbit 20", DELETED, "its `rate` has overheads or cells"),
    (
        "root handle 7: netem delay 3ms 1ms",
        DELETED,
        "the kernel tells nobody the `distribution` of its jitter",
    ),
    (
        "root handle 7: netem delay 3ms 1ms",
        "tc qdisc change dev eth1 root netem delay 3ms 1ms distribution pareto",
        "the kernel tells nobody the `distribution` of its jitter",
    ),
    (
        "root handle 7: tbf rate 1mbit burst 10kb latency 50ms overhead 20 mpu 64",
        "tc qdisc change dev eth1 root tbf rate 2mbit burst 10kb latency 50ms",
        "its `overhead`, `mpu` or `linklayer` is no Ethernet's",
    ),
    (
        "root handle 7: stab overhead 20 linklayer atm pfifo",
        DELETED,
        "it has a size table (`stab`)",
    ),
    ("root handle 7: estimator 1sec 8sec pfifo", MOVED, "it has an `estimator`"),
    ("root handle 7: red limit 400000 avpkt 1000", MOVED, "doesn't know the options of this kind"),
    ("root handle 7: ets bands 3", DELETED, "it has classes"),
    ("root handle 7: pie", REPLACED, "doesn't know the options of this kind"),
];

/// What alters a discipline of others' without taking anything from it.
const ALTERED: [(&str, &str); 4] = [
    ("root handle 7: netem delay 3ms 1ms", "tc qdisc change dev eth1 root netem delay 9ms"),
    (
        "root handle 7: netem delay 3ms; qdisc parent 7:1 pfifo limit 9",
        "tc qdisc change dev eth1 root netem delay 9ms",
    ),
    ("root handle 7: pfifo limit 9; qdisc clsact", DELETED),
    ("root handle 7: pfifo limit 9", "ip link set eth1 txqueuelen 7\nip link set eth1 mtu 1300"),
];

/// Lines of tc(8) that begin with what is to be added to eth1; false where this kernel lacks a kind.
fn put(host: &Host, lines: &str) -> bool {
    for (number, line) in lines.split("; ").enumerate() {
        let (object, line) = match number {
            0 => ("qdisc", line),
            _ => line.split_once(' ').expect("an object, and words"),
        };
        let words = [object, "add", "dev", "eth1"].into_iter().chain(line.split_whitespace());
        let output = host.run("tc", words);
        if output.code != 0 {
            assert!(!is_complete_kernel(), "{lines}: {output:#?}");
            return false;
        }
    }
    true
}

/// All that tc(8) tells of eth1, but for what counts packets and references.
fn told(host: &Host) -> Vec<String> {
    let script = "tc qdisc show dev eth1; tc filter show dev eth1; tc filter show dev eth1 ingress; \
                  tc class show dev eth1 | grep -v -e cake -e codel -e sfq";
    let output = host.run("sh", ["-c", script]);
    let counted = ["refcnt", "direct_packets_stat"];
    let line = |line: &str| {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        while let Some(at) = words.iter().position(|word| counted.contains(word)) {
            words.drain(at..at + 2);
        }
        words.join(" ")
    };
    output.stdout.lines().map(line).collect()
}

fn run(host: &Host, script: &str) -> Output {
    host.run_ip(script, &GRANTS)
}

fn apply(host: &Host, script: &str) -> Output {
    host.apply_ip("shaped", script, &GRANTS, &[])
}

/// By another process, which knows of the run what its journal tells.
fn deployed_and_destroyed(host: &Host, script: &str, what: &str) {
    let before = told(host);
    let applied = apply(host, script);
    assert_eq!(applied.code, 0, "{what}: {applied:#?}");
    assert_ne!(told(host), before, "{what}: {script} did nothing");
    let destroyed = host.netwright(["destroy", "shaped"], &[]);
    assert_eq!(destroyed.code, 0, "{what}: {destroyed:#?}");
    assert_eq!(told(host), before, "{what}: {script}");
}

#[test]
fn what_netwright_can_write_comes_back_as_the_kernel_told_it() {
    let mut met = 0;
    for (number, known) in KNOWN.iter().enumerate() {
        let host = Host::with(LINK);
        if !put(&host, &format!("root handle 5: {known}")) {
            continue;
        }
        met += 1;
        let before = told(&host);
        deployed_and_destroyed(&host, MOVED, known);
        let (live, deployed) = match (is_complete_kernel(), number % 2 == 0) {
            (false, _) => (MOVED, DELETED),
            (true, false) if !known.starts_with("netem") => (DELETED, ALIKE),
            (true, _) => (REPLACED, DELETED),
        };
        deployed_and_destroyed(&host, deployed, known);
        let output = run(&host, live);
        assert_eq!(output.code, 0, "{known}, {live}: {output:#?}");
        assert_eq!(told(&host), before, "{known}, {live}");
    }
    assert!(met > 0, "this kernel has none of them");
}

#[test]
fn what_can_t_be_put_back_is_refused_before_anything_is_touched() {
    let mut met = 0;
    for (there, script, why) in REFUSED {
        let host = Host::with(LINK);
        if !put(&host, there) {
            continue;
        }
        met += 1;
        let before = (told(&host), host.state());
        let output = run(&host, script);
        assert_eq!(output.code, 5, "{there}, {script}: {output:#?}");
        assert!(output.stdout.contains(why) || output.stderr.contains(why), "{there}: {output:#?}");
        assert_eq!(told(&host), before.0, "{there}, {script}");
        assert_eq!(host.differences(&before.1), [""; 0], "{there}, {script}");
    }
    assert!(met > 0, "this kernel has none of them");
}

#[test]
fn what_hangs_on_a_discipline_stays_where_that_is_altered_alone() {
    let mut met = 0;
    for (there, script) in ALTERED {
        let host = Host::with(LINK);
        if !put(&host, there) {
            continue;
        }
        met += 1;
        let before = told(&host);
        let applied = apply(&host, script);
        assert_eq!(applied.code, 0, "{there}: {applied:#?}");
        host.netwright(["destroy", "shaped"], &[]).expect_code(0);
        assert_eq!(told(&host), before, "{there}, {script}");
    }
    assert!(met > 0, "this kernel has none of them");
}

/// What a run has put itself it may replace and take away, whatever the kernel tells of it.
#[test]
fn a_run_does_with_its_own_as_it_likes() {
    let host = Host::with(LINK);
    let before = told(&host);
    let script = match is_complete_kernel() {
        true => {
            "tc qdisc add dev eth1 root netem delay 9ms 1ms distribution normal
             tc qdisc delete dev eth1 root
             tc qdisc add dev eth1 root netem delay 9ms 1ms
             tc qdisc replace dev eth1 root pie
             ip netns add lab-n
             ip link set eth1 netns lab-n"
        }
        false => "tc qdisc add dev eth1 root pfifo\ntc qdisc delete dev eth1 root",
    };
    run(&host, script).expect_code(0);
    assert_eq!(told(&host), before);
}

/// At moments all over the run, by the watcher or by `gc`.
#[test]
fn a_run_that_is_killed_gives_a_discipline_back() {
    const KILLED: i32 = 128 + 9;
    let host = Host::with(LINK);
    assert!(put(&host, "root handle 7: pfifo limit 33"));
    let before = (told(&host), host.state());
    for victim in ["runner", "both"] {
        for moment in (3..60).step_by(4) {
            let variables =
                [("NETWRIGHT_CRASH", victim), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let script = format!("ip link set eth1 txqueuelen 7\n{MOVED}");
            let output = host.run_ip_with(&script, &GRANTS, &variables);
            assert!(matches!(output.code, 0 | KILLED), "{victim} at {moment}: {output:#?}");
            if victim == "both" {
                host.netwright(["gc"], &[]).expect_code(0);
            }
            let patience = netwright_tests::machine::patience(Duration::from_secs(60));
            host.until_recovered(patience, &format!("{victim} at {moment}"));
            assert_eq!(told(&host), before.0, "{victim} at {moment}");
            assert_eq!(host.differences(&before.1), [""; 0], "{victim} at {moment}");
            if output.code == 0 {
                break;
            }
        }
    }
}

/// What somebody put in the place of what the run has put there, or has taken away, stays.
#[test]
fn what_somebody_has_put_there_since_stays() {
    let own = if is_complete_kernel() { "prio" } else { "pfifo" };
    for (there, script) in [
        ("", format!("tc qdisc add dev eth1 root {own}")),
        ("", format!("tc qdisc add dev eth1 root handle 3: {own}")),
        ("root handle 5: pfifo limit 33", DELETED.to_owned()),
        (
            "root handle 5: pfifo limit 33",
            format!("tc qdisc replace dev eth1 root handle 6: {own}"),
        ),
    ] {
        let host = Host::with(LINK);
        assert!(there.is_empty() || put(&host, there));
        apply(&host, &script).expect_code(0);
        let kind = if is_complete_kernel() { "bfifo" } else { "pfifo" };
        let mut words = vec!["qdisc", "replace", "dev", "eth1", "root", "handle", "9:"];
        words.extend([kind, "limit", "44"]);
        // Of the same kind it is another one by its handle, which is known where one was asked for.
        if kind == own && script.ends_with("root pfifo") {
            continue;
        }
        host.run("tc", words).expect_code(0);
        let theirs = told(&host);
        let output = host.netwright(["destroy", "shaped"], &[]);
        assert_eq!(output.code, 0, "{there}, {script}: {output:#?}");
        assert_eq!(told(&host), theirs, "{there}, {script}");
    }
}

/// What somebody hangs on the run's own discipline is not lost without a word.
#[test]
fn what_somebody_hangs_on_the_runs_own_is_told() {
    let host = Host::with(LINK);
    if !is_complete_kernel() {
        // Nothing hangs on what this kernel has.
        deployed_and_destroyed(&host, "tc qdisc add dev eth1 root pfifo", "pfifo");
        return;
    }
    apply(&host, "tc qdisc add dev eth1 root handle 7: tbf rate 1mbit burst 10kb latency 50ms")
        .expect_code(0);
    host.run("tc", "qdisc add dev eth1 parent 7:1 pfifo limit 9".split(' ')).expect_code(0);
    let there = told(&host);
    let output = host.netwright(["destroy", "shaped"], &[]).expect_code(6);
    assert!(output.stderr.contains("`pfifo` hangs below it"), "{output:#?}");
    assert_eq!(told(&host), there);
    host.run("tc", "qdisc delete dev eth1 parent 7:1".split(' ')).expect_code(0);
    host.netwright(["destroy", "shaped"], &[]).expect_code(0);
}
