//! `mqttat completions` and `mqttat man`: what packages of this program want.

use std::path::PathBuf;

use clap_complete::Shell;

use super::Verbosity;

/// Print a script that teaches a shell to complete this program's options
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat completions bash > ~/.local/share/bash-completion/completions/mqttat
  mqttat completions zsh > ~/.zfunc/_mqttat
  mqttat completions fish > ~/.config/fish/completions/mqttat.fish")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

/// Print the manual page of this program or of one of its commands
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mqttat man | man -l -\n  mqttat man pub | man -l -\n  mqttat man --dir /usr/local/share/man/man1"
)]
pub(crate) struct Man {
    /// The command [default: the page about the program as a whole]
    #[arg(value_name = "COMMAND")]
    pub(crate) page: Option<String>,

    /// Write all pages into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "page")]
    pub(crate) dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
