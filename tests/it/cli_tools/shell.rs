//! `completions` and `man`: what they print is what a shell and `man` take.

use std::process::Command;

use acceptance::{Part, keystile, scratch};

#[test]
fn bash_completes_commands_flags_and_values() {
    let complete = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        let script = format!(
            "source <({} completions bash); COMP_WORDS=({line}); COMP_CWORD={}; _keystile; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            keystile().display(),
            words.len() - 1,
        );
        let script = script.replace("_keystile;", "_keystile keystile \"${COMP_WORDS[-1]}\" x;");
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(complete("keystile ke").lines().any(|word| word == "keys"));
    assert!(complete("keystile keys li").lines().any(|word| word == "list"));
    assert!(complete("keystile keys list --na").lines().any(|word| word == "--name"));
}

#[test]
fn fish_and_zsh_take_the_completions() {
    if !Part::Shells.or_skip() {
        return;
    }
    let home = scratch::directory("shells");
    let run = |shell: &str, script: &str| {
        let script = script.replace("keystile completions", "$KEYSTILE completions");
        let mut shell = Command::new(shell);
        shell.args(["-c", &script]).env("KEYSTILE", keystile()).env("HOME", &home);
        let output = shell.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let fish = "keystile completions fish | source; complete -C 'keystile profiles '";
    let offered = run("fish", fish);
    assert!(offered.lines().any(|line| line.starts_with("use\t")), "{offered}");
    let zsh = "autoload -Uz compinit; compinit -u -D; mkdir -p $HOME/functions; \
               keystile completions zsh > $HOME/functions/_keystile; fpath=($HOME/functions $fpath); \
               compinit -u -D; print $_comps[keystile]; autoload +X _keystile; whence -v _keystile";
    let loaded = run("zsh", zsh);
    assert!(loaded.starts_with("_keystile\n") && loaded.contains("function"), "{loaded}");
}

#[test]
fn there_are_completions_for_each_shell() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = Command::new(keystile()).args(["completions", shell]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("rotate"), "{shell}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let output = Command::new(keystile()).arg("man").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains(".TH keystile 1"));
    let folder = scratch::directory("man");
    let output = Command::new(keystile()).arg("man").arg(&folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for page in ["keystile.1", "keystile-keys-list.1", "keystile-import.1", "keystile-serve.1"] {
        assert!(folder.join(page).is_file(), "{page}");
    }
}
