//! Plans of the host, and deployments there that are planned and applied again: told before
//! anything is altered, mended where they stand, and as they were where that fails.

use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::host::wide_grants;
use netwright_tests::{Host, Output, made_changes, planned_changes, scenarios_of_this_kernel};

/// A machine with a link in use, one of several addresses, and a bridge of somebody else's.
const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set sw1 up
                       address add 192.0.2.1/24 dev eth1
                       link set eth1 up
                       route add default via 192.0.2.254 dev eth1 metric 50
                       link add br9 type bridge
                       link add pt9 type veth peer name pt8
                       link set pt8 up
                       link set pt9 master br9 up
                       link set br9 mtu 1400 up
                       address add 2001:db8:9::1/64 dev br9 nodad
                       netns add other";

const SCENARIO: &str = "\
name: edge
target: host
steps:
  - recipe: builtin:ip
    params:
      script: |
        ip link add link eth1 name lab-m type macvlan mode bridge
        ip address add 10.9.0.1/24 dev lab-m
        ip link set lab-m up
        ip route add 10.77.0.0/16 via 192.0.2.9 dev eth1
        ip route replace default via 192.0.2.253 dev eth1 metric 50
";

const GRANTS: [&str; 6] = [
    "host.link.read",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
    "host.link.create kind=macvlan name=lab-* parent=eth1 mtu=1000-1500",
    "host.address.add cidr=10.9.0.0/16 link=lab-*",
    "host.route.add cidr=10.77.0.0/16 link=eth1",
    "host.route.default link=eth1 table=main",
];

/// What somebody does to the deployment behind our back, and beside it.
const DRIFT: &str = "link set lab-m mtu 1300
                     address add 10.9.0.77/24 dev lab-m
                     route del 10.77.0.0/16
                     route add 10.78.0.0/16 dev br9
                     address add 192.0.2.2/24 dev eth1";

const PATIENCE: Duration = Duration::from_secs(30);

fn machine() -> Host {
    let host = Host::with(MACHINE);
    fs::write(host.session().path("edge.yaml"), SCENARIO).expect("the folder is the test's own");
    host
}

fn command(host: &Host, command: &str, more: &[&str]) -> Output {
    command_with(host, command, more, &[])
}

fn command_with(host: &Host, command: &str, more: &[&str], variables: &[(&str, &str)]) -> Output {
    let file = host.session().path("edge.yaml").display().to_string();
    let mut words = vec![command, &file];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    words.extend(more);
    host.netwright(words, variables)
}

