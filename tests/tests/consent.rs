//! One screen on a terminal before anything runs, an answer that is remembered for the digest
//! alone, and nobody asked where there is no terminal.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use netwright_tests::{Host, Output, workspace};

/// The bomb that makes one namespace and nothing else, with a manifest of these requests.
fn bring(host: &Host, version: &str, asks: &[(&str, &str)]) {
    let mut component = fs::read(workspace().join("target/recipes/components/bomb.wasm")).unwrap();
    let asks: Vec<_> = asks
        .iter()
        .map(|(capability, reason)| serde_json::json!({ "capability": capability, "reason": reason }))
        .collect();
    let manifest = serde_json::json!({
        "name": "bomb", "version": version, "api": "0.2.0", "description": "makes a namespace",
        "parameters": [{ "name": "how", "type": "string", "required": true }],
        "capabilities": asks,
    });
    let manifest = manifest.to_string().into_bytes();
    let name = b"netwright:manifest";
    component.push(0);
    let mut size = 1 + name.len() + manifest.len();
    while size >= 0x80 {
        component.push((size & 0x7f) as u8 | 0x80);
        size >>= 7;
    }
    component.push(size as u8);
    component.push(name.len() as u8);
    component.extend(name);
    component.extend(manifest);
    host.session().file("bomb.wasm", component);
}

/// By its whole path: who enters a mount namespace is at its root.
fn arguments(host: &Host) -> Vec<String> {
    let file = host.session().path("bomb.wasm").display().to_string();
    ["run", &file, "-p", "how=nothing", "--target", "host"].map(str::to_owned).to_vec()
}

const SPACE: (&str, &str) = ("host.namespace name=first", "a room of its own");
const ROUTER: (&str, &str) = ("host.forwarding key=net.ipv4.ip_forward", "to route");

/// On a terminal of its own, script(1)'s, with these lines typed.
fn typed(host: &Host, variables: &[(&str, &str)], lines: &str) -> Output {
    typed_at(host, &arguments(host), variables, lines)
}

fn typed_at(host: &Host, words: &[String], variables: &[(&str, &str)], lines: &str) -> Output {
    at_terminal(host, words, variables, "", lines)
}

/// `ahead` is typed before the program has begun, each of `lines` once it is asked for, and the end of
/// input where more is asked.
fn at_terminal(
    host: &Host,
    words: &[String],
    variables: &[(&str, &str)],
    ahead: &str,
    lines: &str,
) -> Output {
    let program = host.session().command(words);
    let shown = program.get_program().to_string_lossy();
    let wait = if ahead.is_empty() { "" } else { "sleep 1; " };
    let line = format!("{wait}{shown} {}", words.join(" "));
    let mut terminal = Command::new("script");
    terminal.args(["-q", "-e", "-E", "never", "-c", &line, "/dev/null"]);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.env("NO_COLOR", "1").envs(variables.iter().copied());
    let mut command = host.command(&terminal);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("script(1) is installed: apt-get install bsdutils");
    let (mut keys, mut screen) = (child.stdin.take(), child.stdout.take().unwrap());
    keys.as_mut().unwrap().write_all(ahead.as_bytes()).unwrap();
    let mut lines = lines.split_inclusive('\n');
    let (mut text, mut answered, mut bytes) = (String::new(), 0, [0; 4096]);
    loop {
        // A terminal whose program has ended gives an error.
        let length = screen.read(&mut bytes).unwrap_or(0);
        if length == 0 {
            break;
        }
        text.push_str(&String::from_utf8_lossy(&bytes[..length]));
        let asked = text.matches("Allow it? ").count() + text.matches(" to allow it: ").count();
        while answered < asked {
            answered += 1;
            match (lines.next(), &mut keys) {
                (Some(line), Some(keys)) => keys.write_all(line.as_bytes()).unwrap(),
                _ => drop(keys.take()),
            }
        }
    }
    drop(keys);
    let mut output = Output::from(child.wait_with_output().unwrap());
    output.stdout = text.replace('\r', "");
    output
}

fn remembered(host: &Host) -> Vec<serde_json::Value> {
    let output = host.netwright(["grants", "ls", "--json"], &[]).expect_code(0);
    output.json()["remembered"].as_array().unwrap().clone()
}

