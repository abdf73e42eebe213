//! Completion in real shells, and the manual.

use std::process::{Command, Stdio};

use oriel_testkit::{farm::Farm, processes::program};

use super::command_line::Terminal;

/// Runs a script in a shell that finds the program in its path.
fn run(terminal: &Terminal, shell: &str, arguments: &[&str], script: &str) -> String {
    let program = program().unwrap();
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let mut command = terminal.command(&[]);
    let own = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let own: Vec<_> = own.collect();
    command = Command::new(shell);
    command.args(arguments).arg(script).env_clear().envs(own).env("PATH", path);
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{shell}: {error}"));
    let (out, error) = super::command_line::texts(&output);
    assert!(output.status.success(), "{shell}: {out}{error}");
    assert!(error.is_empty(), "{shell} complains: {error}");
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shells_complete_commands_kinds_fields_and_names() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    oriel.works("pool create Laboratory").await;
    tokio::task::spawn_blocking(move || {
        // What bash does when the user presses the tab key after these words.
        let bash = |words: &str| {
            let script = format!(
                "source <(oriel completion bash); line=({words}); COMP_WORDS=(\"${{line[@]}}\"); \
                 COMP_CWORD=$((${{#line[@]}} - 1)); COMP_TYPE=9; \
                 $(complete -p oriel | sed 's/.*-F \\([^ ]*\\).*/\\1/') oriel \"${{line[-1]}}\" \"\"; \
                 printf '%s\\n' \"${{COMPREPLY[@]}}\""
            );
            run(&oriel, "bash", &["--norc", "-c"], &script)
        };
        for (words, offered) in [
            ("oriel ap", "apply"),
            ("oriel get polic", "policy"),
            ("oriel get pool Labo", "Laboratory"),
            ("oriel pool show Labo", "Laboratory"),
            ("oriel set pool Laboratory settings.max_", "settings.max_sessions="),
            ("oriel explain resource target.sou", "target.source"),
        ] {
            let answer = bash(words);
            assert!(answer.contains(offered), "{words}: {offered} is not offered: {answer}");
        }
        let zsh = "autoload -U compinit; compinit -u -D; source <(oriel completion zsh); print -r -- ${_comps[oriel]}";
        assert!(!run(&oriel, "zsh", &["-f", "-c"], zsh).trim().is_empty(), "zsh knows no completion for oriel");
        let fish = "oriel completion fish | source; complete -C 'oriel get pool Labo'";
        assert!(run(&oriel, "fish", &["--no-config", "-c"], fish).contains("Laboratory"));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manual_has_a_page_for_every_command() {
    let farm = Farm::broker_only().await;
    let oriel = Terminal::new(&farm);
    oriel.works("manual man").await;
    let folder = farm.directory().join("man");
    let page = |name: &str| {
        std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    assert!(page("oriel.1").contains("there is no such object"), "exit codes are in the manual");
    for name in ["oriel-apply.1", "oriel-get.1", "oriel-pool-create.1", "oriel-resource-publish-document.1"] {
        assert!(page(name).starts_with(".ie"), "{name} is no manual page");
    }
}
