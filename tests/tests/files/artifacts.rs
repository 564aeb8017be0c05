//! The folder of artifacts: a recipe's files are beside the program's, the operator's and other
//! steps', and never in their place.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::process::Command;

use netwright_network::shell::Word;
use netwright_tests::{Host, Output, program};

use super::SECRET;

/// `knock` attaches a file of its own name.
const NAME: &str = "knock";

struct Folder {
    host: Host,
    recipe: String,
}

impl Folder {
    fn new() -> Self {
        let host = Host::new();
        let recipe = "target/recipes/components/knock.wasm";
        let recipe = host.session().bring(recipe).display().to_string();
        host.session().folder("kept");
        Self { host, recipe }
    }

    fn path(&self, name: &str) -> String {
        self.host.session().path(name).display().to_string()
    }

    fn run(&self, words: &[&str]) -> Output {
        let kept = self.path("kept");
        let first = ["run", &self.recipe, "--target", "host", "--artifacts", &kept];
        let words: Vec<&str> = first.into_iter().chain(words.iter().copied()).collect();
        self.host.netwright(words, &[])
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path(&format!("kept/{NAME}"))).unwrap()
    }
}

fn is_refused(output: &Output, why: &str) {
    let warning = format!("warning: attachment `{NAME}` was not kept: {why}\n");
    assert!(output.stderr.contains(&warning), "{output:?}");
}

#[test]
fn what_the_program_writes_is_no_recipes_to_write() {
    let folder = Folder::new();
    let ours = "netwright itself writes that file";
    for (flag, begins) in [("--junit", "<?xml"), ("--events", "{\""), ("--record-grants", "")] {
        // However it is spelled.
        for file in ["kept/knock", "kept/../kept/./knock"] {
            let output = folder.run(&[flag, &folder.path(file)]).expect_code(0);
            is_refused(&output, ours);
            let text = folder.text();
            assert!(text.starts_with(begins) && text != NAME, "{flag}: {text}");
        }
        fs::remove_file(folder.path("kept/knock")).unwrap();
    }
    // By a shell, too: its file is there before.
    let kept = folder.path("kept");
    let words = ["run", &folder.recipe, "--target", "host", "--artifacts", &kept, "--json"];
    let words: Vec<_> = words.iter().map(|word| Word(word).to_string()).collect();
    let script = format!("exec \"$0\" {} >{}", words.join(" "), Word(&folder.path("kept/knock")));
    let mut inner = Command::new("sh");
    inner.arg("-c").arg(script).arg(program());
    let output: Output = folder.host.command(&inner).output().unwrap().into();
    is_refused(&output.expect_code(0), ours);
    assert!(folder.text().starts_with('{'));
}

#[test]
fn what_was_there_is_replaced_only_where_a_recipe_attached_it() {
    let folder = Folder::new();
    let before = "it was there before, and no recipe attached it";
    let file = folder.path("kept/knock");
    fs::write(&file, SECRET).unwrap();
    is_refused(&folder.run(&[]).expect_code(0), before);
    assert_eq!(folder.text(), SECRET);
    fs::remove_file(&file).unwrap();
    for _ in 0..2 {
        let output = folder.run(&[]).expect_code(0);
        assert!(!output.stderr.contains("was not kept"), "{output:?}");
        assert_eq!(folder.text(), NAME);
    }
    // A policy that the operator has recorded since, or wrote over it.
    folder.host.netwright(["run", &folder.recipe, "--record-grants", &file], &[]).expect_code(0);
    is_refused(&folder.run(&[]).expect_code(0), before);
    fs::remove_file(&file).unwrap();
    folder.run(&[]).expect_code(0);
    fs::write(&file, SECRET).unwrap();
    is_refused(&folder.run(&[]).expect_code(0), before);
    assert_eq!(folder.text(), SECRET);
}

/// Anybody can make a list in a folder that others may use, and name any file there in it.
#[test]
fn a_list_of_attachments_is_believed_where_it_is_this_users_alone() {
    let folder = Folder::new();
    let kept = folder.path("kept");
    fs::set_permissions(&kept, Permissions::from_mode(0o1777)).unwrap();
    let (file, list) = (folder.path("kept/knock"), folder.path("kept/.netwright"));
    let write = |owner: u32, group: u32, mode: u32| {
        fs::write(&file, SECRET).unwrap();
        let about = fs::metadata(&file).unwrap();
        let changed = format!("{}.{:09}", about.mtime(), about.mtime_nsec());
        let line = format!("{NAME} {} {} {changed}\n", about.ino(), about.len());
        let _ = fs::remove_file(&list);
        fs::write(&list, line).unwrap();
        chown(&list, Some(owner), Some(group)).unwrap();
        fs::set_permissions(&list, Permissions::from_mode(mode)).unwrap();
    };
    let before = "it was there before, and no recipe attached it";
    for (owner, group, mode) in
        [(65534, 65534, 0o644), (65534, 0, 0o600), (0, 65534, 0o664), (0, 0, 0o646)]
    {
        write(owner, group, mode);
        is_refused(&folder.run(&[]).expect_code(0), before);
        assert_eq!(folder.text(), SECRET, "a list of {owner}:{group} {mode:o}");
    }
    // One that has another name as well may be meant for another folder.
    write(0, 0, 0o644);
    fs::hard_link(&list, folder.path("kept/another")).unwrap();
    is_refused(&folder.run(&[]).expect_code(0), before);
    assert_eq!(folder.text(), SECRET);
    for mode in [0o644, 0o600, 0o664] {
        write(0, 0, mode);
        let output = folder.run(&[]).expect_code(0);
        assert!(!output.stderr.contains("was not kept"), "{output:?}");
        assert_eq!(folder.text(), NAME);
    }
}

