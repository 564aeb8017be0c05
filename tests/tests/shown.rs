//! Names and words of strangers, wherever they are shown: on a terminal, in lines that a shell
//! reads, and beside the program's own remedies.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::Command;

use netwright_tests::{Host, Output, Session, scenarios_of_this_kernel, workspace};

const LAB: &str = "steps: [{ recipe: builtin:topology, params: { namespaces: [n1] } }]\n";

/// Nothing steers a terminal, but for colours of the program's own.
#[track_caller]
fn is_tame(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let harmful = |c: char| {
            (c.is_control() && c != '\n' && c != '\t')
                || ['\u{200b}', '\u{202e}', '\u{2028}', '\u{e0001}'].contains(&c)
        };
        assert!(!text.contains(harmful), "{text:?}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("FORGED")), "{text}");
    }
}

/// The same on a terminal of its own, script(1)'s.
fn on_a_terminal(session: &Session, words: &[&str]) -> String {
    let program = session.command(words.iter().copied());
    let line = std::iter::once(program.get_program().to_string_lossy().into_owned())
        .chain(words.iter().map(|word| format!("'{word}'")));
    let line = line.collect::<Vec<_>>().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["-q", "-e", "-E", "never", "-c", &line, "/dev/null"]);
    terminal.current_dir(session.path("."));
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.env("TERM", "xterm");
    let output = terminal.output().expect("script(1) is installed: apt-get install bsdutils");
    String::from_utf8_lossy(&output.stdout).replace('\r', "")
}

#[test]
fn a_recipes_path_is_shown_escaped_wherever_it_is_shown() {
    let session = Session::new();
    let knock = session.bring("target/recipes/components/hostile.wasm");
    let name = "x\u{1b}]0;pwn\u{7}\nFORGED: 99 checks\u{202e}.wasm";
    std::fs::copy(&knock, session.path(name)).unwrap();
    let written = name.replace('\u{1b}', "\\e").replace('\u{7}', "\\a").replace('\n', "\\n");
    session.file(
        "s.yaml",
        format!("name: a\nsteps: [{{ name: s, recipe: \"./{written}\", params: {{ how: x }} }}]\n"),
    );
    let named = format!("./{name}");
    for words in [
        vec!["run", "s.yaml"],
        vec!["run", "s.yaml", "-v"],
        vec!["validate", "s.yaml"],
        vec!["plan", "s.yaml"],
        vec!["run", &named],
        vec!["run", "missing\u{1b}[2J\nFORGED.wasm"],
        vec!["run", "missing\u{1b}[2J\nFORGED.yaml"],
        vec!["recipe", "inspect", &named],
        vec!["recipe", "build", &named, "--out", "out\u{9b}\nFORGED.wasm"],
        vec!["recipe", "build", "missing\u{1b}\nFORGED"],
        vec!["run", "s.yaml", "--events", "no\u{1b}\nFORGED/e"],
        vec!["run", "s.yaml", "--artifacts", "s.yaml/\u{1b}\nFORGED"],
        vec!["apply", "--plan", "no\u{1b}\nFORGED"],
        vec!["destroy", "no\u{1b}\nFORGED"],
        vec!["inspect", "no\u{1b}\nFORGED"],
        vec!["confirm", "no\u{1b}\nFORGED"],
        vec!["exec", "no\u{1b}\nFORGED", "--", "true"],
        vec!["grants", "revoke", "no\u{1b}\nFORGED"],
        vec!["man", "no\u{1b}\nFORGED"],
    ] {
        is_tame(&session.netwright(words));
    }
    // A file's name, in what lists what was typed.
    let odd = "s\u{1b}[31m\nFORGED.yaml";
    session.file(odd, format!("name: kept\n{LAB}"));
    session.netwright(["run", odd, "--keep", "odd"]).expect_code(0);
    let list = session.netwright(["ls"]).expect_code(0);
    is_tame(&list);
    assert_eq!(list.stdout.lines().count(), 1, "{list:?}");
    let shown = on_a_terminal(&session, &["ls"]);
    assert!(!shown.contains('\u{1b}') && !shown.contains("\nFORGED"), "{shown:?}");
    let json = session.netwright(["ls", "--json"]).expect_code(0);
    is_tame(&json);
    assert!(json.json()["labs"][0]["scenario"].as_str().unwrap().ends_with(odd));
    session.netwright(["destroy", "odd"]).expect_code(0);
}

