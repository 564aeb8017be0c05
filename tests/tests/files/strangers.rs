//! In a user namespace everybody who has no number there is shown by one and the same: nobody of
//! those is taken for root or for this user.

use super::*;

use std::process::Stdio;

const USER: u32 = 1500;
const STRANGER: u32 = 12_345;
/// Allows nothing that is known: whoever reads it says so.
const POLICY: &str = "allow: [nonsense]\n";

/// Two folders in the one for all: the user's, and a stranger's with something of the user's in it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::Builder::new().tempdir_in("/tmp").unwrap();
        let place = Self { folder };
        for (name, owner) in [
            ("home", USER),
            ("home/runtime", USER),
            ("home/.config", USER),
            ("home/.config/netwright", USER),
            ("theirs", STRANGER),
            ("theirs/home", USER),
            ("theirs/home/.config", USER),
            ("theirs/home/.config/netwright", USER),
            ("theirs/runtime", USER),
        ] {
            fs::create_dir(place.path(name)).unwrap();
            place.give(name, owner);
            fs::set_permissions(place.path(name), Permissions::from_mode(0o755)).unwrap();
        }
        for name in ["home/runtime", "theirs/runtime"] {
            fs::set_permissions(place.path(name), Permissions::from_mode(0o700)).unwrap();
        }
        place.file("home/precious", SECRET, USER);
        // The level above all of it is this user's, so that what follows is about the others.
        place.give("", USER);
        fs::set_permissions(place.folder.path(), Permissions::from_mode(0o755)).unwrap();
        fs::copy(netwright_tests::program(), place.path("netwright")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: &str, owner: u32) {
        fs::write(self.path(name), content).unwrap();
        self.give(name, owner);
    }

    fn give(&self, name: &str, owner: u32) {
        chown(self.path(name), Some(owner), Some(owner)).expect("the tests run as root");
    }

    /// As the user, in a user namespace with this map of numbers.
    fn run(&self, map: &[&str], words: &[&str], variables: &[(&str, &str)]) -> Output {
        let id = USER.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &id, "--regid", &id, "--clear-groups", "unshare", "--user"]);
        command.args(map).arg(self.path("netwright")).args(words).stdin(Stdio::null());
        command.current_dir(self.path("home")).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin");
        command.env("HOME", self.path("home"));
        command.env("NETWRIGHT_RUNTIME_DIR", self.path("home/runtime"));
        for (name, value) in variables {
            command.env(name, self.path(value));
        }
        command.output().unwrap().into()
    }
}

const RUN: [&str; 4] = ["run", "builtin:ip", "-p", "script=link show"];
const AS_ROOT: &[&str] = &["--map-root-user"];
/// Strangers have the number that the user has.
const AS_NOBODY: &[&str] = &["--map-user=65534", "--map-group=65534"];

#[test]
fn no_stranger_of_a_user_namespace_passes_for_root() {
    let place = Place::new();
    // What is the user's, below root's folders, serves as ever.
    place.run(AS_ROOT, &RUN, &[]).expect_code(0);
    assert!(fs::read_dir(place.path("home/.cache/netwright/recipes")).unwrap().count() > 0);
    place.file("home/.config/netwright/policy.yaml", POLICY, USER);
    let read = place.run(AS_ROOT, &RUN, &[]).expect_code(2);
    assert!(read.stderr.contains("unknown capability `nonsense`"), "{read:?}");
    fs::remove_file(place.path("home/.config/netwright/policy.yaml")).unwrap();
    // A policy that a stranger can take away, or has written.
    place.file("theirs/home/.config/netwright/policy.yaml", POLICY, USER);
    let unknown = "a user who has no number in this user namespace";
    let refused = place.run(AS_ROOT, &RUN, &[("HOME", "theirs/home")]).expect_code(2);
    assert!(refused.stderr.contains(&format!("theirs` belongs to {unknown}")), "{refused:?}");
    place.file("home/.config/netwright/policy.yaml", POLICY, STRANGER);
    for map in [AS_ROOT, AS_NOBODY] {
        let refused = place.run(map, &RUN, &[]).expect_code(2);
        assert!(refused.stderr.contains(&format!("belongs to {unknown}")), "{refused:?}");
    }
    fs::remove_file(place.path("home/.config/netwright/policy.yaml")).unwrap();
    // Records of labs where a stranger can move them away.
    let elsewhere = [("NETWRIGHT_RUNTIME_DIR", "theirs/runtime")];
    let refused = place.run(AS_ROOT, &["ls"], &elsewhere).expect_code(8);
    assert!(refused.stderr.contains(unknown), "{refused:?}");
    place.run(AS_ROOT, &["ls"], &[]).expect_code(0);
}

#[test]
fn no_link_of_a_stranger_is_followed_in_a_user_namespace() {
    let place = Place::new();
    symlink(place.path("home"), place.path("theirs/way")).unwrap();
    Command::new("chown")
        .args(["-h", "12345:12345"])
        .arg(place.path("theirs/way"))
        .status()
        .unwrap();
    for flag in ["--events", "--junit", "--record-grants", "--artifacts"] {
        let name = if flag == "--artifacts" { "theirs/way/folder" } else { "theirs/way/precious" };
        let path = place.path(name).display().to_string();
        let words = [&RUN[..], &[flag, &path]].concat();
        for map in [AS_ROOT, AS_NOBODY] {
            let refused = place.run(map, &words, &[]).expect_code(2);
            assert!(refused.stderr.contains("is a symbolic link"), "{flag}: {refused:?}");
        }
        is_untouched(&place.path("home/precious"));
        assert!(!place.path("home/folder").exists());
    }
}

/// Who has no number there can't tell what is theirs.
#[test]
fn who_has_no_number_owns_nothing() {
    let place = Place::new();
    for map in [&[][..], AS_NOBODY] {
        let refused = place.run(map, &["ls"], &[]).expect_code(8);
        assert!(refused.stderr.contains("a user who has no number"), "{refused:?}");
    }
    place.give("home", STRANGER);
    place.give("home/runtime", STRANGER);
    fs::set_permissions(place.path("home/runtime"), Permissions::from_mode(0o777)).unwrap();
    for map in [&[][..], AS_NOBODY, AS_ROOT] {
        place.run(map, &["ls"], &[]).expect_code(8);
    }
}

/// A lab is a user namespace, too: what is below root's folders outside is used inside, without what
/// is below a stranger's.
#[test]
fn what_was_roots_before_a_lab_was_entered_is_roots_inside() {
    let session = Session::as_ordinary_user();
    session.netwright(RUN).expect_code(0);
    let cache = session.path("home/.cache/netwright/recipes");
    assert!(fs::read_dir(&cache).unwrap().count() > 0, "below a folder of root's");
    let other = Session::as_ordinary_user();
    chown(other.path(""), Some(STRANGER), Some(STRANGER)).unwrap();
    other.netwright(RUN).expect_code(0);
    assert!(!other.path("home/.cache/netwright/recipes").exists(), "below a stranger's folder");
}