#[test]
fn the_screen_shows_what_is_asked_and_no_is_the_default() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE, ("host.link.create kind=macvlan", "children")]);
    for answer in ["d\n", "\n", "yes\n", "nonsense\n"] {
        let output = typed(&host, &[], answer).expect_code(4);
        for line in [
            "A recipe wants more than a lab: `bomb`\n",
            "  | makes a namespace\n",
            "  - host.namespace name=first\n      to make, or enter, named network namespaces of this machine\n      | a room of its own\n",
            "only a --grant of yours can give it:\n  - host.link.create kind=macvlan\n",
            "Allow it? [d]eny, [o]nce, [a]lways for this digest, told this: ",
            "error: denied: recipe `bomb` was not run, nothing was touched\n  help: --grant 'host.namespace name=first'\n",
        ] {
            assert!(output.stdout.contains(line), "{line}\nis not in\n{}", output.stdout);
        }
    }
    assert!(remembered(&host).is_empty());
}

#[test]
fn once_is_once() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    let output = typed(&host, &[], "o\n").expect_code(0);
    assert!(output.stdout.contains("passed: "), "{output:?}");
    assert!(remembered(&host).is_empty());
    typed(&host, &[], "d\n").expect_code(4);
}

#[test]
fn always_holds_for_this_digest_and_a_change_is_shown() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    typed(&host, &[], "a\n").expect_code(0);
    let kept = remembered(&host);
    assert_eq!(kept[0]["granted"], serde_json::json!(["host.namespace name=first"]));
    // Without a terminal, too: it was allowed for good.
    host.netwright(arguments(&host), &[]).expect_code(0);
    let output = typed(&host, &[], "").expect_code(0);
    assert!(!output.stdout.contains("Allow it?"), "{output:?}");

    let former = kept[0]["digest"].as_str().unwrap();
    bring(&host, "1.1.0", &[SPACE, ("host.namespace name=second", "another")]);
    host.netwright(arguments(&host), &[]).expect_code(4);
    let output = typed(&host, &[], "d\n").expect_code(4);
    let head = format!("It has changed since it was allowed:\n  - sha256:{former}\n  + sha256:");
    assert!(output.stdout.contains(&head), "{output:?}");
    let rest = "  - version 1.0.0\n  + version 1.1.0\n  + host.namespace name=second\n";
    assert!(output.stdout.contains(rest), "{output:?}");

    bring(&host, "1.0.0", &[SPACE]);
    host.netwright(arguments(&host), &[]).expect_code(0);
    host.netwright(["grants", "revoke", "bomb"], &[]).expect_code(0);
    host.netwright(arguments(&host), &[]).expect_code(4);
    assert!(remembered(&host).is_empty());
    let output = host.netwright(["grants", "revoke", "bomb"], &[]).expect_code(2);
    assert!(output.stderr.starts_with("error: nothing is remembered of `bomb`\n"), "{output:?}");
}

/// A recipe may be an interpreter: what it is told is what it does.
#[test]
fn always_holds_for_what_the_recipe_was_told() {
    let host = Host::with("link add eth1 type veth peer name sw1");
    let scenario = |name: &str, script: &str| {
        let text = format!(
            "name: {name}\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    grants: [host.link.read, \"host.link.modify name=eth1\"]\n    params: {{ script: \"{script}\" }}\n"
        );
        host.session().file(&format!("{name}.yaml"), text).display().to_string()
    };
    let mine = scenario("mine", "ip link set eth1 mtu 1450");
    let words = ["run".to_owned(), mine.clone()];
    let keys = "a\nhost.link.modify\n";
    let output = typed_at(&host, &words, &[], keys).expect_code(0);
    for line in [
        "  comes with this program, and does what it is told\n",
        &format!("  told by `{mine}`:\n    script | ip link set eth1 mtu 1450\n"),
    ] {
        assert!(output.stdout.contains(line), "{line}\nis not in\n{}", output.stdout);
    }
    // The same again, without a terminal.
    host.netwright(&words, &[]).expect_code(0);
    let listed = host.netwright(["grants", "ls"], &[]).expect_code(0).stdout;
    assert!(listed.contains(&format!("  as told by `{mine}`, sha256:")), "{listed}");

    // A stranger's scenario, the same steps with another script, and the same file altered.
    let other = scenario("stranger", "ip link set eth1 down");
    host.netwright(["run", &other], &[]).expect_code(4);
    let output = typed_at(&host, &["run".to_owned(), other.clone()], &[], "d\n").expect_code(4);
    let change = format!(
        "It was allowed, but told something else:\n  - told by `{mine}`\n  + told by `{other}`\n  - script | ip link set eth1 mtu 1450\n  + script | ip link set eth1 down\n"
    );
    assert!(output.stdout.contains(&change), "{change}\nis not in\n{}", output.stdout);
    scenario("mine", "ip link set eth1 mtu 1451");
    host.netwright(&words, &[]).expect_code(4);
    let output = typed_at(&host, &words, &[], "d\n").expect_code(4);
    let change = "  - script | ip link set eth1 mtu 1450\n  + script | ip link set eth1 mtu 1451\n";
    assert!(output.stdout.contains(change), "{change}\nis not in\n{}", output.stdout);
    // As it was, it is still allowed; another parameter with the same value isn't.
    scenario("mine", "ip link set eth1 mtu 1450");
    host.netwright(&words, &[]).expect_code(0);
    let told = ["run", "builtin:ip", "--target", "host", "-p", "script=ip link set eth1 mtu 1450"];
    host.netwright(told, &[]).expect_code(4);
    host.netwright(["grants", "revoke", "ip"], &[]).expect_code(0);
    host.netwright(&words, &[]).expect_code(4);
}