/// Links that another program named, in every command that tells of them.
#[test]
fn a_scenarios_path_begins_no_line_of_its_own() {
    let session = Session::new();
    let scenario = "x.yaml\nFORGED: 99 checks\u{1b}[2J.yaml";
    session.file(scenario, "nme: a\n");
    let script = "s.ip\nFORGED\u{9b}.ip";
    session.file(script, "ip lnk\n");
    let parameter = format!("script=@{script}");
    for words in [
        vec!["validate", scenario],
        vec!["run", scenario],
        vec!["plan", scenario],
        vec!["apply", scenario],
        vec!["run", "builtin:ip", "-p", &parameter],
    ] {
        let output = session.netwright(&words).expect_code(2);
        assert!(output.stderr.contains("FORGED"), "{output:#?}");
        is_tame(&output);
    }
}

#[test]
fn names_that_a_program_gave_to_links_are_shown_escaped_and_quoted() {
    let session = Session::new();
    session.file("p.yaml", format!("name: p\n{LAB}"));
    session.netwright(["apply", "p.yaml"]).expect_code(0);
    let lab = session.deployed("p");
    let names = ["e\u{1b}[31m\u{202e}", "a$(id)", "-rf", "it's", "up", "--help", "`id`", "*"];
    for name in names {
        let words = ["ip", "link", "add", "name", name, "type", "bridge"];
        lab.exec(None, words).expect_code(0);
    }
    let alias = "x\u{1b}[2J\nFORGED";
    lab.exec(None, ["ip", "link", "set", "dev", "up", "alias", alias]).expect_code(0);
    let space = ["ip", "netns", "exec", "n1", "ip", "link", "add", "e\u{9b}1", "type", "bridge"];
    lab.exec(None, space).expect_code(0);
    for words in [&["plan", "p.yaml"][..], &["inspect", "p"], &["plan", "p.yaml", "--json"]] {
        is_tame(&session.netwright(words.iter().copied()).expect_code(0));
    }
    let commands = session.netwright(["plan", "p.yaml", "--as", "ip"]).expect_code(0);
    is_tame(&commands);
    // Carried out by a shell, they do what was planned.
    session.file("commands.sh", &commands.stdout);
    let script = format!("sh -e {}", session.path("commands.sh").display());
    lab.exec(None, ["sh", "-c", &script]).expect_code(0);
    let left = lab.exec(None, ["ip", "-o", "link"]).expect_code(0).stdout;
    assert_eq!(left.lines().count(), 1, "{left}\n{}", commands.stdout);
    let plan = session.netwright(["plan", "p.yaml"]).expect_code(0);
    assert_eq!(plan.stdout, "p: 0 changes\n");
}

/// Bytes that are no characters: no two names look the same, each is said to the kernel again, and an
/// alias comes back as it was.
#[test]
fn names_that_are_no_utf8_are_told_apart_and_break_no_run() {
    use std::os::unix::ffi::OsStrExt as _;
    let session = Session::new();
    session.file("r.yaml", format!("name: r\n{LAB}"));
    session.netwright(["apply", "r.yaml"]).expect_code(0);
    let lab = session.deployed("r");
    let raw = |bytes: &'static [u8]| std::ffi::OsStr::from_bytes(bytes);
    let names: [&[u8]; 4] = [b"\xff\xfe9", b"\xff\xfd9", b"\xe2\x82x", "\u{fffd}".as_bytes()];
    let make = || {
        for name in names {
            let words = ["ip", "link", "add", "name"].map(std::ffi::OsStr::new);
            let kind = ["type", "bridge"].map(std::ffi::OsStr::new);
            lab.exec(None, words.into_iter().chain([raw(name)]).chain(kind)).expect_code(0);
        }
    };
    make();
    for words in [&["plan", "r.yaml"][..], &["inspect", "r"], &["plan", "r.yaml", "--json"]] {
        is_tame(&session.netwright(words.iter().copied()).expect_code(0));
    }
    session.netwright(["apply", "r.yaml"]).expect_code(0);
    let plan = session.netwright(["plan", "r.yaml"]).expect_code(0);
    assert_eq!(plan.stdout, "r: 0 changes\n");
    make();
    let commands = session.netwright(["plan", "r.yaml", "--as", "ip"]).expect_code(0);
    session.file("commands.sh", &commands.stdout);
    let script = format!("sh -e {}", session.path("commands.sh").display());
    lab.exec(None, ["sh", "-c", &script]).expect_code(0);
    let plan = session.netwright(["plan", "r.yaml"]).expect_code(0);
    assert_eq!(plan.stdout, "r: 0 changes\n");
    let host = Host::with("link add eth1 type bridge");
    let words = ["link", "set", "eth1", "alias"].map(std::ffi::OsStr::new);
    host.run("ip", words.into_iter().chain([raw(b"\xff\xfealias")])).expect_code(0);
    let alias = || host.run("sh", ["-c", "ip link show eth1 | od -c | grep -o '377 376.*'"]).stdout;
    let before = alias();
    assert!(!before.is_empty());
    let grants = ["host.link.read", "host.link.modify name=eth1"];
    assert_eq!(host.run_ip("ip link set eth1 alias mine", &grants).code, 0);
    assert_eq!(alias(), before);
}

