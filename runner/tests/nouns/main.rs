//! Every noun that a recipe can change, through `plan` and `apply`: what a scenario has otherwise,
//! what somebody altered by hand, and what it has no longer.

mod case;
mod order;

use netwright::state::Kind;
use netwright_tests::{Host, Lab, Output, Session};
use std::fmt::Write as _;
use std::fs;

use self::case::{BASE, Case, cases};

const NAME: &str = "nouns";

/// For all that the cases do on a host.
const GRANTS: &[&str] = &[
    "host.link.read",
    "host.link.create kind=bridge,veth,vxlan name=lab-*",
    "host.link.create kind=veth name=lab-* mtu=1000-1500",
    "host.address.add cidr=10.0.0.0/16 link=lab-*",
    "host.route.add cidr=10.9.0.0/16 link=lab-*",
    "host.route.add cidr=10.0.1.0/24 table=9",
    "host.route.add cidr=10.0.1.0/24 table=10",
    "host.namespace name=lab-*",
    "host.sysctl key=net.ipv4.tcp_keepalive_time,net.ipv4.ip_local_port_range",
    "host.sysctl key=net.ipv4.conf.lab-f.arp_ignore",
];

/// Where a scenario is deployed, and asked about by other tools.
enum Place<'a> {
    Lab(&'a Session, Lab<'a>),
    Host(&'a Host),
}

impl Place<'_> {
    fn session(&self) -> &Session {
        match self {
            Self::Lab(session, _) => session,
            Self::Host(host) => host.session(),
        }
    }

    fn write(&self, lines: &str) {
        let target = match self {
            Self::Lab(..) => "lab",
            Self::Host(_) => "host",
        };
        let mut text = format!(
            "name: {NAME}\ntarget: {target}\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n"
        );
        for line in BASE.lines().chain(lines.lines()) {
            writeln!(text, "        {line}").expect("memory");
        }
        fs::write(self.session().path("nouns.yaml"), text).expect("the folder is the test's own");
    }

    fn netwright(&self, words: &[&str], variables: &[(&str, &str)]) -> Output {
        let file = self.session().path("nouns.yaml").display().to_string();
        let mut all: Vec<&str> = words.to_vec();
        if !words.contains(&"--plan") {
            all.push(&file);
        }
        match self {
            Self::Lab(session, _) => {
                let mut command = session.command(all);
                command.envs(variables.iter().copied());
                command.output().expect("the program").into()
            }
            Self::Host(host) => {
                all.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
                host.netwright(all, variables)
            }
        }
    }

    fn shell(&self, line: &str) -> Output {
        match self {
            Self::Lab(_, lab) => lab.exec(None, ["sh", "-ec", line]),
            Self::Host(host) => host.run("sh", ["-ec", line]),
        }
    }

    fn shown(&self, case: &Case) -> String {
        // A search that finds nothing is none that failed.
        self.shell(&format!("{{ {}; }} || true", case.shown)).expect_code(0).stdout
    }

    /// The differences that a plan tells, in any order, and that there are some.
    #[track_caller]
    fn differs(&self, expected: &str, case: &Case) {
        let planned = self.netwright(&["plan", "--exit-code"], &[]);
        assert_eq!(planned.code, 3, "{case:#?}\n{planned:#?}");
        let mut lines: Vec<&str> = planned.stdout.lines().collect();
        let summary = lines.pop().unwrap_or_default();
        assert_eq!(summary.contains("mended in place"), case.is_mended, "{summary}");
        lines.sort_unstable();
        let expected = match self {
            Self::Lab(..) => expected.replace(" protocol BOOT", "").replace("BOOT", "3"),
            // A host's routes and rules are netwright's own.
            Self::Host(_) => expected.replace("BOOT", "110"),
        };
        let mut wanted: Vec<&str> = expected.lines().collect();
        wanted.sort_unstable();
        assert_eq!(lines, wanted, "{planned:#?}");
    }

    #[track_caller]
    fn apply(&self) {
        self.netwright(&["apply", "-q"], &[]).expect_code(0);
        let planned = self.netwright(&["plan", "--exit-code"], &[]);
        assert_eq!((planned.code, planned.stdout.as_str()), (0, "nouns: 0 changes\n"));
    }

    /// From nothing over two states and a drift back to nothing; each state is as a second tool
    /// tells of a deployment that never was another.
    fn goes_through(&self, case: &Case) {
        self.write("");
        self.apply();
        let none = self.shown(case);
        self.write(case.made);
        self.differs(case.missing, case);
        self.is_undone(case, &none);
        self.apply();
        let made = self.shown(case);
        assert_ne!(made, none, "{case:#?}");
        self.write(case.altered);
        self.differs(case.other, case);
        self.is_undone(case, &made);
        self.apply();
        let altered = self.shown(case);
        assert_ne!(altered, made, "{case:#?}");
        self.shell(case.by_hand).expect_code(0);
        assert_ne!(self.shown(case), altered, "{case:#?}");
        self.differs(case.drifted, case);
        self.apply();
        assert_eq!(self.shown(case), altered, "{case:#?}");
        self.write("");
        self.differs(case.extra, case);
        self.is_undone(case, &altered);
        self.apply();
        assert_eq!(self.shown(case), none, "{case:#?}");
        self.write(case.altered);
        if let (Self::Lab(..), true) = (self, case.is_mended) {
            self.follows_commands(case);
            assert_eq!(self.shown(case), altered, "{case:#?}");
            self.write("");
            self.apply();
            self.write(case.altered);
        }
        self.apply_as_saved(case);
        assert_eq!(self.shown(case), altered, "{case:#?}");
    }

    /// Whichever change of a mend fails, all is as it was.
    #[track_caller]
    fn is_undone(&self, case: &Case, before: &str) {
        if !case.is_mended {
            return;
        }
        let file = self.session().path("nouns.plan").display().to_string();
        self.netwright(&["plan", "--out", &file], &[]).expect_code(0);
        let count = self.netwright(&["plan", "--json"], &[]).json()["changes"].clone();
        let count = count.as_array().map_or(0, Vec::len);
        assert!(count > 0, "{case:#?}");
        for k in 1..=count {
            let k = k.to_string();
            let variables = [("NETWRIGHT_FAIL_AT", k.as_str())];
            let output = self.netwright(&["apply", "--plan", &file], &variables);
            assert_eq!(output.code, 5, "change {k} of {case:#?}\n{output:#?}");
            assert_eq!(self.shown(case), before, "change {k} of {case:#?}");
        }
    }

    /// What `--as ip` prints is taken by the tools that it names, and does the same.
    #[track_caller]
    fn follows_commands(&self, case: &Case) {
        let commands = self.netwright(&["plan", "--as", "ip"], &[]).expect_code(0).stdout;
        assert!(!commands.is_empty(), "{case:#?}");
        self.shell(&commands).expect_code(0);
        let planned = self.netwright(&["plan"], &[]).expect_code(0).stdout;
        assert_eq!(planned, "nouns: 0 changes\n", "{commands}");
    }

    /// A saved plan holds all of it, and is of a state that was.
    #[track_caller]
    fn apply_as_saved(&self, case: &Case) {
        let file = self.session().path("nouns.plan").display().to_string();
        self.netwright(&["plan", "--out", &file], &[]).expect_code(0);
        self.netwright(&["apply", "--plan", &file], &[]).expect_code(0);
        let stale = self.netwright(&["apply", "--plan", &file], &[]);
        assert_eq!(stale.code, 2, "{case:#?}\n{stale:#?}");
        assert!(stale.stderr.contains("the plan is out of date"), "{stale:#?}");
    }
}

