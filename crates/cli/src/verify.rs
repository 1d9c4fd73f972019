//! `verify`: is this credential valid, and may it do that?

use std::net::IpAddr;

use clap::{Args, ValueEnum};
use keystile_api::verify::{AskedEndpoint, Permissions, RuleOutcome, Verdict, VerifyRequest};
use secrecy::ExposeSecret;

use crate::failure::Failure;
use crate::output::{self, Cell, Column, Form, Tone};
use crate::prompt;
use crate::session::{Common, Session};

/// Checks a credential.
#[derive(Args)]
#[command(after_help = HELP)]
pub struct Verify {
    /// The credential; only with --force: everybody on this machine can see what stands here
    #[arg(requires = "force", hide = true)]
    credential: Option<String>,
    /// Take the credential from the command line
    #[arg(long, hide = true)]
    force: bool,
    /// What it must be allowed, once for each permission
    #[arg(long, value_name = "PERMISSION", conflicts_with = "expression")]
    permission: Vec<String>,
    /// What it must be allowed, as in 'invoices.read and (a.b or c.d)'
    #[arg(long, value_name = "EXPRESSION")]
    expression: Option<String>,
    /// The endpoint that it must open, as in GET /billing/v1/invoices
    #[arg(long, num_args = 2, value_names = ["METHOD", "PATH"])]
    endpoint: Option<Vec<String>>,
    /// Where it rode
    #[arg(long)]
    source: Option<Source>,
    /// How it travelled
    #[arg(long)]
    transport: Option<Transport>,
    /// Where the request came from
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// What the check takes of each limit
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    cost: i64,
    /// Show every rule with its outcome, and what is missing
    #[arg(long)]
    explain: bool,
    /// Which server, and how to print.
    #[command(flatten)]
    pub common: Common,
}

#[derive(Clone, Copy, ValueEnum)]
enum Source {
    Bearer,
    Header,
    Query,
}

#[derive(Clone, Copy, ValueEnum)]
enum Transport {
    Insecure,
    Secure,
}

impl Verify {
    /// Does it.
    ///
    /// # Errors
    /// It is not valid, or that could not be found out.
    pub async fn run(self, session: &Session) -> Result<(), Failure> {
        // Before the check: it may have a cost.
        session.refuse_names()?;
        let credential = match &self.credential {
            Some(shown) => shown.clone(),
            None => prompt::secret("Key or token to check:")?.expose_secret().to_owned(),
        };
        let permissions = match self.expression {
            Some(expression) => Some(Permissions::Expression(expression)),
            None if self.permission.is_empty() => None,
            None => Some(Permissions::All(self.permission)),
        };
        let asked = VerifyRequest {
            credential: Some(credential),
            permissions,
            endpoint: self.endpoint.and_then(|asked| {
                let [method, path] = <[String; 2]>::try_from(asked).ok()?;
                Some(AskedEndpoint { method, path })
            }),
            source: self.source.map(word),
            transport: self.transport.map(word),
            ip: self.ip.map(|ip| ip.to_string()),
            cost: Some(self.cost),
            explain: self.explain,
            ..VerifyRequest::default()
        };
        let verify = session.client.verify();
        let verdict = session.stop.unless_pressed(verify.check(&asked)).await;
        // 4 is what became of the credential, not of the login that asks.
        let verdict = verdict.map_err(|failure| match failure.number() {
            4 => Failure::System(format!("it could not be asked: {failure}")),
            _ => failure,
        })?;
        output::even_if_closed(print(session, &verdict))?;
        match verdict.valid {
            true => Ok(()),
            false => Err(Failure::NotAllowed(format!("not valid: {}", verdict.code))),
        }
    }
}

fn print(session: &Session, verdict: &Verdict<'_>) -> Result<(), Failure> {
    let Some(explanation) = verdict.explanation.as_ref().filter(|_| session.form() == Form::Table)
    else {
        return output::value(verdict, session.form(), &session.look);
    };
    let known = Verdict { explanation: None, ..verdict.clone() };
    output::value(&known, Form::Table, &session.look)?;
    output::lines([format!("\n{}", output::table(RULES, &explanation.rules, &session.look))])?;
    if let Some(missing) = &explanation.missing {
        let endpoint = missing.endpoint.as_ref();
        let endpoint = endpoint.map(|endpoint| format!("{} {}", endpoint.method, endpoint.path));
        let missing: Vec<_> = missing.permissions.iter().cloned().chain(endpoint).collect();
        output::lines([format!("\nmissing: {}", output::plain(&missing.join(", ")))])?;
    }
    Ok(())
}

/// The word of the API for a value of a flag.
fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

const RULES: &[Column<RuleOutcome>] = &[
    Column { head: "RULE", cell: |rule, _| rule.rule.replace('_', " ").into(), from: 0 },
    Column {
        head: "OUTCOME",
        cell: |rule, _| {
            let tone = match rule.outcome.as_str() {
                "fail" => Tone::Bad,
                "pass" => Tone::Good,
                _ => Tone::Faint,
            };
            Cell::toned(&rule.outcome, tone)
        },
        from: 0,
    },
];

const HELP: &str = "\
The credential is asked for, or is the first line of standard input:
  keystile verify --permission invoices.read < key
The exit code is 0 if it is valid, 4 if it is not, and 1 if that could not be asked: your own login
was refused, say.";