/// An answer of before there was this held whatever the recipe was told.
#[test]
fn an_answer_without_what_the_recipe_was_told_asks_again() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    typed(&host, &[], "a\n").expect_code(0);
    let folder = host.session().path("home/.config/netwright/grants");
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let mut old: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_file(&file).unwrap();
    let digest = old["digest"].as_str().unwrap().to_owned();
    for key in ["told", "parameters", "scenario"] {
        old.as_object_mut().unwrap().remove(key);
    }
    let file = folder.join(format!("{digest}.json"));
    fs::write(&file, old.to_string()).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    host.netwright(arguments(&host), &[]).expect_code(4);
    assert_eq!(remembered(&host).len(), 1);
    host.netwright(["grants", "revoke", "bomb"], &[]).expect_code(0);
    assert!(remembered(&host).is_empty());
}

/// A later version may have made it narrower in a way that nobody here knows.
#[test]
fn an_answer_of_another_version_allows_nothing_and_stays() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    typed(&host, &[], "a\n").expect_code(0);
    host.netwright(arguments(&host), &[]).expect_code(0);
    let folder = host.session().path("home/.config/netwright/grants");
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let own = fs::read(&file).unwrap();
    for schema in ["0", "3", "4294967298"] {
        let mut answer: serde_json::Value = serde_json::from_slice(&own).unwrap();
        answer["schema"] = schema.parse::<u64>().unwrap().into();
        fs::write(&file, answer.to_string()).unwrap();
        host.netwright(arguments(&host), &[]).expect_code(4);
        let why = format!("of schema {schema}, which this netwright");
        let listed = host.netwright(["grants", "ls"], &[]).expect_code(0).stdout;
        assert!(listed.contains(&why) && listed.contains("it allows nothing"), "{listed}");
        let listed = host.netwright(["grants", "ls", "--json"], &[]).expect_code(0).json();
        assert_eq!(listed["remembered"], serde_json::json!([]));
        assert_eq!(listed["unread"][0]["schema"], answer["schema"]);
        // Nobody writes over it; once it is forgotten there is room for another one.
        let output = typed(&host, &[], "a\n").expect_code(8);
        assert!(output.stdout.contains(&why), "{output:?}");
        assert!(output.stdout.contains("`netwright grants revoke bomb` forgets it"), "{output:?}");
        assert_eq!(fs::read_to_string(&file).unwrap(), answer.to_string());
        host.netwright(["grants", "revoke", "bomb"], &[]).expect_code(0);
        assert!(!file.exists());
    }
    typed(&host, &[], "a\n").expect_code(0);
    assert_eq!(remembered(&host).len(), 1);
    // What has the form of an answer and no number is none.
    let mut answer: serde_json::Value = serde_json::from_slice(&own).unwrap();
    for schema in [serde_json::json!("2"), serde_json::json!(-2), serde_json::json!(null)] {
        answer["schema"] = schema;
        fs::write(&file, answer.to_string()).unwrap();
        host.netwright(arguments(&host), &[]).expect_code(4);
        assert!(remembered(&host).is_empty());
    }
}

/// A grant for children of other links covers none where it names no parent.
#[test]
fn what_could_allow_nothing_is_not_offered() {
    let host = Host::new();
    let useless = ("host.link.create kind=macvlan name=pr0", "a child");
    bring(&host, "1.0.0", &[SPACE, useless, ("host.link.create kind=vlan name=v parent=e", "x")]);
    let output = typed(&host, &[], "d\n").expect_code(4);
    let open = "only a --grant of yours can give it:\n  - host.link.create kind=macvlan name=pr0\n  - host.link.create kind=vlan name=v parent=e\n";
    assert!(output.stdout.contains(open), "{output:?}");
    assert!(!output.stdout.contains("--grant 'host.link.create"), "{output:?}");
}

