//! The page about errors has every code, as it is.

use keystile_api::problem::ErrorCode;

#[test]
fn the_table_of_errors_is_what_the_api_answers() {
    let page = include_str!("../../../../docs/errors.md");
    let is_row = |line: &&str| line.starts_with("| ") && line.contains(" | `");
    let documented: Vec<_> = page.lines().filter(is_row).collect();
    let row =
        |code: &ErrorCode| format!("| {} | `{}` | {} |", code.status(), code.as_str(), code.text());
    let known: Vec<_> = ErrorCode::ALL.iter().map(row).collect();
    assert_eq!(documented, known, "write it as\n{}\n", known.join("\n"));
}
