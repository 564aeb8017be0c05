//! Frames: counted by checks, kept as files that tcpdump(8) reads, given to recipes.

use netwright_tests::{Session, has_vlans};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// A cable between two namespaces, whose near end comes up before the far one.
const CABLE: &str = "\
steps:
  - recipe: builtin:topology
    params:
      namespaces: [left, right]
      links:
        - { name: eth0, namespace: left, kind: veth, peer: right/eth0, addresses: [10.0.0.1/24] }
  - recipe: builtin:ip
    params:
      script: |
        -n right address add 10.0.0.2/24 dev eth0
        -n right link set eth0 up
        netns exec left ping -c 1 10.0.0.2
";

fn scenario(captures: &str, checks: &str, limits: &str) -> String {
    format!("name: x\n{captures}{CABLE}{checks}{limits}")
}

/// What tcpdump shows of a file, a line for each frame.
#[track_caller]
fn tcpdump(file: &Path) -> Vec<String> {
    let output = Command::new("tcpdump").args(["-n", "-e", "-r"]).arg(file).output();
    let output = output.expect("tcpdump is installed; `cargo xtask setup` does that");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

/// Runs a scenario text with its files kept; gives the result.
#[track_caller]
fn run(session: &Session, text: &str, code: i32) -> Value {
    let path = session.file("scenario.yaml", text);
    let arguments = ["run", "--json", "--artifacts", "files"].map(Into::into);
    session.netwright(arguments.into_iter().chain([path.into_os_string()])).expect_code(code).json()
}

/// The host's own checks, without those of recipes.
fn scenarios_checks(result: &Value) -> Vec<&Value> {
    let checks = result["checks"].as_array().unwrap();
    checks.iter().filter(|check| check["by"] == "scenario").collect()
}

#[test]
fn c13_a_file_holds_every_frame_from_the_first_on_and_tcpdump_reads_it() {
    for session in [Session::new(), Session::as_ordinary_user()] {
        session.folder("files");
        let captures = "captures: [{ namespace: left, link: eth0 }]\n";
        let result = run(&session, &scenario(captures, "", ""), 0);
        let capture = &result["captures"][0];
        assert_eq!(capture["file"], "left-eth0.pcapng", "{result:#}");
        assert_eq!((&capture["dropped"], &capture["beyond_limit"]), (&0.into(), &0.into()));
        let shown = tcpdump(&session.path("files/left-eth0.pcapng"));
        assert_eq!(capture["frames"], shown.len(), "{shown:#?}");
        let place = |words: &str| shown.iter().position(|line| line.contains(words));
        let (question, echo) = (place("Request who-has 10.0.0.2"), place("ICMP echo request"));
        assert!(question.is_some() && question < echo, "{shown:#?}");
        assert!(echo < place("ICMP echo reply"), "{shown:#?}");
        // Before the question there is only what IPv6 says of itself when a link comes up.
        let before = &shown[..question.unwrap_or_default()];
        assert!(before.iter().all(|line| line.contains("ethertype IPv6")), "{before:#?}");
    }
}

#[test]
fn a_file_names_the_link_and_its_namespace() {
    let session = Session::new();
    run(&session, &scenario("captures: [{ namespace: left, link: eth0 }]\n", "", ""), 0);
    let bytes = std::fs::read(session.path("files/left-eth0.pcapng")).unwrap();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(holds(b"eth0") && holds(b"namespace left") && holds(b"netwright"));
}

#[test]
fn checks_without_a_probe_look_back_to_the_start_of_the_run() {
    let session = Session::new();
    let checks = "\
checks:
  - frames: { namespace: left, link: eth0, protocol: icmp, count: 2 }
  - frames: { namespace: left, link: eth0, protocol: icmp, direction: outgoing, count: 1, every: { source: 10.0.0.1 } }
  - frames: { namespace: left, link: eth0, every: { vlan: none } }
  - frames: { link: lo, protocol: tcp, at-most: 0 }
";
    run(&session, &scenario("", checks, ""), 0);
}

#[test]
fn what_does_not_hold_is_told_with_what_was_seen() {
    let session = Session::new();
    let checks = "\
checks:
  - frames: { namespace: left, link: eth0, protocol: icmp, count: 3, within: 50ms }
  - frames: { namespace: left, link: eth0, protocol: icmp, every: { destination: 10.0.0.2 }, within: 50ms }
  - frames: { namespace: left, link: eth0, protocol: icmp, count: 4, within: 1ms, during: { ping: { from: left, to: 10.0.0.2 } } }
  - frames: { namespace: left, link: eth0, protocol: icmp, within: 1ms, during: { ping: { from: left, to: 10.0.0.7 } } }
  - frames: { namespace: left, link: eth7, within: 1ms, during: { ping: { from: left, to: 10.0.0.2 } } }
  - frames: { namespace: nowhere, link: eth0, within: 1ms }
";
    let result = run(&session, &scenario("", checks, ""), 1);
    let seen = scenarios_checks(&result).into_iter().map(|check| {
        let text = |key: &str| check[key].as_str().unwrap().to_owned();
        format!("{}: {}: {}", text("verdict"), text("name"), text("detail"))
    });
    let expected = [
        "fail: frames of eth0 in left (icmp): exactly 3 within 50ms: 2 frames",
        "fail: frames of eth0 in left (icmp): at least 1, every one destination 10.0.0.2 within 50ms: 2 frames, 1 of them not destination 10.0.0.2",
        "fail: frames of eth0 in left (icmp): exactly 4, during ping 10.0.0.2 from left is answered within 1ms: 2 frames",
        "fail: frames of eth0 in left (icmp): at least 1, during ping 10.0.0.7 from left is answered within 1ms: 0 frames; the probe failed: 0 of 1 answered: nobody answers ARP for 10.0.0.7 (sent from 10.0.0.1 on eth0)",
        "fail: frames of eth7 in left: at least 1, during ping 10.0.0.2 from left is answered within 1ms: namespace `left` has no link `eth7`\n  help: did you mean `eth0`?",
        "fail: frames of eth0 in nowhere: at least 1 within 1ms: there is no namespace `nowhere`",
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
}

#[test]
fn the_file_of_a_check_holds_the_frames_of_its_last_attempt() {
    let session = Session::new();
    let checks = "\
checks:
  - frames: { namespace: left, link: eth0, protocol: icmp, count: 2, during: { ping: { from: left, to: 10.0.0.2 } } }
  - frames: { namespace: left, link: eth0, protocol: icmp, count: 6, during: { ping: { from: left, to: 10.0.0.2, count: 3 } } }
";
    let result = run(&session, &scenario("", checks, ""), 0);
    assert_eq!(result["captures"][1]["file"], "left-eth0-2.pcapng");
    for (file, echoes) in [("left-eth0.pcapng", 2), ("left-eth0-2.pcapng", 6)] {
        let shown = tcpdump(&session.path("files").join(file));
        let found = shown.iter().filter(|line| line.contains("ICMP echo")).count();
        assert_eq!(found, echoes, "{file}: {shown:#?}");
    }
}

#[test]
fn a_limit_that_was_reached_is_told_by_check_and_warning() {
    let session = Session::new();
    let checks = "\
checks:
  - frames: { namespace: left, link: eth0, protocol: icmp, within: 1ms, during: { ping: { from: left, to: 10.0.0.2, count: 20 } } }
  - frames: { namespace: left, link: eth0, protocol: icmp, count: 40, within: 1ms, during: { ping: { from: left, to: 10.0.0.2, count: 20 } } }
";
    let result = run(&session, &scenario("", checks, "limits: { captured: 1KiB }\n"), 1);
    let checks = scenarios_checks(&result);
    // One frame is enough for the first; the second can't know.
    assert_eq!(checks[0]["verdict"], "pass");
    let detail = checks[1]["detail"].as_str().unwrap();
    assert!(detail.contains("the limit of captured bytes was reached after"), "{detail}");
    let warning = result["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with("the capture of eth0 in left is incomplete: the limit"),
        "{warning}"
    );
}

#[test]
fn a_recipe_sees_the_frames_of_a_link_from_before_it_is_up() {
    let session = Session::new();
    session.bring("target/recipes/components/watch.wasm");
    let result = session
        .netwright([
            "run",
            "./watch.wasm",
            "-p",
            "snap-length=64",
            "--json",
            "--artifacts",
            "files",
        ])
        .expect_code(0)
        .json();
    let checks = result["checks"].as_array().unwrap();
    assert!(checks.len() == 5 && checks.iter().all(|one| one["verdict"] == "pass"), "{result:#}");
    let shown = tcpdump(&session.path("files/left-eth0.pcapng"));
    assert_eq!(result["steps"][0]["metrics"][0]["value"].as_f64(), Some(shown.len() as f64));
    assert!(shown.iter().any(|line| line.contains("length 98") && line.contains("ICMP")));
}

#[test]
fn more_captures_than_allowed_are_refused() {
    let session = Session::new();
    session.bring("target/recipes/components/watch.wasm");
    let output = session.netwright(["run", "./watch.wasm", "-p", "captures=65"]).expect_code(7);
    assert!(output.stderr.contains("limit reached: 64 captures at a time"), "{output:#?}");
}

/// A check of frames by ports, whose frames were kept only so far: behind which tags, over which
/// protocol.
fn cut_capture(family: &str, tags: &str, count: &str) -> String {
    let (near, far) = match family {
        "ipv4" => ("10.0.0.1", "10.0.0.2"),
        _ => ("fd00::1", "fd00::2"),
    };
    let length = if family == "ipv4" { 24 } else { 64 };
    let (mut links, mut link) = (String::new(), "eth0".to_owned());
    for tag in tags.split_whitespace() {
        for station in ["left", "right"] {
            links += &format!(
                "        -n {station} link add link {link} name v{tag} type vlan id {tag}\n        -n {station} link set v{tag} up\n"
            );
        }
        link = format!("v{tag}");
    }
    let nodad = if family == "ipv4" { "" } else { " nodad" };
    format!(
        "name: x
captures: [{{ namespace: right, link: eth0, snap-length: 64 }}]
steps:
  - recipe: builtin:ip
    params:
      script: |
        netns add left
        netns add right
        link add eth0 netns left type veth peer name eth0 netns right
        -n left link set eth0 up
        -n right link set eth0 up
{links}        -n left address add {near}/{length} dev {link}{nodad}
        -n right address add {far}/{length} dev {link}{nodad}
checks:
  - tcp: {{ from: left, to: \"{far}\", port: 80, expect: refused }}
  - frames: {{ namespace: right, link: eth0, destination-port: 80, within: 50ms, {count} }}
"
    )
}

/// The header of TCP is longer than what is kept, its ports are not; and what is cut off is never
/// taken for something else.
#[test]
fn a_check_is_never_passed_by_frames_that_were_cut() {
    let detail = |text: &str, code: i32| {
        let session = Session::new();
        session.folder("files");
        let result = run(&session, text, code);
        let last = scenarios_checks(&result).pop().unwrap().clone();
        (last["verdict"].clone(), last["detail"].as_str().unwrap().to_owned())
    };
    let tags: &[&str] = if has_vlans() { &["", "5"] } else { &[""] };
    for (family, tags) in tags.iter().flat_map(|tags| [("ipv4", *tags), ("ipv6", *tags)]) {
        let (verdict, text) = detail(&cut_capture(family, tags, "count: 0"), 1);
        assert!(verdict == "fail" && text == "1 frame", "{family} {tags}: {text}");
        let every = "every: { protocol: tcp, port: 80 }";
        assert_eq!(detail(&cut_capture(family, tags, every), 0).0, "pass", "{family} {tags}");
    }
    if !has_vlans() {
        // The second kernel has them.
        return;
    }
    // Two tags in front of IPv6, and the ports are behind what is kept.
    for count in ["count: 0", "at-most: 9"] {
        let (verdict, text) = detail(&cut_capture("ipv6", "5 6", count), 1);
        assert_eq!(verdict, "fail");
        assert!(
            text.starts_with("0 frames; ")
                && text.contains("cut before what is asked for\n  help: a longer `snap-length`"),
            "{text}"
        );
    }
    // What is kept says enough of this.
    let ours = "protocol: tcp, count: 1, every: { vlan: 5, destination: \"fd00::2\" }";
    let text = cut_capture("ipv6", "5 6", ours).replace("destination-port: 80, ", "");
    assert_eq!(detail(&text, 0).0, "pass");
}

/// Only the first fragment of a datagram has its ports.
#[test]
fn fragments_are_frames_of_their_datagrams_ports() {
    // tcpdump looks for ports behind no extension header of IPv6.
    for (family, near, far, length, seen_as) in [
        ("AF_INET", "10.0.0.1", "10.0.0.2", 24, "udp port 5001"),
        ("AF_INET6", "fd00::1", "fd00::2", 64, "ip6[6] == 44"),
    ] {
        let session = Session::new();
        let ports = |conditions: &str| {
            let ping = format!("during: {{ ping: {{ from: left, to: \"{far}\", count: 2 }} }}");
            format!("  - frames: {{ namespace: right, link: eth0, {conditions}, {ping} }}\n")
        };
        let checks: String = [
            "protocol: udp, at-most: 0",
            "protocol: udp, port: 5001, at-most: 0, within: 3s",
            "destination-port: 5001, at-most: 0, within: 3s",
            "protocol: udp, at-least: 3, every: { destination-port: 5001 }",
            "port: 5002, count: 0",
        ]
        .map(ports)
        .concat();
        let text = format!(
            "name: x
limits: {{ time: 5min }}
steps:
  - recipe: builtin:topology
    params:
      namespaces: [left, right]
      links:
        - {{ name: eth0, namespace: left, kind: veth, addresses: [{near}/{length}], peer: {{ namespace: right, name: eth0, addresses: [{far}/{length}] }} }}
checks:
{checks}"
        );
        let path = session.file("scenario.yaml", &text);
        let run = ["run".into(), path.into_os_string(), "--keep=fragments".into()];
        // Nothing is sent yet, so that the checks of frames that there must be fail.
        session.netwright(run).expect_code(1);
        let lab = session.deployed("fragments");
        let send = format!(
            "import socket, time\ns = socket.socket(socket.{family}, socket.SOCK_DGRAM)\n\
             while True:\n  s.sendto(bytes(4000), ('{far}', 5001)); time.sleep(.05)"
        );
        let words = ["exec", "fragments", "-n", "left", "--", "python3", "-c", &send];
        let mut sender = session.command(words).spawn().unwrap();
        let seen = lab.exec(
            Some("right"),
            ["timeout", "60", "tcpdump", "-n", "-c", "3", "-i", "eth0", seen_as],
        );
        assert!(seen.stdout.contains("5001: UDP"), "{seen:#?}");
        let checked = session.netwright(["check", "fragments", "--json"]).expect_code(1).json();
        drop(lab);
        sender.wait().unwrap();
        let of = |check: &Value| (check["verdict"].clone(), check["detail"].clone());
        let all: Vec<_> = checked["checks"].as_array().unwrap().iter().map(of).collect();
        let verdicts: Vec<_> = all.iter().map(|(verdict, _)| verdict.as_str().unwrap()).collect();
        assert_eq!(verdicts, ["fail", "fail", "fail", "pass", "pass"], "{all:#?}");
        assert!(all[1].1.as_str().unwrap().contains(" frames"), "{all:#?}");
    }
}