#[test]
fn one_step_does_not_write_over_another_ones_files() {
    let folder = Folder::new();
    let recipe = &folder.recipe;
    let text = format!(
        "name: t\ntarget: host\nsteps: [{{ name: a, recipe: {recipe} }}, {{ name: b, recipe: {recipe} }}]\n"
    );
    folder.host.session().file("s.yaml", text);
    let (scenario, kept) = (folder.path("s.yaml"), folder.path("kept"));
    let words = ["run", &scenario, "--artifacts", &kept];
    let output = folder.host.netwright(words, &[]).expect_code(0);
    is_refused(&output, "another step has kept a file of that name");
}

#[test]
fn two_flags_do_not_write_one_file() {
    let folder = Folder::new();
    let file = folder.path("kept/x");
    let again = folder.path("kept/../kept/x");
    let output = folder.run(&["--junit", &file, "--events", &again]).expect_code(2);
    let expected = format!("error: --junit: can't write `{file}`: another flag names that file\n");
    assert_eq!(output.stderr, expected);
    folder.run(&["--junit", "/dev/null", "--events", "/dev/null"]).expect_code(0);
}

#[test]
fn nothing_is_attached_where_policies_are() {
    let folder = Folder::new();
    folder.host.session().folder("config");
    let policies = folder.host.session().folder("config/netwright");
    let kept = policies.display().to_string();
    let words = ["run", &folder.recipe, "--target", "host", "--artifacts", &kept];
    let config = folder.path("config");
    let output = folder.host.netwright(words, &[("XDG_CONFIG_HOME", &config)]).expect_code(2);
    let expected = format!("error: --artifacts: can't use `{kept}`: policies are there\n");
    assert_eq!(output.stderr, expected);
}

#[test]
fn nothing_is_attached_where_netwright_keeps_its_own() {
    let folder = Folder::new();
    // So that all of them are there.
    folder.run(&[]).expect_code(0);
    let cache = folder.host.session().folder("cache");
    let config = folder.host.session().folder("config");
    fs::create_dir_all(cache.join("netwright/recipes")).unwrap();
    fs::create_dir_all(config.join("netwright/grants")).unwrap();
    let (cache, config) = (cache.display().to_string(), config.display().to_string());
    let runtime = folder.path("runtime");
    for (own, what) in [
        (format!("{cache}/netwright/recipes"), "machine code of recipes is there"),
        (format!("{config}/netwright/grants"), "answers that are remembered are there"),
        (runtime.clone(), "records of labs and runs are there"),
        (format!("{runtime}/labs"), "records of labs and runs are there"),
        (format!("{runtime}/runs"), "records of labs and runs are there"),
        (format!("{runtime}/../runtime/./names"), "records of labs and runs are there"),
    ] {
        fs::create_dir_all(&own).unwrap();
        let words = ["run", &folder.recipe, "--artifacts", &own];
        let variables = [("XDG_CACHE_HOME", cache.as_str()), ("XDG_CONFIG_HOME", &config)];
        let output = folder.host.netwright(words, &variables).expect_code(2);
        let expected = format!("error: --artifacts: can't use `{own}`: {what}\n");
        assert_eq!(output.stderr, expected);
    }
}

/// An output that is an input is a slip, and the input would be lost.
#[test]
fn no_output_takes_the_place_of_what_a_command_reads() {
    let session = netwright_tests::Session::new();
    let text = "name: x\nparams: { s: link show }\nsteps: [{ recipe: 'builtin:ip', params: { script: \"${s}\" } }]\n";
    session.file("a.yaml", text);
    session.file("s.ip", "link show\n");
    fs::hard_link(session.path("a.yaml"), session.path("hard.yaml")).unwrap();
    fs::create_dir(session.path("folder")).unwrap();
    let recipe = session.bring("target/recipes/components/knock.wasm");
    fs::rename(recipe, session.path("k.wasm")).unwrap();
    session.file("k.yaml", "name: k\nsteps: [{ recipe: k.wasm }]\n");
    for (words, input) in [
        (vec!["plan", "a.yaml", "--out", "a.yaml"], "a.yaml"),
        (vec!["plan", "a.yaml", "--out", "folder/../a.yaml"], "a.yaml"),
        (vec!["plan", "a.yaml", "--out", "hard.yaml"], "a.yaml"),
        (vec!["plan", "a.yaml", "-p", "s=@s.ip", "--out", "./s.ip"], "s.ip"),
        (vec!["run", "a.yaml", "--junit", "a.yaml"], "a.yaml"),
        (vec!["run", "a.yaml", "-p", "s=@s.ip", "--events", "s.ip"], "s.ip"),
        (vec!["run", "a.yaml", "--record-grants", "a.yaml"], "a.yaml"),
        (vec!["run", "k.yaml", "--junit", "k.wasm"], "k.wasm"),
        (vec!["run", "k.wasm", "--events", "k.wasm"], "k.wasm"),
    ] {
        let before = fs::read(session.path(input)).unwrap();
        let output = session.netwright(&words).expect_code(2);
        assert!(output.stderr.contains("this command reads that file"), "{words:?}: {output:?}");
        assert_eq!(fs::read(session.path(input)).unwrap(), before, "{words:?}");
    }
    let output = session.netwright(["run", "a.yaml", "--junit", "j.xml/"]).expect_code(2);
    assert!(output.stderr.contains("it is the name of a folder"), "{output:?}");
    assert!(!session.path("j.xml").exists());
    session.netwright(["run", "a.yaml", "--junit", "j.xml"]).expect_code(0);
}
