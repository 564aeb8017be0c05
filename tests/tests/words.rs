//! Words that people write: names, prompts, `lo`, taps, `ping` as it is known, and the documents'
//! own commands.

use std::time::Instant;

use netwright_tests::{Host, Output, Session, has_tunnels, netwright, workspace};

fn run(text: &str) -> Output {
    let session = Session::new();
    let file = session.file("scenario.yaml", text);
    session.netwright(["run".into(), file.into_os_string()])
}

fn script(lines: &str) -> Output {
    let session = Session::new();
    let file = session.file("lines.ip", lines);
    session.netwright(["run", "builtin:ip", "-p", &format!("script=@{}", file.display())])
}

#[test]
fn the_loopback_of_a_namespace_is_raised_and_has_addresses() {
    let text = "\
name: loopbacks
steps:
  - recipe: builtin:topology
    params:
      namespaces: [a, b]
      links:
        - { name: e, namespace: a, kind: veth, addresses: [10.0.0.1/30], peer: { namespace: b, name: e, addresses: [10.0.0.2/30] } }
        - { name: lo, namespace: b, addresses: [10.255.0.2/32], mtu: 65536 }
        - { name: lo, namespace: a, kind: loopback, up: true }
        - { name: lo }
      routes: [ { namespace: a, destination: 10.255.0.2/32, gateway: 10.0.0.2 } ]
  - name: again
    recipe: builtin:topology
    params:
      existing: { links: [a/e] }
      links:
        - { name: e, namespace: a, mtu: 1400, alias: altered, addresses: [10.0.9.1/24] }
        - { name: m, namespace: a, kind: macvlan, mode: bridge, parent: e }
      addresses: [ { namespace: a, link: lo, address: 10.255.0.1/32 } ]
checks:
  - link: { namespace: b, name: lo, up: true }
  - link: { name: lo, up: true }
  - link: { namespace: a, name: e, mtu: 1400, up: true }
  - link: { namespace: a, name: m, parent: a/e }
  - address: { namespace: a, link: e, is: 10.0.9.1/24 }
  - ping: { from: a, to: 10.255.0.2 }
  - ping: { from: b, to: 10.255.0.2 }
  - ping: { from: b, to: 127.0.0.1 }
  - ping: { from: a, to: 10.255.0.1 }
";
    run(text).expect_code(0);
}

#[test]
fn a_tap_is_made_and_known_as_one() {
    let text = "\
name: taps
steps:
  - recipe: builtin:topology
    params:
      links:
        - { name: tap0, kind: tap, addresses: [192.168.101.1/24] }
        - { name: tun0, kind: tun }
  - { name: more, recipe: 'builtin:ip', params: { script: 'ip tuntap add dev tap1 mode tap' } }
checks:
  - link: { name: tap0, kind: tap }
  - link: { name: tap1, kind: tap }
  - link: { name: tun0, kind: tun }
";
    run(text).expect_code(0);
    let wrong =
        run(&text.replace("link: { name: tun0, kind: tun }", "link: { name: tun0, kind: tap }"));
    assert_eq!(wrong.code, 1, "{wrong:#?}");
}

