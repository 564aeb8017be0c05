//! How the tables of these tests are written.

#![allow(dead_code, reason = "each test file has its own kind of table")]

/// `> ` and a script, then the whole of what is wrong with it.
pub(crate) fn refused(table: &str) {
    let mut wrong = Vec::new();
    for case in table.split("\n> ").filter(|case| !case.trim().is_empty()) {
        let (script, wanted) = case.split_once('\n').expect("a message under each script");
        let found = match recipe_ip::parse(script) {
            Ok(statements) => format!("accepted: {statements:?}"),
            Err(faults) => faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        if found != wanted.trim_end() {
            wrong.push(format!("{script}\n--- wanted\n{wanted}\n--- found\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn meaning(script: &str) -> String {
    match recipe_ip::parse(script) {
        Ok(statements) => {
            let meant: Vec<_> = statements
                .iter()
                .map(|statement| format!("{:?} {:?}", statement.places, statement.command))
                .collect();
            meant.join("\n")
        }
        Err(faults) => {
            faults.iter().map(|fault| format!("refused: {fault}")).collect::<Vec<_>>().join("\n")
        }
    }
}

/// `TYPED = IN FULL` on each line.
pub(crate) fn same(table: &str) {
    let mut wrong = Vec::new();
    let lines = table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let (typed, full) = line.split_once(" = ").expect("two commands on each line");
        let (found, wanted) = (meaning(typed), meaning(full));
        if found != wanted || found.contains("refused") {
            wrong.push(format!("{typed}\n{found}\n{full}\n{wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
