//! The commands about this computer: ports, completions, manual pages.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Sim, fail, mqttat, succeed};

/// The commands, as `--help` lists them.
fn commands() -> Vec<String> {
    let help = succeed(mqttat().arg("--help"));
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<_> = names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect();
    assert!(names.len() > 8, "{help}");
    names
}

#[test]
fn ports_are_asked_who_they_are() {
    let sims =
        ["quectel", "simcom", "fibocom", "neoway"].map(|vendor| (vendor, Sim::start(&["--vendor", vendor])));
    let links = sims.iter().map(|(_, sim)| sim.link.to_str().unwrap());
    let nobody = "/dev/does-not-exist";
    let mut command = mqttat();
    command.args(["ports", "--probe", "--json", nobody]).args(links.clone());
    let objects: Vec<Value> =
        succeed(&mut command).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["port"], nobody);
    assert!(objects[0]["problem"].as_str().unwrap().contains("there is no port"), "{}", objects[0]);
    for ((vendor, _), object) in sims.iter().zip(&objects[1..]) {
        let told = object["module"]["vendor"].as_str().unwrap();
        assert!(told.eq_ignore_ascii_case(vendor), "{object}");
        assert!(object["module"]["model"].is_string() && object["module"]["imei"].is_string(), "{object}");
    }
    let shown = succeed(mqttat().args(["ports", "--probe"]).args(links));
    assert!(shown.contains("    Quectel: ") && shown.contains("    Neoway: "), "{shown}");
}

#[test]
fn asking_who_it_is_leaves_the_module_alone() {
    let sim = Sim::start(&[]);
    succeed(sim.mqttat().args(["at", "AT+QMTOPEN=0,\"b\",1883"]));
    succeed(mqttat().args(["ports", "--probe"]).arg(&sim.link));
    // Asked without the library, which would close it first.
    let modem = std::fs::OpenOptions::new().read(true).write(true).open(&sim.link).unwrap();
    use std::io::{BufRead, BufReader, Write};
    (&modem).write_all(b"AT+QMTOPEN?\r").unwrap();
    let answer =
        BufReader::new(&modem).lines().map(Result::unwrap).find(|line| line.starts_with("+QMTOPEN: "));
    assert!(answer.unwrap().starts_with("+QMTOPEN: 0,"), "the connection is still there");
}

#[test]
fn a_port_that_is_silent_is_given_up() {
    let (_master, name) = crate::support::mute_terminal();
    let shown = succeed(mqttat().args(["ports", "--probe", "--wait", "1", &name]));
    assert!(shown.contains("does not answer"), "{shown}");
}

#[test]
fn shells_learn_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = succeed(mqttat().args(["completions", shell]));
        for command in commands() {
            assert!(script.contains(&command), "{shell} does not know {command}");
        }
    }
    assert!(fail(2, mqttat().args(["completions", "tcsh"])).contains("bash"));
}

#[test]
fn bash_takes_the_completions() {
    let script = succeed(mqttat().args(["completions", "bash"]));
    let asked = format!(
        "{script}\nCOMP_WORDS=(mqttat pu); COMP_CWORD=1; _mqttat mqttat pu mqttat; echo ${{COMPREPLY[*]}}"
    );
    let Ok(output) = Command::new("bash").args(["-c", &asked]).stderr(Stdio::inherit()).output() else {
        return;
    };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "pub");
}

#[test]
fn there_is_a_manual_page_for_every_command() {
    let whole = succeed(mqttat().arg("man"));
    assert!(whole.contains(".TH mqttat 1") && whole.contains("mqttat\\-pub(1)"), "{whole}");
    let folder = tempfile::tempdir().unwrap();
    succeed(mqttat().args(["man", "--dir"]).arg(folder.path()));
    for command in commands() {
        let page = succeed(mqttat().args(["man", &command]));
        assert!(
            page.contains(&format!(".TH mqttat\\-{command} 1"))
                || page.contains(&format!(".TH mqttat-{command} 1")),
            "{page}"
        );
        assert!(page.contains("Examples:") && page.contains("\\-\\-help"), "{page}");
        let file = std::fs::read_to_string(folder.path().join(format!("mqttat-{command}.1"))).unwrap();
        assert_eq!(file, page);
    }
    assert!(fail(2, mqttat().args(["man", "fly"])).contains("fly"));
    assert!(fail(1, mqttat().args(["man", "--dir", "/dev/null/x"])).contains("[fault: input]; "));
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in commands() {
        let help = succeed(mqttat().args([&command, "--help"]));
        assert!(help.contains("Examples:\n") && help.contains("--device"), "{help}");
        assert!(
            help.contains(&format!("  mqttat {command}")) || help.contains(&format!(" {command} ")),
            "{help}"
        );
    }
}