#[test]
fn special_rights_need_their_name_typed() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE, ROUTER]);
    let output = typed(&host, &[], "o\ny\n").expect_code(4);
    let question =
        "`host.forwarding` lets it make this machine a router.\nType host.forwarding to allow it: ";
    assert!(output.stdout.contains("  ! host.forwarding key=net.ipv4.ip_forward\n"), "{output:?}");
    assert!(output.stdout.contains(question), "{output:?}");
    typed(&host, &[], "a\nhost.forwardin\n").expect_code(4);
    assert!(remembered(&host).is_empty());
    typed(&host, &[], "o\nhost.forwarding\n").expect_code(0);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    let output = host.netwright(arguments(&host), &[]).expect_code(4);
    assert!(!output.stderr.contains("Allow it?"), "{output:?}");
    assert!(output.stderr.contains("  help: --grant 'host.namespace name=first'\n"), "{output:?}");
}

#[test]
fn what_a_flag_decides_is_not_asked() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    let mut arguments = arguments(&host);
    arguments.extend(["--grant", "host.namespace name=first"].map(str::to_owned));
    host.netwright(arguments, &[]).expect_code(0);
}

#[test]
fn an_answer_is_not_remembered_under_sudo() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    let output = typed(&host, &[("SUDO_UID", "1000")], "a\n").expect_code(4);
    assert!(output.stdout.contains("Allow it? [d]eny, [o]nce: "), "{output:?}");
    assert!(remembered(&host).is_empty());
}

#[test]
fn a_folder_of_answers_that_is_not_ours_alone_is_refused() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    let own = host.session().path("home/.config/netwright");
    let folder = own.join("grants");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let refused = |why: &str| {
        let output = host.netwright(arguments(&host), &[]).expect_code(2);
        let shown = folder.display();
        let expected = format!("error: the folder of remembered grants `{shown}` {why}");
        assert!(output.stderr.starts_with(&expected), "{output:?}");
    };
    refused("is open to others (mode 755)");
    fs::remove_dir(&folder).unwrap();
    let elsewhere = host.session().path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    refused("can't be opened: ");
    fs::remove_file(&folder).unwrap();

    // A link in it, and a file under another digest's name, grant nothing.
    typed(&host, &[], "a\n").expect_code(0);
    let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let moved = elsewhere.join("real.json");
    fs::rename(&file, &moved).unwrap();
    symlink(&moved, &file).unwrap();
    host.netwright(arguments(&host), &[]).expect_code(4);
    fs::remove_file(&file).unwrap();
    let text = fs::read_to_string(&moved).unwrap().replace("\"digest\": \"", "\"digest\": \"00");
    fs::write(&file, text).unwrap();
    host.netwright(arguments(&host), &[]).expect_code(4);
}

#[test]
fn what_a_run_needed_is_recorded_and_is_enough_for_the_next() {
    let host =
        Host::with("link add eth1 type veth peer name sw1\nlink set eth1 up\nlink set sw1 up");
    let script = "script=link add link eth1 name lab-a type macvlan mode bridge\naddress add 10.9.0.1/24 dev lab-a\nlink set lab-a up";
    let record = host.session().path("policy.yaml");
    let file = record.to_string_lossy();
    let arguments =
        ["run", "builtin:ip", "-p", script, "--target", "host", "--record-grants", &file];
    let mut granted = arguments.to_vec();
    granted.extend(["--grant", "host.link.create kind=macvlan parent=eth1 name=lab-*"]);
    granted.extend(["--grant", "host.address.add cidr=10.0.0.0/8 link=lab-*"]);
    host.netwright(granted, &[]).expect_code(0);
    let expected = "allow:\n  - host.link.create kind=macvlan name=lab-a parent=eth1 max=1\n  - host.address.add cidr=10.9.0.0/24 link=lab-a\n";
    assert_eq!(fs::read_to_string(&record).unwrap(), expected);

    host.netwright(&arguments[..6], &[]).expect_code(4);
    let own = host.session().path("home/.config/netwright");
    fs::create_dir_all(&own).unwrap();
    fs::set_permissions(&own, Permissions::from_mode(0o700)).unwrap();
    fs::write(own.join("policy.yaml"), expected).unwrap();
    fs::set_permissions(own.join("policy.yaml"), Permissions::from_mode(0o600)).unwrap();
    host.netwright(&arguments[..6], &[]).expect_code(0);
    // In a lab nothing is needed.
    let lab = ["run", "builtin:ip", "-p", "script=link show", "--record-grants", &file];
    host.netwright(lab, &[]).expect_code(0);
    assert_eq!(fs::read_to_string(&record).unwrap(), "allow: []\n");
}