/// With its saved plan instead of the scenario.
fn apply_plan(host: &Host, file: &str) -> Output {
    let mut words = vec!["apply", "--plan", file];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

/// Waits until the deployment is listed, which nobody works on then.
#[track_caller]
fn until_listed(host: &Host, place: &str) {
    let start = Instant::now();
    loop {
        let listed = host.netwright(["ls"], &[]).expect_code(0).stdout;
        if listed.starts_with("edge\t") && !listed.contains("goes in") {
            return;
        }
        assert!(
            start.elapsed() < netwright_tests::machine::patience(PATIENCE),
            "{place}: {listed}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_plan_tells_each_change_and_makes_none() {
    let host = machine();
    let before = host.state();
    // The kernel tells of links' states up to a second later.
    thread::sleep(netwright_tests::machine::patience(Duration::from_secs(1)));
    let mut inner = Command::new("ip");
    inner.args(["monitor", "all"]);
    let mut monitor = host
        .command(&inner)
        .stdout(Stdio::piped())
        .spawn()
        .expect("nsenter is installed: cargo xtask setup");
    thread::sleep(Duration::from_millis(300));
    let plan = command(&host, "plan", &[]).expect_code(0).stdout;
    command(&host, "plan", &["--exit-code"]).expect_code(3);
    thread::sleep(Duration::from_millis(300));
    monitor.kill().expect("it is this test's own");
    let mut heard = String::new();
    monitor.stdout.take().expect("it is piped").read_to_string(&mut heard).expect("text");
    monitor.wait().expect("it was killed");
    let heard: Vec<&str> = heard.lines().filter(|line| !is_of_the_kernels_own(line)).collect();
    assert_eq!(heard, [""; 0]);
    assert_eq!(host.differences(&before), [""; 0]);
    assert_eq!(
        plan,
        "\
+ link add link eth1 name lab-m type macvlan mode bridge
+ address add 10.9.0.1/24 proto 110 dev lab-m
+ link set lab-m up
+ route add 10.77.0.0/16 via 192.0.2.9 dev eth1 proto 110
+ route replace default via 192.0.2.253 dev eth1 proto 110 metric 50
edge: 5 changes, on the host
"
    );
}

/// Neighbours and link-local addresses come and go by themselves.
fn is_of_the_kernels_own(line: &str) -> bool {
    line.contains("NEIGH") || line.contains("fe80:") || line.trim_start().starts_with("valid_lft")
}

#[test]
fn what_is_not_granted_is_denied_in_the_plan_too() {
    let host = machine();
    let file = host.session().path("edge.yaml").display().to_string();
    let output = host.netwright(["plan", &file], &[]).expect_code(4);
    assert!(
        output.stderr.contains("--grant 'host.link.create kind=macvlan name=lab-m parent=eth1'"),
        "{output:#?}"
    );
}

#[test]
fn every_plan_of_the_host_agrees_with_its_run() {
    let grants = wide_grants();
    let scenarios = scenarios_of_this_kernel();
    let all = scenarios.len();
    let waiting = Mutex::new(scenarios);
    let compared = Mutex::new(0);
    let work = || {
        loop {
            let next = waiting.lock().expect("no worker panics with it").pop();
            let Some(path) = next else { break };
            let host = Host::with(MACHINE);
            let path = path.to_str().expect("ASCII");
            let words = |command| {
                let mut words = vec![command, path, "--json", "--target", "host"];
                words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
                host.netwright(words, &[])
            };
            let (planned, run) = (words("plan"), words("run"));
            assert_eq!(planned.code, run.code, "{path}: {planned:#?}");
            if run.code == 0 {
                assert_eq!(planned_changes(&planned.json()), made_changes(&run.json()), "{path}");
                *compared.lock().expect("no worker panics with it") += 1;
            }
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let compared = compared.into_inner().expect("no worker panicked");
    // The second kernel has but those that need it.
    let least = if all >= 24 { 20 } else { all / 2 + 1 };
    assert!(compared >= least, "only {compared} of {all} files");
}

#[test]
fn a_deployment_that_is_as_it_shall_be_stays_untouched() {
    let host = machine();
    command(&host, "apply", &[]).expect_code(0);
    host.settle();
    let deployed = host.state();
    let plan = command(&host, "plan", &["--exit-code"]).expect_code(0);
    assert_eq!(plan.stdout, "edge: 0 changes\n");
    let again = command(&host, "apply", &[]).expect_code(0);
    assert_eq!(again.stdout, "edge: 0 changes\n");
    assert_eq!(host.differences(&deployed), [""; 0]);
}

#[test]
fn drift_is_told_and_mended_where_it_stands() {
    let host = machine();
    let before = host.state();
    command(&host, "apply", &[]).expect_code(0);
    let index = host.ip_json(&["link", "show", "lab-m"])[0]["ifindex"].clone();
    host.ip_lines(DRIFT);
    let plan = command(&host, "plan", &["--exit-code"]).expect_code(3);
    assert_eq!(
        plan.stdout,
        "\
~ link lab-m: mtu 1300 -> 1500
- address 10.9.0.77/24 of lab-m
+ route 10.77.0.0/16 via 192.0.2.9 dev eth1 table 254 proto 110 scope global
edge: 3 differences, mended in place by 3 changes
"
    );
    command(&host, "apply", &[]).expect_code(0);
    command(&host, "plan", &["--exit-code"]).expect_code(0);
    let link = &host.ip_json(&["link", "show", "lab-m"])[0];
    assert_eq!((&link["ifindex"], &link["mtu"]), (&index, &serde_json::json!(1500)));
    // What others did meanwhile stays theirs.
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    host.ip_lines("route del 10.78.0.0/16\n address del 192.0.2.2/24 dev eth1");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_link_that_is_gone_takes_a_new_deployment() {
    let host = machine();
    let before = host.state();
    command(&host, "apply", &[]).expect_code(0);
    host.ip_lines("link del lab-m");
    let plan = command(&host, "plan", &["--exit-code"]).expect_code(3).stdout;
    assert!(
        plan.contains("the deployment is taken back and made anew, for `link lab-m`"),
        "{plan}"
    );
    command(&host, "apply", &[]).expect_code(0);
    command(&host, "plan", &["--exit-code"]).expect_code(0);
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_saved_plan_is_carried_out_exactly_unless_the_host_has_changed() {
    let host = machine();
    let before = host.state();
    let file = host.session().path("edge.plan").display().to_string();
    command(&host, "plan", &["--out", &file]).expect_code(0);
    host.ip_lines("link set br9 mtu 1300");
    let stale = apply_plan(&host, &file).expect_code(2);
    assert!(stale.stderr.contains("~ link br9: mtu 1400 -> 1300"), "{stale:#?}");
    host.ip_lines("link set br9 mtu 1400");
    apply_plan(&host, &file).expect_code(0);
    command(&host, "plan", &["--exit-code"]).expect_code(0);
    let stale = apply_plan(&host, &file).expect_code(2);
    assert!(stale.stderr.contains("`edge` is deployed now"), "{stale:#?}");
    // A plan is no permission.
    host.ip_lines(DRIFT);
    command(&host, "plan", &["--out", &file]).expect_code(0);
    host.settle();
    let drifted = host.state();
    host.netwright(["apply", "--plan", &file], &[]).expect_code(4);
    assert_eq!(host.differences(&drifted), [""; 0]);
    apply_plan(&host, &file).expect_code(0);
    command(&host, "plan", &["--exit-code"]).expect_code(0);
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    host.ip_lines("route del 10.78.0.0/16\n address del 192.0.2.2/24 dev eth1");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn what_was_altered_goes_back_unless_it_is_confirmed() {
    let host = machine();
    command(&host, "apply", &[]).expect_code(0);
    host.ip_lines(DRIFT);
    host.settle();
    let drifted = host.state();
    command(&host, "apply", &["--confirm-within", "8s"]).expect_code(0);
    assert_ne!(host.differences_now(&drifted), [""; 0], "nothing was mended");
    until_listed(&host, "unconfirmed");
    assert_eq!(host.differences(&drifted), [""; 0]);
    command(&host, "apply", &["--confirm-within", "60s"]).expect_code(0);
    host.netwright(["confirm", "edge"], &[]).expect_code(0);
    command(&host, "plan", &["--exit-code"]).expect_code(0);
}

#[test]
fn a_deployment_that_waits_to_be_confirmed_is_not_altered() {
    let host = machine();
    command(&host, "apply", &["--confirm-within", "120s"]).expect_code(0);
    host.ip_lines(DRIFT);
    host.settle();
    let drifted = host.state();
    let refused = command(&host, "apply", &[]).expect_code(2);
    assert_eq!(
        refused.stderr,
        "error: deployment `edge` waits to be confirmed, and is not altered before\n  \
         help: `netwright confirm edge`, or `netwright destroy edge`\n"
    );
    assert_eq!(host.differences(&drifted), [""; 0]);
    host.netwright(["confirm", "edge"], &[]).expect_code(0);
    command(&host, "apply", &[]).expect_code(0);
    command(&host, "plan", &["--exit-code"]).expect_code(0);
}

/// Killed at each moment of the mending: the deployment is as drifted as it was, and stays.
#[test]
fn mending_that_is_killed_leaves_the_deployment_as_it_was() {
    for victim in ["runner", "both"] {
        let host = machine();
        command(&host, "apply", &[]).expect_code(0);
        host.ip_lines(DRIFT);
        host.settle();
        let drifted = host.state();
        let mut moment = 0;
        loop {
            moment += 1;
            let variables =
                [("NETWRIGHT_CRASH", victim), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let output = command_with(&host, "apply", &[], &variables);
            if output.code == 0 {
                break;
            }
            assert_eq!(output.code, 128 + 9, "{victim} at {moment}: {output:#?}");
            if victim == "both" {
                host.netwright(["gc"], &[]).expect_code(0);
            }
            let place = format!("{victim} at {moment}");
            until_listed(&host, &place);
            // Once it is kept again it is mended, and that stays.
            if command(&host, "plan", &["--exit-code"]).code == 0 {
                break;
            }
            assert_eq!(host.differences(&drifted), [""; 0], "{place}");
        }
        assert!(moment > 15, "{victim}: only {moment} moments");
        command(&host, "plan", &["--exit-code"]).expect_code(0);
        command(&host, "apply", &[]).expect_code(0);
    }
}

/// Two links more than [`SCENARIO`], one of them on the other, and the ends of a veth.
const MORE: &str = "        ip link add lab-v type veth peer name lab-w
        ip link set lab-v up
        ip link set lab-w up
        ip address add 10.9.1.1/24 dev lab-v
        ip link add link lab-w name lab-c type macvlan mode vepa
        ip link set lab-c mtu 1400
        ip address add 10.9.2.1/24 dev lab-c
        ip link set lab-c up
        ip route add 10.77.9.0/24 via 10.9.2.9 dev lab-c
";
const MORE_GRANTS: [&str; 4] = [
    "host.link.create kind=veth name=lab-*",
    "host.link.create kind=macvlan name=lab-c",
    "host.link.create kind=macvlan name=lab-c mtu=1400",
    "host.route.add cidr=10.77.0.0/16 link=lab-c",
];

/// Without the indexes of links: what is made again has new ones.
fn without_indexes(mut state: Vec<String>) -> Vec<String> {
    for line in &mut state {
        let Ok(mut entry) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        entry.as_object_mut().into_iter().for_each(|entry| drop(entry.remove("ifindex")));
        *line = entry.to_string();
    }
    state.sort();
    state
}

/// `what` of the scenario that deploys less than is there: links go, and come back where that is not
/// kept.
fn with_less(host: &Host, what: &[&str], variables: &[(&str, &str)]) -> Output {
    fs::write(host.session().path("edge.yaml"), SCENARIO).expect("the folder is the test's own");
    let (first, rest) = what.split_first().expect("a command");
    let more = MORE_GRANTS.iter().flat_map(|grant| ["--grant", grant]);
    command_with(host, first, &more.chain(rest.iter().copied()).collect::<Vec<_>>(), variables)
}

fn with_more() -> Host {
    let host = machine();
    let scenario = format!("{SCENARIO}{MORE}");
    fs::write(host.session().path("edge.yaml"), scenario).expect("the folder is the test's own");
    let grants: Vec<&str> = MORE_GRANTS.iter().flat_map(|grant| ["--grant", grant]).collect();
    command(&host, "apply", &grants).expect_code(0);
    host.settle();
    host
}

#[test]
fn links_that_a_scenario_has_no_longer_come_back_unless_that_is_confirmed() {
    let host = with_more();
    let deployed = without_indexes(host.state());
    let plan = with_less(&host, &["plan", "--exit-code"], &[]).expect_code(3).stdout;
    // Their addresses go along.
    let expected = "\
- link lab-c
- link lab-v
- link lab-w
- route 10.77.9.0/24 via 10.9.2.9 dev lab-c table 254 proto 110 scope global
edge: 4 differences, mended in place by 3 changes
";
    assert_eq!(plan, expected);
    with_less(&host, &["apply", "--confirm-within", "8s"], &[]).expect_code(0);
    assert!(!host.state().iter().any(|line| line.contains("lab-c") || line.contains("lab-v")));
    until_listed(&host, "unconfirmed");
    host.settle();
    assert_eq!(without_indexes(host.state()), deployed);
    with_less(&host, &["apply"], &[]).expect_code(0);
    with_less(&host, &["plan", "--exit-code"], &[]).expect_code(0);
    // They are not made again only to be taken back.
    let taken = host.netwright(["destroy", "edge"], &[("RUST_LOG", "debug")]).expect_code(0);
    assert!(!taken.stderr.contains("lab-v"), "{taken:#?}");
    assert!(!host.state().iter().any(|line| line.contains("lab-")), "{:#?}", host.state());
}

#[test]
fn a_run_that_is_killed_while_it_deletes_links_of_a_deployment_loses_none() {
    let mut moment = 0;
    let host = with_more();
    let deployed = without_indexes(host.state());
    loop {
        moment += 1;
        let variables =
            [("NETWRIGHT_CRASH", "runner"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
        let output = with_less(&host, &["apply"], &variables);
        if output.code == 0 {
            break;
        }
        assert_eq!(output.code, 128 + 9, "at {moment}: {output:#?}");
        let place = format!("at {moment}");
        until_listed(&host, &place);
        if with_less(&host, &["plan", "--exit-code"], &[]).code == 0 {
            break;
        }
        host.settle();
        assert_eq!(without_indexes(host.state()), deployed, "{place}");
    }
    assert!(moment > 8, "only {moment} moments");
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    assert!(!host.state().iter().any(|line| line.contains("lab-")), "{:#?}", host.state());
}

/// As a container that somebody started: its contents are compared and mended like the host's own.
#[test]
fn what_is_in_a_process_namespace_is_planned_and_mended_too() {
    let host = machine();
    let station = Host::new();
    let (pid, before) = (station.process(), station.state());
    let scenario = format!(
        "name: edge
target: host
steps:
  - recipe: builtin:ip
    params:
      script: |
        ip link add link eth1 name eth0 netns pid:{pid} type macvlan mode bridge
        ip -n pid:{pid} address add 10.9.0.1/24 dev eth0
        ip -n pid:{pid} link set eth0 up
"
    );
    let file = host.session().file("edge.yaml", &scenario).display().to_string();
    let granted = format!("host.namespace pid={pid}");
    let grants = [
        granted.as_str(),
        "host.link.read",
        "host.link.create kind=macvlan name=eth0 parent=eth1",
        "host.address.add cidr=10.9.0.0/24 link=eth0",
    ];
    let run = |command: &str, more: &[&str]| {
        let mut words = vec![command, &file];
        words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
        words.extend(more);
        host.netwright(words, &[])
    };
    let plan = run("plan", &[]).expect_code(0).stdout;
    assert!(plan.ends_with("edge: 3 changes, on the host\n"), "{plan}");
    run("apply", &[]).expect_code(0);
    assert_eq!(run("plan", &["--exit-code"]).expect_code(0).stdout, "edge: 0 changes\n");
    station.ip_lines("link set eth0 mtu 1300\n address add 10.9.0.7/24 dev eth0");
    let plan = run("plan", &["--exit-code"]).expect_code(3).stdout;
    let expected = format!(
        "~ link eth0 in pid:{pid}: mtu 1300 -> 1500\n\
         - address 10.9.0.7/24 of eth0 in pid:{pid}\n\
         edge: 2 differences, mended in place by 2 changes\n"
    );
    assert_eq!(plan, expected);
    run("apply", &[]).expect_code(0);
    run("plan", &["--exit-code"]).expect_code(0);
    let shown = host.netwright(["inspect", "edge"], &[]).expect_code(0).stdout;
    assert!(
        shown.contains(&format!("\npid:{pid}\n  eth0: macvlan mode bridge on /eth1 up")),
        "{shown}"
    );
    let namespace = format!("pid:{pid}");
    let inside = host.netwright(["exec", "edge", "-n", &namespace, "--", "ip", "-br", "link"], &[]);
    assert!(inside.expect_code(0).stdout.contains("eth0@"));
    host.netwright(["destroy", "edge"], &[]).expect_code(0);
    assert_eq!(station.differences(&before), [""; 0]);
}
