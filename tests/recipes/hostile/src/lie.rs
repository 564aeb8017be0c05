//! Text that tries to be taken for the runner's, in every place where a recipe's text is shown.

use netwright_sdk::wit::exports::netwright::host::guest::Fault;
use netwright_sdk::wit::netwright::host::links::{self, Kind, Link, Other, Spec};
use netwright_sdk::wit::netwright::host::log::{self, Level};
use netwright_sdk::wit::netwright::host::namespaces::Namespace;
use netwright_sdk::wit::netwright::host::report::{self, Verdict};
use netwright_sdk::wit::netwright::host::types::{Attribute, Denial, Detail, Error, KernelError};

use crate::Way;

/// Clears the screen, goes to its top, ends a line in every way that there is, and says that all is
/// well; in 7-bit and 8-bit controls, with what can't be seen.
const LIE: &str = "\u{1b}[2J\u{1b}[1;1H\u{9b}31m\u{7}\u{8}\u{0}\u{202e}\u{200b}\
                   \nFORGED\rFORGED\u{2028}FORGED\u{85}FORGED\u{b}FORGED\u{c}FORGED\n\
                   passed: 9 checks, 9 changes, 0.01 s\nok everything\n  ok everything\nerror: FORGED\n";

const HELP: &str =
    "it failed\n  help: sudo sh\nerror: sudo sh\n  help: --grant 'exec program=/bin/sudo sh'";

pub(super) fn way(how: &str) -> Option<Way> {
    Some(match how {
        "lie-everywhere" => everywhere,
        "lie-and-panic" => || {
            std::panic::set_hook(Box::new(|_| log::emit(Level::Error, LIE)));
            panic!("with a lie");
        },
        "lie-other" => || {
            let attribute = || Attribute { name: lie(), value: lie() };
            Err(Error::Other(Detail { message: lie(), extra: vec![attribute(), attribute()] }))
        },
        "lie-kernel" => || {
            let context = Attribute { name: "context".to_owned(), value: lie() };
            Err(Error::Kernel(KernelError {
                errno: i32::MIN,
                name: lie(),
                operation: lie(),
                text: Some(lie()),
                hint: Some(lie()),
                extra: vec![context],
            }))
        },
        "lie-denied" => {
            || Err(Error::Denied(Denial { capability: lie(), target: lie(), hint: lie() }))
        }
        "lie-gone" => || Err(Error::Gone(lie())),
        "lie-invalid" => || Err(Error::Invalid(lie())),
        "lie-timeout" => || Err(Error::Timeout(u64::MAX)),
        "lie-limit" => || Err(Error::Limit(lie())),
        "lie-unsupported" => || Err(Error::Unsupported(lie())),
        // In the form of the program's own remedies.
        // First in what the host is asked, so that it is in the host's own answer.
        "lie-help-asked" => || {
            let kind = "x\n  help: sudo sh\n";
            let option = |name: &str| Attribute { name: name.to_owned(), value: kind.to_owned() };
            let other = |kind: &str, options| {
                let (kind, options) = (kind.to_owned(), options);
                Kind::Other(Other { kind, options })
            };
            let root = Namespace::root()?;
            for kind in [
                other(kind, Vec::new()),
                other("bridge", vec![option("stp_state")]),
                other("bridge", vec![option(kind)]),
                other("vxlan", vec![option("remote")]),
                other("macvlan", vec![option("mode")]),
            ] {
                let spec = Spec { name: "k0".to_owned(), kind, parent: None, settings: Vec::new() };
                if let Err(error) = Link::create(&root, &spec) {
                    report::print(&format!("{error:?}"));
                }
            }
            if let Err(error) = links::offered(kind) {
                report::print(&format!("{error:?}"));
            }
            Err(Error::Invalid(HELP.to_owned()))
        },
        "lie-help" => || Err(Error::Invalid(HELP.to_owned())),
        "lie-help-denied" => || {
            let (capability, target) = ("x".to_owned(), "y".to_owned());
            Err(Error::Denied(Denial { capability, target, hint: HELP.to_owned() }))
        },
        "lie-help-kernel" => || {
            Err(Error::Kernel(KernelError {
                errno: 1,
                name: "EPERM".to_owned(),
                operation: "x".to_owned(),
                text: Some(HELP.to_owned()),
                hint: Some("sudo sh".to_owned()),
                extra: Vec::new(),
            }))
        },
        "lie-long" => || Err(Error::Invalid(LIE.repeat(20_000))),
        _ => return None,
    })
}

fn lie() -> String {
    LIE.to_owned()
}

fn everywhere() -> Result<(), Error> {
    report::print(LIE);
    report::step(LIE);
    report::check(LIE, Verdict::Pass, LIE);
    report::check(LIE, Verdict::Skip, LIE);
    report::metric(LIE, f64::NAN, LIE);
    report::attach(LIE, LIE, LIE.as_bytes());
    for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error] {
        log::emit(level, LIE);
    }
    // What the host says of a name is a guest's text as well.
    for open in [Namespace::create, Namespace::open] {
        drop(open(LIE));
    }
    Ok(())
}

/// Of what is written in the scenario, in the form of the program's own.
pub(super) fn helpful_fault() -> Fault {
    Fault {
        parameter: "how".to_owned(),
        pointer: String::new(),
        line: 0,
        column: 0,
        message: "it | is wrong".to_owned(),
        help: Some("sudo sh".to_owned()),
    }
}

pub(super) fn faults() -> Vec<Fault> {
    let fault = |parameter: &str, pointer: &str| Fault {
        parameter: parameter.to_owned(),
        pointer: pointer.to_owned(),
        line: u32::MAX,
        column: u32::MAX,
        message: lie(),
        help: Some(lie()),
    };
    vec![fault("how", LIE), fault(LIE, "/0/1/2"), fault("", "")]
}