/// What was typed before the screen was there, as by a paste, answers nothing.
#[test]
fn what_was_typed_ahead_is_no_answer() {
    let host = Host::new();
    bring(&host, "1.0.0", &[SPACE]);
    for ahead in ["a\n", "o\n", "\na\na\na\n"] {
        at_terminal(&host, &arguments(&host), &[], ahead, "").expect_code(4);
        assert!(remembered(&host).is_empty(), "{ahead:?}");
    }
    at_terminal(&host, &arguments(&host), &[], "a\n", "o\n").expect_code(0);
    assert!(remembered(&host).is_empty());
    // Nor is it the name of a right.
    bring(&host, "1.0.0", &[ROUTER]);
    let ahead = "o\nhost.forwarding\n";
    at_terminal(&host, &arguments(&host), &[], ahead, "o\n").expect_code(4);
}

/// What nobody has read in full is allowed once at most.
#[test]
fn what_is_not_shown_whole_is_not_allowed_for_good() {
    let host = Host::with("link add eth1 type veth peer name sw1");
    let head = "name: t\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    grants: [host.link.read]\n    params: { script: \"";
    for script in ["#".repeat(2001), "ip link\\n".repeat(201)] {
        let file = host.session().file("t.yaml", format!("{head}ip link\\n{script}\" }}\n"));
        let words = ["run".to_owned(), file.display().to_string()];
        let output = typed_at(&host, &words, &[], "a\n").expect_code(4);
        assert!(!output.stdout.contains("[a]lways"), "{output:?}");
        assert!(output.stdout.contains("too long to be shown whole"), "{output:?}");
        assert!(remembered(&host).is_empty());
        typed_at(&host, &words, &[], "o\n").expect_code(0);
    }
}

/// One answer for all of the run: what its checks and captures reach on the machine is shown with it,
/// given to them alone, and never remembered.
#[test]
fn an_answer_covers_the_checks_and_captures_of_the_run() {
    let host =
        Host::with("link add eth1 type veth peer name sw1\nlink set eth1 up\nlink set sw1 up");
    bring(&host, "1.0.0", &[SPACE]);
    let recipe = host.session().path("bomb.wasm").display().to_string();
    let text = format!(
        "name: asked\ntarget: host\nsteps: [{{ recipe: {recipe}, params: {{ how: nothing }} }}]\ncaptures: [{{ link: eth1 }}]\nchecks: [{{ ping: {{ to: 127.0.0.1 }} }}]\n"
    );
    let file = host.session().file("asked.yaml", text).display().to_string();
    let words: Vec<String> = ["run", &file].map(str::to_owned).to_vec();
    let rules = ["host.probe link=eth1", "host.probe cidr=127.0.0.1/32"];
    let flags = rules.map(|rule| format!("--grant '{rule}'")).join(" ");
    let output = typed_at(&host, &words, &[], "o\n").expect_code(0);
    let listed =
        format!("checks and captures, too, want there:\n  - {}\n  - {}\n", rules[0], rules[1]);
    assert!(output.stdout.contains(&listed), "{}", output.stdout);
    assert_eq!(output.stdout.matches("Allow it?").count(), 1, "{}", output.stdout);
    let output = typed_at(&host, &words, &[], "d\n").expect_code(4);
    assert!(output.stdout.contains(&flags), "{}", output.stdout);
    // What is remembered is the recipe's alone.
    typed_at(&host, &words, &[], "a\n").expect_code(0);
    let alone = "want more than a lab:\n  - host.probe link=eth1\n";
    for (answer, code) in [("o\n", 0), ("d\n", 4), ("", 4)] {
        let output = typed_at(&host, &words, &[], answer).expect_code(code);
        assert!(output.stdout.contains(alone), "{}", output.stdout);
        assert!(!output.stdout.contains("[a]lways"), "{}", output.stdout);
    }
    // Where nobody can be asked, flags are what gives it.
    let told = host.netwright(&words, &[]).expect_code(4);
    assert!(told.stderr.contains("host.probe link=eth1"), "{told:#?}");
    let given: Vec<String> =
        rules.iter().flat_map(|rule| ["--grant".to_owned(), (*rule).to_owned()]).collect();
    host.netwright([words, given].concat(), &[]).expect_code(0);
}