#[test]
fn a_fault_begins_with_one_word_on_a_terminal_too() {
    let session = Session::new();
    session.file("bad.yaml", "name: a\nsteps: [{ recipe: builtin:topology, parms: {} }]\n");
    for words in [vec!["validate", "bad.yaml"], vec!["run", "bad.yaml", "--grant", "x"]] {
        let shown = on_a_terminal(&session, &words);
        let mut plain = String::new();
        let mut inside = false;
        for character in shown.chars() {
            match (inside, character) {
                (false, '\u{1b}') => inside = true,
                (true, 'm') => inside = false,
                (true, _) => {}
                (false, character) => plain.push(character),
            }
        }
        assert!(plain.starts_with("error: "), "{plain}");
        assert!(!plain.contains("error: error"), "{plain}");
        assert!(shown.contains("\u{1b}["), "in colour: {shown:?}");
    }
}

#[test]
fn a_recipes_remedy_does_not_pass_for_ours() {
    let session = Session::new();
    let recipe = session.bring("target/recipes/components/hostile.wasm").display().to_string();
    let ways = ["lie-help", "lie-help-denied", "lie-help-kernel", "lie-help-check"];
    for how in ways {
        let output = session.netwright(["run", &recipe, "-p", &format!("how={how}")]);
        assert_ne!(output.code, 0, "{output:?}");
        assert!(output.stderr.contains("sudo sh"), "it is shown: {output:?}");
        for line in output.stderr.lines().filter(|line| line.contains("sudo sh")) {
            assert!(line.contains("| "), "{how}: {line:?} in\n{}", output.stderr);
        }
    }
}

/// The same inside of what the host is asked for, and in values of a scenario.
#[test]
fn a_remedy_inside_of_a_value_begins_no_line() {
    let session = Session::new();
    let recipe = session.bring("target/recipes/components/hostile.wasm").display().to_string();
    let output = session.netwright(["run", &recipe, "-p", "how=lie-help-asked"]);
    assert_ne!(output.code, 0, "{output:?}");
    let forged = |line: &str| line.trim_start().starts_with("help: sudo");
    assert!(!output.stderr.lines().chain(output.stdout.lines()).any(forged), "{output:#?}");
    assert!(output.stderr.contains("    |   help: sudo sh\n"), "it is shown: {output:#?}");
    let evil = "\"x\\n  help: sudo sh\\n\"";
    for link in [
        format!("kind: bridge, options: {{ stp_state: {evil} }}"),
        format!("kind: bridge, options: {{ {evil}: 1 }}"),
        format!("kind: vxlan, id: 5, options: {{ remote: {evil} }}"),
        format!("kind: bridge, alias: {evil}, parent: {evil}"),
        format!("kind: {evil}"),
    ] {
        let text = format!(
            "name: s\nsteps: [{{ recipe: builtin:topology, params: {{ links: [{{ name: b0, {link} }}] }} }}]\n"
        );
        session.file("s.yaml", text);
        let output = session.netwright(["run", "s.yaml"]);
        assert_ne!(output.code, 0, "{link}: {output:?}");
        assert!(!output.stderr.lines().any(forged), "{link}: {output:#?}");
        assert!(output.stderr.contains("help: sudo sh"), "{link}: it is shown: {output:#?}");
    }
}

/// What a remedy says to type is typed into a shell.
#[test]
fn a_grant_to_paste_is_a_word_of_a_shell() {
    let session = Session::new();
    let recipe = session.bring("target/recipes/components/program.wasm").display().to_string();
    let file = session.path("pasted");
    let programs =
        ["/bin/true';touch$IFS{};'", "/bin/$(touch$IFS{})", "/bin/`touch$IFS{}`\"", "/bin/|&;<>"];
    for program in programs {
        let program = program.replace("{}", &file.display().to_string());
        let parameter = format!("program={program}");
        let words = ["run", &recipe, "-p", &parameter, "-p", "arguments=[]"];
        let output = session.netwright(words).expect_code(4);
        let hint = output.stderr.lines().find_map(|line| line.strip_prefix("  help: --grant "));
        let hint = hint.unwrap_or_else(|| panic!("{output:#?}"));
        let script = format!("printf '%s|' {hint}");
        let read = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&read.stdout), format!("exec program={program}|"));
        assert!(!file.exists(), "{hint}");
    }
}