/// Killed with its watcher in the middle of a mend of every noun: `gc` makes all of it what it was.
#[test]
fn a_mend_of_every_noun_that_is_killed_is_taken_back() {
    let all: Vec<Case> =
        Kind::ALL.iter().filter_map(|kind| cases(*kind).into_iter().next()).collect();
    let mended = || all.iter().filter(|case| case.is_mended);
    let host = Host::new();
    let place = Place::Host(&host);
    let shown = || mended().map(|case| place.shown(case)).collect::<String>();
    place.write(&mended().map(|case| case.made).collect::<String>());
    place.apply();
    let made = shown();
    place.write(&mended().map(|case| case.altered).collect::<String>());
    let mut moments = 0;
    for moment in (1..).step_by(4) {
        let text = format!("{moment}");
        let victims = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", text.as_str())];
        let output = place.netwright(&["apply", "-q"], &victims);
        if output.code == 0 {
            break;
        }
        assert_eq!(output.code, 128 + 9, "{moment}: {output:#?}");
        host.netwright(["gc"], &[]).expect_code(0);
        if place.netwright(&["plan", "--exit-code"], &[]).code == 0 {
            // It was kept already.
            break;
        }
        assert_eq!(shown(), made, "{moment}");
        moments += 1;
    }
    assert!(moments >= 5, "only {moments} moments");
    place.apply();
    assert_ne!(shown(), made);
}

/// Each noun's cases, one after the other.
fn for_each_case(work: impl Fn(&Case)) {
    for kind in Kind::ALL {
        cases(*kind).iter().for_each(&work);
    }
}

#[test]
fn a_lab_is_mended_in_every_noun() {
    for_each_case(|case| {
        let session = Session::new();
        let lab = session.deployed(NAME);
        Place::Lab(&session, lab).goes_through(case);
    });
}

#[test]
fn a_host_is_mended_in_every_noun() {
    for_each_case(|case| {
        if !case.is_on_host {
            return;
        }
        let host = Host::new();
        let before = host.state();
        let place = Place::Host(&host);
        place.goes_through(case);
        host.netwright(["destroy", NAME], &[]).expect_code(0);
        assert_eq!(host.differences(&before), [""; 0], "{case:#?}");
    });
}
