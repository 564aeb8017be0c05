//! docs/ip.md says what is taken and what is not: each of its examples is read here.

const DOCUMENT: &str = include_str!("../../../../docs/ip.md");

/// The cells of the tables whose first column is called so.
fn rows(column: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in DOCUMENT.lines() {
        let cells = cells(line);
        match cells.as_slice() {
            [first, ..] if first.starts_with("---") => {}
            [first, _] if *first == "taken" || *first == "not taken" => inside = first == column,
            [first, second] if inside => found.push((first.clone(), second.clone())),
            _other => inside = false,
        }
    }
    found
}

fn cells(line: &str) -> Vec<String> {
    let Some(line) = line.strip_prefix("| ").or_else(|| line.strip_prefix('|')) else {
        return Vec::new();
    };
    let line = line.trim_end().trim_end_matches('|').replace("\\|", "\u{1}");
    line.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

fn example(cell: &str) -> &str {
    cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).expect("an example in backticks")
}

#[test]
fn what_is_said_to_be_taken_is_taken() {
    let rows = rows("taken");
    assert!(rows.len() > 40, "{} rows", rows.len());
    for (_, cell) in rows {
        let example = example(&cell);
        let read = recipe_ip::parse(example);
        assert!(read.is_ok_and(|statements| !statements.is_empty()), "{example}");
    }
}

#[test]
fn what_is_said_not_to_be_taken_is_refused_with_these_words() {
    let rows = rows("not taken");
    assert!(rows.len() > 100, "{} rows", rows.len());
    let mut wrong = Vec::new();
    for (cell, said) in rows {
        let example = example(&cell);
        let faults = recipe_ip::parse(example).expect_err(example);
        let fault = &faults[0];
        let words = match &fault.help {
            Some(help) => format!("{}: {help}", fault.message),
            None => fault.message.clone(),
        };
        if said != words {
            wrong.push(format!("{example}\t{words}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
