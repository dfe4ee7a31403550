//! `mqttat completions` and `mqttat man`

use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_mangen::Man as Page;
use mqtt_at::Fault;

use crate::args::Args;
use crate::args::generate::{Completions, Man};
use crate::failure::Failure;
use crate::output;

pub(super) fn completions(args: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "mqttat", &mut script);
    output::print(|out| out.write_all(&script)).map(drop)
}

pub(super) fn man(args: &Man) -> Result<(), Failure> {
    if let Some(directory) = &args.dir {
        return write_all(directory).map_err(|error| {
            Failure::failed(format!("--dir {}: {error}", directory.display()), Fault::Caller)
                .remedy("name a directory that can be written")
        });
    }
    let pages = pages();
    let name = args.page.as_ref().map_or("mqttat".to_owned(), |command| format!("mqttat-{command}"));
    let page = pages.into_iter().find(|page| page_name(page) == name);
    let page = page.ok_or_else(|| {
        let command = args.page.as_deref().unwrap_or_default();
        Failure::usage(format!("there is no command {command}")).remedy("`mqttat --help` lists them")
    })?;
    let mut text = Vec::new();
    // A Vec takes everything.
    let _ = Page::new(page).render(&mut text);
    output::print(|out| out.write_all(&text)).map(drop)
}

fn write_all(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    for page in pages() {
        let mut text = Vec::new();
        let path = directory.join(format!("{}.1", page_name(&page)));
        Page::new(page).render(&mut text)?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// The program as a whole, and its commands; each has its page's name as display name.
fn pages() -> Vec<clap::Command> {
    let mut whole = Args::command();
    whole.build();
    let commands: Vec<_> = whole.get_subcommands().filter(|it| it.get_name() != "help").cloned().collect();
    std::iter::once(whole).chain(commands).collect()
}

fn page_name(page: &clap::Command) -> &str {
    page.get_display_name().unwrap_or_else(|| page.get_name())
}