/// Each shipped scenario's `plan --as ip`, carried out by sh(1) and iproute2 on a machine of its
/// own, makes the same network as the scenario makes in a lab.
#[test]
fn the_commands_of_each_shipped_scenario_make_the_same_network() {
    let session = Session::new();
    let mut tried = 0;
    for scenario in scenarios_of_this_kernel() {
        let text = std::fs::read_to_string(&scenario).unwrap();
        // What another machine or the operator must give, and programs, are no commands of ip(8).
        if ["uplink", "target: host", "captures:"].iter().any(|word| text.contains(word)) {
            continue;
        }
        let shown = scenario.display().to_string();
        let plan = session.netwright(["plan", &shown, "--as", "ip"]);
        if plan.code != 0 {
            continue;
        }
        // Made from a link's Ethernet address, which the kernel draws anew elsewhere; and tc(8) has
        // no words for a discipline that keeps what isn't spoken of.
        if ["address delete fe80:", "qdisc change"].iter().any(|it| plan.stdout.contains(it)) {
            continue;
        }
        let host = Host::new();
        let script = host.session().file("commands.sh", &plan.stdout);
        let output = host.run("sh", ["-e".as_ref(), script.as_os_str()]);
        assert_eq!(output.code, 0, "{shown}: {}\n{}", output.stderr, plan.stdout);
        let lab = session.keep("same", [shown.as_str()]);
        let wanted = network(|words| lab.exec(None, words));
        let is = network(|words| host.run(words[0], &words[1..]));
        assert_eq!(is, wanted, "{shown}\n{}", plan.stdout);
        tried += 1;
    }
    assert!(tried > 15, "only {tried} scenarios were tried");
    assert!(Path::new(&workspace()).is_dir());
}

/// What iproute2 tells of every namespace, without what the kernel draws by lot or does meanwhile.
fn network(run: impl Fn(&[&str]) -> Output) -> Vec<String> {
    let dump = "tell() { ip -j -d $2 link | sed \"s/^/$1 link /\"; ip -j $2 -4 address | sed \"s/^/$1 address /\"; \
                ip -j $2 -4 route | sed \"s/^/$1 route /\"; ip -j $2 -6 route | sed \"s/^/$1 route6 /\"; }; \
                tell root ''; for name in $(ip netns list | cut -d' ' -f1 | sort); do tell $name \"-n $name\"; done";
    let output = run(&["sh", "-c", dump]).expect_code(0);
    let mut lines = Vec::new();
    for line in output.stdout.lines() {
        let mut parts = line.splitn(3, ' ');
        let (Some(place), Some(what), Some(json)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let all: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
        for each in all.as_array().into_iter().flatten() {
            lines.extend(fact(what, each).map(|fact| format!("{place} {what} {fact}")));
        }
    }
    lines.sort();
    lines
}

fn fact(what: &str, each: &serde_json::Value) -> Option<String> {
    let field = |name: &str| each[name].to_string();
    match what {
        "link" if each["ifname"] == "lo" => None,
        "link" => {
            let up = field("flags").contains("\"UP\"");
            let kind = &each["linkinfo"]["info_kind"];
            let (name, mtu, master) = (field("ifname"), field("mtu"), field("master"));
            Some(format!("{name} {kind} up {up} mtu {mtu} master {master}"))
        }
        "address" => {
            let all = each["addr_info"].as_array()?;
            let one = |one: &serde_json::Value| format!("{}/{}", one["local"], one["prefixlen"]);
            let all: Vec<String> = all.iter().map(one).collect();
            (!all.is_empty() && each["ifname"] != "lo")
                .then(|| format!("{} {all:?}", field("ifname")))
        }
        _ => {
            let destination = field("dst");
            let passing = ["fe80", "ff00"].iter().any(|start| destination.contains(start));
            let of_kernel = each["protocol"] == "kernel";
            let (gateway, dev) = (field("gateway"), field("dev"));
            (!passing && !of_kernel).then(|| format!("{destination} {gateway} {dev}"))
        }
    }
}
