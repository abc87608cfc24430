//! The command `overseer`: arguments, printing and exit codes around `overseer-engine`.

mod args;
mod commands;
mod heap;
mod logging;
mod service;
mod settings;
mod text;

use args::{Cli, Command};
use clap::Parser;
use overseer_engine::core::{Error, ErrorKind, Severity};
use settings::Settings;
use std::process::ExitCode;

/// What a command found, for `--exit-code`.
type Outcome = Result<Severity, Error>;

const COULD_NOT: u8 = 3;
const WRONG_USAGE: u8 = 64;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version go to stdout and are no error; a failed print changes nothing.
            let _ = e.print();
            return if e.use_stderr() { WRONG_USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    if cli.command.runs_for_long() {
        heap::keep_small();
    }
    let wanted = logging::Wanted {
        format: cli.global.log_format,
        verbose: cli.global.verbose,
        is_screen: cli.command.is_screen(),
    };
    if let Err(e) = logging::start(wanted) {
        return fail(&e, WRONG_USAGE);
    }
    let tells = cli.global.exit_code;
    let settings = match Settings::of(&cli) {
        Ok(settings) => settings,
        Err(e) => return fail(&e, WRONG_USAGE),
    };
    #[cfg(feature = "serve")]
    if let Command::Serve(args) = &cli.command
        && let Err(e) = commands::serve::check(args)
    {
        return fail(&e, WRONG_USAGE);
    }
    survive_full_quotas();
    // With files alone, a parameter that is refused was typed wrong; of a store it may be what is not there.
    let is_offline = cli.command.is_offline();
    match run(cli.command, &settings) {
        Ok(Severity::Critical) if tells => 2.into(),
        Ok(Severity::High | Severity::Medium) if tells => 1.into(),
        Ok(_) => ExitCode::SUCCESS,
        Err(e) if is_closed_pipe(&e) => ExitCode::SUCCESS,
        Err(e) if is_offline && matches!(e.kind(), ErrorKind::InvalidParameter { .. }) => {
            fail(&e, WRONG_USAGE)
        }
        Err(e) => fail(&e, COULD_NOT),
    }
}

/// A file that may not grow any more is an error of the write, as a full disk is, and not the end of the process, which is
/// what `SIGXFSZ` means where nobody listens. Where listening is impossible it stays so.
fn survive_full_quotas() {
    #[cfg(unix)]
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default());
}

fn run(command: Command, settings: &Settings) -> Outcome {
    match command {
        Command::Analyze => commands::live::analyze(settings),
        Command::Anomaly => commands::live::anomaly(settings),
        Command::Predict(args) => commands::live::predict(settings, args.horizon),
        Command::Patterns => commands::live::patterns(settings),
        Command::Recommend(args) => commands::recommend::recommend(settings, &args),
        Command::Outcome(args) => commands::recommend::outcome(settings, &args),
        Command::Train(args) => commands::train::train(settings, &args),
        Command::Analytics => commands::live::analytics(settings),
        Command::Watch(args) => commands::watch::watch(settings, args.samples),
        Command::Incidents(args) => commands::decisions::incidents(settings, &args),
        Command::Acknowledge(args) => commands::decisions::acknowledge(settings, &args),
        Command::Label(args) => commands::decisions::label(settings, &args),
        Command::Silence(args) => commands::decisions::silence(settings, &args),
        #[cfg(feature = "serve")]
        Command::Serve(args) => commands::serve::serve(settings, &args),
        #[cfg(feature = "top")]
        Command::Top(args) => commands::top::top(settings, &args),
        Command::Replay(args) => commands::replay::replay(settings, &args),
        Command::Score(args) => commands::score::score(settings, &args),
        Command::Backtest(args) => commands::backtest::backtest(&args),
        Command::Export(args) => commands::transfer::export(settings, &args),
        Command::Import(args) => commands::transfer::import(settings, &args),
        Command::Models(what) => commands::models::models(settings, &what),
        Command::Sinks(what) => commands::sinks::sinks(settings, &what),
        Command::Alerts(args) => commands::alerts::alerts(settings, &args),
        Command::Verify => commands::verify::verify(settings),
    }
}

/// Whether the reader of our output went away, as `head` does: the work is done as far as anybody wants it.
fn is_closed_pipe(error: &Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(e) = cause {
        if e.downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
        {
            return true;
        }
        cause = e.source();
    }
    false
}

fn fail(error: &Error, code: u8) -> ExitCode {
    logging::fail(&error.to_string());
    code.into()
}