#[test]
fn a_ping_with_a_deadline_goes_on_until_it_is_answered() {
    let text = |flags: &str| {
        format!(
            "\
name: deadline
steps:
  - recipe: builtin:topology
    params:
      namespaces: [a, b]
      links:
        - {{ name: p1, kind: veth, peer: {{ namespace: a, name: e, addresses: [10.0.0.1/24] }} }}
        - {{ name: p2, kind: veth, peer: {{ namespace: b, name: e, addresses: [10.0.0.2/24] }} }}
        - {{ name: br0, kind: bridge, options: {{ stp_state: 1, forward_delay: 200 }}, ports: [p1, p2] }}
  - name: wait
    recipe: builtin:ip
    params: {{ script: \"ip netns exec a ping {flags}\" }}
"
        )
    };
    let found = run(&text("-c 2 -w 60 10.0.0.2")).expect_code(0);
    assert!(found.stdout.contains(" packets transmitted, 2 received"), "{found:#?}");
    let none = run(&text("-c 2 -w 3 -i 0.5 10.0.0.9"));
    assert_eq!(none.code, 1, "{none:#?}");
    assert!(none.stdout.contains("6 packets transmitted, 0 received"), "{none:#?}");
}

/// ping(8) sends one a second.
#[test]
fn a_ping_sends_one_request_a_second() {
    let started = Instant::now();
    let found = script("ip link set lo up\nping -c 3 127.0.0.1\nping -c 2 -i 0.01 127.0.0.1\n");
    let found = found.expect_code(0);
    assert!(started.elapsed().as_secs_f32() >= 2.0, "{found:#?}");
    assert!(found.stdout.contains("3 packets transmitted, 3 received"), "{found:#?}");
}

#[test]
fn a_script_of_root_prompts_is_told_of() {
    let prompts = script("# ip link add v0 type veth peer name v1\n  #ip link set v0 up\n");
    let prompts = prompts.expect_code(0);
    let warning = "the script has comments alone, so nothing is done; line 1 looks like a command \
                   behind root's prompt: `# ip link add v0 type veth peer name v1`";
    assert!(prompts.stderr.contains(warning), "{prompts:#?}");
    for silent in ["# nothing is meant by it\n", "", "ip link set lo up\n# ip link set lo down\n"] {
        let told = script(silent).expect_code(0);
        assert!(!told.stderr.contains("prompt"), "{told:#?}");
    }
}

/// A lab's are nearly the kernel's.
#[test]
fn on_the_host_names_keep_their_grammar() {
    let host = Host::new();
    let grants = ["host.link.create kind=ifb name=x*", "host.namespace name=x*"];
    for (line, rule) in [
        ("ip link add 5g0 type ifb", "name `5g0` must begin with a letter on the host"),
        ("ip link add x@y type ifb", "name `x@y` must not hold `@` on the host"),
        ("ip netns add x+y", "name `x+y` must not hold `+` on the host"),
        (
            "ip netns add x2345678901234567",
            "name `x2345678901234567` has 17 bytes; on the host 15 are allowed",
        ),
    ] {
        let refused = host.run_ip(line, &grants);
        assert_ne!(refused.code, 0, "{line}");
        assert!(refused.stderr.contains(rule), "{line}: {refused:#?}");
    }
    let text = host.run("ip", ["link"]).expect_code(0).stdout;
    assert!(!text.contains("5g0") && !text.contains("x@y"), "{text}");
}

#[test]
fn inspect_shows_what_makes_a_route_another_one() {
    let session = Session::new();
    let lines = "ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip route add blackhole 10.1.0.0/16
ip route add unreachable 10.2.0.0/16 metric 7
ip route add 10.3.0.0/16 proto static nexthop via 10.0.0.2 weight 3 nexthop via 10.0.0.3
ip route add 10.4.0.0/16 via 10.9.9.9 dev v0 onlink proto bgp table 9
ip rule add from 10.0.0.0/8 table 9 priority 77
";
    let file = session.file("lines.ip", lines);
    let lab = session.keep("shown", ["builtin:ip", "-p", &format!("script=@{}", file.display())]);
    lab.exec(None, ["sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/v1/accept_dad"]).expect_code(0);
    let text = session.netwright(["inspect", "shown"]).expect_code(0).stdout;
    for line in [
        "  route blackhole 10.1.0.0/16\n",
        "  route unreachable 10.2.0.0/16 metric 7\n",
        "  route 10.3.0.0/16 via 10.0.0.2 dev v0 weight 3 proto static\n",
        "  route 10.3.0.0/16 via 10.0.0.3 dev v0 weight 1 proto static\n",
        "  route 10.4.0.0/16 via 10.9.9.9 dev v0 onlink proto bgp table 9\n",
        "  rule from 10.0.0.0/8",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let json = session.netwright(["inspect", "shown", "--json"]).expect_code(0).json();
    let routes = json["namespaces"][0]["routes"].as_array().expect("a list").clone();
    let of = |destination: &str| {
        routes.iter().filter(|route| route["destination"] == destination).collect::<Vec<_>>()
    };
    assert_eq!(of("10.1.0.0/16")[0]["kind"], "blackhole");
    assert_eq!(of("10.3.0.0/16")[0]["weight"], 3);
    assert_eq!(of("10.4.0.0/16")[0]["protocol"], "bgp");
    assert!(of("10.0.0.0/24")[0].get("kind").is_none());
}

/// What a scenario has set below /proc/sys, as it is now; written again it is the same scenario.
#[test]
fn inspect_shows_the_settings_of_a_scenario() {
    let session = Session::new();
    let links = "ip netns add n1
ip link add v0 type veth peer name v.1 netns n1
";
    let settings = "sysctl net.ipv4.ip_forward=1
sysctl net.ipv4.tcp_rmem=\"4096 8192 16384\"
sysctl net.ipv4.conf.v0.rp_filter=2
ip netns exec n1 sysctl net.ipv6.conf.v/1.accept_dad=0
ip link set v0 name w0
";
    let write = |lines: &str| {
        let lines: String = lines.lines().map(|line| format!("        {line}\n")).collect();
        let head = "name: set\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n";
        session.file("set.yaml", format!("{head}{lines}")).display().to_string()
    };
    let lab = session.deployed("set");
    let file = write(&(links.to_owned() + settings));
    session.netwright(["apply", &file]).expect_code(0);
    let text = session.netwright(["inspect", "set"]).expect_code(0).stdout;
    let shown: Vec<&str> = text.lines().filter(|line| line.starts_with("  sysctl ")).collect();
    let expected = [
        "  sysctl net.ipv4.conf.w0.rp_filter=2",
        "  sysctl net.ipv4.ip_forward=1",
        "  sysctl net.ipv4.tcp_rmem=4096 8192 16384",
        "  sysctl net.ipv6.conf.v/1.accept_dad=0",
    ];
    assert_eq!(shown, expected, "{text}");
    let json = session.netwright(["inspect", "set", "--json"]).expect_code(0).json();
    let mut again = links.to_owned() + "ip link set v0 name w0\n";
    for space in json["namespaces"].as_array().expect("a list") {
        let name = space["name"].as_str().expect("a text");
        let within = if name.is_empty() { String::new() } else { format!("ip netns exec {name} ") };
        for (key, value) in space["settings"].as_object().expect("an object") {
            let value = value.as_str().expect("a text");
            again += &format!("{within}sysctl {key}=\"{value}\"\n");
        }
    }
    let plan = session.netwright(["plan", &write(&again)]).expect_code(0).stdout;
    assert_eq!(plan, "set: 0 changes\n", "{again}");
    lab.exec(None, ["sysctl", "-q", "-w", "net.ipv4.ip_forward=0"]).expect_code(0);
    let text = session.netwright(["inspect", "set"]).expect_code(0).stdout;
    assert!(text.contains("  sysctl net.ipv4.ip_forward=0\n"), "{text}");
    let host = Host::new();
    let script = "ip netns add lab-a
ip -n lab-a link set lo up
ip netns exec lab-a sysctl net.ipv4.ip_forward=1";
    let grants = ["host.namespace name=lab-*"];
    host.apply_ip("set", script, &grants, &[]).expect_code(0);
    let text = host.netwright(["inspect", "set"], &[]).expect_code(0).stdout;
    assert!(text.contains("\n  sysctl net.ipv4.ip_forward=1\n"), "{text}");
    host.netwright(["destroy", "set"], &[]).expect_code(0);
}

#[test]
fn an_address_that_another_station_has_is_shown_as_such() {
    let session = Session::new();
    let lines = "ip netns add n1
ip link add v0 type veth peer name v0 netns n1
ip link set v0 up
ip -n n1 link set v0 up
ip -n n1 address add fd00::1/64 dev v0 nodad
";
    let file = session.file("lines.ip", lines);
    let lab = session.keep("taken", ["builtin:ip", "-p", &format!("script=@{}", file.display())]);
    let wait = "ip address add fd00::1/64 dev v0
                until ip address show dev v0 | grep -q dadfailed; do sleep 0.2; done";
    lab.exec(None, ["sh", "-ec", wait]).expect_code(0);
    let text = session.netwright(["inspect", "taken"]).expect_code(0).stdout;
    assert!(text.contains(" fd00::1/64 dadfailed"), "{text}");
    let json = session.netwright(["inspect", "taken", "--json"]).expect_code(0).json();
    assert!(json.to_string().contains("\"dadfailed\":[\"fd00::1/64\"]"), "{json}");
}

#[test]
fn no_hidden_command_is_suggested() {
    for typed in ["up", "uplink", "hold", "_first", "guest", "watch", "state"] {
        let told = netwright([typed]).expect_code(2).stderr;
        assert!(told.starts_with(&format!("error: unrecognized subcommand '{typed}'\n")), "{told}");
        assert!(!told.contains("'__") && !told.contains("\n\n\n"), "{typed}: {told}");
    }
    let told = netwright(["aply"]).expect_code(2).stderr;
    assert!(told.contains("'apply'"), "{told}");
}

/// README's deployment on a machine's own network, with the grants that stand there.
#[test]
fn the_run_on_the_host_that_the_readme_shows_works() {
    let readme = std::fs::read_to_string(workspace().join("README.md")).expect("it is there");
    let text = readme.split("```yaml\nname: edge\n").nth(1).expect("edge.yaml is shown");
    let text = format!("name: edge\n{}", text.split("```").next().expect("it ends"));
    let command = readme.split("netwright run edge.yaml \\\n").nth(1).expect("so is the run");
    let command = command.split("```").next().expect("it ends");
    let grants = command.lines().filter_map(|line| line.trim().strip_prefix("--grant '"));
    let grants: Vec<&str> = grants.filter_map(|rest| rest.split('\'').next()).collect();
    assert_eq!(grants.len(), 3, "{command}");
    let host =
        Host::with("link add eth1 type veth peer name sw1\nlink set eth1 up\nlink set sw1 up");
    let file = host.session().file("edge.yaml", text);
    let file = file.display().to_string();
    let given = grants.iter().flat_map(|grant| ["--grant", *grant]);
    let words: Vec<&str> = ["run", file.as_str()].into_iter().chain(given).collect();
    host.netwright(words, &[]).expect_code(0);
}

/// Lines that make links: carried out by both, they leave the same ones. What ours are is returned, for
/// a kernel that has tunnels.
fn made_alike(lines: &str) -> Option<String> {
    let session = Session::new();
    let file = session.file("lines.ip", lines);
    let words = ["builtin:ip", "-p", &format!("script=@{}", file.display())];
    if !has_tunnels() {
        let refused = session.netwright([&["run"], &words[..]].concat()).expect_code(8);
        assert!(refused.stderr.contains("the kernel lacks CONFIG_"), "{refused:#?}");
        return None;
    }
    let lab = session.keep("plain-tunnels", words);
    let names: Vec<&str> = lines
        .lines()
        .filter_map(|line| line.strip_prefix("ip link add ")?.split(' ').next())
        .collect();
    let names = names.join(" ");
    let shown = || {
        let script = format!("for n in {names}; do ip -d link show $n | sed 1,2d; done");
        lab.exec(None, ["sh", "-ec", &script]).expect_code(0).stdout
    };
    let by_us = shown();
    // Whatever is on another goes with it.
    let away = format!("for n in {names}; do ip link del $n || true; done");
    lab.exec(None, ["sh", "-ec", &away]).expect_code(0);
    lab.exec(None, ["sh", "-ec", lines]).expect_code(0);
    assert_eq!(by_us, shown());
    Some(by_us)
}

/// Without options that say otherwise, tunnels and ipvlans are as iproute2 makes them.
#[test]
fn tunnels_without_options_are_as_iproute2_makes_them() {
    let kinds = ["sit", "ipip", "gre", "gretap", "ip6gre", "ip6gretap", "ip6tnl"];
    let line = |(place, kind): (usize, &&str)| {
        let six = kind.starts_with("ip6");
        let (local, remote) = if six { ("fd00::1", "fd00::2") } else { ("10.0.0.1", "10.0.0.2") };
        format!("ip link add a{place} type {kind} local {local} remote {remote}\n")
    };
    let tunnels: String = kinds.iter().enumerate().map(line).collect();
    let vlan = "ip link add d0 type dummy
ip link add w0 link d0 type ipvlan mode l3s vepa
ip link set w0 type ipvlan mode l3
ip link add d1 type dummy
ip link add w1 link d1 type ipvlan mode l3 vepa
ip link add w2 link d1 type ipvlan mode l3
";
    if let Some(shown) = made_alike(&format!("{tunnels}{vlan}")) {
        assert!(shown.contains("bridge") && !shown.contains("vepa"), "{shown}");
    }
}

/// Words that no value follows stand where they stand: beside each other, first and last.
#[test]
fn tunnels_with_words_of_no_value_are_as_iproute2_makes_them() {
    let shown = made_alike(
        "ip link add a0 type gre local 10.0.0.1 remote 10.0.0.2 csum seq key 5
ip link add a1 type gre icsum oseq local 10.0.0.1 remote 10.0.0.3 ttl 8 pmtudisc
ip link add a2 type gretap local 10.0.0.1 remote 10.0.0.2 nopmtudisc ignore-df
ip link add a3 type gre external
ip link add a4 type ip6gre local fd00::1 remote fd00::2 seq csum ttl 9
ip link add a5 type ipip local 10.0.0.1 remote 10.0.0.2 nopmtudisc
ip link add a6 type sit local 10.0.0.1 remote 10.0.0.2 pmtudisc tos 4
ip link add a7 type ipip external
ip link add a8 type geneve external dstport 7000
ip link add c0 type ip6tnl external
ip link add c1 type sit external
ip link add c2 type gretap external
ip link add a9 type geneve id 5 remote 10.0.0.2 udpcsum udp6zerocsumtx tos 3
ip link add b0 type geneve noudpcsum noudp6zerocsumtx id 6 remote 10.0.0.3
ip link add b1 type vti local 10.0.0.1 remote 10.0.0.2 key 7
ip link add b2 type gre local 10.0.0.1 remote 10.0.0.9 key 5 nokey noseq
",
    );
    for word in shown.iter().flat_map(|_| ["icsum", "oseq", "ignore-df", "external"]) {
        assert!(shown.as_ref().is_some_and(|shown| shown.contains(word)), "{word}: {shown:?}");
    }
}

/// What a lab's links may be called, their settings are asked for by, too.
#[test]
fn settings_of_every_link_of_a_lab_have_a_key() {
    let session = Session::new();
    let mut text =
        "name: keys\nsteps:\n  - recipe: builtin:topology\n    params:\n      links:\n".to_owned();
    let names = ["a@b", "a+b", "a-b", "a_b"];
    for name in names {
        text += &format!("        - {{ name: {name}, kind: bridge }}\n");
    }
    text += "      sysctls:\n";
    for name in names {
        text += &format!("        - {{ key: net.ipv4.conf.{name}.rp_filter, value: 2 }}\n");
    }
    text += "checks:\n";
    for name in names {
        text += &format!("  - sysctl: {{ key: net.ipv4.conf.{name}.rp_filter, is: 2 }}\n");
    }
    let file = session.file("keys.yaml", text);
    session.netwright(["run".as_ref(), file.as_os_str()]).expect_code(0);
}

/// As some editors write it, and as a terminal shows what ip(8) prints.
#[test]
fn a_script_may_begin_with_a_byte_order_mark_and_prints_no_tabs() {
    let session = Session::new();
    let script = session.file("bom.ip", "\u{feff}ip link set lo up\nip rule show\n");
    let parameter = format!("script=@{}", script.display());
    let output = session.netwright(["run", "builtin:ip", "-p", &parameter]).expect_code(0);
    assert!(output.stdout.contains("0:      from all lookup local"), "{}", output.stdout);
    assert!(output.stdout.contains("32766:  from all lookup main"), "{}", output.stdout);
}
